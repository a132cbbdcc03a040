package main

import (
	"io"
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"smsc/restapi"
)

// newRegistry returns the registry every part counts in, with what the
// process itself has to say.
func newRegistry() *meters {
	reg := newMeters(prometheus.NewRegistry())
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "smsc_build_info", Help: "Always 1; the labels tell the release and the Go that built it.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version()},
	})
	info.Set(1)
	reg.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// showReady shows whether the house takes messages.
func (h *house) showReady() {
	h.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "smsc_ready", Help: "1 while the house takes messages.",
	}, func() float64 {
		if _, ok := h.ready(); ok && !h.draining.Load() {
			return 1
		}
		return 0
	}))
}

// metricsHandler serves /metrics.
func metricsHandler(reg prometheus.Gatherer) http.Handler {
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
}

// newLogger returns the logger of the house, to people on a terminal or to
// programs as JSON lines, and the newest of what it said for those who look
// over REST.
func newLogger(c logConfig, w io.Writer) (zerolog.Logger, *restapi.Logs) {
	if c.Format == "console" {
		_, quiet := os.LookupEnv("NO_COLOR")
		file, isFile := w.(*os.File)
		terminal := isFile && isTerminal(file)
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.RFC3339, NoColor: quiet || !terminal}
	}
	level, err := zerolog.ParseLevel(c.Level)
	if err != nil {
		level = zerolog.InfoLevel
	}
	logs := restapi.NewLogs(level)
	// The level is asked of the ring, where it can be changed.
	return zerolog.New(zerolog.MultiLevelWriter(w, logs)).Level(zerolog.TraceLevel).Sample(logs).With().Timestamp().Logger(), logs
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
