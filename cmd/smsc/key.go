package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// keyFile is where the operator's key lies when the configuration names none.
const keyFile = "operator.key"

// operatorKey returns the key of the root account: the configured one, or the
// one in the data folder, made at the first start. Where nothing is kept it is
// new each time and lies nowhere: whoever wants it names one.
func operatorKey(cfg config) (string, error) {
	if cfg.HTTP.OperatorKey != "" {
		return cfg.HTTP.OperatorKey, nil
	}
	if cfg.Data == memory {
		return rand.Text(), nil
	}
	file := filepath.Join(cfg.Data, keyFile)
	data, err := os.ReadFile(file)
	if err == nil {
		if key := strings.TrimSpace(string(data)); key != "" {
			return key, nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("operator key: %w", err)
	}
	key := rand.Text()
	if err := os.MkdirAll(cfg.Data, 0o750); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("operator key: %w", err)
	}
	return key, nil
}
