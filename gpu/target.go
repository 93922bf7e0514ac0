package gpu

import (
	"fmt"
	"os"

	"duet/shaders"
)

// KernelsVariable is the environment variable that chooses kernels, cpu or gpu,
// whatever the adapter is: to compare them, and to test on a CPU adapter what
// GPUs run.
const KernelsVariable = "DUET_KERNELS"

// targetOf returns which kernels suit an adapter. Those that say nothing of
// themselves, in browsers, are taken for GPUs: software adapters have a name.
func targetOf(c Class) (shaders.Target, error) {
	switch asked := os.Getenv(KernelsVariable); asked {
	case "cpu":
		return shaders.CPU, nil
	case "gpu":
		return shaders.GPU, nil
	case "":
		if c == Software {
			return shaders.CPU, nil
		}
		return shaders.GPU, nil
	default:
		return 0, fmt.Errorf("%s is %q: want cpu or gpu", KernelsVariable, asked)
	}
}
