package tenant

import (
	"encoding"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Decode reads YAML or JSON strictly into a struct with yaml tags: unknown
// and repeated keys, wrong types and bad values are faults, all of them
// reported at once. What the document does not name keeps the value that
// into holds, so defaults are set before. A number is taken as text where
// text is asked for, as it is written.
//
// It knows structs (also `yaml:",inline"`), pointers, slices, maps with
// string keys, strings, bools, integers, floats, any, time.Duration and
// [Duration] ("30s"), [Size] ("64MiB") and everything that implements
// encoding.TextUnmarshaler. into must be a pointer.
func Decode(file string, data []byte, into any) []Fault {
	f := &faults{file: file}
	if root := parseTree(data, f); root != nil {
		newDecoder(f).value(root, reflect.ValueOf(into).Elem(), "")
	}
	return f.sorted()
}

// decoder writes nodes into Go values.
type decoder struct {
	faults *faults
	shapes map[reflect.Type]*shape
	words  map[string]string // what text said before
}

func newDecoder(f *faults) *decoder {
	return &decoder{faults: f, shapes: make(map[reflect.Type]*shape), words: make(map[string]string)}
}

// own returns text that does not hold the whole document in memory: most of it
// is said again and again, as the names of accounts and links are.
func (d *decoder) own(text string) string {
	if known, ok := d.words[text]; ok {
		return known
	}
	text = strings.Clone(text)
	if len(d.words) < maxWords {
		d.words[text] = text
	}
	return text
}

// maxWords is how many words a decoder remembers.
const maxWords = 4096

// shape is what the yaml tags of a struct say.
type shape struct {
	names  []string
	fields map[string][]int
}

func (d *decoder) shape(t reflect.Type) *shape {
	if s := d.shapes[t]; s != nil {
		return s
	}
	s := &shape{fields: make(map[string][]int)}
	d.shapes[t] = s
	for _, f := range reflect.VisibleFields(t) {
		name, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || name == "-" || opts == "inline" || len(f.Index) > 1 && !inlined(t, f.Index) {
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		s.names = append(s.names, name)
		s.fields[name] = f.Index
	}
	return s
}

// inlined tells whether all structs on the way to a field are inlined.
func inlined(t reflect.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		f := t.Field(i)
		if _, opts, _ := strings.Cut(f.Tag.Get("yaml"), ","); opts != "inline" || f.Type.Kind() != reflect.Struct {
			return false
		}
		t = f.Type
	}
	return true
}

var (
	durationType = reflect.TypeFor[time.Duration]()
)

// value writes n into v.
func (d *decoder) value(n *node, v reflect.Value, path string) {
	if n.kind == nullNode {
		return // "key:" alone: not given
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.value(n, v.Elem(), path)
		return
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(n, u, path)
		return
	}
	if v.Type() == durationType {
		d.text(n, (*Duration)(v.Addr().Interface().(*time.Duration)), path)
		return
	}
	if d.lone(n, v, path) {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.dict(n, path, nil, v)
	case reflect.Slice:
		d.list(n, v, path)
	case reflect.Map:
		d.table(n, v, path)
	case reflect.Interface:
		v.Set(reflect.ValueOf(plain(n)))
	default:
		d.scalar(n, v, path)
	}
}

// lone writes one value where several, or a map, are asked for: into a slice
// that says it may be left out of its list, or a struct that takes a word.
func (d *decoder) lone(n *node, v reflect.Value, path string) bool {
	if n.kind == listNode || v.Kind() == reflect.Struct && n.kind == dictNode {
		return false
	}
	switch into := v.Addr().Interface().(type) {
	case interface{ Lone() }:
		one := reflect.MakeSlice(v.Type(), 1, 1)
		d.value(n, one.Index(0), path)
		v.Set(one)
	case interface{ SetLone(string) }:
		into.SetLone(n.text)
	default:
		return false
	}
	return true
}

func (d *decoder) text(n *node, u encoding.TextUnmarshaler, path string) {
	if n.kind == listNode || n.kind == dictNode {
		d.faults.add(n.line, path, "must be text, not %s", kindWords[n.kind])
	} else if err := u.UnmarshalText([]byte(n.text)); err != nil {
		d.faults.add(n.line, path, "%s", err)
	}
}

// dict writes a map into the structs that share its keys. unknown, if not
// nil, may say more about a key that none of them has.
func (d *decoder) dict(n *node, path string, unknown func(key string) string, into ...reflect.Value) {
	if n.kind != dictNode {
		d.faults.add(n.line, path, "must be a map, not %s", kindWords[n.kind])
		return
	}
	for _, p := range n.keys {
		known := false
		for _, v := range into {
			if index, ok := d.shape(v.Type()).fields[p.key]; ok {
				d.value(p.value, v.FieldByIndex(index), join(path, p.key))
				known = true
			}
		}
		if known {
			continue
		}
		what := ""
		if unknown != nil {
			what = unknown(p.key)
		}
		if what == "" {
			what = d.stray(p.key, into)
		}
		d.faults.add(p.line, join(path, p.key), "%s", what)
	}
}

// stray says that a key is unknown, and which known one is nearest.
func (d *decoder) stray(key string, into []reflect.Value) string {
	var names []string
	for _, v := range into {
		names = append(names, d.shape(v.Type()).names...)
	}
	return strayKey(key, names)
}

func (d *decoder) list(n *node, v reflect.Value, path string) {
	if n.kind != listNode {
		d.faults.add(n.line, path, "must be a list, not %s", kindWords[n.kind])
		return
	}
	if len(n.items) == 0 {
		v.SetZero() // so that what is written and what is left out are one
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		at := path + "[" + strconv.Itoa(i) + "]"
		if item.kind == nullNode {
			d.faults.add(n.line, at, "is empty")
			continue
		}
		d.value(item, out.Index(i), at)
	}
	v.Set(out)
}

func (d *decoder) table(n *node, v reflect.Value, path string) {
	if n.kind != dictNode || v.Type().Key().Kind() != reflect.String {
		d.faults.add(n.line, path, "must be a map, not %s", kindWords[n.kind])
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), len(n.keys))
	for _, p := range n.keys {
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(p.value, value, join(path, p.key))
		out.SetMapIndex(reflect.ValueOf(d.own(p.key)).Convert(v.Type().Key()), value)
	}
	v.Set(out)
}

