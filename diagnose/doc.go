// Package diagnose turns a case into a ranked diagnosis, and diagnoses into
// findings grouped by root cause.
//
// It is pure: no context, clock, logger, network or file. Everything it knows is
// in the case, and each claim cites the facts it rests on. Where the text does
// not tell two causes apart it says so: both stay candidates.
package diagnose
