import { S_CSR_ILLEGAL } from '../src/layout';

/** There is no such CSR, or the mode may not have it: the access is an illegal instruction. */
export function illegalCsr(s: u32): u64 {
  store<u32>(s, 1, S_CSR_ILLEGAL);
  return 0;
}
