package restapi

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

// Logs keeps the newest lines of the log for people who look, and is the dial
// of its level. The logger writes to it beside its own output, and asks it
// which levels are wanted.
type Logs struct {
	base  zerolog.Level // of smsc.yaml
	level atomic.Int32

	mu    sync.Mutex
	lines [logRing]logLine
	last  uint64
	until time.Time   // of a level that was asked for; zero: it stays
	timer *time.Timer // takes it back
}

const (
	logRing     = 5000
	maxLogText  = 16 << 10 // octets kept of one line
	maxLogLine  = 4096     // octets shown of one text in it
	maxLogRows  = 5000
	someLogRows = 500
)

// logLine is one line as the logger wrote it: JSON.
type logLine struct {
	id    uint64
	at    time.Time
	level zerolog.Level
	text  []byte
}

// NewLogs returns a ring for a log that begins at a level.
func NewLogs(level zerolog.Level) *Logs {
	l := &Logs{base: level}
	l.level.Store(int32(level))
	return l
}

// Sample implements zerolog.Sampler: it lets through what the level wants,
// before anything is formatted.
func (l *Logs) Sample(level zerolog.Level) bool { return level >= zerolog.Level(l.level.Load()) }

// Write implements io.Writer.
func (l *Logs) Write(p []byte) (int, error) { return l.WriteLevel(zerolog.NoLevel, p) }

// WriteLevel implements zerolog.LevelWriter.
func (l *Logs) WriteLevel(level zerolog.Level, p []byte) (int, error) {
	text := bytes.TrimSpace(p)
	text = bytes.Clone(text[:min(len(text), maxLogText)])
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	l.lines[l.last%logRing] = logLine{id: l.last, at: now, level: level, text: text}
	return len(p), nil
}

// SetLevel changes the level, for d or (0) until the next change.
func (l *Logs) SetLevel(level zerolog.Level, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
	}
	l.timer, l.until = nil, time.Time{}
	l.level.Store(int32(level))
	if d > 0 {
		l.until = time.Now().Add(d)
		l.timer = time.AfterFunc(d, func() { l.SetLevel(l.base, 0) })
	}
}

// newest is the number of the newest line.
func (l *Logs) newest() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// after returns the lines behind the one with the given id that match, the
// newest most of them, oldest first.
func (l *Logs) after(id uint64, most int, match func(*logLine) bool) []logLine {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []logLine
	for n := l.last; n > id && l.last-n < logRing && len(out) < most; n-- {
		if line := &l.lines[n%logRing]; match(line) {
			out = append(out, *line)
		}
	}
	slices.Reverse(out)
	return out
}

// logDoc is one line; what else it says stands beside these.
type logDoc struct {
	Line    uint64 `json:"line" doc:"Its number since the start; the parameter after takes it"`
	At      string `json:"at"`
	Level   string `json:"level"`
	Message string `json:"message"`
}

// listLogs answers GET /api/logs.
func (c *call) listLogs() error {
	limit, err := c.number("limit", someLogRows, 1, maxLogRows)
	if err != nil {
		return err
	}
	level := zerolog.TraceLevel
	if s := c.query.Get("level"); s != "" {
		if level, err = zerolog.ParseLevel(s); err != nil {
			return invalid("query.level", "must be debug, info, warn or error")
		}
	}
	since, err := c.moment("since")
	if err != nil {
		return err
	}
	after, err := strconv.ParseUint(or(c.query.Get("after"), "0"), 10, 64)
	if err != nil {
		return invalid("query.after", "is no number of a line")
	}
	q := []byte(strings.ToLower(c.query.Get("q")))
	lines := c.s.deps.Logs.after(after, limit, func(l *logLine) bool {
		return l.level >= level && !l.at.Before(since) && (len(q) == 0 || bytes.Contains(bytes.ToLower(l.text), q))
	})
	out := []byte{'['}
	for i := range lines {
		if i > 0 {
			out = append(out, ',')
		}
		out = lines[i].append(out)
	}
	return c.json(200, append(out, ']'))
}

