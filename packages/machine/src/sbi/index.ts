export * from './codes.js';
export { type SbiConsole } from './dbcn.js';
export { HSM_STARTED, HSM_STOPPED, HSM_SUSPENDED, type HsmState } from './hsm.js';
export { Sbi, type SbiOptions } from './sbi.js';
export { PRIVILEGE_SUPERVISOR, type SbiHart } from './sbi-hart.js';
export { type SbiResetRequest } from './srst.js';
