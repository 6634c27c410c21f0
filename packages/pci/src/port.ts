import { expectSnapshot, type Snapshot } from '@vmloom/device';
import { PciBridge, type PciBridgeOptions } from './bridge.js';
import type { PlugOptions } from './bus.js';
import { AcsCapability } from './capabilities/acs.js';
import { AerCapability } from './capabilities/aer.js';
import { BridgeSubsystemCapability } from './capabilities/bridge-subsystem.js';
import { ExpressCapability, type ExpressOptions } from './capabilities/express.js';
import { MsiCapability } from './capabilities/msi.js';
import { PowerCapability } from './capabilities/power.js';
import type { ResetKind } from './effects.js';
import type { PciFunction } from './function.js';
import { SECONDARY_STATUS, STATUS_RECEIVED_MASTER_ABORT } from './registers.js';
import { Slot, type SlotOptions } from './slot.js';

// Where QEMU's ports have it.
const ACS_OFFSET = 0x148;

export interface ExpressPortOptions extends Pick<
  ExpressOptions,
  'speed' | 'width' | 'ariForwarding' | 'portNumber'
> {
  readonly name?: string;
  /** Without one, what is plugged in was soldered on. */
  readonly slot?: SlotOptions;
}

/** A port of PCI Express as software sees it: a bridge with a link, and perhaps a slot, below it. */
export abstract class ExpressPort extends PciBridge {
  readonly express: ExpressCapability;
  readonly slot: Slot | undefined;

  protected constructor(
    identity: Omit<PciBridgeOptions, 'secondary' | 'classCode' | 'name'> & { secondary?: 'link' | 'bus' },
    type: 'root-port' | 'upstream-port' | 'downstream-port',
    options: ExpressPortOptions,
  ) {
    super({
      ...identity,
      secondary: identity.secondary ?? 'link',
      classCode: 0x06_04_00,
      ...(options.name !== undefined && { name: options.name }),
    });
    const slot = options.slot && new Slot(this, options.slot);
    this.slot = slot;
    this.express = this.addCapability(
      new ExpressCapability({
        type,
        ...options,
        ariForwarding: options.ariForwarding ?? true,
        slot: slot && ((offset) => slot.registers(offset)),
        onLinkChange: () => this.#linkControlled(),
      }),
    );
    this.addCapability(new MsiCapability({ vectors: 1 }));
    this.addCapability(new PowerCapability({ noSoftReset: true }));
    this.addCapability(new BridgeSubsystemCapability(identity.vendor, 0));
    this.addCapability(new AerCapability({ root: type === 'root-port' }));
    if (this.express.isDownstream) this.addCapability(new AcsCapability(), ACS_OFFSET);
    slot?.reset('power-on');
  }

  /** As {@link PciBridge.plug}, before the machine starts: nobody is told. A running one wants `slot.insert`. */
  override plug<T extends PciFunction>(fn: T, options?: PlugOptions): T {
    super.plug(fn, options);
    this.slot?.reset('power-on');
    this.updateLink();
    return fn;
  }

  override get ariForwarding(): boolean {
    return this.express.ariForwarding;
  }

  /** False too while the link is disabled or its slot has no power. */
  override get reachable(): boolean {
    return super.reachable && this.express.linkEnabled && (this.slot?.powered ?? true);
  }

  /** Shows whether the link is up; what is below a link that went down is reset. True when it changed. */
  updateLink(): boolean {
    if (!this.express.isDownstream) return false;
    const present = this.secondaryBus.functions.length > 0;
    const up = present && this.express.linkEnabled && (this.slot?.powered ?? true);
    if (up === this.express.linkActive) return false;
    this.express.setLinkActive(up);
    if (!up) this.resetSecondary('bus');
    this.context?.refresh();
    return true;
  }

  protected override onReset(kind: ResetKind): void {
    this.slot?.reset(kind);
    this.updateLink();
  }

  protected override saveState(): Snapshot {
    return { type: this.model, version: 1, slot: this.slot?.save() ?? null };
  }

  protected override restoreState(snapshot: Snapshot): void {
    expectSnapshot(snapshot, this.model, 1);
    const slot = snapshot['slot'] as { removing: boolean; notified: boolean } | null;
    if (slot !== null) this.slot?.restore(slot);
  }

  #linkControlled(): void {
    if (this.slot !== undefined) this.slot.linkMayHaveChanged();
    else this.updateLink();
  }
}

/** A root port like QEMU's pcie-root-port (1b36:000c). */
export class RootPort extends ExpressPort {
  constructor(options: ExpressPortOptions = {}) {
    super({ vendor: 0x1b36, device: 0x000c, model: 'root-port' }, 'root-port', options);
  }
}

/** The port of a switch that faces the root; plug {@link SwitchDownstreamPort}s in below it. */
export class SwitchUpstreamPort extends ExpressPort {
  constructor(options: Omit<ExpressPortOptions, 'slot' | 'ariForwarding'> = {}) {
    const identity = {
      vendor: 0x104c,
      device: 0x8232,
      revision: 2,
      model: 'switch-upstream',
      secondary: 'bus',
    } as const;
    super(identity, 'upstream-port', options);
  }
}

/** A port of a switch that faces a device. */
export class SwitchDownstreamPort extends ExpressPort {
  constructor(options: ExpressPortOptions = {}) {
    const identity = { vendor: 0x104c, device: 0x8233, revision: 1, model: 'switch-downstream' };
    super(identity, 'downstream-port', options);
  }
}

/** A bridge to a conventional PCI bus with 32 slots, like QEMU's pci-bridge (1b36:0001). */
export class ConventionalBridge extends PciBridge {
  constructor(options: { readonly name?: string } = {}) {
    super({
      vendor: 0x1b36,
      device: 0x0001,
      classCode: 0x06_04_00,
      pin: 'none',
      model: 'pci-bridge',
      secondary: 'bus',
      ...options,
    });
    this.addCapability(new PowerCapability({ noSoftReset: true }));
  }

  override noteMasterAbort(): void {
    this.config.setBits(SECONDARY_STATUS, STATUS_RECEIVED_MASTER_ABORT);
  }
}
