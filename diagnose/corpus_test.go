package diagnose

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"testing"
)

// lines reads a JSON-lines file beside the checkout; where it is not there the repository's own shapes have to do.
func lines[T any](t *testing.T, path string) []T {
	t.Helper()
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Logf("%s is not there: only the repository's own shapes are tested", path)
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []T
	in := bufio.NewScanner(f)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var one T
		if err := json.Unmarshal(in.Bytes(), &one); err != nil {
			t.Fatalf("%s:%d: %v", path, len(out)+1, err)
		}
		out = append(out, one)
	}
	return out
}

func TestCorpus(t *testing.T) {
	t.Parallel()
	type line struct {
		Message, Reason string
		Acceptable      []Code
	}
	all := lines[line](t, "../../shared/corpus/dev.jsonl")
	top1 := 0
	for i, l := range all {
		r := Read(Text{Message: l.Message, Reason: l.Reason})
		right := slices.Contains(l.Acceptable, r.Cause)
		if right {
			top1++
		}
		if !right && r.Confidence == Likely {
			t.Errorf("line %d: confidently %s, acceptable %s", i+1, r.Cause, l.Acceptable)
		}
	}
	if len(all) > 0 && float64(top1) < 0.97*float64(len(all)) {
		t.Errorf("top-1 is %d of %d, want 97 %%", top1, len(all))
	}
}

// runtimeCases is what the registry did, as codes; the first is the truth, the others are what
// the text cannot tell from it (see names.go and auth.go).
var runtimeCases = map[string][]Code{
	"nxdomain": {DNS}, "refused": {Refused}, "tcp-close": {Interrupted}, "tls-old": {TLSInvalid}, "mtls": {TLSInvalid}, "http-on-https": {HTTPMismatch},
	"x509-unknown": {TLSUntrusted}, "x509-expired": {TLSInvalid}, "x509-name": {TLSInvalid}, "x509-cn-only": {TLSInvalid}, "x509-notyet": {TLSInvalid},
	"basic": {NoCredentials}, "basic+creds": {InvalidCredentials, NoCredentials}, "basic+emptypw": {SecretMalformed, NoCredentials},
	"bearer-denied": {DeniedOrMissing}, "bearer-denied+creds": {Forbidden, DeniedOrMissing}, "bearer-denied-noerr": {DeniedOrMissing, NoCredentials}, "bearer-then403": {Forbidden},
	"token401": {NoCredentials, InvalidCredentials}, "token401+creds": {InvalidCredentials}, "token403": {NoCredentials, DeniedOrMissing}, "token403+creds": {Forbidden, DeniedOrMissing},
	"token429": {RateLimited, LockedOut}, "token429+creds": {LockedOut, RateLimited}, "token500": {Unavailable}, "tokennotoken": {NotARegistry}, "noauthhdr": {NoCredentials},
	"f403": {Forbidden}, "f403html": {ClientBlocked, Forbidden}, "h412": {ContentPolicy}, "m404": {TagNotFound}, "n404": {RepositoryNotFound, TagNotFound}, "h404": {TagNotFound, NotARegistry},
	"missing-repo": {RepositoryNotFound, TagNotFound}, "r429": {RateLimited}, "r429get": {RateLimited}, "b429": {RateLimited},
	"e500": {Unavailable}, "e502": {Unavailable}, "e503": {Unavailable}, "e504": {Unavailable}, "b500": {Unavailable}, "empty200": {NotARegistry},
	"armindex": {PlatformMismatch}, "winindex": {PlatformMismatch}, "idxmissing": {ContentMissing, TagNotFound},
	"schema1": {UnsupportedFormat, NotARegistry}, "schema1u": {UnsupportedFormat}, "weirdmt": {UnsupportedFormat}, "nomt": {UnsupportedFormat}, "artifact": {UnsupportedFormat}, "helm": {UnsupportedFormat},
	"badlayermt": {UnsupportedFormat}, "mdigest": {CacheCorrupt}, "bdigest": {CacheCorrupt}, "baddigest": {DigestNotFound, CacheCorrupt}, "baddiff": {UnsupportedFormat, CacheCorrupt}, "garbage": {UnsupportedFormat},
	"bshort": {Interrupted}, "breset": {Interrupted}, "b401": {Forbidden, NoCredentials}, "b403": {Forbidden}, "b404": {ContentMissing}, "bs3": {ClientBlocked, Forbidden}, "bs3refused": {Refused},
	"badref": {InvalidReference}, "poison-seed": {CacheCorrupt}, "poison-after-0s": {CacheCorrupt},
}

func TestRuntimeMessages(t *testing.T) {
	t.Parallel()
	type line struct {
		Runtime, Version, Case, Image, Code string
		Message                             *string
	}
	for _, l := range lines[line](t, "../../shared/runtime-messages/messages.jsonl") {
		want := runtimeCases[l.Case]
		if l.Message == nil {
			continue
		}
		if want == nil {
			t.Errorf("case %s has no expectation", l.Case)
			continue
		}
		for _, wrap := range []string{"", `Failed to pull image "` + l.Image + `": `, `Back-off pulling image "` + l.Image + `": ErrImagePull: rpc error: code = ` + l.Code + ` desc = `} {
			r := Read(Text{Message: wrap + *l.Message})
			among := slices.ContainsFunc(r.Candidates, func(c Candidate) bool { return c.Cause == want[0] })
			if !slices.Contains(want, r.Cause) || (!among && l.Case != "token429") || (r.Confidence == Likely && r.Cause != want[0] && !slices.Contains(want[1:], r.Cause)) {
				t.Errorf("%s, %s %s: %s (%s) of %v, want %s\n%s", l.Case, l.Runtime, l.Version, r.Cause, r.Confidence, r.Candidates, want, *l.Message)
			}
		}
	}
}
