// Package intake is the door: it says of each message whether the house takes
// responsibility, and takes it by one synced batch. What it refuses costs
// nothing and is answered at once. It never waits, never sends, and never
// learns what became of a message.
package intake

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/message"
	"smsc/routing"
	"smsc/tenant"
	"smsc/translate"
)

var _ message.Acceptor = (*Intake)(nil)

// Queue is what intake asks of storage.  [store.Store]
type Queue interface {
	// Put stores messages with their first States in one batch, all or none,
	// and returns after the sync; a batch of ModeDatagram alone does not wait
	// for it. The id returned for a repeat (see message.Origin.Ref) is that
	// of the first, and nothing is stored for it.
	Put(ctx context.Context, r ...message.Record) ([]message.ID, error)
	// Backlog returns how many messages of the account, and of all accounts,
	// have no end yet.
	Backlog(account string) (own, total int)
	// Parked returns records that wait on key, in the order of their ids.
	Parked(ctx context.Context, key string, after message.ID, max int) ([]message.Record, error)
	// Waits returns the keys that begin with prefix and that records wait on.
	Waits(ctx context.Context, prefix string) ([]string, error)
	// Join rewrites one record and removes the parts that became one with it:
	// all or none, synced; ErrStale where one has changed.
	Join(ctx context.Context, whole message.End, parts ...message.State) error
}

// Intake is the one door of the house. It is safe for concurrent use.
type Intake struct {
	cfg       Config
	queue     Queue
	directory func() *tenant.Directory
	mint      *message.Mint
	log       zerolog.Logger
	limits    *limiter
	replies   *replies
	parts     assembly
	counts    *counts
	known     func() routing.Facts
	till      *till     // nil: nothing is paid for
	refusals  *refusals // nil: nobody keeps records of them
	loops     *loops
	crowd     crowd
}

// Know tells the door who is registered and located now; without it nobody
// is. It is called before the first message.
func (in *Intake) Know(facts func() routing.Facts) { in.known = facts }

// facts returns what plans hang on beside the table.
func (in *Intake) facts(now time.Time) routing.Facts {
	var f routing.Facts
	if in.known != nil {
		f = in.known()
	}
	f.Now = now
	return f
}

// New returns a door to queue. The directory in force is asked for each
// message.
func New(cfg Config, queue Queue, directory func() *tenant.Directory, mint *message.Mint,
	log zerolog.Logger, reg prometheus.Registerer) *Intake {
	return &Intake{cfg: cfg, queue: queue, directory: directory, mint: mint, log: log,
		limits: newLimiter(), replies: newReplies(), loops: newLoops(), counts: newCounts(reg)}
}

// Accept implements message.Acceptor: messages succeed or fail one by one,
// and all that pass are in one batch. From, To and the times of those that
// pass come back as they are kept.
func (in *Intake) Accept(ctx context.Context, ms ...*message.Message) []error {
	now := time.Now()
	errs := make([]error, len(ms))
	v := &visit{in: in, dir: in.directory(), now: now, facts: in.facts(now), records: make([]message.Record, 0, len(ms))}
	room := v.enter(ctx, ms, errs)
	for i, m := range ms[:room] {
		v.ruled = nil
		if errs[i] = v.admit(m); errs[i] == nil {
			v.passed = append(v.passed, i)
		} else {
			in.refusals.refuse(m, errs[i], v.ruled, now)
		}
	}
	if len(v.passed) < len(ms) && message.AskedTogether(ctx) {
		for _, i := range v.passed {
			errs[i] = message.ErrNotAlone
		}
		v.passed = nil
	}
	if len(v.passed) > 0 {
		ids, err := in.store(ctx, v, ms, errs)
		// durable from here
		for n, i := range v.passed {
			if err != nil {
				errs[i] = in.unkept(err)
				in.refusals.refuse(ms[i], errs[i], nil, now)
			} else if id := ids[n]; id != ms[i].ID {
				ms[i].ID = id
				in.counts.repeat(v.label(ms[i]))
			}
		}
	}
	v.exit(ctx, room)
	in.assemble(ctx, v.dir, v.groups)
	in.counts.answered(v, ms, errs, time.Since(now))
	return errs
}

