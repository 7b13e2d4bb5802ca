package evidence_test

import (
	"strings"
	"testing"

	"github.com/refloat-dev/refloat/evidence"
)

func TestCleanReference(t *testing.T) {
	t.Parallel()
	const digest = "@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	for in, want := range map[string]string{
		"":                                   "",
		"nginx":                              "nginx",
		"reg.lab:5000/team/app:v1":           "reg.lab:5000/team/app:v1",
		"reg.lab/app" + digest:               "reg.lab/app" + digest,
		"app:1" + digest:                     "app:1" + digest,
		"app@sha256:cut":                     "app@sha256:cut",
		"app@latest":                         "app@latest",
		"docker://app" + digest:              "docker://app" + digest,
		"https://reg.lab/app:1":              "https://reg.lab/app:1",
		"user:token@reg.lab/x":               "REDACTED@reg.lab/x",
		"token@reg.lab/x":                    "REDACTED@reg.lab/x",
		"user:to/k@n@reg.lab:5000/x":         "REDACTED@reg.lab:5000/x",
		"user:token@app":                     "REDACTED@app",
		"user:token@reg.lab/x:1" + digest:    "REDACTED@reg.lab/x:1" + digest,
		"https://user:token@reg.lab/x":       "https://REDACTED@reg.lab/x",
		"https://user:to/ken@reg.lab/x":      "https://REDACTED@reg.lab/x",
		"reg.lab/x?password=hunter2secret9x": "reg.lab/x?password=REDACTED",
	} {
		got := evidence.CleanReference(in)
		if got != want {
			t.Errorf("CleanReference(%q) = %q, want %q", in, got, want)
		}
		if again := evidence.CleanReference(got); again != got {
			t.Errorf("not stable: %q", again)
		}
	}
	for _, in := range []string{strings.Repeat("ä", 1<<20), "user:" + strings.Repeat("x", 1<<20) + "@reg/x"} {
		if got := evidence.CleanReference(in); len(got) > evidence.MaxReference {
			t.Errorf("%d bytes", len(got))
		}
	}
}
