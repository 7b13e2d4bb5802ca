package registrytest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// serveTags lists the tags after ?last=, ?n= at a time, and links to those that may follow.
func (r *Registry) serveTags(a *ask) reply {
	n, paged := a.query.Get("n"), a.query.Has("n")
	limit, err := strconv.Atoi(n)
	if paged && n != "" && (err != nil || limit < 0) {
		return problem(http.StatusBadRequest, "PAGINATION_NUMBER_INVALID", "invalid number of results requested", map[string]int{"n": limit})
	}
	tags, ok := r.tags(a.repo)
	if !ok {
		return r.noRepository(a)
	}
	if last := a.query.Get("last"); last != "" {
		tags = slices.DeleteFunc(tags, func(t string) bool { return t <= last })
	}
	link := ""
	if n != "" && limit <= len(tags) {
		if tags = tags[:limit]; limit > 0 {
			next := url.URL{Path: a.path, RawQuery: url.Values{"n": {n}, "last": {tags[limit-1]}}.Encode()}
			link = "<" + next.String() + `>; rel="next"`
		}
	}
	if tags == nil {
		tags = []string{}
	}
	b, err := json.Marshal(struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}{a.repo, tags})
	if err != nil {
		panic(err) // strings always marshal
	}
	rep := jsonReply(http.StatusOK, "application/json", append(b, '\n'))
	if link != "" {
		rep.header.Set("Link", link)
	}
	return rep
}
