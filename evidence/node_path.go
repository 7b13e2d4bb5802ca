package evidence

import "time"

// Host is one host that a pull of the image touches, as the node reaches it: hop by hop, up to the one that fails.
type Host struct {
	// Name is the host as requests address it, with its port where that is not the scheme's own.
	Name string   `json:"name"`
	Role HostRole `json:"role"`
	// Order is the runtime's order of trying, from 1; 0 for hosts that another one sends the pull to.
	Order int `json:"order,omitempty"`
	// Via is the host that names it, for a token server or a storage host.
	Via string `json:"via,omitempty"`
	// File is the hosts.toml (or other file) that names it; empty where it is the reference's own.
	File   string `json:"file,omitempty"`
	Scheme string `json:"scheme"`
	// SkipVerify is set where the runtime does not verify its certificate.
	SkipVerify bool `json:"skipVerify,omitempty"`
	// Proxy is host:port of the proxy that the runtime's own environment sets for it; empty goes direct.
	Proxy string `json:"proxy,omitempty"`
	// NoProxy is the entry of NO_PROXY that exempts it from a proxy which is set.
	NoProxy string `json:"noProxy,omitempty"`

	Names     []Resolution `json:"names,omitempty"`
	Addresses []Address    `json:"addresses,omitempty"`
	TLS       *TLS         `json:"tls,omitempty"`
	// Answer is what it said to the first request that the runtime would make there: /v2/ or the manifest with ?ns=.
	Answer *Step `json:"answer,omitempty"`

	// Fails is the hop at which the way ends; empty where it answers as a registry (or as storage) does.
	Fails Hop `json:"fails,omitempty"`
	// Failure and Text say how; Text in the words that the runtime would use.
	Failure Failure `json:"failure,omitempty"`
	Text    string  `json:"text,omitempty"`
	// Lies says what a mirror serves other than the registry: a digest that differs, bytes that do not have theirs.
	Lies string `json:"lies,omitempty"`
	// Took is the whole look in milliseconds; what a pull would lose here is in Costs, in milliseconds, where it is much.
	Took  int64 `json:"took,omitempty"`
	Costs int64 `json:"costs,omitempty"`
	// Shown is set where no host serves the image and this is the one whose error the runtime reports, and the kubelet with it.
	Shown bool `json:"shown,omitempty"`
}

// HostRole is what a host is to the pull.
type HostRole string

// The roles.
const (
	RoleMirror   HostRole = "mirror"
	RoleRegistry HostRole = "registry"
	RoleToken    HostRole = "token"
	RoleStorage  HostRole = "storage"
)

// Hop is one part of the way to a host.
type Hop string

// The hops in their order.
const (
	HopProxy   Hop = "proxy"   // the proxy itself cannot be reached, or refuses
	HopName    Hop = "name"    // the name does not resolve
	HopConnect Hop = "connect" // no address can be connected to
	HopTLS     Hop = "tls"
	HopHTTP    Hop = "http" // what answers is no registry, or a server error
)

// Resolution is what one source of names says.
type Resolution struct {
	// By is a resolver's address with its port, `/etc/hosts`, or `node` for the whole of the node's configuration.
	By string `json:"by"`
	// Asked is the name as asked, search domain included; empty where it is the host's own.
	Asked     string        `json:"asked,omitempty"`
	Result    ResolveResult `json:"result"`
	Addresses []string      `json:"addresses,omitempty"`
	Text      string        `json:"text,omitempty"`
	// Took is in milliseconds; for `node` what the runtime would wait, for resolvers that do not answer too.
	Took int64 `json:"took,omitempty"`
}

// ResolveResult is how a question for a name ended.
type ResolveResult string

// The results.
const (
	Answered   ResolveResult = "answer"
	NXDomain   ResolveResult = "nxdomain"
	ServFail   ResolveResult = "servfail"
	NoAddress  ResolveResult = "empty"   // the name is there, without an address
	DNSRefused ResolveResult = "refused" // by the resolver, or nothing listens there
	DNSTimeout ResolveResult = "timeout"
)

// Address is one address of a host, connected to from the node.
type Address struct {
	Address string  `json:"address"` // with its port
	Failure Failure `json:"failure,omitempty"`
	Text    string  `json:"text,omitempty"`
	Took    int64   `json:"took,omitempty"` // milliseconds
}

// TLS is a handshake with a host, verified against what the runtime trusts.
type TLS struct {
	Version string  `json:"version,omitempty"`
	Failure Failure `json:"failure,omitempty"`
	Text    string  `json:"text,omitempty"`
	// Chain is what the host sent, its own certificate first, at most five.
	Chain []Certificate `json:"chain,omitempty"`
	// MissingCA is the issuer that nothing on the node vouches for.
	MissingCA string `json:"missingCA,omitempty"`
	// Trusted are the files that the runtime takes its roots from.
	Trusted []string `json:"trusted,omitempty"`
	// Skew is how far the node's clock is ahead of the host's, in seconds, where the host tells the time and they differ much.
	Skew int64 `json:"skew,omitempty"`
}

// Certificate is the part of one that decides.
type Certificate struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Names     []string  `json:"names,omitempty"` // at most ten
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
}
