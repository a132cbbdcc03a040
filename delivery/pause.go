package delivery

// Pause closes the lane of a link, or lets it go on: no attempt is begun over
// it, plans skip it, and what nobody else can take waits. The link itself
// stays as it is, and what is in flight may land. It may be called before the
// lane exists, and holds until it is taken back.
func (e *Engine) Pause(link string, on bool) {
	e.mu.Lock()
	if e.paused[link] == on {
		e.mu.Unlock()
		return
	}
	e.paused[link] = on
	if !on {
		delete(e.paused, link)
	}
	e.mu.Unlock()
	e.reopen(link)
}

// Paused tells whether a lane is held by Pause.
func (e *Engine) Paused(link string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.paused[link]
}
