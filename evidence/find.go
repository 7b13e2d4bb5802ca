package evidence

// Messages returns the case's messages in the order in which they are trusted.
func (c *Case) Messages() []*Fact {
	var out []*Fact
	for _, o := range []Origin{Line, Waiting, Terminated, Event, OwnerEvent, NodeEvent} {
		for _, f := range c.Facts {
			if f.Message != nil && f.Message.Origin == o {
				out = append(out, f)
			}
		}
	}
	return out
}

// First returns the first fact that has what pick looks for, or nil.
func (c *Case) First(pick func(*Fact) bool) *Fact {
	for _, f := range c.Facts {
		if pick(f) {
			return f
		}
	}
	return nil
}
