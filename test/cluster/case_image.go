package cluster

func imageCases() []Case { return nil }
