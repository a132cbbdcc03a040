package tenant

import (
	"reflect"
	"testing"
	"time"

	"smsc/routing"
)

func TestRoutesThatDifferInAnythingAreNotAlike(t *testing.T) {
	var l likenesses
	plain := l.whole(&routing.Route{})
	typ := reflect.TypeFor[routing.Route]()
	for i := range typ.NumField() {
		var r routing.Route
		switch f := reflect.ValueOf(&r).Elem().Field(i); f.Interface().(type) {
		case string:
			f.SetString("x")
		case int:
			f.SetInt(1)
		case bool:
			f.SetBool(true)
		case routing.Translation:
			r.Rewrite.Called = routing.Rewrites{{}}
		case routing.Window:
			r.Valid.To = time.Unix(1, 0)
		default:
			t.Fatalf("%s is of a kind that likeness does not know", typ.Field(i).Name)
		}
		if alike := l.whole(&r) == plain; alike != (typ.Field(i).Name == "ID") {
			t.Errorf("%s: alike %v", typ.Field(i).Name, alike)
		}
	}
}
