import { E1000 } from '@vmloom/e1000';
import type { Machine } from '@vmloom/machine';
import { formatMac, parseMac } from '@vmloom/net';
import { RootPort, type PciFunction, type PlugOptions } from '@vmloom/pci';
import { CliError } from '../error.js';
import type { DevicePlan } from '../options/plan.js';
import { parseCount, type Properties } from '../options/properties.js';
import { didYouMean } from '../suggest.js';
import { find, type Network } from './networks.js';

/** A device that `-device` can make. */
export interface DeviceModel {
  readonly description: string;
  /** Its own properties with what they mean; `id`, `bus` and `addr` are everybody's. */
  readonly properties: Readonly<Record<string, string>>;
  make(context: DeviceContext, properties: Properties, id: string | undefined): PciFunction;
}

export interface DeviceContext {
  readonly networks: ReadonlyMap<string, Network>;
  /** Networks that have a NIC already, and its id. */
  readonly taken: Map<string, string>;
  /** NICs so far, for their addresses. */
  nics: number;
}

/** The first default address of QEMU; each further NIC counts the last byte up. */
const FIRST_MAC = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

export const COMMON_PROPERTIES: Readonly<Record<string, string>> = {
  id: 'a name for the monitor and for bus=',
  bus: 'pcie.0, or the id of a pcie-root-port',
  addr: 'slot, or slot.function, in hexadecimal',
};

export const DEVICES: Readonly<Record<string, DeviceModel>> = {
  e1000: {
    description: 'Intel 82540EM Gigabit Ethernet controller',
    properties: {
      netdev: 'the id of the network it is on',
      mac: 'its station address; 52:54:00:12:34:56 and up unless told',
      romfile: "accepted for QEMU's sake: there is no option ROM",
    },
    make: (context, properties, id) => {
      const netdev = properties.optional('netdev');
      properties.optional('romfile');
      const network = netdev === undefined ? undefined : takeNetwork(context, netdev, id ?? 'e1000');
      const mac = stationAddress(properties, context.nics++);
      return new E1000({
        mac,
        ...(network === undefined ? {} : { port: network.port }),
        ...(id === undefined ? {} : { name: id }),
      });
    },
  },
  'pcie-root-port': {
    description: 'PCI Express root port, a slot for one device',
    properties: { chassis: 'number of the chassis', port: 'port number' },
    make: (_context, properties, id) => {
      properties.number('chassis', 0);
      properties.number('port', 0);
      return new RootPort(id === undefined ? {} : { name: id });
    },
  },
};

/** Makes the devices of a command line and plugs them in, in its order. @throws CliError, PciError */
export function plugDevices(
  machine: Machine,
  networks: ReadonlyMap<string, Network>,
  plans: readonly DevicePlan[],
): void {
  const context: DeviceContext = { networks, taken: new Map(), nics: 0 };
  for (const { driver, properties } of plans) {
    const model = Object.hasOwn(DEVICES, driver) ? DEVICES[driver] : undefined;
    if (model === undefined) {
      throw new CliError(
        `there is no device ${driver}${didYouMean(driver, Object.keys(DEVICES))}; see vmloom devices`,
      );
    }
    const id = properties.optional('id');
    const bus = properties.optional('bus') ?? 'pcie.0';
    const place = slotOf(properties.optional('addr'));
    const fn = model.make(context, properties, id);
    properties.done();
    if (bus === 'pcie.0') machine.pcie.plug(fn, place);
    else rootPort(machine, bus).secondaryBus.plug(fn, place);
  }
}

function rootPort(machine: Machine, name: string): RootPort {
  const found = machine.pcie.find(name);
  if (found instanceof RootPort) return found;
  const ports = [...machine.pcie.functions()].filter((fn) => fn instanceof RootPort).map((fn) => fn.name);
  throw new CliError(`no bus is called ${name}${didYouMean(name, ['pcie.0', ...ports])}`);
}

function slotOf(address: string | undefined): PlugOptions {
  if (address === undefined) return {};
  const [slot = '', fn = '0'] = address.replace(/^0x/, '').split('.');
  return {
    slot: parseCount(`0x${slot}`, 'addr', { most: 31 }),
    function: parseCount(`0x${fn}`, 'addr', { most: 7 }),
  };
}

function takeNetwork(context: DeviceContext, id: string, device: string): Network {
  const network = find(context.networks, id);
  const other = context.taken.get(id);
  if (other !== undefined) throw new CliError(`the network ${id} has a device already: ${other}`);
  context.taken.set(id, device);
  return network;
}

function stationAddress(properties: Properties, index: number): string {
  const mac = properties.optional('mac');
  if (mac === undefined) {
    const bytes = Uint8Array.from(FIRST_MAC);
    bytes[5] = bytes[5] + index;
    return formatMac(bytes);
  }
  parseMac(mac);
  return mac;
}
