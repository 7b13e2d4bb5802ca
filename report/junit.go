package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// JUnit in the shape that CI systems read: one suite, one case a finding.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Timestamp string      `xml:"timestamp,attr,omitempty"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitProblem `xml:"failure,omitempty"`
	Error   *junitProblem `xml:"error,omitempty"`
}

type junitProblem struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",cdata"`
}

func writeJUnit(w io.Writer, r Report) error {
	suite := junitSuite{Name: "image pulls"}
	if !r.ObservedAt.IsZero() {
		suite.Timestamp = r.ObservedAt.UTC().Format(time.RFC3339)
	}
	for _, f := range r.Findings {
		suite.Cases = append(suite.Cases, junitFinding(f, r))
	}
	for _, g := range r.Gaps {
		if g.Deciding {
			suite.Cases = append(suite.Cases, junitCase{
				Class: "gap", Name: clean(g.What), Error: &junitProblem{"gap", clean(g.Why), clean(g.How)},
			})
		}
	}
	if r.Checked != nil {
		for _, image := range r.Checked.Pull {
			suite.Cases = append(suite.Cases, junitCase{Class: "image", Name: clean(image)})
		}
	}
	if len(suite.Cases) == 0 {
		suite.Cases = []junitCase{{Class: "pulls", Name: headline(r)}}
	}
	for _, c := range suite.Cases {
		suite.Tests++
		if c.Failure != nil {
			suite.Failures++
		}
		if c.Error != nil {
			suite.Errors++
		}
	}
	doc := junitSuites{Name: "refloat", Tests: suite.Tests, Failures: suite.Failures, Errors: suite.Errors, Suites: []junitSuite{suite}}
	out, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return fmt.Errorf("writing JUnit: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, out)
	return err
}

func junitFinding(f Finding, r Report) junitCase {
	name := names(f.Images)
	if len(f.Workloads) > 0 {
		name = clean(refName(f.Workloads[0])) + " " + name
	}
	problem := &junitProblem{string(f.Cause), clean(f.Summary), junitDetails(f, r)}
	c := junitCase{Class: string(f.Cause), Name: strings.TrimSpace(name)}
	if f.Planned && Exit(Report{Findings: []Finding{f}}) == CannotTell {
		c.Error = problem
		return c
	}
	c.Failure = problem
	return c
}

// junitDetails is the text form of one finding: CI systems show it as it is.
func junitDetails(f Finding, r Report) string {
	var b strings.Builder
	p := &printer{w: &b, columns: DefaultWidth}
	p.finding(f, 1, 1, r.ObservedAt)
	return b.String()
}
