package diagnose

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/refloat-dev/refloat/evidence"
)

func checkReading(t *testing.T, r Reading) {
	t.Helper()
	if len(r.Candidates) == 0 || r.Candidates[0] != (Candidate{r.Cause, r.Confidence}) {
		t.Errorf("candidates %v do not begin with %s (%s)", r.Candidates, r.Cause, r.Confidence)
	}
	seen := map[Code]bool{}
	for _, c := range r.Candidates {
		if _, ok := ParseCode(string(c.Cause)); !ok || seen[c.Cause] || !slices.Contains([]Confidence{Likely, Possible, NoConfidence}, c.Confidence) {
			t.Errorf("candidate %v is no code, twice there, or of no confidence that a text can have", c)
		}
		seen[c.Cause] = true
	}
	for name, s := range map[string]string{"image": r.Image, "registry": r.Registry, "host": r.Host, "detail": r.Detail} {
		if len(s) > 4*maxRef || !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\x1b\n\r") {
			t.Errorf("%s is unbounded or unprintable: %.80q", name, s)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range allShapes() {
		f.Add(s.text, "", "")
	}
	f.Add("[", "illegal base64 data at input byte 0", "a/b:c")
	f.Add("(Mirrors also failed: [a: b]): c", "\xff\xfe", "\x1b[31m")
	f.Add("Failed to pull image \"\x00\xff\": [rpc error: code = ", "", "")
	f.Add(strings.Repeat("[", 300)+strings.Repeat(", failed to ", 300), "", "")
	f.Fuzz(func(t *testing.T, message, reason, image string) {
		checkReading(t, Read(Text{Message: message, Reason: reason, Image: image}))
	})
}

// FuzzCase diagnoses whatever a saved file may hold.
func FuzzCase(f *testing.F) {
	add := func(c *evidence.Case) {
		b, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	hit := ringOf(evidence.Keyring{Entries: []evidence.KeyringEntry{entry(ci, true)}})
	for _, text := range []string{anonymous401, oauth401, plain403, notFound, limited, locked, noHost, noLayer, wrongArch, ""} {
		add(caseOf(waiting(text), podWith("regcred"), hit, asked(tagged(probeOf(try(ci, first401, ask(evidence.StepToken, 401, "")), compared(try(nil, ask(evidence.StepManifest, 404, "")))), 200))))
		add(caseOf(waiting(text), podWith(), asked(probeOf(good(nil)))))
		add(caseOf(waiting(text), podWith(), ringOf(evidence.Keyring{Broken: "x", BrokenBy: "a/b"})))
		add(caseOf(waiting(text), asked(probeOf(evidence.Attempt{Login: ci, Skipped: "the registry refused it 3 minutes ago"}))))
	}
	add(plannedCase(hit, asked(probeOf(good(nil))), nodeFact(evidence.NodeState{ImageFS: &evidence.Filesystem{Available: 1, Capacity: 2}})))
	for _, text := range []string{noHost, noSpace, badSum, badCA, anonymous401, oauth401, readOnlyText, ""} {
		add(caseOf(waiting(text), podWith(), hostSeen(noName), mirrorSeen(refusing), problemSeen(evidence.EffectBypassed, hostsToml, "x"), answeredThere(probeOf(good(nil)))))
		add(caseOf(waiting(text), podWith(), providerSeen(evidence.Provider{Name: "ecr", Result: evidence.ProviderTimeout}), diskSeen(&evidence.DiskNeed{Compressed: 1}, evidence.DiskArea{Path: "/", Short: "bytes"}),
			contentSeen(evidence.Content{Blobs: 1, Damages: []evidence.Damage{{Kind: evidence.DamageDigest, Role: "layer"}}}), downloadsSeen(evidence.Download{Image: "shop.example/web/api:1.4", Still: true})))
	}
	f.Add([]byte(`{"pull":{"kind":"planned","image":"a"},"facts":[null,{},{"probe":{"attempts":[{},{"steps":[{}]},{"found":{},"served":true}],"tags":{}}},{"keyring":{}},{"alternatives":{"items":[{"certain":true}]}}]}`))
	f.Fuzz(func(t *testing.T, saved []byte) {
		c := &evidence.Case{}
		if json.Unmarshal(saved, c) != nil {
			return
		}
		d := Diagnose(c, noon)
		if !d.Served && (len(d.Candidates) == 0 || d.Candidates[0] != (Candidate{d.Cause, d.Confidence})) {
			t.Errorf("candidates %v do not begin with %s (%s)", d.Candidates, d.Cause, d.Confidence)
		}
		if len([]rune(d.Summary)) > maxSummary || strings.ContainsAny(d.Summary, "\x00\x1b\n") {
			t.Errorf("summary %q", d.Summary)
		}
		seen := slices.ContainsFunc(c.Facts, func(f *evidence.Fact) bool {
			return f != nil && (f.Probe != nil || f.Keyring != nil || f.Vantage == evidence.Node)
		})
		if d.Confidence == Confirmed && (!seen || len(c.Facts) < 2 && c.Pull.Reason == "" || c.Pull.Kind == evidence.Planned) {
			t.Errorf("%s is confirmed from one vantage point", d.Cause)
		}
		Warnings(&evidence.Collection{Cases: []*evidence.Case{c}, ObservedAt: noon})
	})
}

func TestReadHostile(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "10 MB of brackets": strings.Repeat("[", 10<<20), "10 MB of list": strings.Repeat("[failed to a, ", 10<<20/14), "10 MB of quotes": strings.Repeat(`\"`, 5<<20),
		"binary": string([]byte{0, 1, 2, 0xff, 0xfe, 27, '[', '3', '1', 'm'}), "cause at the end of 10 MB": strings.Repeat("x", 10<<20) + ": no space left on device",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := Read(Text{Message: text})
			checkReading(t, r)
			if strings.HasPrefix(name, "cause") && r.Cause != DiskFull {
				t.Errorf("read %s", r.Cause)
			}
		})
	}
}
