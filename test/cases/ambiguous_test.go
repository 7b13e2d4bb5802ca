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

The agent on the node settles those that are the node's: a provider that fails,
a download that stands still, a mirror that was never asked because its file has
a fault, stored content that is damaged. What stays possible with it as well:

- a host that failed and answers the node at this moment, a disk that has room
  again, content that is whole by now: the cause was there, and may be gone;
- a mirror and the registry that fail each in its own way;
- a mirror's error that may hide what the registry said (containerd 1.7);
- a hosts.toml that is ignored, where no other node runs the image;
- content that was not hashed, and a full disk while something else is said;
- a fault at the node that the message does not tell of, beside one that it does.

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
