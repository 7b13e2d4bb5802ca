// Package nettest gives a test registry the connections that fail before HTTP
// does: certificates that are expired, misnamed or from nowhere, listeners that
// speak the wrong protocol, and a forward proxy that refuses.
//
// It refuses to touch the machine: no trust store, resolver or firewall is
// changed; whoever sets up a node hands it [CA.PEM].
package nettest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// CA signs certificates.
type CA struct {
	cert *x509.Certificate
	key  crypto.Signer
	now  time.Time
}

// NewCA makes a CA that is valid for ten years around now.
func NewCA(name string) (*CA, error) {
	ca := &CA{now: time.Now()}
	cert, err := ca.issue(&x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             ca.now.AddDate(-5, 0, 0),
		NotAfter:              ca.now.AddDate(5, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	})
	if err != nil {
		return nil, err
	}
	ca.cert, ca.key = cert.Leaf, cert.PrivateKey.(crypto.Signer)
	return ca, nil
}

// PEM is the CA's certificate as trust stores and certs.d want it.
func (ca *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw})
}

// Pool trusts this CA and no other.
func (ca *CA) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(ca.cert)
	return p
}

// Flaw is what is wrong with a certificate. Untrusted ones are made by another
// CA, or by [SelfSigned].
type Flaw string

// The flaws.
const (
	Sound       Flaw = ""
	Expired     Flaw = "expired"       // for an hour
	NotYetValid Flaw = "not-yet-valid" // for a day
	WrongName   Flaw = "wrong-name"    // names other.lab alone
	CNOnly      Flaw = "cn-only"       // the common name, and no SAN
)

// Leaf issues a server certificate for hosts, names or addresses; the first is
// also the common name.
func (ca *CA) Leaf(flaw Flaw, hosts ...string) (tls.Certificate, error) {
	t := &x509.Certificate{
		NotBefore:   ca.now.Add(-24 * time.Hour),
		NotAfter:    ca.now.AddDate(1, 0, 0),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	switch flaw {
	case Expired:
		t.NotAfter = ca.now.Add(-time.Hour)
	case NotYetValid:
		t.NotBefore = ca.now.Add(24 * time.Hour)
	case WrongName:
		hosts = []string{"other.lab"}
	case Sound, CNOnly:
	default:
		return tls.Certificate{}, fmt.Errorf("unknown flaw %q", flaw)
	}
	if len(hosts) > 0 {
		t.Subject.CommonName = hosts[0]
	}
	if flaw != CNOnly {
		name(t, hosts)
	}
	return ca.issue(t)
}

// SelfSigned is a certificate that only its owner vouches for.
func SelfSigned(hosts ...string) (tls.Certificate, error) {
	now := time.Now()
	t := &x509.Certificate{
		NotBefore:   now.Add(-24 * time.Hour),
		NotAfter:    now.AddDate(1, 0, 0),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if len(hosts) > 0 {
		t.Subject.CommonName = hosts[0]
	}
	name(t, hosts)
	return (&CA{now: now}).issue(t)
}

func name(t *x509.Certificate, hosts []string) {
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
			continue
		}
		t.DNSNames = append(t.DNSNames, h)
	}
}

// issue signs t with the CA's key or, before there is one, with its own.
func (ca *CA) issue(t *x509.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make key: %w", err)
	}
	if t.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		return tls.Certificate{}, fmt.Errorf("make serial number: %w", err)
	}
	parent, signer := t, crypto.Signer(key)
	if ca.key != nil {
		parent, signer = ca.cert, ca.key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("sign certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("parse certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}
