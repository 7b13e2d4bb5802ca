package evidence

import "reflect"

// EachText hands every text that v, a pointer, leads to to f, and puts what f makes of it in its place: Clean for what
// somebody else wrote.
func EachText(v any, f func(string) string) { eachText(reflect.ValueOf(v), f) }

func eachText(v reflect.Value, f func(string) string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachText(v.Elem(), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				eachText(v.Field(i), f)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachText(v.Index(i), f)
		}
	case reflect.String:
		if old := v.String(); old != "" {
			v.SetString(f(old))
		}
	}
}
