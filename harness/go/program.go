package veschub

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Options say which hub to start.
type Options struct {
	// Scenario is the path of a scenario file; without it, the hub has one pack of 20 cells.
	Scenario string
	// Seed decides everything that is random.
	Seed uint64
	// Set replaces values of the scenario: "devices.0.express.bms.cells=12".
	Set []string
	// Args are more arguments of `veschub-sim serve`.
	Args []string
	// Program is the path of veschub-sim; without it, it is the one in the folder $VESCHUB_BIN, or on the PATH.
	Program string
}

// The process of a hub. It ends with its stdin, so also when this process dies.
type program struct {
	command *exec.Cmd
	stdin   io.Closer
	drained chan struct{}
	said    bytes.Buffer
	// Where tools connect, where the control API is, and how to log in.
	listening, control string
	devices            []login
}

type login struct{ ID, Password string }

func start(ctx context.Context, options Options) (*program, error) {
	file := options.Program
	if file == "" {
		file = "veschub-sim"
		if folder := os.Getenv("VESCHUB_BIN"); folder != "" {
			file = filepath.Join(folder, file)
		}
	}
	args := []string{"serve", "--demo"}
	if options.Scenario != "" {
		args[1] = options.Scenario
	}
	args = append(args, "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--seed", fmt.Sprint(options.Seed))
	args = append(args, "--until-stdin-ends", "--quiet", "--journal", "-", "--keep-credentials")
	for _, setting := range options.Set {
		args = append(args, "--set", setting)
	}
	p := &program{command: exec.CommandContext(ctx, file, append(args, options.Args...)...), drained: make(chan struct{})}
	p.command.Stderr = &p.said
	stdin, err := p.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = stdin
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w; set VESCHUB_BIN to the folder of veschub-sim", file, err)
	}
	lines := bufio.NewReader(stdout)
	err = p.read(lines)
	go func() {
		// The journal follows; nobody needs it, as the control API has it too.
		_, _ = io.Copy(io.Discard, lines)
		close(p.drained)
	}()
	if err != nil {
		_ = p.stop()
		return nil, fmt.Errorf("the hub did not start: %w\n%s", err, strings.TrimSpace(p.said.String()))
	}
	return p, nil
}

// Reads the lines that say where the hub is, and which devices it has.
func (p *program) read(lines *bufio.Reader) error {
	var start [3]string
	for index := range start {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		start[index] = strings.TrimSpace(line)
	}
	p.listening = strings.TrimPrefix(start[0], "listening on ")
	p.control = strings.TrimPrefix(start[1], "control on ")
	var journal struct{ Devices []login }
	err := json.Unmarshal([]byte(start[2]), &journal)
	p.devices = journal.Devices
	return err
}

func (p *program) stop() error {
	_ = p.stdin.Close()
	<-p.drained
	if err := p.command.Wait(); err != nil {
		return fmt.Errorf("the hub ended by itself: %w\n%s", err, strings.TrimSpace(p.said.String()))
	}
	return nil
}
