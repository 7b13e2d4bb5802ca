package cluster

// workloadCases lists the cases of its family.
func workloadCases() []Case { return nil }
