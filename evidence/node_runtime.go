package evidence

import "time"

// RegistryConfig is how a node's runtime is configured for the registry of one image.
type RegistryConfig struct {
	Runtime string `json:"runtime"` // containerd, cri-o, docker
	// File is the runtime's own configuration; empty where it has none and runs on defaults. Version is the file's.
	File    string `json:"file,omitempty"`
	Version int    `json:"version,omitempty"`
	// ConfigPath is where hosts.toml are looked for.
	ConfigPath []string `json:"configPath,omitempty"`
	// Registry is the host that Hosts are for; HostsFile is the hosts.toml in effect, empty where there is none.
	Registry  string           `json:"registry,omitempty"`
	HostsFile string           `json:"hostsFile,omitempty"`
	Hosts     []ConfiguredHost `json:"hosts,omitempty"`
	// Problems are what is wrong in those files, the worst first.
	Problems []ConfigProblem `json:"problems,omitempty"`
	// Unread is what of the configuration could not be looked at, and why: Hosts may then be others.
	Unread []string `json:"unread,omitempty"`
}

// ConfiguredHost is one place where the runtime looks for an image, in its order.
type ConfiguredHost struct {
	// URL is scheme, host and path: https://cache.lab/v2/hub.
	URL          string   `json:"url"`
	Role         HostRole `json:"role"`
	Capabilities []string `json:"capabilities,omitempty"`
	CAs          []string `json:"cas,omitempty"`
	ClientCert   bool     `json:"clientCert,omitempty"`
	SkipVerify   bool     `json:"skipVerify,omitempty"`
	// Headers are the names of headers that are sent along; their values stay on the node.
	Headers []string `json:"headers,omitempty"`
	// DialTimeout is in milliseconds; 0 is the runtime's own 30 s.
	DialTimeout int64  `json:"dialTimeout,omitempty"`
	File        string `json:"file,omitempty"`
}

// ConfigProblem is one fault of a runtime's configuration.
type ConfigProblem struct {
	File   string       `json:"file"`
	Line   int          `json:"line,omitempty"`
	Effect ConfigEffect `json:"effect"`
	// Text is the fault in one sentence, the runtime's own words where it has them.
	Text string `json:"text"`
}

// ConfigEffect is what the runtime does about a fault.
type ConfigEffect string

// The effects, the worst first.
const (
	EffectStops    ConfigEffect = "stops"    // the runtime or its image service does not start
	EffectFails    ConfigEffect = "fails"    // every pull from this registry fails
	EffectBypassed ConfigEffect = "bypassed" // the file is ignored, with its mirrors and CAs; the runtime at most logs it
	EffectUnused   ConfigEffect = "unused"   // this part has no effect
	EffectWarns    ConfigEffect = "warns"    // it works: deprecated, or not what its writer may think
)

// Runtime is the health of a node's container runtime.
type Runtime struct {
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
	Socket  string `json:"socket,omitempty"`
	// Process says whether the runtime's process is there, since when it runs.
	Process Tri       `json:"process,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	// Answers says whether the socket answers CRI, Images whether its image service does.
	Answers Tri    `json:"answers,omitempty"`
	Images  Tri    `json:"images,omitempty"`
	Text    string `json:"text,omitempty"` // why it does not answer
	// Conditions are those of CRI Status that are false: `NetworkReady: cni plugin not initialized`.
	Conditions []string `json:"conditions,omitempty"`
	// Plugins are those of the runtime that failed to load, and how.
	Plugins []string `json:"plugins,omitempty"`
	// Logs are the runtime's and the kubelet's newest lines about the image, redacted, at most 20, the newest first; of a
	// runtime that does not answer its last words too.
	Logs []LogLine `json:"logs,omitempty"`
}

// LogLine is one line of a log on the node.
type LogLine struct {
	Time time.Time `json:"time,omitzero"`
	From string    `json:"from"` // a unit or a file
	Text string    `json:"text"`
}

// Downloads are the pulls that a runtime has under way.
type Downloads struct {
	Active []Download `json:"active,omitempty"`
	More   int        `json:"more,omitempty"`
}

// Download is one blob on its way into the runtime's store.
type Download struct {
	// Ref is what the runtime calls it; Digest the blob's.
	Ref     string    `json:"ref"`
	Digest  string    `json:"digest,omitempty"`
	Image   string    `json:"image,omitempty"` // the one that was asked about, where it belongs to it
	Host    string    `json:"host,omitempty"`
	Offset  int64     `json:"offset"`
	Total   int64     `json:"total,omitempty"`
	Started time.Time `json:"started"`
	Updated time.Time `json:"updated"`
	// Still is set where the offset did not move while it was watched and for at least as long before as StillFor says, in seconds.
	Still    bool  `json:"still,omitempty"`
	StillFor int64 `json:"stillFor,omitempty"`
}

// NodePull is a real pull through CRI.
type NodePull struct {
	Image string `json:"image"`
	Login *Login `json:"login,omitempty"`
	OK    bool   `json:"ok"`
	// Text is the runtime's error; Ref what it calls the image that it pulled.
	Text string `json:"text,omitempty"`
	Ref  string `json:"ref,omitempty"`
	// First is the error of a first try where what came was damaged; it was then tried again a second later.
	First string `json:"first,omitempty"`
	Took  int64  `json:"took"` // milliseconds
}

// Provider is one of the kubelet's exec credential providers, run for an image as the kubelet runs it. What the node's own
// docker config files hold for the image is a Keyring on a fact of the node.
type Provider struct {
	Name string `json:"name"`
	// Path is the program, Config the file that names it.
	Path   string `json:"path"`
	Config string `json:"config"`
	// Matches says whether matchImages has the image; Images are its patterns, at most ten.
	Matches Tri      `json:"matches"`
	Images  []string `json:"images,omitempty"`
	// Why is why matchImages does not have the image, or what it returned does not fit it: one clause. Near is set where
	// one of them was plainly meant for it; Hint says what to write instead.
	Why    string         `json:"why,omitempty"`
	Near   bool           `json:"near,omitempty"`
	Hint   string         `json:"hint,omitempty"`
	Result ProviderResult `json:"result"`
	// Text is the error, or what it wrote to stderr, redacted.
	Text string `json:"text,omitempty"`
	// Keys are the registries that it returned credentials for, at most ten; Users whom they log in.
	Keys  []string `json:"keys,omitempty"`
	Users []string `json:"users,omitempty"`
	Took  int64    `json:"took,omitempty"` // milliseconds
}

// ProviderResult is how a run of a credential provider ended.
type ProviderResult string

// The results.
const (
	ProviderNotAsked   ProviderResult = "not-asked" // matchImages does not have the image
	ProviderAnswered   ProviderResult = "answered"
	ProviderEmpty      ProviderResult = "empty" // it ran well and returned nothing for this image
	ProviderMissing    ProviderResult = "missing"
	ProviderForbidden  ProviderResult = "forbidden" // it may not be executed
	ProviderTimeout    ProviderResult = "timeout"
	ProviderFailed     ProviderResult = "failed"
	ProviderMalformed  ProviderResult = "malformed"   // what it printed is no CredentialProviderResponse
	ProviderNeedsToken ProviderResult = "needs-token" // it wants a service account token: not run
	ProviderNone       ProviderResult = "none"        // the kubelet has no credential provider at all: Name is empty
	ProviderBadConfig  ProviderResult = "bad-config"  // the kubelet would not start with Config as it is now: Name is empty
)
