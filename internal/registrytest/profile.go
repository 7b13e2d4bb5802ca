package registrytest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
	"github.com/refloat-dev/refloat/internal/registrytest/nettest"
)

// Profile is one of the world's registries: its hosts, its manner, what is in it, and the situations of a pull with what
// can be concluded from this registry's answers.
type Profile struct {
	Name string // such as "Docker Hub"
	// Host is the registry as image references spell it, docker.io for Docker Hub. Its API is on Hosts[0].
	Host string
	// Hosts are all that the profile's [Group] answers on: the API first, then its token realm and what else it sends to.
	Hosts []string
	// Storage is the host that layers are redirected to; empty: they are not.
	Storage string
	// Public and Private are images that are there; empty: the registry has no such. Both are indexes for linux/amd64
	// and linux/arm64.
	Public, Private string
	// Good may pull both; Stranger is known and may not pull Private; Bad is wrong; Expired was Good once. Each is zero
	// where the registry has no such account.
	Good, Stranger, Bad, Expired Account
	Situations                   []Situation

	style  Style
	pulls  []string // what Good may pull; nil: everything
	adjust func(p Profile, g *Group, r *Registry, img v1.ImageIndex) error
}

// Account is what is offered; the zero one is nobody.
type Account struct{ User, Password string }

// Situation is one image asked for with one account, as it would be by a pull.
type Situation struct {
	Name  string
	Image string
	Account
	// Faults are set before.
	Faults []Fault
	// Layers is set where the manifests are served and only a layer tells.
	Layers bool
	// Want are the causes of DESIGN.md, each of which is an honest conclusion from the registry's answers to this account
	// and to nobody, without what the credential itself or a cluster may tell. More than one: the registry does not
	// tell. None: the image is served.
	Want []string
}

// Profiles returns a profile for each registry that is known well enough. Each call gives fresh values: the lives of ECR's
// tokens count from now.
func Profiles() []Profile {
	return []Profile{
		dockerHub(), ecr(), ecrPublic(), artifactRegistry(), gcr(), acr(), ghcr(), quay(), harbor(), gitLab(), artifactory(), nexus(), kubernetes(),
	}
}

// Serve builds the registry with its content and accounts, and sets the situation's faults; Situation{} has none.
func (p Profile) Serve(s Situation) (*Group, error) {
	var images []v1.Image
	for _, arch := range []string{"amd64", "arm64"} {
		img, err := imagetest.Image(imagetest.Spec{
			Platform:   v1.Platform{OS: "linux", Architecture: arch},
			Layers:     [][]imagetest.File{{imagetest.Big("usr/share/base", 4096, 1)}, {imagetest.Big("usr/bin/app", 2048, 2)}},
			Entrypoint: []string{"/usr/bin/app"},
		})
		if err != nil {
			return nil, fmt.Errorf("build the image of %s: %w", p.Name, err)
		}
		images = append(images, img)
	}
	idx, err := imagetest.Index(images...)
	if err != nil {
		return nil, fmt.Errorf("build the image of %s: %w", p.Name, err)
	}
	g := &Group{Storage: p.Storage}
	if err := p.fill(g, idx); err != nil {
		return nil, fmt.Errorf("fill %s: %w", p.Name, err)
	}
	for _, f := range slices.Concat(p.standing(), s.Faults) {
		if err := g.Faults.Add(f); err != nil {
			return nil, fmt.Errorf("set the faults of %s: %w", p.Name, err)
		}
	}
	return g, nil
}

// Running is a profile at work.
type Running struct {
	*Group
	*nettest.Front
}

// Start serves a situation over TLS on loopback, under the names of the profile's hosts. Its Transport finds them there
// and nothing else; Close ends it.
func (p Profile) Start(s Situation) (*Running, error) {
	g, err := p.Serve(s)
	if err != nil {
		return nil, err
	}
	hosts := p.Hosts
	if p.Storage != "" {
		hosts = append(slices.Clone(hosts), p.Storage)
	}
	f, err := nettest.NewFront(g, hosts...)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.Name, err)
	}
	return &Running{g, f}, nil
}

// fill adds the registry itself, its two images and its accounts.
func (p Profile) fill(g *Group, img v1.ImageIndex) error {
	r := g.Add(p.Hosts[0], p.style, p.Hosts[1:]...)
	for _, image := range []string{p.Public, p.Private} {
		if image == "" {
			continue
		}
		if _, err := r.PushIndex(repositoryOf(image), tag[1:], img); err != nil {
			return err
		}
	}
	if p.Private != "" {
		r.Private = []string{repositoryOf(p.Private)}
	}
	if p.pulls == nil {
		p.pulls = []string{"*"}
	}
	// Several passwords may go with one user name, as with ECR's.
	r.users["good"] = User{Name: p.Good.User, Password: p.Good.Password, Pull: p.pulls}
	r.users["expired"] = User{Name: p.Expired.User, Password: p.Expired.Password, Pull: p.pulls, Expires: time.Now().Add(-time.Hour)}
	r.users["stranger"] = User{Name: p.Stranger.User, Password: p.Stranger.Password}
	maps.DeleteFunc(r.users, func(_ string, u User) bool { return u.Name == "" })
	if p.adjust == nil {
		return nil
	}
	return p.adjust(p, g, r, img)
}

// standing redirects layers to a signed URL, as long as no other fault takes them.
func (p Profile) standing() []Fault {
	if p.Storage == "" {
		return nil
	}
	return []Fault{{ID: "storage", Where: Where{Host: p.Hosts[0], Step: StepBlob}, Answer: Answer{Redirect: "https://" + p.Storage + "?X-Signature=c2lnbmVk"}}}
}

// repositoryOf is what stands between host and tag.
func repositoryOf(image string) string {
	_, repo, _ := strings.Cut(strings.TrimSuffix(image, tag), "/")
	return repo
}
