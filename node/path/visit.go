package path

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/wire/exchange"
	"github.com/refloat-dev/refloat/registry/wire/reach"
)

// visit is one host under way.
type visit struct {
	*look
	*place
	h     *evidence.Host
	check *check
	tr    *http.Transport
	// gone is set where the look was ended before the host could answer.
	gone bool
	// sent is where a mirror sends on to.
	sent *url.URL
	// digest is what a mirror serves under the reference, and parts what is known of the image by it.
	digest string
	parts  parts
}

// visit goes the way to one host, as far as it leads.
func (k *look) visit(ctx context.Context, p *place) *visit {
	start := time.Now()
	v := &visit{look: k, place: p, h: &evidence.Host{
		Name: shown(p.base.Host), Role: p.role, Order: p.order, Via: p.via, File: p.file, Scheme: p.base.Scheme, SkipVerify: p.skip,
	}}
	v.walk(ctx)
	if p.plain && v.h.Failure == evidence.FailedPlain {
		again := *p
		base, ask := *p.base, *p.ask
		base.Scheme, ask.Scheme = "http", "http"
		again.plain, again.base, again.ask = false, &base, &ask
		return k.visit(ctx, &again)
	}
	v.gone = ctx.Err() != nil
	v.h.Took = millis(time.Since(start))
	if v.tr != nil {
		v.tr.CloseIdleConnections()
	}
	return v
}

func (v *visit) walk(ctx context.Context) {
	proxy, exempt := v.proxies.of(v.base)
	v.h.NoProxy = exempt
	target := dialled(v.base)
	if proxy != nil {
		v.h.Proxy = shown(proxy.Host)
		target = address(proxy)
		v.hide.Login("", proxyPassword(proxy))
	}
	if class := reach.OfHost(v.base.Hostname()); !class.May(v.limit) { // behind a proxy there is no address to judge
		v.h.Fails, v.h.Failure, v.h.Text = evidence.HopConnect, evidence.FailedUnsafe, fmt.Sprintf("%s is a %s address, which is not connected to", v.h.Name, class)
		return
	}
	addresses := v.resolve(ctx, v.h, target)
	if v.h.Fails == "" {
		addresses := connect(ctx, v.h, target, addresses, v.place)
		if v.h.Fails == "" {
			v.check = &check{host: v.base.Hostname(), roots: v.roots, now: v.now, lenient: v.skip}
			v.tr = v.transport(proxy, addresses, v.check)
			v.request(ctx)
		}
	}
	if v.h.Proxy != "" && (v.h.Fails == evidence.HopName || v.h.Fails == evidence.HopConnect) {
		v.h.Fails, v.h.Failure, v.h.Text = evidence.HopProxy, evidence.FailedProxy, "proxyconnect tcp: "+v.h.Text
	}
	if v.broken != nil { // before all else, at the runtime
		v.h.Fails, v.h.Failure, v.h.Text = evidence.HopTLS, evidence.FailedUntrusted, evidence.Clean(v.broken.Error())
	}
}

func proxyPassword(u *url.URL) string {
	password, _ := u.User.Password()
	return password
}

func (v *visit) transport(proxy *url.URL, addresses []string, c *check) *http.Transport {
	t := &http.Transport{
		DialContext:            dialer(addresses),
		TLSHandshakeTimeout:    handshakeTime,
		ResponseHeaderTimeout:  answerTime,
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConnsPerHost:    2,
		DisableCompression:     true,
		TLSClientConfig: &tls.Config{
			Certificates:       v.certs,
			InsecureSkipVerify: true, //nolint:gosec // check verifies, against the node's roots and the clock that is given, and keeps what it saw
			VerifyConnection:   c.verify,
		},
	}
	if proxy != nil {
		t.Proxy, t.OnProxyConnectResponse = http.ProxyURL(proxy), refusedByProxy
	}
	return t
}

// request makes the runtime's first request, and where that is a mirror's those that follow.
func (v *visit) request(ctx context.Context) {
	r := v.send(ctx, v.tr, v.method, v.ask, maxManifest)
	v.h.TLS = v.check.took()
	if r.err != nil {
		v.fail(ctx, r)
		return
	}
	if v.h.TLS != nil {
		v.h.TLS.Skew = v.skew(r.header)
	}
	if v.role == evidence.RoleToken || v.role == evidence.RoleStorage {
		return // what they say to a request that nobody makes is not told
	}
	v.h.Answer = &r.step
	switch s := r.step; {
	case s.Status >= 500:
		v.h.Fails, v.h.Text = evidence.HopHTTP, strings.TrimSuffix(fmt.Sprintf("%d %s; %s", s.Status, http.StatusText(s.Status), s.Text), "; ")
	case s.MediaType == "text/html" && (s.Status == http.StatusOK || s.Status == http.StatusNotFound && v.role == evidence.RoleRegistry):
		v.h.Fails, v.h.Text = evidence.HopHTTP, "a page answers, and no registry"
	case v.method == http.MethodHead && s.Status == http.StatusOK:
		v.read(ctx, r)
	}
	if len(r.step.Redirects) > 0 {
		v.sent = r.location
	}
}

// fail says at which hop a request ended that was not answered.
func (v *visit) fail(ctx context.Context, r reply) {
	h := v.h
	h.Failure, h.Text = r.step.Failure, r.step.Text
	var proxy *proxyError
	switch {
	case errors.As(r.err, &proxy), h.Failure == evidence.FailedProxy, h.Proxy != "" && r.stage == connecting:
		h.Fails, h.Failure = evidence.HopProxy, evidence.FailedProxy
	case h.Failure == evidence.FailedUntrusted, h.Failure == evidence.FailedTLS, h.Failure == evidence.FailedPlain, r.stage == handshaking:
		h.Fails = evidence.HopTLS
		if h.TLS == nil {
			h.TLS = &evidence.TLS{Trusted: v.roots.Files}
		}
		h.TLS.Failure, h.TLS.Text = h.Failure, h.Text
		if outOfTime(r.err) {
			h.TLS.Skew = v.time(ctx)
		}
	case r.stage == connecting:
		h.Fails = evidence.HopConnect // between two connections
	default:
		h.Fails = evidence.HopHTTP
	}
}

// time asks a server whose certificate is not valid now what time it has, and tells how far the node's clock is ahead. Whom it asks is not
// known for sure: nothing is sent but the request, and nothing taken but the date.
func (v *visit) time(ctx context.Context) int64 {
	bare := *v
	bare.place = &place{base: v.base}
	proxy, _ := v.proxies.of(v.base)
	var addresses []string
	for _, a := range v.h.Addresses {
		if a.Failure == "" {
			addresses = append(addresses, a.Address)
		}
	}
	tr := bare.transport(proxy, addresses, &check{host: v.base.Hostname(), roots: v.roots, now: v.now, lenient: true})
	defer tr.CloseIdleConnections()
	return v.skew(bare.send(ctx, tr, http.MethodHead, below(&url.URL{Scheme: v.base.Scheme, Host: v.base.Host}, ""), 0).header)
}

// shownURL is an address fit for evidence.
func shownURL(u *url.URL) string { return cmp.Or(shown(exchange.Shown(u)), "?") }
