package report

import (
	"io"
	"os"

	"golang.org/x/term"
)

// OptionsFor are those for a writer: colours on a terminal, unless the environment wishes for plain text
// (https://no-color.org), and a terminal's own width where it is narrower than DefaultWidth.
func OptionsFor(w io.Writer) Options {
	o := Options{Width: DefaultWidth}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return o
	}
	o.Colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	if cols, _, err := term.GetSize(int(f.Fd())); err == nil && cols >= 40 && cols < DefaultWidth {
		o.Width = cols
	}
	return o
}