// append writes a line without what is secret in it.
func (l *logLine) append(dst []byte) []byte {
	var said map[string]any
	d := json.NewDecoder(bytes.NewReader(l.text))
	d.UseNumber()
	if d.Decode(&said) != nil {
		said = map[string]any{zerolog.MessageFieldName: string(l.text)}
	}
	text, _ := said[zerolog.MessageFieldName].(string)
	dst = strconv.AppendUint(append(dst, `{"line":`...), l.id, 10)
	dst = appendMillis(append(dst, `,"at":`...), l.at)
	dst = appendString(append(dst, `,"level":`...), l.level.String())
	dst = appendString(append(dst, `,"message":`...), unsecret(text))
	keys := make([]string, 0, len(said))
	for k := range said {
		switch k {
		case zerolog.TimestampFieldName, zerolog.LevelFieldName, zerolog.MessageFieldName, "line", "at":
		default:
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		dst = append(appendString(append(dst, ','), k), ':')
		if s, ok := said[k].(string); ok {
			if secretKey.MatchString(k) {
				s = "***"
			}
			dst = appendString(dst, unsecret(s))
			continue
		}
		v, err := jsonText(said[k])
		if err != nil {
			v = []byte("null")
		}
		dst = append(dst, v...)
	}
	return append(dst, '}')
}

// A log holds no secrets; should a foreign text bring one, it is not shown.
var (
	secretKey  = regexp.MustCompile(`(?i)password|passwd|token|secret|authorization|api_?key|dsn`)
	secretText = regexp.MustCompile(`(?i)((?:password|passwd|token|secret|api[-_]?key|authorization)["']?\s*[=:]\s*["']?)[^\s"',;]+`)
	userInfo   = regexp.MustCompile(`(//)[^/\s@]+:[^/\s@]+@`)
)

func unsecret(s string) string {
	if len(s) > maxLogLine {
		s = strings.ToValidUTF8(s[:maxLogLine], "") + "..."
	}
	s = secretText.ReplaceAllString(s, "${1}***")
	return userInfo.ReplaceAllString(s, "${1}***@")
}

// levelDoc is the body of PUT /api/logs/level.
type levelDoc struct {
	Level string `json:"level" enum:"trace,debug,info,warn,error"`
	For   string `json:"for,omitempty" doc:"A duration like 10m; left out: until the next start"`
}

type levelReply struct {
	Level string  `json:"level"`
	Until *string `json:"until" doc:"When smsc.yaml's level is back; null: it stays"`
}

// maxLoud bounds how long another level may be asked for.
const maxLoud = 24 * time.Hour

// getLogLevel answers GET /api/logs/level.
func (c *call) getLogLevel() error {
	l := c.s.deps.Logs
	l.mu.Lock()
	defer l.mu.Unlock()
	reply := levelReply{Level: zerolog.Level(l.level.Load()).String()}
	if !l.until.IsZero() {
		at := l.until.UTC().Format(time.RFC3339)
		reply.Until = &at
	}
	return c.encode(reply)
}

// putLogLevel answers PUT /api/logs/level.
func (c *call) putLogLevel() error {
	body, err := c.objectBody()
	if err != nil {
		return err
	}
	word, _ := body["level"].(string)
	level, err := zerolog.ParseLevel(word)
	if err != nil || word == "" || level > zerolog.ErrorLevel {
		return invalid("body.level", "must be trace, debug, info, warn or error")
	}
	d := time.Duration(0)
	if v := body["for"]; v != nil && v != "" {
		if d, err = readDuration(v); err != nil || d <= 0 || d > maxLoud {
			return invalid("body.for", "must be a duration like 10m, at most 24h")
		}
	}
	c.s.log.Warn().Str("who", c.who()).Str("level", word).Dur("for", d).Msg("level of the log changed")
	c.s.deps.Logs.SetLevel(level, d)
	return c.getLogLevel()
}
