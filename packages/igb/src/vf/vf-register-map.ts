import * as R from '../register-map.js';

// Addresses of a virtual function's own registers (82576 datasheet 8.26), those of its BAR 0.

export const VT_CTRL = 0x0000;
export const VT_CTRL_DUP = 0x0004;
export const VT_STATUS = 0x0008;
export const VT_FRTIMER = 0x1048;
export const VT_VMBMEM = 0x0800;
export const VT_MAILBOX = 0x0c40;
export const VT_PBACL = 0x0f04;
export const VT_PSRTYPE = 0x0f0c;
export const VT_STATISTICS = 0x0f10;
export const VT_STATISTICS_END = 0x0f54;
export const VT_EICS = 0x1520;
export const VT_EIMS = 0x1524;
export const VT_EIMC = 0x1528;
export const VT_EIAC = 0x152c;
export const VT_EIAM = 0x1530;
export const VT_EICR = 0x1580;
export const VT_EITR = 0x1680;
export const VT_IVAR = 0x1700;
export const VT_IVAR_MISC = 0x1740;
/** Bytes of each function's mailbox: sixteen words. */
export const MAILBOX_BYTES = 0x40;

/** Bytes of BAR 0. */
export const VF_REGISTER_BYTES = 0x4000;

// VFMailbox, as the virtual function has it (8.26.2.4)
export const MAILBOX_REQ = 1 << 0;
export const MAILBOX_ACK = 1 << 1;
export const MAILBOX_VFU = 1 << 2;
export const MAILBOX_PFU = 1 << 3;
export const MAILBOX_PFSTS = 1 << 4;
export const MAILBOX_PFACK = 1 << 5;
export const MAILBOX_RSTI = 1 << 6;
export const MAILBOX_RSTD = 1 << 7;
/** Cleared by the function's read. */
export const MAILBOX_READ_CLEARS = MAILBOX_PFSTS | MAILBOX_PFACK | MAILBOX_RSTD;

// PFMailbox, as the physical function has it (8.14.6)
export const PF_MAILBOX_STS = 1 << 0;
export const PF_MAILBOX_ACK = 1 << 1;
export const PF_MAILBOX_VFU = 1 << 2;
export const PF_MAILBOX_PFU = 1 << 3;
export const PF_MAILBOX_RVFU = 1 << 4;
/** In MBVFICR acknowledgements lie above requests (8.14.7). */
export const VFACK_SHIFT = 16;

const QUEUE_REGISTERS = 0x40;

/**
 * Where a register of virtual function `vf` lies among those of the physical one, when it is simply that (its queues,
 * PSRTYPE, mailbox memory, statistics, what all share); undefined for the others. 8.26.1: its queues 0 and 1 are the
 * controller's `vf` and `vf` + 8.
 */
export function sharedRegister(offset: number, vf: number): number | undefined {
  const queue = queueRegister(offset, vf);
  if (queue !== undefined) return queue;
  if (offset >= VT_VMBMEM && offset < VT_VMBMEM + MAILBOX_BYTES) return offset + vf * MAILBOX_BYTES;
  if (offset >= VT_STATISTICS && offset < VT_STATISTICS_END) {
    return offset - VT_STATISTICS + R.REG_VFGPRC + vf * R.VF_STRIDE;
  }
  if (offset === VT_PSRTYPE) return R.REG_PSRTYPE + 4 * vf;
  return undefined;
}

/** Registers that the virtual function sees and does not change. */
export function watchedRegister(offset: number): number | undefined {
  if (offset === VT_STATUS) return R.REG_STATUS;
  return offset === VT_FRTIMER ? R.REG_FRTIMER : undefined;
}

function queueRegister(offset: number, vf: number): number | undefined {
  const receive = offset - R.REG_RX_QUEUE_ALIAS;
  const transmit = offset - R.REG_TX_QUEUE_ALIAS;
  const at = transmit >= 0 ? transmit : receive;
  const queue = at >> 8;
  if (at < 0 || queue > 1 || (at & 0xff) >= QUEUE_REGISTERS) return undefined;
  const first = transmit >= 0 ? R.REG_TDBAL : R.REG_RDBAL;
  return first + (vf + R.POOLS * queue) * R.QUEUE_STRIDE + (at & 0xff);
}
