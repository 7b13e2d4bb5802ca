package cases

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/test/cluster"
)

const ambiguousHead = `# What the API alone cannot tell

Some failures leave the same texts and facts in the API, whatever their cause:
containerd's one "not found", a credential provider that fails without a word,
a registry that answers private and missing alike. For these ` + "`why`" + ` says
"possible", and the true cause is among its candidates; the registry or the node
has to be asked to settle it.

The table is made from the lab's cases (` + "`Ambiguous` in test/cluster" + `); a test
holds it to them.

| case | true cause | also possible |
| --- | --- | --- |
`

// TestAmbiguousPage holds the page to the cases that declare what their texts leave open.
func TestAmbiguousPage(t *testing.T) {
	t.Parallel()
	const file = "../../docs/design/ambiguous.md"
	var b strings.Builder
	b.WriteString(ambiguousHead)
	for _, c := range cluster.Cases() {
		if len(c.Ambiguous) == 0 {
			continue
		}
		var others []string
		for _, cause := range c.Ambiguous {
			if cause != c.Cause {
				others = append(others, "`"+cause+"`")
			}
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", c.Name, c.Cause, strings.Join(others, ", "))
	}
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s is not what the cases say (-want +got); run with -update:\n%s", file, diff)
	}
}
