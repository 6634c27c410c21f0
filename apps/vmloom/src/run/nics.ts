import { formatMac, parseMac, type Port } from '@vmloom/net';
import { CliError } from '../error.js';
import type { Properties } from '../options/properties.js';
import type { DeviceContext } from './device-model.js';
import { find } from './networks.js';

/** The first default address of QEMU; each further NIC counts the last byte up. */
const FIRST_MAC = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

export const NIC_PROPERTIES: Readonly<Record<string, string>> = {
  netdev: 'the id of the network it is on',
  mac: 'its station address; 52:54:00:12:34:56 and up unless told',
  romfile: "accepted for QEMU's sake: there is no option ROM",
};

/** The options that every NIC has: its port, if `netdev=` names a network, and its address. @throws CliError */
export function nicOptions(
  context: DeviceContext,
  properties: Properties,
  device: string,
): { readonly mac: string; readonly port?: Port } {
  properties.optional('romfile');
  const mac = stationAddress(properties, context.nics++);
  const netdev = properties.optional('netdev');
  if (netdev === undefined) return { mac };
  const network = find(context.networks, netdev);
  take(context, 'network', netdev, device);
  return { mac, port: network.port };
}

/** A network or a disk belongs to one device. @throws CliError */
export function take(context: DeviceContext, what: string, id: string, device: string): void {
  const key = `${what} ${id}`;
  const other = context.taken.get(key);
  if (other !== undefined) throw new CliError(`the ${key} has a device already: ${other}`);
  context.taken.set(key, device);
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
