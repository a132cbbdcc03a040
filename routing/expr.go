package routing

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"

	"smsc/message"
)

// Bounds of an expression: its size, and the memory that one run may take.
// There are no loops but over what it makes itself, so time is bounded too.
const (
	maxNodes      = 500
	memoryBudget  = 100_000
	maxExpression = 4000
)

// scope is what an expression sees (spec routing §9).
type scope struct {
	M       sight                         `expr:"m"`
	Share   func(percent float64) bool    `expr:"share"`
	InRange func(s, from, to string) bool `expr:"in_range"`
	Digits  func(s string) string         `expr:"digits"`
}

// sight is the message.
type sight struct {
	Called     string            `expr:"called"`
	Calling    string            `expr:"calling"`
	Text       string            `expr:"text"`
	Account    string            `expr:"account"`
	SourceSMSC string            `expr:"source_smsc"`
	SourceType string            `expr:"source_type"`
	SourceUser string            `expr:"source_user"`
	Parts      int               `expr:"parts"`
	Characters int               `expr:"characters"`
	Class      int               `expr:"class"`
	Priority   int               `expr:"priority"`
	DCS        int               `expr:"dcs"`
	Binary     bool              `expr:"binary"`
	UDH        bool              `expr:"udh"`
	Receipt    bool              `expr:"receipt"`
	Registered bool              `expr:"registered"`
	Hosted     bool              `expr:"hosted"`
	TLV        map[int]string    `expr:"tlv"`
	Header     map[string]string `expr:"header"`
	Hour       int               `expr:"hour"`
	Minute     int               `expr:"minute"`
	Weekday    int               `expr:"weekday"` // 1 = Monday
	Unix       int               `expr:"unix"`
	Cause      string            `expr:"cause"`
	Rounds     int               `expr:"rounds"`
	DestSMSC   string            `expr:"dest_smsc"`
}

// scope fills in what an expression sees of s.
func (t *Table) scope(s *Subject, seed string) scope {
	m := s.Message
	at := m.Accepted.UTC()
	return scope{
		M: sight{
			Called: m.To.Value, Calling: m.From.Value, Text: s.text(), Account: m.Account,
			SourceSMSC: m.Origin.Link, SourceType: m.Origin.Type.String(), SourceUser: m.Origin.User,
			Parts: s.Parts, Characters: s.characters(), Class: s.class(), Priority: int(m.Priority), DCS: int(m.Body.DCS),
			Binary: !m.Body.IsText(), UDH: len(m.Body.UDH) > 0, Receipt: m.Wants&message.WantFinal != 0,
			Registered: t.registered(s), Hosted: t.hosted(s), TLV: s.tlvs(), Header: s.headers(),
			Hour: at.Hour(), Minute: at.Minute(), Weekday: (int(at.Weekday())+6)%7 + 1, Unix: int(at.Unix()),
			Cause: s.Cause.String(), Rounds: s.Rounds, DestSMSC: s.Link,
		},
		Share:   func(percent float64) bool { return s.share(seed) < percent },
		InRange: inRange,
		Digits:  digits,
	}
}

// digits is a text without all that is no digit.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// inRange compares the digits of s with two numbers of one length: s may be
// longer than they are.
func inRange(s, from, to string) bool {
	s, from, to = Key(s), Key(from), Key(to)
	if len(s) < len(from) || len(s) < len(to) {
		return false
	}
	return s[:len(from)] >= from && s[:len(to)] <= to
}

// tlvs are all optional parameters in hex.
func (s *Subject) tlvs() map[int]string {
	raw, _ := hex.DecodeString(s.Message.Extra[extraTLVs])
	var all map[int]string
	for len(raw) >= 4 {
		n := int(binary.BigEndian.Uint16(raw[2:]))
		if n > len(raw)-4 {
			break
		}
		if all == nil {
			all = make(map[int]string)
		}
		all[int(binary.BigEndian.Uint16(raw))] = hex.EncodeToString(raw[4 : 4+n])
		raw = raw[4+n:]
	}
	return all
}