// scalar writes text, truth or a number.
func (d *decoder) scalar(n *node, v reflect.Value, path string) {
	wrong := func(want string) {
		d.faults.add(n.line, path, "must be %s, not %s", want, kindWords[n.kind])
	}
	switch k := v.Kind(); {
	case k == reflect.String:
		if n.kind != textNode && n.kind != intNode && n.kind != floatNode {
			wrong("text")
			return
		}
		v.SetString(d.own(n.text))
	case k == reflect.Bool:
		if n.kind != boolNode {
			wrong("true or false")
			return
		}
		v.SetBool(strings.EqualFold(n.text, "true"))
	case v.CanInt() || v.CanUint():
		if n.kind != intNode {
			wrong("a whole number")
			return
		}
		d.integer(n, v, path)
	case v.CanFloat():
		x, err := strconv.ParseFloat(n.text, 64)
		if n.kind != intNode && n.kind != floatNode || err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			wrong("a number")
			return
		}
		v.SetFloat(x)
	default:
		d.faults.add(n.line, path, "can not be given in a document")
	}
}

func (d *decoder) integer(n *node, v reflect.Value, path string) {
	x, err := parseInteger(n.text)
	switch {
	case err != nil:
		d.faults.add(n.line, path, "%q is no whole number that fits", n.text)
	case v.CanInt() && !v.OverflowInt(x):
		v.SetInt(x)
	case v.CanUint() && x >= 0 && !v.OverflowUint(uint64(x)):
		v.SetUint(uint64(x))
	default:
		d.faults.add(n.line, path, "%s is out of range", n.text)
	}
}
