/** The emitter of compiled code: one instance serves one core. `j` is the emitter's state block. */
export { beginSeeds, compileSeeds, seedOffset, seedRegion } from './jit/compile';
// For tests.
export { analyse } from './jit/graph';
