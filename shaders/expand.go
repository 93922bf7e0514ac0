package shaders

import (
	"fmt"
	"strconv"
	"strings"
)

// load expands the WGSL file name.wgsl into a Kernel. The text may use
//
//	#import "x"            the file shared/x.wgsl, once (functions)
//	#paste "x"             the file shared/x.wgsl, here (statements)
//	#if FLAG … #else … #endif   lines kept when FLAG is among flags (or #if !FLAG)
//	#for i 8 … #end        the lines eight times, $i being 0 to 7
//	{{NAME}}               the text constants[NAME]
//
// Directives stand alone on their lines and nest. A mistake in a source file is
// a programming error and panics.
func load(name, file string, flags []string, constants map[string]string, twin func(Call)) Kernel {
	e := expander{flags: map[string]bool{}, constants: constants, imported: map[string]bool{}}
	for _, f := range flags {
		e.flags[f] = true
	}
	source := e.expand(file+".wgsl", e.read(file+".wgsl"))
	bindings, workgroup, err := reflect(source)
	if err != nil {
		panic(fmt.Sprintf("shaders: %s (%s.wgsl): %v", name, file, err))
	}
	return Kernel{Name: name, Source: source, Workgroup: workgroup, Bindings: bindings, Reference: twin}
}

type expander struct {
	flags     map[string]bool
	constants map[string]string
	imported  map[string]bool
}

func (e *expander) read(file string) string {
	data, err := sources.ReadFile(file)
	if err != nil {
		panic(fmt.Sprintf("shaders: %v", err))
	}
	return string(data)
}

func (e *expander) expand(file, text string) string {
	var out strings.Builder
	lines := strings.Split(text, "\n")
	e.block(file, lines, map[string]int{}, &out)
	return out.String()
}

// block expands lines up to its end; nested blocks are cut out by matching
// their closing directive.
func (e *expander) block(file string, lines []string, vars map[string]int, out *strings.Builder) {
	for i := 0; i < len(lines); i++ {
		fields := strings.Fields(lines[i])
		if len(fields) == 0 || !strings.HasPrefix(fields[0], "#") {
			e.line(file, i, lines[i], vars, out)
			continue
		}
		switch fields[0] {
		case "#import":
			name := strings.Trim(fields[1], `"`)
			if !e.imported[name] {
				e.imported[name] = true
				path := "shared/" + name + ".wgsl"
				e.block(path, strings.Split(e.read(path), "\n"), vars, out)
			}
		case "#paste":
			path := "shared/" + strings.Trim(fields[1], `"`) + ".wgsl"
			e.block(path, strings.Split(e.read(path), "\n"), vars, out)
		case "#if":
			otherwise, end := matching(file, lines, i)
			flag := fields[1]
			keep := e.flags[strings.TrimPrefix(flag, "!")] != strings.HasPrefix(flag, "!")
			switch {
			case keep && otherwise >= 0:
				e.block(file, lines[i+1:otherwise], vars, out)
			case keep:
				e.block(file, lines[i+1:end], vars, out)
			case otherwise >= 0:
				e.block(file, lines[otherwise+1:end], vars, out)
			}
			i = end
		case "#for":
			_, end := matching(file, lines, i)
			n, err := strconv.Atoi(e.constant(file, i, fields[2]))
			if err != nil {
				panic(fmt.Sprintf("shaders: %s:%d: bad count: %v", file, i+1, err))
			}
			for v := range n {
				inner := map[string]int{fields[1]: v}
				for k, x := range vars {
					inner[k] = x
				}
				e.block(file, lines[i+1:end], inner, out)
			}
			i = end
		default:
			panic(fmt.Sprintf("shaders: %s:%d: unexpected %s", file, i+1, fields[0]))
		}
	}
}

// matching returns the lines of the #else (or -1) and of the #endif or #end
// that belong to the directive on line start.
func matching(file string, lines []string, start int) (otherwise, end int) {
	depth, otherwise := 0, -1
	for i := start; i < len(lines); i++ {
		switch first(lines[i]) {
		case "#if", "#for":
			depth++
		case "#else":
			if depth == 1 {
				otherwise = i
			}
		case "#endif", "#end":
			if depth--; depth == 0 {
				return otherwise, i
			}
		}
	}
	panic(fmt.Sprintf("shaders: %s:%d: %s is never closed", file, start+1, first(lines[start])))
}

func first(line string) string {
	if fields := strings.Fields(line); len(fields) > 0 {
		return fields[0]
	}
	return ""
}

func (e *expander) line(file string, i int, line string, vars map[string]int, out *strings.Builder) {
	for name, v := range vars {
		line = strings.ReplaceAll(line, "$"+name, strconv.Itoa(v))
	}
	out.WriteString(e.constant(file, i, line))
	out.WriteByte('\n')
}

func (e *expander) constant(file string, i int, text string) string {
	for {
		a := strings.Index(text, "{{")
		if a < 0 {
			return text
		}
		b := strings.Index(text[a:], "}}")
		if b < 0 {
			panic(fmt.Sprintf("shaders: %s:%d: {{ is never closed", file, i+1))
		}
		name := text[a+2 : a+b]
		value, ok := e.constants[name]
		if !ok {
			panic(fmt.Sprintf("shaders: %s:%d: no constant %s", file, i+1, name))
		}
		text = text[:a] + value + text[a+b+2:]
	}
}
