package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
)

// Page is what a list says about itself.
type Page struct {
	ResourceVersion string `json:"resourceVersion"`
	Continue        string `json:"continue"`
}

// List hands the objects of one page to each, one after the other, and never holds more than one: whoever may create objects
// may make them as large as the API server takes.
func (c *Client) List(ctx context.Context, path string, query url.Values, each func(json.RawMessage) error) (Page, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var page Page
	resp, err := c.send(ctx, Request{Path: path, Query: query})
	if err != nil {
		return page, err
	}
	defer resp.Body.Close()
	in := &metered{r: resp.Body}
	l := lister{dec: json.NewDecoder(in), in: in, each: each, page: &page}
	if err := l.read(); err != nil {
		return page, fmt.Errorf("listing %s: %w", path, err)
	}
	return page, nil
}

type lister struct {
	dec  *json.Decoder
	in   *metered
	each func(json.RawMessage) error
	page *Page
}

func (l *lister) read() error {
	l.in.left = maxEvent
	if err := l.delim('{'); err != nil {
		return err
	}
	for l.dec.More() {
		l.in.left = maxEvent
		key, err := l.dec.Token()
		if err != nil {
			return err
		}
		switch key {
		case "metadata":
			err = l.dec.Decode(l.page)
		case "items":
			err = l.items()
		default:
			var skipped json.RawMessage
			err = l.dec.Decode(&skipped)
		}
		if err != nil {
			return err
		}
	}
	l.in.left = maxEvent
	return l.delim('}')
}

func (l *lister) items() error {
	if t, err := l.dec.Token(); err != nil || t == nil { // null is none
		return err
	} else if t != json.Delim('[') {
		return fmt.Errorf("items are %v and no list", t)
	}
	for l.dec.More() {
		l.in.left = maxEvent
		var item json.RawMessage
		if err := l.dec.Decode(&item); err != nil {
			return err
		}
		if err := l.each(item); err != nil {
			return err
		}
		l.in.left = maxEvent
	}
	return l.delim(']')
}

// delim reads one delimiter; an answer that ends before is cut off.
func (l *lister) delim(want json.Delim) error {
	switch t, err := l.dec.Token(); {
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	case err != nil:
		return err
	case t != want:
		return fmt.Errorf("%v where %v belongs", t, want)
	}
	return nil
}
