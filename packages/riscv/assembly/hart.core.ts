// asc: --exportTable
/**
 * The hart: one instance serves all harts of a host memory. The state's address is the first argument. The
 * exported table holds the compiled regions.
 */
export { run } from './run';
export { dropCode, dropInstruction } from './code-cache';
export { breakReservations } from './reservation';
export { flushAll, updateContext } from './tlb';
export { readCsr, writeCsr } from './csr';
export { updateVirtual } from './aia';
export { summarizePmp } from './pmp-registers';
export { walk } from './mmu';
export { timeTicks } from './counters';
export { dropAllRegions, dropRegion, installRegion } from './regions';
export { compiledCsr, compiledExecute, compiledLoad, compiledStore } from './compiled';
export { mulh, mulhsu, mulhu } from './integer';
export { compiledFloatOperation, whileInexact } from './float';
