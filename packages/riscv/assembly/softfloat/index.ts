/**
 * IEEE 754 arithmetic of the RISC-V F and D extensions, exact in value and in flags.
 *
 * Numbers are passed as their encodings. `flags` is the address of a u32 into which the raised `fflags`
 * bits are ORed; no function clears one. `rm` is 0 to 4 (RNE, RTZ, RDN, RUP, RMM); the caller resolves the
 * dynamic mode and traps reserved ones. NaN results are canonical. The caller also boxes and unboxes
 * binary32 values.
 */
export * from './flags';
export { f64Add, f64Sub } from './f64-add';
export { f64Mul } from './f64-multiply';
export { f64Div, f64Sqrt } from './f64-divide';
export { f64Fma } from './f64-fma';
export { f64Class, f64Eq, f64Le, f64Lt, f64Max, f64Min } from './f64-compare';
export { f32Add, f32Div, f32Fma, f32Mul, f32Sqrt, f32Sub } from './f32-arithmetic';
export { f32Class, f32Eq, f32Le, f32Lt, f32Max, f32Min } from './f32-compare';
export { f32ToF64, f64ToF32 } from './convert-format';
export * from './convert-integer';
