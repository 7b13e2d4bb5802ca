package path

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/wire/hide"
)

// proxies are those that an environment sets, as net/http reads it.
type proxies struct {
	config httpproxy.Config
	choose func(*url.URL) (*url.URL, error)
}

func proxiesOf(env map[string]string) proxies {
	any := func(name string) string { return cmp.Or(env[name], env[strings.ToLower(name)]) }
	p := proxies{config: httpproxy.Config{
		HTTPProxy: any("HTTP_PROXY"), HTTPSProxy: any("HTTPS_PROXY"), NoProxy: any("NO_PROXY"), CGI: env["REQUEST_METHOD"] != "",
	}}
	p.choose = p.config.ProxyFunc()
	return p
}

// of is the proxy for a URL, nil where it goes direct. exempt is the entry of NO_PROXY without which there would be one.
func (p proxies) of(u *url.URL) (proxy *url.URL, exempt string) {
	proxy, err := p.choose(u)
	if proxy != nil || err != nil || p.config.NoProxy == "" {
		return proxy, ""
	}
	for entry := range strings.SplitSeq(p.config.NoProxy, ",") {
		one := p.config
		one.NoProxy = ""
		if set, _ := one.ProxyFunc()(u); set == nil {
			return nil, "" // none is set, or the host is this machine
		}
		one.NoProxy = entry
		if set, _ := one.ProxyFunc()(u); set == nil {
			return nil, hide.Shorten(evidence.Clean(strings.TrimSpace(entry)), 256)
		}
	}
	return nil, ""
}

// address is a proxy's host and port.
func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return join(u.Hostname(), cmp.Or(port, "80"))
}

// proxyError is a proxy that does not let a request through.
type proxyError struct{ text string }

func (e *proxyError) Error() string { return e.text }

func refusedByProxy(_ context.Context, proxy *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyError{fmt.Sprintf("the proxy %s answers %d %s", proxy.Host, resp.StatusCode, http.StatusText(resp.StatusCode))}
}
