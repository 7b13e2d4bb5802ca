package registrytest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
)

// stocked is an open registry that holds app:v1, with its layer's digest.
func stocked(t *testing.T) (r *registrytest.Registry, layer string) {
	t.Helper()
	r = registrytest.New("reg.lab", registrytest.Open)
	img, err := imagetest.Image(imagetest.Spec{Layers: [][]imagetest.File{{imagetest.Big("big", 50_000, 1)}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Push("team/app", "v1", img); err != nil {
		t.Fatal(err)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	h, err := layers[0].Digest()
	if err != nil {
		t.Fatal(err)
	}
	return r, h.String()
}

// answer is a response without its body.
type answer struct {
	StatusCode int
	Header     http.Header
}

// ask sends one request and reads the answer whole.
func ask(t *testing.T, tr http.RoundTripper, method, url string, header ...string) (answer, string, error) {
	t.Helper()
	return askWithin(t, tr, 500*time.Millisecond, method, url, header...)
}

func askWithin(t *testing.T, tr http.RoundTripper, patience time.Duration, method, url string, header ...string) (answer, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return answer{}, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header}, string(b), err
}

const tagURL = "http://reg.lab/v2/team/app/manifests/v1"

func TestBreaks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		answer registrytest.Answer
		want   error // 500 ms is the client's patience
	}{
		{"silence", registrytest.Answer{Preset: "silence"}, context.DeadlineExceeded},
		{"stall after header", registrytest.Answer{Preset: "stall-header"}, context.DeadlineExceeded},
		{"stall after 100 bytes", registrytest.Answer{Break: registrytest.BreakStall, After: 100}, context.DeadlineExceeded},
		{"hang up", registrytest.Answer{Preset: "hang-up"}, io.EOF},
		{"cut", registrytest.Answer{Preset: "cut"}, io.ErrUnexpectedEOF},
		{"reset", registrytest.Answer{Preset: "reset"}, syscall.ECONNRESET},
		{"reset in the body", registrytest.Answer{Preset: "reset-body"}, syscall.ECONNRESET},
		{"endless", registrytest.Answer{Preset: "endless"}, context.DeadlineExceeded},
		{"slow", registrytest.Answer{Preset: "slow"}, context.DeadlineExceeded},
		{"late", registrytest.Answer{Preset: "late"}, context.DeadlineExceeded},
		{"a little late", registrytest.Answer{DelayMillis: 10}, nil},
		{"refused by status and cut", registrytest.Answer{Preset: "error-503", Break: registrytest.BreakClose, After: 5}, io.ErrUnexpectedEOF},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r, layer := stocked(t)
			set(t, r, registrytest.Where{Object: "layer"}, tc.answer)
			_, _, err := ask(t, client(t, r), http.MethodGet, "http://reg.lab/v2/team/app/blobs/"+layer)
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

// A client that resumes where the body broke off must not creep to its end.
func TestResumingDoesNotPassTheCut(t *testing.T) {
	t.Parallel()
	r, layer := stocked(t)
	tr := client(t, r)
	url := "http://reg.lab/v2/team/app/blobs/" + layer
	_, whole, err := ask(t, tr, http.MethodGet, url)
	if err != nil {
		t.Fatal(err)
	}
	set(t, r, registrytest.Where{Object: "layer"}, registrytest.Answer{Preset: "cut"})
	half := len(whole) / 2
	for _, tc := range []struct {
		ranges string
		want   int
	}{{"", half}, {"bytes=100-", half - 100}, {fmt.Sprintf("bytes=%d-", half), 0}, {fmt.Sprintf("bytes=%d-", half+9), 0}} {
		_, body, err := ask(t, tr, http.MethodGet, url, "Range", tc.ranges)
		if !errors.Is(err, io.ErrUnexpectedEOF) || len(body) != tc.want {
			t.Errorf("%q: %d bytes, %v; want %d", tc.ranges, len(body), err, tc.want)
		}
	}
}

func TestWrongBytesKeepLength(t *testing.T) {
	t.Parallel()
	r, layer := stocked(t)
	tr := client(t, r)
	for _, url := range []string{tagURL, "http://reg.lab/v2/team/app/blobs/" + layer} {
		good, body, err := ask(t, tr, http.MethodGet, url)
		if err != nil {
			t.Fatal(err)
		}
		set(t, r, registrytest.Where{}, registrytest.Answer{Preset: "wrong-bytes"})
		bad, wrong, err := ask(t, tr, http.MethodGet, url)
		if err != nil {
			t.Fatal(err)
		}
		if body == wrong || len(body) != len(wrong) {
			t.Errorf("%s: %d bytes became %d, equal: %t", url, len(body), len(wrong), body == wrong)
		}
		if diff := cmp.Diff(good.Header, bad.Header, cmp.FilterPath(isDate, cmp.Ignore())); diff != "" {
			t.Error(diff)
		}
		r.Faults.Clear("*")
	}
}

func isDate(p cmp.Path) bool { return strings.Contains(p.GoString(), `"Date"`) }

// A held request must end when the fault goes, the client goes, or the server
// closes; the leak check in TestMain watches the last two.
func TestClearReleasesStalledRequests(t *testing.T) {
	t.Parallel()
	r, _ := stocked(t)
	set(t, r, registrytest.Where{}, registrytest.Answer{Preset: "silence"})
	tr := client(t, r)
	go func() {
		for len(r.Log.Entries()) == 0 {
			time.Sleep(time.Millisecond)
		}
		r.Faults.Clear("f")
	}()
	if _, _, err := ask(t, tr, http.MethodGet, tagURL); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want EOF", err)
	}
	if resp, _, err := ask(t, tr, http.MethodGet, tagURL); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("after clearing: %v, %v", resp, err)
	}
}

func TestServerCloseReleasesStalledRequests(t *testing.T) {
	t.Parallel()
	r, _ := stocked(t)
	set(t, r, registrytest.Where{}, registrytest.Answer{Preset: "silence"})
	s := httptest.NewServer(r)
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /v2/team/app/manifests/v1 HTTP/1.1\r\nHost: reg.lab\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	for len(r.Log.Entries()) == 0 {
		time.Sleep(time.Millisecond)
	}
	s.CloseClientConnections()
	s.Close() // waits for the handler
}

func TestWhere(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		where registrytest.Where
		hit   []string // method and last path elements, of the three below
	}{
		{"everything", registrytest.Where{}, []string{"GET v1", "HEAD v1", "GET layer"}},
		{"GET only", registrytest.Where{Method: "get"}, []string{"GET v1", "GET layer"}},
		{"step", registrytest.Where{Step: registrytest.StepBlob}, []string{"GET layer"}},
		{"role", registrytest.Where{Object: "layer"}, []string{"GET layer"}},
		{"tag", registrytest.Where{Object: "v1"}, []string{"GET v1", "HEAD v1"}},
		{"prefix", registrytest.Where{Repository: "team/*", Host: "reg.lab"}, []string{"GET v1", "HEAD v1", "GET layer"}},
		{"early", registrytest.Where{Early: true, Client: "127.0.0.1"}, []string{"GET v1", "HEAD v1", "GET layer"}},
		{"other repository", registrytest.Where{Repository: "team/application"}, nil},
		{"other host", registrytest.Where{Host: "hub.lab"}, nil},
		{"other client", registrytest.Where{Client: "127.0.0.2"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r, layer := stocked(t)
			set(t, r, tc.where, registrytest.Answer{Status: 418})
			tr := client(t, r)
			var hit []string
			for _, q := range [][3]string{{"GET", tagURL, "GET v1"}, {"HEAD", tagURL, "HEAD v1"},
				{"GET", "http://reg.lab/v2/team/app/blobs/" + layer, "GET layer"}} {
				resp, _, err := ask(t, tr, q[0], q[1])
				if err != nil {
					t.Fatal(err)
				}
				if resp.StatusCode == 418 {
					hit = append(hit, q[2])
				}
			}
			if diff := cmp.Diff(tc.hit, hit); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A quota knows who asks, so the challenge comes first; a firewall does not.
func TestEarlyComesBeforeTheChallenge(t *testing.T) {
	t.Parallel()
	for early, want := range map[bool]int{false: 401, true: 403} {
		r := registrytest.New("reg.lab", registrytest.BearerHub)
		set(t, r, registrytest.Where{Step: registrytest.StepManifest, Early: early}, registrytest.Answer{Preset: "client-blocked-waf"})
		resp, _, err := ask(t, client(t, r), http.MethodGet, tagURL)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != want {
			t.Errorf("early %t: status %d, want %d", early, resp.StatusCode, want)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	r, _ := stocked(t)
	set(t, r, registrytest.Where{}, registrytest.Answer{Preset: "error-503", Times: 2})
	tr := client(t, r)
	var got []int
	for range 3 {
		resp, _, err := ask(t, tr, http.MethodGet, tagURL)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, resp.StatusCode)
	}
	if diff := cmp.Diff([]int{503, 503, 200}, got); diff != "" {
		t.Error(diff)
	}
}

func set(t *testing.T, r *registrytest.Registry, w registrytest.Where, a registrytest.Answer) {
	t.Helper()
	if err := r.Faults.Add(registrytest.Fault{ID: "f", Where: w, Answer: a}); err != nil {
		t.Fatal(err)
	}
}
