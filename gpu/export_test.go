package gpu

// For the tests of package gpu_test, which may import gputest.
var (
	Mix           = mix
	RandomProgram = randomProgram
)

// SelfTestOrFallBack is the self-test of Open.
var SelfTestOrFallBack = selfTest
