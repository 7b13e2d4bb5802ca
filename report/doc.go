// Package report prints what was found: as text for a person, and as JSON,
// YAML, Markdown, SARIF, JUnit and GitHub's annotations for programs, all from one
// Report.
//
// It is the only package that prints findings. It decides nothing: causes come
// from diagnose, steps from plan. Output depends on its input alone, so a saved
// run prints byte for byte the same. Text from a cluster is hostile until
// escaped: no control character, terminal sequence or bidi override gets out.
package report