// headers are those of the request, by their names in lower case.
func (s *Subject) headers() map[string]string {
	var all map[string]string
	for key, v := range s.Message.Extra {
		for _, edge := range []string{"sip.", "http."} {
			if name, ok := strings.CutPrefix(key, edge); ok {
				if all == nil {
					all = make(map[string]string)
				}
				all[name] = v
			}
		}
	}
	return all
}

// rephrase turns what we offer beside the language itself into the language:
// match(s, re) is s matches re, so that patterns are compiled once, and names
// of headers have no letter case.
type rephrase struct{}

func (rephrase) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.CallNode:
		if name, ok := n.Callee.(*ast.IdentifierNode); ok && name.Value == "match" && len(n.Arguments) == 2 {
			ast.Patch(node, &ast.BinaryNode{Operator: "matches", Left: n.Arguments[0], Right: n.Arguments[1]})
		}
	case *ast.MemberNode:
		of, ok := n.Node.(*ast.MemberNode)
		if !ok {
			return
		}
		if field, ok := of.Property.(*ast.StringNode); ok && field.Value == "header" {
			if name, ok := n.Property.(*ast.StringNode); ok {
				name.Value = strings.ToLower(name.Value)
			}
		}
	}
}

// compile checks an expression against what it may see.
func compile(text string, more ...expr.Option) (*vm.Program, error) {
	if len(text) > maxExpression {
		return nil, fmt.Errorf("an expression is at most %d characters long", maxExpression)
	}
	program, err := expr.Compile(text, append([]expr.Option{
		expr.Env(scope{}), expr.MaxNodes(maxNodes), expr.DisableBuiltin("now"), expr.Patch(rephrase{}),
		expr.Function("prefix", func(args ...any) (any, error) {
			value := Key(args[0].(string))
			for _, p := range args[1:] {
				if strings.HasPrefix(value, Key(p.(string))) {
					return true, nil
				}
			}
			return false, nil
		}, new(func(string, ...string) bool)),
		expr.Function("match", func(...any) (any, error) { return nil, errors.New("not called: it is an operator") },
			new(func(string, string) bool)),
	}, more...)...)
	if err != nil {
		what, _, _ := strings.Cut(err.Error(), "\n") // without the drawing below it
		return nil, errors.New(strings.NewReplacer("type routing.sight", "m", "type routing.scope", "the expression").Replace(what))
	}
	return program, nil
}

// run evaluates an expression; whatever is wrong with it is an error.
func (t *Table) run(program *vm.Program, s *Subject, seed string) (any, error) {
	machine := vm.VM{MemoryBudget: memoryBudget}
	return machine.Run(program, t.scope(s, seed))
}

// expression compiles a condition. One that fails does not hold, and its rule
// is noted as broken.
func (k *maker) expression(text string) (func(*Subject) bool, error) {
	program, err := compile(text, expr.AsBool())
	if err != nil {
		return nil, err
	}
	t, seed := k.t, k.name
	return func(s *Subject) bool {
		v, err := t.run(program, s, seed)
		if err != nil {
			s.broken = true
			return false
		}
		yes, _ := v.(bool)
		return yes
	}, nil
}

// value is a word of an action: as it is written, or "= expression".
type value struct {
	plain   string
	program *vm.Program
}

func newValue(text string) (value, error) {
	source, computed := strings.CutPrefix(text, "=")
	if !computed {
		return value{plain: text}, nil
	}
	program, err := compile(strings.TrimSpace(source))
	return value{program: program}, err
}

// computed tells whether text is an expression.
func computed(text string) bool { return strings.HasPrefix(text, "=") }

// of returns the word for s; an error breaks the rule.
func (v value) of(t *Table, s *Subject, seed string) (string, error) {
	if v.program == nil {
		return v.plain, nil
	}
	x, err := t.run(v.program, s, seed)
	if err != nil {
		return "", err
	}
	switch x := x.(type) {
	case string:
		return x, nil
	case int:
		return strconv.Itoa(x), nil
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64), nil
	}
	return "", fmt.Errorf("the expression gives %T, not text or a number", x)
}
