package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/refloat-dev/refloat/test/cluster"
)

func cases() *cobra.Command {
	return &cobra.Command{Use: "cases", Short: "list what can be broken", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "CASE\tCAUSE\tTAKES\tSHOWS AS\tABOUT")
			for _, c := range cluster.Cases() {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", c.Name, c.Cause, takes(c.Takes), shows(c), c.About)
			}
			return w.Flush()
		}}
}

func takes(t cluster.Takes) string {
	switch {
	case t.Node:
		return "a node"
	case t.Host != "":
		return t.Host
	}
	return "nothing"
}

// shows says what the API alone can tell: the cause, or that it is one of several.
func shows(c cluster.Case) string {
	if len(c.Ambiguous) == 0 {
		return "itself"
	}
	return "one of " + strings.Join(c.Ambiguous, ", ")
}

func breakCase(name *string) *cobra.Command {
	return &cobra.Command{Use: "break CASE", Short: "break a case", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, c, err := open(*name, args[0])
			if err != nil {
				return err
			}
			if err := l.Break(cmd.Context(), c); err != nil {
				return err
			}
			fmt.Printf("broken: %s; see kubectl get pods -n %s -l %s\n", c.Name, c.Pods.Namespace, c.Pods.Label)
			return nil
		}}
}

func healCase(name *string) *cobra.Command {
	return &cobra.Command{Use: "heal CASE", Short: "mend a case and remove its workloads", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, c, err := open(*name, args[0])
			if err != nil {
				return err
			}
			return l.Heal(cmd.Context(), c)
		}}
}

func open(lab, name string) (*cluster.Lab, cluster.Case, error) {
	c, err := cluster.FindCase(name)
	if err != nil {
		return nil, c, err
	}
	l, err := cluster.Open(lab)
	return l, c, err
}
