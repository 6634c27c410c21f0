import type { ConfigRegister, RegisterWrite } from './config-space.js';
import type { ConfigEffect } from './effects.js';
import type { PciFunctionOptions } from './function.js';
import * as R from './registers.js';

/** How many BARs a type 1 header has. */
export const BRIDGE_BARS = 2;

/** Type 1 is the header of a bridge; that of a virtual function keeps little of its own (PCIe 9.3.4.1). */
export type HeaderKind = 'endpoint' | 'bridge' | 'virtual';

// 9.3.4.1.1, 9.3.4.1.2: software takes both IDs of a virtual function from its physical function.
const NO_ID = 0xffff;

const COMMAND_WRITABLE =
  R.COMMAND_IO |
  R.COMMAND_MEMORY |
  R.COMMAND_BUS_MASTER |
  R.COMMAND_PARITY_RESPONSE |
  R.COMMAND_SERR |
  R.COMMAND_INTERRUPT_DISABLE;

function commandEffects({ before, after }: RegisterWrite): readonly ConfigEffect[] {
  const effects: ConfigEffect[] = [];
  const changed = before ^ after;
  if (changed & R.COMMAND_MEMORY) effects.push({ kind: 'decode', cause: 'memory-enable' });
  if (changed & R.COMMAND_IO) effects.push({ kind: 'decode', cause: 'io-enable' });
  if (changed & R.COMMAND_BUS_MASTER) effects.push({ kind: 'bus-master' });
  if (changed & R.COMMAND_INTERRUPT_DISABLE) effects.push({ kind: 'interrupt-mode' });
  return effects;
}

/** The registers that both header types share, and the subsystem IDs of type 0 (PCIe 7.5.1.1, 7.5.1.2). */
export function headerRegisters(
  options: PciFunctionOptions,
  pin: number,
  header: HeaderKind,
): readonly ConfigRegister[] {
  const fixed = (name: string, offset: number, size: 1 | 2 | 3, value = 0): ConfigRegister => ({
    name,
    offset,
    size,
    value,
  });
  const virtual = header === 'virtual';
  const list: ConfigRegister[] = [
    fixed('vendor', R.VENDOR_ID, 2, virtual ? NO_ID : options.vendor),
    fixed('device', R.DEVICE_ID, 2, virtual ? NO_ID : options.device),
    {
      name: 'command',
      offset: R.COMMAND,
      size: 2,
      // 9.3.4.1.3: space enables, error responses and INTx are matters of the physical function.
      write: virtual ? R.COMMAND_BUS_MASTER : COMMAND_WRITABLE,
      effect: commandEffects,
    },
    { name: 'status', offset: R.STATUS, size: 2, clear: R.STATUS_ERRORS },
    fixed('revision', R.REVISION_ID, 1, options.revision),
    fixed('class', R.CLASS_CODE, 3, options.classCode),
    { name: 'cache line size', offset: R.CACHE_LINE_SIZE, size: 1, write: virtual ? 0 : 0xff },
    fixed('header type', R.HEADER_TYPE, 1, header === 'bridge' ? R.HEADER_TYPE_1 : 0),
    fixed('capabilities', R.CAPABILITIES_POINTER, 1),
    { name: 'interrupt line', offset: R.INTERRUPT_LINE, size: 1, write: virtual ? 0 : 0xff },
    fixed('interrupt pin', R.INTERRUPT_PIN, 1, pin),
  ];
  if (header === 'bridge') return list;
  return [
    ...list,
    fixed('subsystem vendor', R.SUBSYSTEM_VENDOR_ID, 2, options.subsystemVendor),
    fixed('subsystem', R.SUBSYSTEM_ID, 2, options.subsystem),
    fixed('min grant', 0x3e, 1, options.minGrant),
    fixed('max latency', 0x3f, 1, options.maxLatency),
  ];
}
