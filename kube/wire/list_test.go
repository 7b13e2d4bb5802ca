package wire_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/refloat-dev/refloat/kube/wire"
)

func serve(t *testing.T, f func(w *bufio.Writer)) *wire.Client {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		b := bufio.NewWriter(w)
		f(b)
		_ = b.Flush()
	}))
	t.Cleanup(s.Close)
	c, err := wire.New(&rest.Config{Host: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// TestListOfLargeObjects: a page may be larger than what is kept of it.
func TestListOfLargeObjects(t *testing.T) {
	t.Parallel()
	pad := strings.Repeat("x", 1500<<10)
	c := serve(t, func(w *bufio.Writer) {
		fmt.Fprint(w, `{"apiVersion":"v1","items":[`)
		for i := range 60 {
			if i > 0 {
				fmt.Fprint(w, ",")
			}
			fmt.Fprintf(w, `{"n":%d,"pad":%q}`, i, pad)
		}
		fmt.Fprint(w, `],"kind":"List","metadata":{"resourceVersion":"7","continue":"more"}}`)
	})
	seen := 0
	page, err := c.List(t.Context(), "/things", nil, func(raw json.RawMessage) error {
		var o struct{ N int }
		if err := json.Unmarshal(raw, &o); err != nil || o.N != seen {
			t.Errorf("%d: %v", o.N, err)
		}
		seen++
		return nil
	})
	if err != nil || seen != 60 || page.ResourceVersion != "7" || page.Continue != "more" {
		t.Errorf("%d objects, %+v, %v", seen, page, err)
	}
}

func TestListIsCutOffOrNone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body string
		ok   bool
	}{
		"no items":   {`{"items":null,"metadata":{"resourceVersion":"1"}}`, true},
		"empty":      {`{"items":[],"metadata":{"resourceVersion":"1"}}`, true},
		"cut off":    {`{"metadata":{"resourceVersion":"1"},"items":[{}`, false},
		"no list":    {`[]`, false},
		"items text": {`{"items":"x"}`, false},
		"endless":    {`{"items":[{"a":"` + strings.Repeat("x", 9<<20) + `"}]}`, false},
		"nothing":    {``, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := serve(t, func(w *bufio.Writer) { fmt.Fprint(w, tt.body) })
			_, err := c.List(t.Context(), "/things", nil, func(json.RawMessage) error { return nil })
			if (err == nil) != tt.ok {
				t.Error(err)
			}
		})
	}
}
