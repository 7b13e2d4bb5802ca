package cluster

// networkCases lists the cases of its family.
func networkCases() []Case { return nil }
