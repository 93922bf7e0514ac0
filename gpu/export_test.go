package gpu

// For the tests of package gpu_test, which may import gputest.
var (
	Mix           = mix
	RandomProgram = randomProgram
)
