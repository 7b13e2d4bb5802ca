package report

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
)

// SARIF 2.1.0, the part that a finding needs; sections are those of the OASIS standard.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool         `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	Results     []sarifResult     `json:"results"` // 3.14.23: empty means "looked and found nothing"
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	Name             string    `json:"name"`
	ShortDescription sarifText `json:"shortDescription"`
	HelpURI          string    `json:"helpUri"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifInvocation struct {
	ExecutionSuccessful bool                `json:"executionSuccessful"`
	EndTimeUTC          string              `json:"endTimeUtc,omitempty"`
	Notifications       []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations,omitempty"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Properties   map[string]any    `json:"properties"`
}

type sarifLocation struct {
	Physical *sarifPhysical `json:"physicalLocation,omitempty"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine int `json:"startLine"`
}

type sarifLogical struct {
	FullyQualifiedName string `json:"fullyQualifiedName"`
	Kind               string `json:"kind"`
}

const (
	home        = "https://github.com/refloat-dev/refloat"
	sarifSchema = "https://json.schemastore.org/sarif-2.1.0.json"
)

func newSARIF(r Report) sarifLog {
	run := sarifRun{
		Tool:        sarifTool{sarifDriver{Name: "refloat", InformationURI: home, Rules: []sarifRule{}}},
		Invocations: []sarifInvocation{invocation(r)},
		Results:     []sarifResult{},
	}
	index := map[diagnose.Code]int{}
	for _, f := range r.Findings {
		i, ok := index[f.Cause]
		if !ok {
			i = len(index)
			index[f.Cause] = i
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule(f.Cause))
		}
		run.Results = append(run.Results, sarifFinding(f, i))
	}
	return sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}}
}

func rule(c diagnose.Code) sarifRule {
	return sarifRule{string(c), string(c), sarifText{Title(c)}, home + "/blob/main/docs/causes/" + string(c) + ".md"}
}

func invocation(r Report) sarifInvocation {
	inv := sarifInvocation{ExecutionSuccessful: Exit(r) != CannotTell}
	if !r.ObservedAt.IsZero() {
		inv.EndTimeUTC = r.ObservedAt.UTC().Format(time.RFC3339)
	}
	gaps := append([]evidence.Gap(nil), r.Gaps...)
	for _, f := range r.Findings {
		gaps = append(gaps, f.Gaps...)
	}
	var seen set[string]
	for _, g := range gaps {
		level := "note"
		if g.Deciding {
			level = "warning"
		}
		text := clean(g.What) + ": " + clean(g.Why)
		if !seen.seen[text] {
			seen.add(text)
			inv.Notifications = append(inv.Notifications, sarifNotification{level, sarifText{text}})
		}
	}
	return inv
}

func sarifFinding(f Finding, rule int) sarifResult {
	level := "warning"
	if f.Confidence == diagnose.Confirmed || f.Confidence == diagnose.Likely {
		level = "error"
	}
	out := sarifResult{
		RuleID: string(f.Cause), RuleIndex: rule, Level: level,
		Message: sarifText{f.title() + ": " + clean(f.Summary)},
		Properties: map[string]any{
			"confidence": f.Confidence, "images": f.Images, "pods": len(f.podNames()), "nodes": f.Nodes,
		},
	}
	for _, p := range f.Places {
		out.Locations = append(out.Locations, sarifPlace(p)...)
	}
	key := string(f.Cause)
	for _, w := range f.Workloads {
		name := refName(w)
		key += "\n" + name
		if f.Places == nil {
			out.Locations = append(out.Locations, sarifLocation{Logical: []sarifLogical{{clean(name), "resource"}}})
		}
	}
	if len(f.Workloads) == 0 {
		for _, image := range f.Images {
			key += "\n" + image
			out.Locations = append(out.Locations, sarifLocation{Logical: []sarifLogical{{clean(image), "resource"}}})
		}
	}
	sum := sha256.Sum256([]byte(key))
	out.Fingerprints = map[string]string{"refloat/v1": hex.EncodeToString(sum[:16])}
	return out
}

// sarifPlace is a line of a file, and what it makes; standard input has no file that anybody could open.
func sarifPlace(p evidence.Place) []sarifLocation {
	var out sarifLocation
	if p.File != "" && p.File != "-" {
		segments := strings.Split(p.File, "/")
		for i, s := range segments {
			segments[i] = url.PathEscape(s)
		}
		out.Physical = &sarifPhysical{Artifact: sarifArtifact{strings.Join(segments, "/")}}
		if p.Line > 0 {
			out.Physical.Region = &sarifRegion{p.Line}
		}
	}
	if p.Object.Name != "" {
		out.Logical = []sarifLogical{{clean(refName(p.Object)), "resource"}}
	}
	if out.Physical == nil && out.Logical == nil {
		return nil
	}
	return []sarifLocation{out}
}
