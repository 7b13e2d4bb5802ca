package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/report"
	"github.com/refloat-dev/refloat/test/cluster"
)

// patience is how long a case may take to show: the slowest waits for connections that nobody answers.
const patience = 150 * time.Second

// TestCases breaks every case on the real cluster and expects its cause, side by side where what they take allows it.
func TestCases(t *testing.T) {
	hosts := map[string]*sync.Mutex{}
	var spare []cluster.Case
	for _, c := range cluster.Cases() {
		if c.Takes.Node {
			spare = append(spare, c)
			continue
		}
		host := hosts[c.Takes.Host]
		if host == nil && c.Takes.Host != "" {
			host = &sync.Mutex{}
			hosts[c.Takes.Host] = host
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if host != nil {
				host.Lock()
				defer host.Unlock()
			}
			runCase(t, c)
		})
	}
	t.Run("spare", func(t *testing.T) {
		t.Parallel()
		for _, c := range spare {
			t.Run(c.Name, func(t *testing.T) { runCase(t, c) })
		}
	})
}

func runCase(t *testing.T, c cluster.Case) {
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := lab.Heal(ctx, c); err != nil {
			t.Error(err)
		}
	}()
	if err := lab.Break(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	var problem string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(2 * time.Second) {
		if problem = look(t, c); problem == "" {
			if *capture {
				save(t, c, target(t, c))
			}
			return
		}
	}
	_, text, _ := refloat(t.Context(), append([]string{"why"}, target(t, c)...)...)
	t.Errorf("after %s: %s\n%s", patience, problem, text)
}

// look asks one vantage point after the other, and says how a report differs from what the case shows; empty where none does.
func look(t *testing.T, c cluster.Case) string {
	t.Helper()
	args, outside := target(t, c), c
	if c.OnlyNode {
		outside.Cause = "" // a crash, and no more
	}
	code, r := why(t, append(args, "--no-probe")...)
	if problem := mismatch(outside, code, r); problem != "" {
		return problem
	}
	code, r = why(t, append(args, "--no-node")...)
	if problem := unproven(outside, code, r, confirmed); problem != "" {
		return "with the registry asked, " + problem
	}
	code, r = why(t, args...)
	if problem := unproven(c, code, r, slices.Concat(confirmed, atNode)); problem != "" {
		return "with the node asked too, " + problem
	}
	return ""
}

// confirmed are the cases of which asking the registry from here proves the cause.
var confirmed = strings.Fields(`account-restricted account-restricted-disabled born-before-secret content-missing content-missing-child
	content-policy content-policy-text denied-or-missing digest-not-found ephemeral-container expired-credentials forbidden image-volume
	init-container invalid-credentials invalid-credentials-basic locked-out no-credentials not-a-registry platform-mismatch
	public-image-stale-secret rate-limited-account repository-not-found secret-bad-entry secret-empty-entry secret-missing
	secret-no-colon secret-no-entry secret-wrong-port secret-wrong-type several-credentials tag-not-found two-secrets-first-stale
	unavailable unavailable-gateway unsupported-format unsupported-format-chart`)

// atNode are those of which the failing node's own agent proves it.
var atNode = strings.Fields(`cache-corrupt-blob cache-cut-blob cache-damaged-snapshot cache-deleted-layer cache-emptied-snapshot
	cache-empty-blob cache-missing-blob client-blocked client-blocked-address disk-full-inodes disk-full-space dns-nxdomain
	dns-resolver dns-servfail dns-timeout filesystem hosts-toml-syntax http-mismatch mirror-blackholed mirror-dead
	mirror-lying mirror-silent provider-empty provider-failed provider-forbidden provider-missing proxy proxy-dead
	rate-limited rate-limited-bare refused refused-node registry-config runtime-unavailable sandbox-image sidecar
	stalled storage-blocked timeout tls-expired tls-expired-node tls-not-yet-valid tls-untrusted
	tls-untrusted-node tls-wrong-name`)

// nearer are causes that the registry proves where the API left several open, Cause among them.
var nearer = map[string]diagnose.Code{
	"denied-or-missing-token": diagnose.NoCredentials, // it gives strangers no token, and more it tells nobody
}

// unproven says how a report that has asked the registry too differs from what the case shows; empty where it does not.
// What the registry cannot confirm it must not take away either.
func unproven(c cluster.Case, code int, r report.Report, proven []string) string {
	if c.Cause == "" || code != 3 || len(r.Findings) != 1 {
		return mismatch(c, code, r)
	}
	f := r.Findings[0]
	sure := slices.Contains(proven, c.Name)
	switch {
	case nearer[c.Name] == f.Cause && f.Cause != "" && f.Confidence == diagnose.Confirmed:
		return ""
	case sure && (string(f.Cause) != c.Cause || f.Confidence != diagnose.Confirmed):
		return fmt.Sprintf("want %s, confirmed; it says %s, %s", c.Cause, f.Cause, f.Confidence)
	case !sure && f.Confidence == diagnose.Confirmed:
		return fmt.Sprintf("%s is confirmed; the list of those that are does not say so", f.Cause)
	case !slices.ContainsFunc(f.Candidates, func(k diagnose.Candidate) bool { return string(k.Cause) == c.Cause }):
		return fmt.Sprintf("want %s among the candidates; it says %v", c.Cause, f.Candidates)
	}
	return ""
}

// target is the case's namespace, or its one pod where only a look at a pod by name is patient enough.
func target(t *testing.T, c cluster.Case) []string {
	t.Helper()
	ns := []string{"-n", c.Pods.Namespace}
	if c.Cause != "" && c.Cause != string(diagnose.Stalled) {
		return ns
	}
	pods, err := lab.Client().CoreV1().Pods(c.Pods.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: c.Pods.Label})
	if err != nil {
		t.Fatal(err)
	}
	if len(pods.Items) == 0 {
		return ns
	}
	return append(ns, pods.Items[0].Name)
}

// mismatch says how a report differs from what the case shows; empty where it does not.
func mismatch(c cluster.Case, code int, r report.Report) string {
	if c.Cause == "" {
		if code != 0 || len(r.Findings) != 0 || len(r.Crashes) == 0 {
			return fmt.Sprintf("want no finding but a crash; exit %d, %d findings, %d crashes", code, len(r.Findings), len(r.Crashes))
		}
		return ""
	}
	if code != 3 || len(r.Findings) != 1 {
		return fmt.Sprintf("want exit 3 and one finding of %s; exit %d, %d findings", c.Cause, code, len(r.Findings))
	}
	f := r.Findings[0]
	if len(c.Ambiguous) == 0 {
		if string(f.Cause) != c.Cause || f.Confidence != diagnose.Likely {
			return fmt.Sprintf("want %s, likely; it says %s, %s", c.Cause, f.Cause, f.Confidence)
		}
		return ""
	}
	if !slices.ContainsFunc(f.Candidates, func(k diagnose.Candidate) bool { return string(k.Cause) == c.Cause }) || f.Confidence != diagnose.Possible {
		return fmt.Sprintf("want %s among the candidates, possible; it says %v, %s", c.Cause, f.Candidates, f.Confidence)
	}
	return ""
}
