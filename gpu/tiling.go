package gpu

import (
	"fmt"
	"os"

	"duet/shaders"
)

// TilingVariable is the environment variable that chooses how products are cut up,
// registers or staged, whatever the adapter is: to compare them, and to test on
// a CPU adapter what GPUs run.
const TilingVariable = "DUET_TILING"

// tilingFor returns what suits an adapter. Those that say nothing of themselves,
// in browsers, are taken for GPUs: software adapters have a name.
func tilingFor(c Class) (shaders.Tiling, error) {
	switch asked := os.Getenv(TilingVariable); asked {
	case "registers":
		return shaders.Registers, nil
	case "staged":
		return shaders.Staged, nil
	case "":
		if c == Software {
			return shaders.Registers, nil
		}
		return shaders.Staged, nil
	default:
		return 0, fmt.Errorf("%s is %q: want registers or staged", TilingVariable, asked)
	}
}
