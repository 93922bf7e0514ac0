//go:build !js

// Command duet classifies pictures together with their words, and fine-tunes
// the model that does so, on this machine.
//
// Each subcommand is one type in a file of its own, with its flags as fields
// and a method Run(context.Context, streams) error; to add one, write that file
// and one line in [commands].
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"duet/assets"

	"github.com/alecthomas/kong"
)

// commands lists the subcommands in the order in which help shows them.
type commands struct {
	Window   windowCommand   `cmd:"" help:"Open the app's window; so does duet alone where there is a display."`
	Train    trainCommand    `cmd:"" help:"Fine-tune a model on a collection, or train one from scratch."`
	Init     initCommand     `cmd:"" help:"Join two pretrained towers into a model that a training can start from."`
	Merge    mergeCommand    `cmd:"" help:"Write a model without its LoRA that answers like it."`
	Evaluate evaluateCommand `cmd:"" help:"Measure a model on a collection."`
	Classify classifyCommand `cmd:"" help:"Classify pictures together with their words."`
	Check    checkCommand    `cmd:"" help:"Say whether files can be used, by reading them."`
	Export   exportCommand   `cmd:"" help:"Write a model for other programs: safetensors, ONNX, or a folder for transformers."`
	Demo     demoCommand     `cmd:"" help:"Classify a photograph, then fine-tune for half a minute before your eyes."`
	Pull     pullCommand     `cmd:"" help:"Fetch a published model into the cache of Hugging Face's programs."`
	Sample   sampleCommand   `cmd:"" help:"Draw a sample collection to train on."`
	Info     infoCommand     `cmd:"" help:"Show this machine's adapters, and what this build carries."`
	Bench    benchCommand    `cmd:"" help:"Time the engine on this machine's adapter."`
	Serve    serveCommand    `cmd:"" help:"Serve the browser tab on this machine."`
}

// streams is where a command writes: results to out, everything else to err.
type streams struct {
	out, err io.Writer
}

// helpVariables are what help texts and defaults take from other packages.
func helpVariables() kong.Vars {
	return kong.Vars{
		"kinds": kindNames(), "tasks": strings.Join(assets.TaskNames(), ", "),
		"task": assets.DefaultTask, "size": strconv.Itoa(assets.DefaultSize),
	}
}

func main() {
	// The first Ctrl-C ends the context, so that a command can save what it
	// has; the second one ends the program.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdout, os.Stderr}))
}

// run executes one command line and returns the exit status: 0, 1 after a
// failure, 2 after a mistake in the command line.
func run(ctx context.Context, args []string, s streams) int {
	parser := kong.Must(&commands{},
		kong.Name("duet"),
		kong.Description("Classify pictures together with their words, and fine-tune the model on your own."),
		kong.Writers(s.out, s.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		helpVariables(),
	)
	if len(args) == 0 {
		args = []string{"--help"}
		if hasDisplay() {
			args = []string{"window"}
		}
	}
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(s.err, "duet: %v (duet --help lists what there is)\n", err)
		return 2
	}
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(s); err != nil {
		fmt.Fprintf(s.err, "duet %s: %v\n", command.Selected().Name, err)
		return 1
	}
	return 0
}
