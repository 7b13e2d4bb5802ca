package report

// OneLine makes an error's text safe for one line of a terminal, and bounds it.
func OneLine(s string) string { return clean(s) }