// store stores what has passed, paid for where that is asked; what is not paid
// for leaves v.passed.
func (in *Intake) store(ctx context.Context, v *visit, ms []*message.Message, errs []error) ([]message.ID, error) {
	if in.till == nil {
		return v.put(ctx, append(v.records, v.born...))
	}
	asked := slices.Clone(v.passed)
	ids, err := in.till.pay(ctx, v, ms, errs)
	for _, i := range asked {
		if errs[i] != nil {
			in.refusals.refuse(ms[i], errs[i], nil, v.now)
		}
	}
	return ids, err
}

// unkept turns a failure of the store into an answer: we never accept what
// we cannot keep.
func (in *Intake) unkept(err error) error {
	var known *message.Error
	if errors.As(err, &known) {
		return err
	}
	in.log.Error().Err(err).Msg("the store does not take messages")
	return &message.Error{Cause: message.Congested, Text: "the message cannot be stored now", After: storeAfter, Err: err}
}

const storeAfter = 10 * time.Second

// visit is one call of Accept.
type visit struct {
	in      *Intake
	dir     *tenant.Directory
	now     time.Time
	facts   routing.Facts
	records []message.Record // those that pass, in order
	born    []message.Record // their receipts and automatic replies
	births  []int            // where in born those of each record end
	passed  []int
	waited  time.Duration       // for storage
	groups  map[string]struct{} // keys of parts that are to be joined
	ruled   []message.Step      // what rules did to the message at the door
	asked   *routing.Subject    // the message as rules see it, while they are asked; one for all of a visit
}

// admit is the door itself, in the order of spec routing §1: what is said,
// who says it, is there room, is there a way, how much is it, until when.
func (v *visit) admit(m *message.Message) error {
	if m.Kind != message.KindMessage {
		return message.Errorf(message.BadContent, "a receipt is not submitted")
	}
	if err := m.Body.Validate(); err != nil {
		return message.Errorf(message.BadContent, "%s", err)
	}
	if err := v.numbers(m); err != nil {
		return err
	}
	if err := v.who(m); err != nil {
		return err
	}
	if v.in.loops.circles(m.Origin.Link, m, v.now) {
		return message.Errorf(message.Barred, "loop")
	}
	if err := v.room(m); err != nil {
		return err
	}
	m.ID, m.Accepted = v.in.mint.Next(v.now), v.now // rules and the weights of routes look at the id
	var said ruled
	if !v.waitsForOthers(m) {
		var err error
		if said, err = v.rules(m, false); err != nil {
			return err
		}
	}
	parts, err := said.parts, error(nil)
	if parts == 0 {
		if parts, err = translate.CountParts(m.Body); err != nil {
			return err
		}
	}
	m.Parts = uint8(min(parts, message.MaxParts))
	cut, err := v.times(m)
	if err != nil {
		return err
	}
	plan := v.plan(m)
	if plan.Verdict == routing.NoWay && said.End == routing.GoOn {
		return v.noWay(m, plan)
	}
	if err := v.in.limits.take(v.now, int(m.Parts), v.meters(m)); err != nil {
		return err
	}
	m.Charged = goesOn(plan, &said) && v.charged(m.Account, cmp.Or(said.Charged, plan.Charged))
	charge, err := v.bill(m, plan.Refund)
	if err != nil {
		return err
	}
	v.keep(m, plan, &said, cut, charge)
	return nil
}

// goesOn tells whether somebody is to have the message: what is dropped or
// answered at the door costs nothing.
func goesOn(plan routing.Plan, said *ruled) bool {
	return said.End != routing.DropIt && plan.Verdict != routing.Drop && plan.Verdict != routing.Reply
}

func (v *visit) plan(m *message.Message) routing.Plan { return v.dir.Table().Plan(m, v.facts) }

