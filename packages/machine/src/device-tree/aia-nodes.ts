import { MachineError } from '../error.js';
import { node, type DeviceTreeNode } from './node.js';
import {
  PHANDLE_APLIC_MACHINE,
  PHANDLE_IMSICS_MACHINE,
  PHANDLE_IMSICS_SUPERVISOR,
  PHANDLE_WIRED,
  reg,
  toHarts,
} from './phandles.js';

/** What takes the place of the PLIC. */
export type Aia = 'none' | 'aplic' | 'aplic-imsic';

/** Addresses and sizes of the Advanced Interrupt Architecture on the `virt` board, the same as QEMU's. */
export const AIA = {
  aplicMachine: { base: 0x0c00_0000, size: 0x8000 },
  aplicSupervisor: { base: 0x0d00_0000, size: 0x8000 },
  imsicMachine: { base: 0x2400_0000 },
  imsicSupervisor: { base: 0x2800_0000 },
  sources: 96,
  /** Identities of each interrupt file, and the one that supervisors signal each other with. */
  identities: 255,
  ipiIdentity: 1,
  page: 4096,
  maxGuests: 7,
} as const;

const MACHINE_EXTERNAL = 11;
const SUPERVISOR_EXTERNAL = 9;

/** Bits of an interrupt file's address that choose a guest. */
export function guestBits(guests: number): number {
  return Math.ceil(Math.log2(guests + 1));
}

/** @throws MachineError bad-board */
export function checkGuests(aia: Aia, guests: number): void {
  if (Number.isInteger(guests) && guests >= 0 && guests <= AIA.maxGuests) {
    if (guests === 0 || aia === 'aplic-imsic') return;
    throw new MachineError('bad-board', `guest interrupt files need aia=aplic-imsic, not ${aia}`);
  }
  throw new MachineError(
    'bad-board',
    `an IMSIC has 0 to ${AIA.maxGuests} guest interrupt files, not ${guests}`,
  );
}

/**
 * The nodes of APLIC and IMSICs. `firmware`: the machine level belongs to firmware that has started already and
 * says so, as OpenSBI does.
 */
export function aiaNodes(
  ids: readonly number[],
  board: { readonly aia: 'aplic' | 'aplic-imsic'; readonly guests: number; readonly firmware: boolean },
): DeviceTreeNode[] {
  const messages = board.aia === 'aplic-imsic';
  const status = board.firmware ? 'disabled' : undefined;
  const machineFiles = toHarts(ids, MACHINE_EXTERNAL);
  const supervisorFiles = toHarts(ids, SUPERVISOR_EXTERNAL);
  const aplic = {
    '#address-cells': 0,
    '#interrupt-cells': 2,
    'interrupt-controller': true,
    compatible: 'riscv,aplic',
    'riscv,num-sources': AIA.sources,
  } as const;
  const nodes = [
    node(`aplic@${AIA.aplicMachine.base.toString(16)}`, {
      ...aplic,
      phandle: PHANDLE_APLIC_MACHINE,
      reg: reg(AIA.aplicMachine),
      status,
      'interrupts-extended': messages ? undefined : machineFiles,
      'msi-parent': messages ? PHANDLE_IMSICS_MACHINE : undefined,
      'riscv,children': PHANDLE_WIRED,
      'riscv,delegation': [PHANDLE_WIRED, 1, AIA.sources],
      // As the binding was when QEMU and OpenSBI began with it.
      'riscv,delegate': [PHANDLE_WIRED, 1, AIA.sources],
    }),
    node(`aplic@${AIA.aplicSupervisor.base.toString(16)}`, {
      ...aplic,
      phandle: PHANDLE_WIRED,
      reg: reg(AIA.aplicSupervisor),
      'interrupts-extended': messages ? undefined : supervisorFiles,
      'msi-parent': messages ? PHANDLE_IMSICS_SUPERVISOR : undefined,
    }),
  ];
  if (!messages) return nodes;
  const imsics = {
    '#interrupt-cells': 0,
    '#msi-cells': 0,
    'interrupt-controller': true,
    'msi-controller': true,
    compatible: 'riscv,imsics',
    'riscv,num-ids': AIA.identities,
    'riscv,ipi-id': AIA.ipiIdentity,
  } as const;
  const bits = guestBits(board.guests);
  return [
    ...nodes,
    node(`imsics@${AIA.imsicMachine.base.toString(16)}`, {
      ...imsics,
      phandle: PHANDLE_IMSICS_MACHINE,
      reg: reg({ base: AIA.imsicMachine.base, size: ids.length * AIA.page }),
      status,
      'interrupts-extended': machineFiles,
    }),
    node(`imsics@${AIA.imsicSupervisor.base.toString(16)}`, {
      ...imsics,
      phandle: PHANDLE_IMSICS_SUPERVISOR,
      reg: reg({ base: AIA.imsicSupervisor.base, size: (ids.length * AIA.page) << bits }),
      'interrupts-extended': supervisorFiles,
      'riscv,guest-index-bits': bits === 0 ? undefined : bits,
    }),
  ];
}
