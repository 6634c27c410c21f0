/** The hart: one instance serves all harts of a host memory. The state's address is the first argument. */
export { run } from './run';
export { compiledFloatOperation, whileInexact } from './float';
export { dropCode, dropInstruction } from './code-cache';
export { breakReservations } from './reservation';
export { flushAll, updateContext } from './tlb';
export { readCsr, writeCsr } from './csr';
export { summarizePmp } from './pmp-registers';
export { walk } from './mmu';
export { timeTicks } from './counters';
