import { RegisterFile as Registers, type Ledger } from '@vmloom/device';
import { REGISTERS } from './register-table.js';

/** Bytes of the register image; see `coreState` in layouts.ts. */
export const REGISTER_BYTES = 0x11000;

/** The registers of the physical function by offset. Their values lie in the host's reserve, where the core sees them. */
export class RegisterFile extends Registers {
  /** `image` holds REGISTER_BYTES / 4 words. */
  constructor(image: Uint32Array, ledger: Ledger, owner: string) {
    super(image, REGISTERS, ledger, owner);
  }
}
