package registrytest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// blobReply serves all of b, or the one range that was asked for. Several ranges are ignored, which is allowed (RFC 9110, 14.2).
func blobReply(a *ask, b []byte) reply {
	rep := reply{status: http.StatusOK, body: b, header: http.Header{"Content-Type": {"application/octet-stream"}, "Accept-Ranges": {"bytes"}}}
	if a.ranges == "" || strings.Contains(a.ranges, ",") {
		return rep
	}
	first, last, problem := parseRange(a.ranges, len(b))
	if problem != "" {
		out := plainReply(http.StatusRequestedRangeNotSatisfiable, problem+"\n")
		if first >= len(b) {
			out.header.Set("Content-Range", fmt.Sprintf("bytes */%d", len(b)))
		}
		return out
	}
	rep.status, rep.body, rep.offset = http.StatusPartialContent, b[first:last+1], int64(first)
	rep.header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, len(b)))
	return rep
}

// parseRange reads "bytes=10-19", "bytes=10-" and "bytes=-10"; the problems are in net/http's words.
func parseRange(ranges string, size int) (first, last int, problem string) {
	spec, ok := strings.CutPrefix(ranges, "bytes=")
	from, to, dash := strings.Cut(spec, "-")
	if !ok || !dash || from == "" && to == "" {
		return 0, 0, "invalid range"
	}
	first, err := strconv.Atoi(from)
	last, errLast := strconv.Atoi(to)
	switch {
	case from == "" && errLast == nil:
		return max(size-last, 0), size - 1, ""
	case to == "":
		last, errLast = size-1, nil
	}
	switch {
	case err != nil || errLast != nil:
		return 0, 0, "invalid range"
	case first >= size:
		return first, 0, "invalid range: failed to overlap"
	case first > last:
		return 0, 0, "invalid range"
	}
	return first, min(last, size-1), ""
}
