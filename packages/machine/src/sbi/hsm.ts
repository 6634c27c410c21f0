import type { AddressSpace } from '@vmloom/memory';
import { guestRange } from './guest-memory.js';
import {
  BIT_SSIP,
  BIT_STIP,
  CSR_MIE,
  CSR_MIP,
  EID_HSM,
  SBI_ERR_ALREADY_AVAILABLE,
  SBI_ERR_INVALID_ADDRESS,
  SBI_ERR_INVALID_PARAM,
  SBI_ERR_NOT_SUPPORTED,
  SBI_SUCCESS,
} from './codes.js';
import { sbiRet, type SbiCall, type SbiExtension, type SbiRet } from './sbi-extension.js';
import { PRIVILEGE_SUPERVISOR, type SbiHart } from './sbi-hart.js';

// Hart states, SBI 2.0 chapter 9. The pending states pass within one call here, so no caller ever sees them.
export const HSM_STARTED = 0;
export const HSM_STOPPED = 1;
export const HSM_SUSPENDED = 4;
export type HsmState = 0 | 1 | 4;

const HART_START = 0;
const HART_STOP = 1;
const HART_GET_STATUS = 2;
const HART_SUSPEND = 3;

// Suspend types, SBI 2.0 9.4. The platform has none of its own.
const SUSPEND_RETENTIVE = 0x0000_0000;
const SUSPEND_NON_RETENTIVE = 0x8000_0000;

interface HartState {
  state: HsmState;
  /** Where a non-retentively suspended hart goes on, and its a1; undefined when it is retentive. */
  resume: { readonly address: bigint; readonly opaque: bigint } | undefined;
}

export interface HsmOptions {
  readonly harts: readonly SbiHart[];
  readonly bootHart: number;
  readonly space: AddressSpace;
  /** Called for a hart that stops, to drop what is due for it. */
  readonly onStop: (hart: SbiHart) => void;
}

/** Hart state management, SBI 2.0 chapter 9. */
export class HsmExtension implements SbiExtension {
  readonly eid = EID_HSM;
  readonly #states: Map<number, HartState>;

  constructor(private readonly options: HsmOptions) {
    this.#states = new Map(options.harts.map(({ id }) => [id, { state: HSM_STOPPED, resume: undefined }]));
    this.reset();
  }

  state(hart: number): HsmState {
    return this.#states.get(hart)?.state ?? HSM_STOPPED;
  }

  call({ hart, fid, args }: SbiCall): SbiRet {
    switch (fid) {
      case HART_START:
        return this.#start(args[0], args[1], args[2]);
      case HART_STOP:
        return this.#stop(hart);
      case HART_GET_STATUS: {
        const target = this.#find(args[0]);
        return target === undefined
          ? sbiRet(SBI_ERR_INVALID_PARAM)
          : sbiRet(SBI_SUCCESS, BigInt(this.state(target.id)));
      }
      case HART_SUSPEND:
        return this.#suspend(hart, args[0], args[1], args[2]);
      default:
        return sbiRet(SBI_ERR_NOT_SUPPORTED);
    }
  }

  /**
   * Whether a hart executes. A suspended one with an enabled interrupt pending is resumed here: a retentive
   * one goes on behind its call, another begins at its resume address.
   */
  runnable(hart: SbiHart): boolean {
    const entry = this.#states.get(hart.id);
    if (entry === undefined || entry.state === HSM_STOPPED) return false;
    if (entry.state === HSM_STARTED) return true;
    if ((hart.readCsr(CSR_MIP) & hart.readCsr(CSR_MIE)) === 0n) return false;
    const { resume } = entry;
    entry.state = HSM_STARTED;
    entry.resume = undefined;
    if (resume !== undefined) begin(hart, resume.address, resume.opaque);
    return true;
  }

  reset(): void {
    for (const [id, entry] of this.#states) {
      entry.state = id === this.options.bootHart ? HSM_STARTED : HSM_STOPPED;
      entry.resume = undefined;
    }
  }

  save(): { hart: number; state: number; address: bigint | null; opaque: bigint }[] {
    return [...this.#states].map(([hart, { state, resume }]) => ({
      hart,
      state,
      address: resume?.address ?? null,
      opaque: resume?.opaque ?? 0n,
    }));
  }

  restore(saved: readonly { hart: number; state: number; address: bigint | null; opaque: bigint }[]): void {
    for (const { hart, state, address, opaque } of saved) {
      this.#states.set(hart, {
        state: state as HsmState,
        resume: address === null ? undefined : { address, opaque },
      });
    }
  }

  #find(id: bigint): SbiHart | undefined {
    return this.options.harts.find((hart) => BigInt(hart.id) === id);
  }

  #start(id: bigint, address: bigint, opaque: bigint): SbiRet {
    const target = this.#find(id);
    if (target === undefined) return sbiRet(SBI_ERR_INVALID_PARAM);
    const entry = this.#states.get(target.id)!;
    if (entry.state !== HSM_STOPPED) return sbiRet(SBI_ERR_ALREADY_AVAILABLE);
    if (!this.#executable(address)) return sbiRet(SBI_ERR_INVALID_ADDRESS);
    entry.state = HSM_STARTED;
    begin(target, address, opaque);
    return sbiRet(SBI_SUCCESS);
  }

  #stop(hart: SbiHart): SbiRet {
    const entry = this.#states.get(hart.id)!;
    entry.state = HSM_STOPPED;
    hart.setInterrupt(BIT_SSIP, false);
    hart.setInterrupt(BIT_STIP, false);
    this.options.onStop(hart);
    return sbiRet(SBI_SUCCESS);
  }

  #suspend(hart: SbiHart, type: bigint, address: bigint, opaque: bigint): SbiRet {
    // The type is 32 bits wide; what is above them is ignored (9.4, uint32_t).
    const kind = Number(BigInt.asUintN(32, type));
    // Platform-specific types do not exist here, which is the same error as a reserved one (9.4).
    if (kind !== SUSPEND_RETENTIVE && kind !== SUSPEND_NON_RETENTIVE) return sbiRet(SBI_ERR_INVALID_PARAM);
    const retentive = kind === SUSPEND_RETENTIVE;
    if (!retentive && !this.#executable(address)) return sbiRet(SBI_ERR_INVALID_ADDRESS);
    const entry = this.#states.get(hart.id)!;
    entry.state = HSM_SUSPENDED;
    entry.resume = retentive ? undefined : { address, opaque };
    return sbiRet(SBI_SUCCESS);
  }

  /** RAM at an aligned address, where a hart can begin. */
  #executable(address: bigint): boolean {
    return address % 2n === 0n && guestRange(this.options.space, address, 0n, 2n, false) !== undefined;
  }
}

/** 9.1 and 9.4: S-mode, satp and sstatus.SIE zero, a0 the hart's id, a1 the caller's value. */
function begin(hart: SbiHart, address: bigint, opaque: bigint): void {
  hart.reset({ pc: address, privilege: PRIVILEGE_SUPERVISOR, a0: BigInt(hart.id), a1: opaque });
}
