import { CORE_STATE_RX1588, CORE_STATE_RX_HAVE, CORE_STATE_RX_STATUS } from './layout-offsets.js';
import * as B from './register-bits.js';
import type { RegisterFile } from './register-file.js';
import * as R from './register-map.js';
import type { StateBlock } from './state-block.js';
import type { TimeSync } from './time-sync.js';

// 7.9.5: TSYNCRXCTL.Type.
const TYPE_L2_V2 = 0;
const TYPE_L4_V1 = 1;
const TYPE_L2_L4_V2 = 2;
const TYPE_ALL = 4;
const TYPE_EVENT_V2 = 5;
const UDP_HEADER = 8;

/** Which received packets get a time stamp: those a filter marks (ETQF, FTQF) that TSYNCRXCTL and TSYNCRXCFG select. */
export class ReceiveStamp {
  constructor(
    private readonly registers: RegisterFile,
    private readonly state: StateBlock,
    private readonly time: TimeSync,
  ) {}

  /** The frame at hand is marked; `header` holds its start. Its status says so when it got a stamp. */
  take(header: Uint8Array): void {
    const { registers, state } = this;
    const control = registers.get(R.REG_TSYNCRXCTL);
    if ((control & B.TSYNC_ENABLED) === 0) return;
    const at = state.get(CORE_STATE_RX1588);
    if (at + 34 > state.get(CORE_STATE_RX_HAVE)) return;
    if (!this.#selected((control >> B.TSYNC_TYPE_SHIFT) & 7, header, at)) return;
    // 8.16.x: sequence number and source identity, as they stand in the message.
    const version1 = ((control >> B.TSYNC_TYPE_SHIFT) & 7) === TYPE_L4_V1;
    const identity = at + (version1 ? 22 : 24);
    const word = (from: number): number =>
      (header[from] | (header[from + 1] << 8) | (header[from + 2] << 16) | (header[from + 3] << 24)) >>> 0;
    const sequence = (header[at + 30] << 8) | header[at + 31];
    const high = ((header[identity] << 8) | header[identity + 1] | (sequence << 16)) >>> 0;
    if (!this.time.stampReceive(word(identity + 2), high)) return;
    state.set(CORE_STATE_RX_STATUS, state.get(CORE_STATE_RX_STATUS) | B.RXD_STATUS_TS);
  }

  #selected(type: number, header: Uint8Array, at: number): boolean {
    const configuration = this.registers.get(R.REG_TSYNCRXCFG);
    const version2 = (header[at + 1] & 0xf) === 2;
    const message = header[at] & 0xf;
    // An Ethernet payload begins behind its type, a UDP one behind the ports.
    const layer4 = at >= 14 + 20 + UDP_HEADER;
    switch (type) {
      case TYPE_L2_V2:
        return !layer4 && version2 && message === ((configuration >> 8) & 0xf);
      case TYPE_L4_V1:
        return layer4 && !version2 && header[at + 32] === (configuration & 0xff);
      case TYPE_L2_L4_V2:
        return version2 && message === ((configuration >> 8) & 0xf);
      case TYPE_EVENT_V2:
        // Sync, delay request, path delay request and response.
        return version2 && message < 4;
      default:
        return type === TYPE_ALL;
    }
  }
}
