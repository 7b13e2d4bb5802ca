package cluster

func registryCases() []Case { return nil }
