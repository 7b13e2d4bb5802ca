package cluster

// nameCases lists the cases of its family. They need nothing broken: the registry is well, and the name is wrong.
//
// A HEAD answer has no body, so containerd says "not found" of a tag and of a repository alike.
func nameCases() []Case {
	return []Case{
		scene{namespace: "accounts", app: "profile", image: "open.lab/Accounts/Profile:1.0", owner: deployment}.of(Case{
			Name: "invalid-reference", Cause: "name.invalid-reference", About: "an image name with capital letters"}),
		scene{namespace: "orders", app: "settle", image: "open.lab/order/settle:3.3.1", owner: job}.of(Case{
			Name: "repository-not-found", Cause: "name.repository-not-found", About: "a repository whose name is one letter off",
			Ambiguous: []string{"name.repository-not-found", "name.tag-not-found"}}),
		scene{namespace: "gateway", app: "edge", image: "open.lab/gateway/edge:1.27.l", owner: deployment, replicas: 2}.of(Case{
			Name: "tag-not-found", Cause: "name.tag-not-found", About: "a tag that the registry does not have",
			Ambiguous: []string{"name.tag-not-found", "name.repository-not-found"}}),
		scene{namespace: "newsletter", app: "mailer", owner: deployment,
			image: "open.lab/newsletter/mailer@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"}.of(Case{
			Name: "digest-not-found", Cause: "name.digest-not-found", About: "a digest that the registry does not have",
			Ambiguous: []string{"name.digest-not-found", "name.repository-not-found"}}),
	}
}
