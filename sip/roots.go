package sip

import (
	"crypto/x509"
	"fmt"
	"os"
)

// readRoots reads the authorities that may sign a peer's certificate.
func readRoots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("tls_ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls_ca: %s holds no certificate", file)
	}
	return pool, nil
}
