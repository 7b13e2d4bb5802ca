package daemon

import (
	"bytes"
	"compress/gzip"
	"io"
	"runtime"
)

const architecture = runtime.GOARCH

func gzipped(r io.Reader) ([]byte, error) {
	var b bytes.Buffer
	// Speed, because the lab waits for this at its start; zeros pack well at any level.
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, r); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
