import { PciIommu } from '@vmloom/iommu';
import {
  createMachine,
  World,
  type Aia,
  type Firmware,
  type Machine,
  type MachineExit,
} from '@vmloom/machine';
import { UserNat, type Port } from '@vmloom/net';
import { HostNetwork, type ResolverAddress } from '@vmloom/net/node';
import { E1000_NIC, type Nic } from './nics.js';
import { readTranscript, type Transcript } from './transcript.js';

/** What a headless machine is made of. */
export interface BootOptions {
  readonly kernel: Uint8Array;
  readonly initrd?: Uint8Array;
  /** Kernel command line. */
  readonly append: string;
  /** 1 unless told. */
  readonly harts?: number;
  /** What brings interrupts to the harts; the PLIC unless told. */
  readonly aia?: Aia;
  /** An IOMMU before the NIC: the board's, or a PCI function; none unless told. */
  readonly iommu?: 'board' | 'function';
  /** 128 MiB unless told. */
  readonly memory?: string;
  /** The built-in SBI unless told. */
  readonly firmware?: Firmware;
  /** A NIC on a network address translator. */
  readonly network?: boolean;
  /** Which; an e1000 unless told. */
  readonly nic?: Nic;
  /** What stands between the NIC and its network, such as a capture: given the port, the one to use. */
  readonly wire?: (port: Port, world: World) => Port;
  /** Name servers behind the translator; the host's unless told. */
  readonly resolvers?: readonly ResolverAddress[];
  /** `realtime` follows the wall clock; `virtual` unless told. */
  readonly time?: 'virtual' | 'realtime';
  /** Servers of the host take part: idle time passes no faster than theirs. */
  readonly hostTime?: boolean;
  /** What a reset by the guest does; it ends the machine unless told. */
  readonly onReset?: 'boot' | 'end';
  /** Seconds of wall time after which it is hopeless; 300 unless told. */
  readonly patience?: number;
  /** Seconds of virtual time after which it has gone wrong; 600 unless told. */
  readonly longest?: number;
  /** Told of the machine before it is switched on. */
  readonly onMachine?: (live: LiveMachine) => void;
}

/** A machine that is about to run, for tests that act on it. */
export interface LiveMachine {
  readonly machine: Machine;
  readonly nat: UserNat | undefined;
  /** Ends the run before the machine does. */
  readonly stop: () => void;
}

/** What became of it. */
export interface BootResult extends Transcript {
  readonly log: string;
  /** Undefined when patience ran out first. */
  readonly exit: MachineExit | undefined;
  /** Wall time. */
  readonly seconds: number;
  readonly instructions: number;
}

/** Seconds. Virtual time without an end in sight: a guest that waits for nothing has gone wrong. */
const VIRTUAL_PATIENCE = 600;
export const STATION = '52:54:00:76:6d:01';

/**
 * Boots a machine without a terminal until it ends, or patience does. Time is virtual, so what a guest sleeps
 * costs nothing and a run repeats.
 */
export async function boot(options: BootOptions): Promise<BootResult> {
  const began = performance.now();
  const world = new World({ time: options.time ?? 'virtual' });
  const nat = options.network === true ? makeNat(world, options.resolvers) : undefined;
  const { kernel, initrd, firmware } = options;
  const machine = await createMachine({
    name: 'guest',
    world,
    kernel,
    bootArguments: options.append,
    memory: options.memory ?? '128MiB',
    harts: options.harts ?? 1,
    aia: options.aia ?? 'none',
    iommu: options.iommu === 'board',
    onReset: options.onReset ?? 'end',
    ...(initrd === undefined ? {} : { initrd }),
    ...(firmware === undefined ? {} : { firmware }),
  });
  if (options.iommu === 'function') machine.pcie.plug(new PciIommu());
  if (nat !== undefined) {
    const port = options.wire?.(nat.port, world) ?? nat.port;
    machine.pcie.plug((options.nic ?? E1000_NIC).make(port, STATION));
  }
  if (options.hostTime === true) world.outside.attachSource();
  options.onMachine?.({ machine, nat, stop: () => world.stop() });
  const pieces: string[] = [];
  const decoder = new TextDecoder();
  machine.console.onOutput = (bytes) => pieces.push(decoder.decode(bytes, { stream: true }));
  machine.powerOn();
  void machine.exited.then(() => world.stop());
  const timer = setTimeout(() => world.stop(), (options.patience ?? 300) * 1000);
  try {
    await world.run({ until: (options.longest ?? VIRTUAL_PATIENCE) * 1e9 });
  } finally {
    clearTimeout(timer);
    nat?.close();
  }
  const log = pieces.join('');
  return {
    ...readTranscript(log),
    log,
    exit: machine.exit,
    seconds: (performance.now() - began) / 1000,
    instructions: machine.retired,
  };
}

function makeNat(world: World, resolvers: readonly ResolverAddress[] | undefined): UserNat {
  const { clock, ledger } = world;
  const outside = new HostNetwork(resolvers === undefined ? {} : { resolvers });
  return world.add(new UserNat({ name: 'nat', clock, ledger, io: world.outside, outside }));
}
