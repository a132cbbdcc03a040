package smpp

import (
	"slices"
	"strings"
	"time"

	"smsc/tenant"
)

// SetLinks takes the links of a new document: sessions of links that are
// gone, or whose credentials changed, are unbound; others stay.
func (e *Edge) SetLinks(d *tenant.Directory) { e.setLinks(d.Links()) }

func (e *Edge) setLinks(links []*tenant.Link) {
	declared := make(map[string]bool, len(links))
	for _, link := range links {
		if link.ESME == nil && link.Carrier == nil {
			continue
		}
		declared[link.Name] = true
		st, err := settingsOf(link, e.cfg.MaxValidity)
		if err != nil {
			// The document was checked; what passed and still does not fit
			// leaves the link as it was.
			e.log.Error().Err(err).Str("link", link.Name).Msg("settings are not usable")
			continue
		}
		e.setLink(st)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, l := range e.lines {
		if !declared[name] {
			delete(e.lines, name)
			e.retire(l)
		}
	}
}

func (e *Edge) setLink(st *settings) {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := st.link.Name
	l := e.lines[name]
	if l == nil || l.settings.Load().carrier != st.carrier {
		if l != nil {
			e.retire(l)
		}
		l = newLine(e, st)
		e.lines[name] = l
		l.recall(nil, st)
		if st.carrier && !e.draining {
			l.client.Store(startClient(l))
		}
		return
	}
	old := l.settings.Swap(st)
	l.recall(old, st)
	if rebind(old.link, st.link) {
		e.renew(l, st.options.withDefaults().ResponseTimeout)
	}
}

// renew unbinds the sessions of a line and, of a carrier, binds anew. mu is
// held.
func (e *Edge) renew(l *line, wait time.Duration) {
	l.client.Load().stop()
	standing := l.all()
	e.wg.Go(func() { unbind(standing, wait) })
	if l.settings.Load().carrier && !e.draining {
		l.client.Store(startClient(l))
	}
}

// Rebind ends the sessions of a link and, where we are the client, begins
// new ones at once; an ESME comes back by itself. force does not wait for
// open requests. False: this edge has no such link.
func (e *Edge) Rebind(link string, force bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.lines[link]
	if l == nil {
		return false
	}
	wait := l.settings.Load().options.withDefaults().ResponseTimeout
	if force {
		wait = 0
	}
	l.log.Info().Bool("force", force).Msg("rebind")
	e.renew(l, wait)
	return true
}

// retire lets the sessions of a line that is no longer declared run out. mu
// is held.
func (e *Edge) retire(l *line) {
	l.recall(l.settings.Load(), nil)
	e.retired = append(e.retired, l)
	e.wg.Go(func() {
		l.stop(l.settings.Load().options.withDefaults().ResponseTimeout)
		e.mu.Lock()
		e.retired = slices.DeleteFunc(e.retired, func(x *line) bool { return x == l })
		e.mu.Unlock()
	})
}

// stop ends a line for good.
func (l *line) stop(wait time.Duration) {
	l.mu.Lock()
	l.gone = true
	l.mu.Unlock()
	l.client.Load().stop()
	unbind(l.all(), wait)
}

// rebind tells whether a change of settings ends the sessions of a link
// (spec smpp §18).
func rebind(a, b *tenant.Link) bool {
	switch {
	case a.ESME != nil && b.ESME != nil:
		return a.ESME.SystemID != b.ESME.SystemID || a.ESME.Password != b.ESME.Password ||
			strings.Join(a.ESME.From, " ") != strings.Join(b.ESME.From, " ")
	case a.Carrier != nil && b.Carrier != nil:
		x, y := a.Carrier, b.Carrier
		return x.Address != y.Address || x.SystemID != y.SystemID || x.Password != y.Password ||
			x.SystemType != y.SystemType || x.Bind != y.Bind || x.Binds != y.Binds || x.Window != y.Window ||
			x.TLS != y.TLS || x.TLSCA != y.TLSCA || x.TLSName != y.TLSName
	}
	return true
}
