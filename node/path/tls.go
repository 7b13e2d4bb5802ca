package path

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/path/roots"
	"github.com/refloat-dev/refloat/registry/wire/hide"
)

const (
	handshakeTime = 3 * time.Second
	maxChain      = 5
	maxNames      = 10
	maxName       = 256
	// muchSkew is from where a clock is told to be wrong: certificates and tokens are issued with some minutes' grace.
	muchSkew = 5 * time.Minute
)

// check verifies the certificates of one host as the runtime does, and keeps what they are.
type check struct {
	host  string
	roots *roots.Store
	now   func() time.Time
	// lenient is set where the runtime accepts whatever is presented.
	lenient bool

	mu   sync.Mutex
	seen *evidence.TLS
}

// verify is for tls.Config.VerifyConnection.
func (c *check) verify(cs tls.ConnectionState) error {
	name := cs.ServerName
	if name == "" { // an address has none
		name = c.host
	}
	err := c.verdict(name, cs.PeerCertificates)
	if name == c.host {
		c.mu.Lock()
		c.seen = c.describe(cs, err)
		c.mu.Unlock()
	}
	if c.lenient {
		return nil
	}
	return err
}

func (c *check) verdict(name string, chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return errors.New("tls: received empty certificates message")
	}
	o := x509.VerifyOptions{Roots: c.roots.Pool, DNSName: name, CurrentTime: c.now(), Intermediates: x509.NewCertPool()}
	for _, i := range chain[1:] {
		o.Intermediates.AddCert(i)
	}
	if _, err := chain[0].Verify(o); err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: chain, Err: err}
	}
	return nil
}

func (c *check) describe(cs tls.ConnectionState, err error) *evidence.TLS {
	t := &evidence.TLS{Version: tls.VersionName(cs.Version), Trusted: c.roots.Files}
	for _, cert := range cs.PeerCertificates[:min(len(cs.PeerCertificates), maxChain)] {
		t.Chain = append(t.Chain, certificate(cert))
	}
	if err == nil {
		return t
	}
	t.Failure, t.Text = explain(err)
	if errors.As(err, new(x509.UnknownAuthorityError)) {
		t.MissingCA = missing(cs.PeerCertificates)
	}
	return t
}

// took is what the handshake showed; nil where there was none.
func (c *check) took() *evidence.TLS {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

func certificate(c *x509.Certificate) evidence.Certificate {
	e := evidence.Certificate{Subject: shown(c.Subject.String()), Issuer: shown(c.Issuer.String()), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC()}
	for _, n := range c.DNSNames[:min(len(c.DNSNames), maxNames)] {
		e.Names = append(e.Names, shown(n))
	}
	for _, ip := range c.IPAddresses[:min(len(c.IPAddresses), maxNames-len(e.Names))] {
		e.Names = append(e.Names, ip.String())
	}
	return e
}

func shown(s string) string { return hide.Shorten(evidence.Clean(s), maxName) }

// missing is whom the runtime would have to trust: the issuer at the end of what was sent, or who signed itself.
func missing(chain []*x509.Certificate) string {
	last := chain[0]
	for range chain {
		next := slices.IndexFunc(chain, func(c *x509.Certificate) bool {
			return c != last && string(c.RawSubject) == string(last.RawIssuer) && string(last.RawSubject) != string(last.RawIssuer)
		})
		if next < 0 {
			break
		}
		last = chain[next]
	}
	return shown(last.Issuer.String())
}

// outOfTime reports whether nothing but a clock keeps a certificate from being valid.
func outOfTime(err error) bool {
	var invalid x509.CertificateInvalidError
	return errors.As(err, &invalid) && invalid.Reason == x509.Expired
}

// skew is how far the node's clock is ahead of a server's, in seconds, where that is much.
func (k *look) skew(header http.Header) int64 {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0
	}
	if age, err := strconv.Atoi(header.Get("Age")); err == nil && age > 0 { // an answer that a cache has kept
		date = date.Add(time.Duration(min(age, 1<<31)) * time.Second)
	}
	if d := k.now().Sub(date); d.Abs() >= muchSkew {
		return int64(d / time.Second)
	}
	return 0
}
