package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/refloat-dev/refloat/test/cluster"
	"github.com/refloat-dev/refloat/test/cluster/internal/daemon"
	"github.com/refloat-dev/refloat/test/cluster/internal/nodeinit"
)

func root() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "lab", Short: "a real Kubernetes that breaks image pulls on demand",
		SilenceUsage: true, SilenceErrors: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	cmd.PersistentFlags().StringVar(&name, "name", "lab", "the lab's name; labs of different names run side by side")
	cmd.AddCommand(up(&name), down(&name), status(&name), kubeconfig(&name), execute(&name), desk(&name), cases(),
		breakCase(&name), healCase(&name), agent(&name), serve(), nodeInit())
	return cmd
}

func up(name *string) *cobra.Command {
	var cfg cluster.Config
	cmd := &cobra.Command{Use: "up", Short: "start the lab, or check the one that is up", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// By this name it is the running program even if its file has been replaced meanwhile.
			cfg.Name, cfg.Program, cfg.Progress = *name, "/proc/self/exe", os.Stderr
			l, err := cluster.Up(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			fmt.Println("export KUBECONFIG=" + l.Kubeconfig())
			return nil
		}}
	cmd.Flags().IntVar(&cfg.Nodes, "nodes", 2, "number of nodes; cases that take a whole node use the last")
	cmd.Flags().IntVar(&cfg.ImageMiB, "image-mib", 0, "size of each node's image filesystem in MiB")
	cmd.Flags().IntVar(&cfg.Inodes, "inodes", 0, "inodes of each node's image filesystem")
	return cmd
}

func down(name *string) *cobra.Command {
	return &cobra.Command{Use: "down", Short: "end the lab and remove everything it made", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cluster.Down(cmd.Context(), *name) }}
}

func status(name *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{Use: "status", Short: "show how the lab is doing", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := cluster.Open(*name)
			if err != nil {
				return err
			}
			st := l.Status(cmd.Context())
			if asJSON {
				enc := json.NewEncoder(os.Stdout)
				enc.SetIndent("", "  ")
				return enc.Encode(st)
			}
			printStatus(st)
			if !st.Healthy {
				return errors.New("the lab is not well: " + st.Problem() + "\nstart it anew: test/cluster/lab down && test/cluster/lab up")
			}
			return nil
		}}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printStatus(st cluster.Status) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	defer func() { _ = w.Flush() }()
	fmt.Fprintf(w, "lab\t%s\t%s\n", st.Name, st.Server)
	for _, n := range st.Nodes {
		problem := n.Problem
		if problem == "" {
			problem = "Ready"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", n.Name, n.IP, problem)
	}
	for _, p := range st.Processes {
		alive := "running"
		if !p.Alive {
			alive = "ended"
		}
		fmt.Fprintf(w, "%s\tpid %d\t%s\n", p.Name, p.PID, alive)
	}
	fmt.Fprintf(w, "broken\t%s\t\n", strings.Join(st.Broken, ", "))
}

func kubeconfig(name *string) *cobra.Command {
	var raw bool
	cmd := &cobra.Command{Use: "kubeconfig", Short: "print the path of the lab's kubeconfig", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			l, err := cluster.Open(*name)
			if err != nil {
				return err
			}
			if !raw {
				fmt.Println(l.Kubeconfig())
				return nil
			}
			data, err := os.ReadFile(l.Kubeconfig())
			if err != nil {
				return err
			}
			_, err = os.Stdout.Write(data)
			return err
		}}
	cmd.Flags().BoolVar(&raw, "raw", false, "print its content")
	return cmd
}

func execute(name *string) *cobra.Command {
	return &cobra.Command{Use: "exec NODE -- COMMAND…", Short: "run a command on a node, such as ctr or kubectl", Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return within(*name, func(l *cluster.Lab) (*exec.Cmd, error) { return l.Command(cmd.Context(), args[0], args[1:]...) })
		}}
}

func desk(name *string) *cobra.Command {
	return &cobra.Command{Use: "desk -- COMMAND…", Short: "run a command on this machine with the lab's cluster, names and certificates", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return within(*name, func(l *cluster.Lab) (*exec.Cmd, error) { return l.AtDesk(cmd.Context(), args...) })
		}}
}

// within runs a command of the lab with this process' streams, and ends as it does.
func within(name string, command func(*cluster.Lab) (*exec.Cmd, error)) error {
	l, err := cluster.Open(name)
	if err != nil {
		return err
	}
	c, err := command(l)
	if err != nil {
		return err
	}
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return insideError{exit.ExitCode()}
	}
	return err
}

func agent(name *string) *cobra.Command {
	return &cobra.Command{Use: "agent", Short: "build refloat's agent and run it on every node", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := cluster.Open(*name)
			if err != nil {
				return err
			}
			if err := l.InstallAgent(cmd.Context()); err != nil {
				return err
			}
			fmt.Println("installed; see kubectl get pods -n " + cluster.AgentNamespace)
			return nil
		}}
}

// serve and nodeInit are what the lab's own processes run.
func serve() *cobra.Command {
	return &cobra.Command{Use: "serve DIR", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return daemon.Main(cmd.Context(), args[0], slog.New(slog.NewTextHandler(os.Stderr, nil)))
		}}
}

func nodeInit() *cobra.Command {
	return &cobra.Command{Use: "node-init DIR", Hidden: true, Args: cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error { return nodeinit.Main(args) }}
}
