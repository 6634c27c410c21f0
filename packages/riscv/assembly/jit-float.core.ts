/**
 * The floating-point part of the emitter as a core of its own, with the functions that its code calls, so that
 * the code of single instructions can be tested without a hart.
 */
export { emitFloat } from './jit/float';
export { emitFloatEntry } from './jit/float-check';
export { compiledFloatOperation, whileInexact } from './float';
