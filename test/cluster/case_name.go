package cluster

import "context"

// nameCases lists the cases of its family.
func nameCases() []Case { return []Case{tagNotFound()} }

// tagNotFound needs nothing broken: the registry is well and has no such tag.
func tagNotFound() Case {
	ns := "gateway"
	return Case{
		Name: "tag-not-found", Cause: "name.tag-not-found", About: "a tag that the registry does not have",
		Pods: Selector{ns, "app=web"},
		Break: func(ctx context.Context, l *Lab) error {
			return l.MakePod(ctx, Pod(ns, "web", "open.lab/app:9.9"))
		},
		Heal: func(ctx context.Context, l *Lab) error { return l.DropNamespace(ctx, ns) },
	}
}
