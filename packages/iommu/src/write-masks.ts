import * as C from './codes.js';
import { VECTORS } from './interrupts.js';
import * as R from './registers.js';

const LOG2SZ_AND_PPN = 0xffff_fc1f;
const PPN_HIGH = 0x003f_ffff;
const ALL = 0xffff_ffff;

/**
 * Bits that software writes, by word of the register page (WARL and RW fields of chapter 6); registers that are not there
 * have none. `ownTable`: msi_cfg_tbl is here, and not the table of an MSI-X capability.
 */
export function writeMasks(capabilities: number, ownTable: boolean): Uint32Array {
  const masks = new Uint32Array(256);
  const allow = (offset: number, low: number, high?: number): void => {
    masks[offset >>> 2] = low;
    if (high !== undefined) masks[(offset >>> 2) + 1] = high;
  };
  const igs = (capabilities >>> C.CAP_IGS_SHIFT) & 3;
  allow(R.FCTL, ((capabilities & C.CAP_END) !== 0 ? R.FCTL_BE : 0) | (igs === R.IGS_BOTH ? R.FCTL_WSI : 0));
  allow(R.DDTP, 0xffff_fc0f, PPN_HIGH);
  allow(R.CQB, LOG2SZ_AND_PPN, PPN_HIGH);
  allow(R.FQB, LOG2SZ_AND_PPN, PPN_HIGH);
  if ((capabilities & C.CAP_ATS) !== 0) {
    allow(R.PQB, LOG2SZ_AND_PPN, PPN_HIGH);
    allow(R.PQH, ALL);
    allow(R.PQCSR, R.QUEUE_ENABLE | R.QUEUE_INTERRUPT_ENABLE);
  }
  if ((capabilities & C.CAP_HPM) !== 0) {
    allow(R.IOCOUNTINH, ALL);
    allow(R.IOHPMCYCLES, ALL, ALL);
    for (let counter = 0; counter < 31; counter++) {
      allow(R.IOHPMCTR + 8 * counter, ALL, ALL);
      allow(R.IOHPMEVT + 8 * counter, ALL, ALL);
    }
  }
  if ((capabilities & C.CAP_DBG) !== 0) {
    allow(R.TR_REQ_IOVA, 0xffff_f000, ALL);
    allow(
      R.TR_REQ_CTL,
      0xffff_f000 | R.TR_GO | R.TR_PRIVILEGED | R.TR_EXECUTE | R.TR_NO_WRITE,
      0xffff_ff00 | R.TR_PV,
    );
  }
  allow(R.ICVEC, 0x1111 * (VECTORS - 1));
  if (ownTable && igs !== R.IGS_WSI) {
    for (let vector = 0; vector < VECTORS; vector++) {
      allow(R.MSI_CFG_TBL + 16 * vector, 0xffff_fffc, 0x00ff_ffff);
      allow(R.MSI_CFG_TBL + 16 * vector + 8, ALL, 1);
    }
  }
  return masks;
}
