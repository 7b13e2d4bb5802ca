package diagnose

import (
	"regexp"
	"strings"
	"testing"
)

func verdict(r Reading) string { return string(r.Cause) + " " + string(r.Confidence) }

// What an image is called says nothing about why it cannot be pulled.
func TestNamesDoNotDecide(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$`)
	texts := []string{
		`failed to pull and unpack image "reg.example.com/acme/NAME:1": failed to resolve image: reg.example.com/acme/NAME:1: not found`,
		`failed to pull and unpack image "reg.example.com/NAME:1": failed to resolve reference "reg.example.com/NAME:1": unexpected status from HEAD request to https://reg.example.com/v2/NAME/manifests/1: 403 Forbidden`,
		`failed to pull and unpack image "reg.example.com/acme/app:NAME": failed to resolve image: unexpected status from HEAD request to https://reg.example.com/v2/acme/app/manifests/NAME: 500 Internal Server Error`,
	}
	seen := map[string]bool{}
	for _, step := range ladder() {
		for _, r := range step {
			for _, p := range append(append(r.any, r.all...), r.not...) {
				if seen[p] || !name.MatchString(p) {
					continue
				}
				seen[p] = true
				for _, text := range texts {
					want, got := verdict(Read(Text{Message: strings.ReplaceAll(text, "NAME", "neutral")})), verdict(Read(Text{Message: strings.ReplaceAll(text, "NAME", p)}))
					if want != got {
						t.Errorf("%q: %s, want %s", strings.ReplaceAll(text, "NAME", p), got, want)
					}
				}
			}
		}
	}
	if len(seen) < 50 {
		t.Errorf("only %d phrases could be names", len(seen))
	}
}

func TestPathsDoNotDecide(t *testing.T) {
	t.Parallel()
	for _, image := range []string{"reg.example.com/x/hosts.toml:1", "reg.example.com/x/toomanyrequests:v1", "acme/newuidmap:1", "acme/imagepolicywebhook:1", "acme/overlay/app:1", "shop/category:1.2", "toomanyrequests:1"} {
		for _, text := range []string{
			`Failed to pull image "IMAGE": Error response from daemon: pull access denied for REPO, repository does not exist or may require 'docker login'`,
			`Failed to pull image "IMAGE": failed to resolve image: IMAGE: not found`,
			`Failed to pull image "IMAGE": unable to pull image or OCI artifact: pull image err: initializing source docker://IMAGE: reading manifest 1 in REPO: manifest unknown`,
		} {
			repo, _, _ := strings.Cut(image, ":")
			neutral := "acme/app:1"
			if strings.HasPrefix(image, "reg.") {
				neutral = "reg.example.com/acme/app:1"
			}
			plain := strings.NewReplacer("IMAGE", neutral, "REPO", strings.TrimSuffix(neutral, ":1")).Replace(text)
			named := strings.NewReplacer("IMAGE", image, "REPO", repo).Replace(text)
			want, got := verdict(Read(Text{Message: plain, Image: neutral})), verdict(Read(Text{Message: named, Image: image}))
			if want != got {
				t.Errorf("%q: %s, want %s", named, got, want)
			}
		}
	}
}

// Words that stand beside the name still count.
func TestMaskLeavesTheRest(t *testing.T) {
	t.Parallel()
	for _, image := range []string{"denied", "acme/no", "reg.example.com/toomanyrequests:1"} {
		r := Read(Text{Message: "Failed to pull image \"" + image + "\": toomanyrequests: You have reached your pull rate limit", Image: image})
		if r.Cause != RateLimited {
			t.Errorf("%s: %s", image, r.Cause)
		}
	}
}