// numbers brings sender and recipient into normal form, by the number plan of
// the link or else of the account, then by the link's rewrites (spec routing
// §7).
func (v *visit) numbers(m *message.Message) error {
	link := v.dir.Link(m.Origin.Link)
	n := v.dir.Numbering(m.Account)
	if link != nil && link.Numbering != nil {
		n = link.Numbering
	}
	var plan translate.NumberPlan
	if n != nil {
		plan = translate.NumberPlan{Country: n.Country, Trunk: n.Trunk, International: n.International,
			ShortMax: n.ShortMax, Bare: n.Bare}
	}
	from, err := translate.Normalise(m.From.Shown(), m.From.TON, m.From.NPI, m.From.Typed, plan)
	if err != nil {
		return &message.Error{Cause: message.Barred, Text: "sender: " + textOf(err)}
	}
	to, err := translate.Normalise(m.To.Shown(), m.To.TON, m.To.NPI, m.To.Typed, plan)
	if err != nil {
		return &message.Error{Cause: message.UnknownNumber, Text: "recipient: " + textOf(err)}
	}
	m.From, m.To = v.dir.Incoming(m.Origin.Link).Apply(from, to)
	return nil
}

func textOf(err error) string {
	if text := message.TextOf(err); text != "" {
		return text
	}
	return err.Error()
}

// who asks whether the account may act and may use this sender.
func (v *visit) who(m *message.Message) error {
	switch v.dir.Status(m.Account) {
	case tenant.Suspended:
		return message.Errorf(message.Barred, "the account is suspended")
	case tenant.Closed:
		return message.Errorf(message.Barred, "the account is closed")
	}
	if !v.dir.MaySend(m.Account, m.From.Value) {
		return message.Errorf(message.Barred, "the account may not use this sender")
	}
	return nil
}

// times fills in and checks schedule and validity (spec smpp §10): cut tells
// that the validity was longer than allowed.
func (v *visit) times(m *message.Message) (cut bool, err error) {
	cfg := &v.in.cfg
	if m.Mode != message.ModeStore {
		m.Once = true
	}
	if m.Mode == message.ModeDatagram { // SMPP 3.4 §2.10.2
		m.NotBefore, m.Wants = time.Time{}, message.WantNone
	}
	from := v.now
	if m.NotBefore.After(v.now) {
		if from = m.NotBefore; from.Sub(v.now) > cfg.MaxValidity {
			return false, message.Errorf(message.BadContent, "the schedule is more than %s ahead", cfg.MaxValidity)
		}
	} else {
		m.NotBefore = time.Time{}
	}
	switch longest := from.Add(cfg.MaxValidity); {
	case m.Expires.IsZero():
		m.Expires = from.Add(cfg.DefaultValidity)
	case !m.Expires.After(v.now):
		return false, message.Errorf(message.BadContent, "the validity is over")
	case !m.Expires.After(from):
		return false, message.Errorf(message.BadContent, "the schedule is not before the end of the validity")
	case m.Expires.After(longest):
		m.Expires, cut = longest, true
	}
	return cut, nil
}

// noWay says why no link can have m.
func (v *visit) noWay(m *message.Message, plan routing.Plan) error {
	v.in.counts.miss(m.Origin.Type)
	if plan.By == routing.ByDest {
		return message.Errorf(message.Barred, "the account may not send over %s", m.Dest)
	}
	return message.Errorf(message.UnknownNumber, "no route to the recipient")
}

// charged is the word of the route, else of the account, else of the nearest
// account above it, else of the house.
func (v *visit) charged(account, word string) bool {
	if yes, said := yesNo(word); said {
		return yes
	}
	for a := v.dir.Account(account); a != nil; a = v.above(a) {
		if yes, said := yesNo(a.Charged); said {
			return yes
		}
	}
	return v.in.cfg.Charged
}

// above returns the account above a, nil for the root.
func (v *visit) above(a *tenant.Account) *tenant.Account {
	if a.Parent == "" {
		return nil
	}
	return v.dir.Account(a.Parent)
}

func yesNo(word string) (yes, said bool) { return word == "yes", word == "yes" || word == "no" }
