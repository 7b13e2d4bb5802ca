package registrytest

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Control is one change to a set of faults: first Clear, then Add.
type Control struct {
	Clear []string `json:"clear,omitempty"` // IDs; "*" clears all
	Add   []Fault  `json:"add,omitempty"`
}

// Apply makes the change. On an error nothing of Add is set.
func (s *Faults) Apply(c Control) error {
	for _, f := range c.Add {
		if _, err := f.Answer.resolved(); err != nil {
			return fmt.Errorf("fault %q: %w", f.ID, err)
		}
	}
	for _, id := range c.Clear {
		s.Clear(id)
	}
	for _, f := range c.Add {
		if err := s.Add(f); err != nil {
			return err
		}
	}
	return nil
}

// Admin drives a running server; meant for a unix socket, since it asks nobody
// who they are.
//
//	GET    /faults    the list of faults
//	POST   /faults    a Control; answers with the list
//	GET    /requests  the log, oldest first
//	DELETE /requests  forgets it
//	GET    /presets   the named answers
func Admin(s *Faults, l *Log) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.List()) })
	mux.HandleFunc("POST /faults", func(w http.ResponseWriter, req *http.Request) {
		var c Control
		d := json.NewDecoder(http.MaxBytesReader(w, req.Body, 1<<20))
		d.DisallowUnknownFields() // a misspelt field would make a fault that never acts
		if err := d.Decode(&c); err != nil {
			http.Error(w, "read control: "+err.Error(), http.StatusBadRequest)
			return
		}
		if err := s.Apply(c); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		writeJSON(w, s.List())
	})
	mux.HandleFunc("GET /requests", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, l.Entries()) })
	mux.HandleFunc("DELETE /requests", func(http.ResponseWriter, *http.Request) { l.Reset() })
	mux.HandleFunc("GET /presets", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, Presets()) })
	return mux
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the caller hung up
}
