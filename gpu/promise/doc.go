// Package promise waits for JavaScript's promises and catches what JavaScript
// throws. It has content only where the program is compiled for js.
package promise
