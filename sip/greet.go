package sip

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"
)

// greeting is how long a client may take for its handshakes: they run beside
// the accept loop, so that one idle client holds up nobody (spec sip §1).
const greeting = 5 * time.Second

// greet does the handshakes of a connection that came in: TLS, then
// WebSocket. The stream can be read and written after it.
func (s *stream) greet(config *tls.Config) error {
	conn := s.conn
	_ = conn.SetDeadline(time.Now().Add(greeting))
	if s.transport.secure() {
		ctx, cancel := context.WithTimeout(context.Background(), greeting)
		defer cancel()
		secure := tls.Server(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return err
		}
		s.takeCertificate(secure.ConnectionState())
		conn = secure
	}
	if s.transport.web() {
		s.frames = &frames{r: bufio.NewReaderSize(conn, 4096)}
		answer, err := upgrade(s.frames.r)
		if _, werr := conn.Write([]byte(answer)); err == nil {
			err = werr
		}
		if err != nil {
			return err
		}
	}
	_ = conn.SetDeadline(time.Time{})
	return s.wrap(conn)
}

// wrap puts the connection that TLS made in the place of the bare one.
func (s *stream) wrap(conn net.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return errGone
	}
	s.conn = conn
	return nil
}

// takeCertificate notes the certificate of a client that verified.
func (s *stream) takeCertificate(state tls.ConnectionState) {
	if len(state.VerifiedChains) > 0 {
		s.cert = state.PeerCertificates[0]
	}
}

// dialTLS begins TLS on a connection of ours and verifies the peer's
// certificate against the host of the URI (RFC 5922 §7.2).
func (e *endpoint) dialTLS(conn net.Conn, to place) (net.Conn, error) {
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: strings.Trim(to.name, "[]"),
		// Go's own check knows DNS names only; ours also knows SIP URIs.
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection does it
		VerifyConnection:   func(state tls.ConnectionState) error { return verifyPeer(state, to.name, to.roots) },
	}
	if e.cfg.TLS != nil {
		// A peer that asks who we are is shown what our listeners show.
		config.Certificates, config.GetClientCertificate = e.cfg.TLS.Certificates, e.cfg.TLS.GetClientCertificate
	}
	if _, err := netip.ParseAddr(config.ServerName); err == nil {
		config.ServerName = "" // no address in SNI (RFC 6066 §3)
	}
	ctx, cancel := context.WithTimeout(context.Background(), e.cfg.Dial)
	defer cancel()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return secure, nil
}

func verifyPeer(state tls.ConnectionState, name string, roots *x509.CertPool) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("peer shows no certificate")
	}
	leaf := state.PeerCertificates[0]
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	if _, err := leaf.Verify(options); err != nil {
		return err
	}
	if certifies(leaf, name) {
		return nil
	}
	return errors.New("certificate of the peer is not for " + name)
}

// certifies tells whether a certificate speaks for a SIP host: by a URI
// "sip:host" where it has any, else by a DNS name or an address (RFC 5922
// §7.1).
func certifies(cert *x509.Certificate, host string) bool {
	host = strings.Trim(host, "[]")
	sipURIs := false
	for _, u := range cert.URIs {
		if strings.EqualFold(u.Scheme, "sip") && !strings.Contains(u.Opaque, "@") {
			sipURIs = true
			if strings.EqualFold(u.Opaque, host) {
				return true
			}
		}
	}
	return !sipURIs && cert.VerifyHostname(host) == nil
}
