/**
 * The soft-float functions as a core of their own, so that they can be tested and measured without a hart.
 * The integer paths are exported too: on operands that a native fast path would take, both must agree.
 */
export * from './softfloat/index';
export { f64AddSoft } from './softfloat/f64-add';
export { f64MulSoft } from './softfloat/f64-multiply';
export { f64DivSoft, f64SqrtSoft } from './softfloat/f64-divide';
export { f64FmaSoft } from './softfloat/f64-fma';
export { f32AddExact, f32DivExact, f32MulExact } from './softfloat/f32-arithmetic';
export { narrowSoft } from './softfloat/narrow';
