// Package enginetest runs a real cgr-engine for tests: internal databases,
// free ports of loopback, a tariff for messages. It is found at
// SMSC_CGR_ENGINE or in bin/peers, where testdata/peers/install.sh builds it; it is
// never linked.
package enginetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Tenant is the tenant of all accounts.
const Tenant = "cgrates.org"

// Engine is one running cgr-engine.
type Engine struct {
	URL string // of JSON-RPC
	cmd *exec.Cmd
	dir string
	log bytes.Buffer
}

// binary is where the engine was built.
func binary() string {
	if p := os.Getenv("SMSC_CGR_ENGINE"); p != "" {
		return p
	}
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "../../../bin/peers/cgr-engine")
}

// Start runs an engine for the time of the test. Without one the test is
// skipped, or fails when CI=true.
func Start(t *testing.T) *Engine {
	t.Helper()
	path := binary()
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("cgr-engine is missing: SMSC_CGRATES=1 testdata/peers/install.sh builds it")
		}
		t.Skip("no cgr-engine: SMSC_CGRATES=1 testdata/peers/install.sh builds it")
	}
	e := &Engine{dir: t.TempDir()}
	e.write(t)
	e.cmd = exec.Command(path, "-config_path", filepath.Join(e.dir, "conf"), "-logger", "*stdout")
	e.cmd.Stdout, e.cmd.Stderr = &e.log, &e.log
	if err := e.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = e.cmd.Process.Kill()
		_ = e.cmd.Wait()
		if t.Failed() {
			t.Log(tail(e.log.String(), 6000))
		}
	})
	deadline := time.Now().Add(time.Minute)
	for e.Call("APIerSv1.Ping", map[string]any{}, nil) != nil {
		if time.Now().After(deadline) {
			t.Fatal("cgr-engine does not answer")
		}
		time.Sleep(50 * time.Millisecond)
	}
	var out string
	if err := e.Call("ApierV1.LoadTariffPlanFromFolder", map[string]any{"FolderPath": filepath.Join(e.dir, "tp")}, &out); err != nil {
		t.Fatal("tariff:", err)
	}
	return e
}

func tail(s string, n int) string { return s[max(len(s)-n, 0):] }

// listen finds a free port below those that a system gives out by itself: the
// engine has none of its own yet when it is closed again.
func listen(t *testing.T) net.Listener {
	t.Helper()
	for range 1000 {
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000))); err == nil {
			return l
		}
	}
	t.Fatal("no port is free")
	return nil
}

// write writes configuration and tariff: 0.04 for each part to +44, 0.1 to
// +49, nothing to elsewhere.
func (e *Engine) write(t *testing.T) {
	t.Helper()
	ports := make([]any, 6)
	for i := range ports {
		l := listen(t)
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	e.URL = fmt.Sprintf("http://127.0.0.1:%d/jsonrpc", ports[2])
	files := map[string]string{
		"conf/cgrates.json": fmt.Sprintf(`{
"general": {"log_level": 4, "default_tenant": "`+Tenant+`"},
"listen": {"rpc_json": "127.0.0.1:%d", "rpc_gob": "127.0.0.1:%d", "http": "127.0.0.1:%d",
  "rpc_json_tls": "127.0.0.1:%d", "rpc_gob_tls": "127.0.0.1:%d", "http_tls": "127.0.0.1:%d"},
"data_db": {"db_type": "*internal"}, "stor_db": {"db_type": "*internal"},
"rals": {"enabled": true}, "schedulers": {"enabled": true},
"cdrs": {"enabled": true, "chargers_conns": ["*internal"], "rals_conns": ["*internal"]},
"chargers": {"enabled": true},
"sessions": {"enabled": true, "rals_conns": ["*internal"], "cdrs_conns": ["*internal"], "chargers_conns": ["*internal"], "listen_bijson": ""},
"apiers": {"enabled": true, "scheduler_conns": ["*internal"]}
}`, ports[0], ports[1], ports[2], ports[3], ports[4], ports[5]),
		"tp/Destinations.csv":     "#Id,Prefix\nUK,+44\nDE,+49\n",
		"tp/Rates.csv":            "#Id,ConnectFee,Rate,RateUnit,RateIncrement,GroupIntervalStart\nR4,0,0.04,1,1,0s\nR10,0,0.1,1,1,0s\n",
		"tp/DestinationRates.csv": "#Id,DestinationId,RatesTag,RoundingMethod,RoundingDecimals,MaxCost,MaxCostStrategy\nDR,UK,R4,*up,6,0,\nDR,DE,R10,*up,6,0,\n",
		"tp/RatingPlans.csv":      "#Id,DestinationRatesId,TimingTag,Weight\nRP,DR,*any,10\n",
		"tp/RatingProfiles.csv":   "#Tenant,Category,Subject,ActivationTime,RatingPlanId,RatesFallbackSubject\n" + Tenant + ",sms,*any,2014-01-14T00:00:00Z,RP,\n",
		"tp/Chargers.csv":         "#Tenant,ID,FilterIDs,ActivationInterval,RunID,AttributeIDs,Weight\n" + Tenant + ",DEFAULT,,,*default,*none,0\n",
	}
	for name, text := range files {
		path := filepath.Join(e.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Call asks one method of the engine.
func (e *Engine) Call(method string, params, result any) error {
	body, err := json.Marshal(map[string]any{"method": method, "params": []any{params}, "id": 1})
	if err != nil {
		return err
	}
	resp, err := http.Post(e.URL, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		Result json.RawMessage
		Error  any
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Error != nil {
		return fmt.Errorf("%s: %v", method, answer.Error)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, result)
}

// SetBalance gives an account so much money.
func (e *Engine) SetBalance(t *testing.T, account string, money float64) {
	t.Helper()
	var out string
	err := e.Call("ApierV1.SetBalance", map[string]any{"Tenant": Tenant, "Account": account, "BalanceType": "*monetary",
		"Balance": map[string]any{"ID": "money", "Value": money}}, &out)
	if err != nil && strings.Contains(err.Error(), "NOT_FOUND") {
		err = e.Call("ApierV2.SetAccount", map[string]any{"Tenant": Tenant, "Account": account}, &out)
		if err == nil {
			err = e.Call("ApierV1.SetBalance", map[string]any{"Tenant": Tenant, "Account": account, "BalanceType": "*monetary",
				"Balance": map[string]any{"ID": "money", "Value": money}}, &out)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Balance returns what an account has.
func (e *Engine) Balance(t *testing.T, account string) float64 {
	t.Helper()
	var out struct {
		BalanceMap map[string][]struct{ Value float64 }
	}
	if err := e.Call("ApierV2.GetAccount", map[string]any{"Tenant": Tenant, "Account": account}, &out); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, b := range out.BalanceMap["*monetary"] {
		sum += b.Value
	}
	return sum
}

// Stop freezes the engine: it holds its connections and answers nothing.
func (e *Engine) Stop(t *testing.T) { e.signal(t, "STOP") }

// Continue lets it go on.
func (e *Engine) Continue(t *testing.T) { e.signal(t, "CONT") }

func (e *Engine) signal(t *testing.T, name string) {
	t.Helper()
	if err := exec.Command("kill", "-"+name, fmt.Sprint(e.cmd.Process.Pid)).Run(); err != nil {
		t.Fatal(err)
	}
}
