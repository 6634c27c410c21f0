import { E1000 } from '@vmloom/e1000';
import { Igb } from '@vmloom/igb';
import { PciIommu } from '@vmloom/iommu';
import type { Machine } from '@vmloom/machine';
import { PciFunction, RootPort, type PlugOptions } from '@vmloom/pci';
import { CliError } from '../error.js';
import type { DevicePlan } from '../options/plan.js';
import { parseCount, type Properties } from '../options/properties.js';
import { didYouMean } from '../suggest.js';
import type { DeviceContext, DeviceModel, MmioDevice } from './device-model.js';
import { checkOnlyIommu, IOMMU_PROPERTIES, iommuOptions } from './iommu.js';
import { NIC_PROPERTIES, nicOptions } from './nics.js';
import { VIRTIO_DEVICES } from './virtio-models.js';

export const COMMON_PROPERTIES: Readonly<Record<string, string>> = {
  id: 'a name for the monitor and for bus=',
  bus: 'pcie.0, or the id of a pcie-root-port; virtio-mmio-bus.N for a device in a virtio-mmio slot',
  addr: 'slot, or slot.function, in hexadecimal',
};

export const DEVICES: Readonly<Record<string, DeviceModel>> = {
  e1000: {
    description: 'Intel 82540EM Gigabit Ethernet controller',
    properties: NIC_PROPERTIES,
    make: (context, properties, { id }) =>
      new E1000({
        ...nicOptions(context, properties, id ?? 'e1000'),
        ...(id === undefined ? {} : { name: id }),
      }),
  },
  igb: {
    description: 'Intel 82576 Gigabit Ethernet controller',
    properties: NIC_PROPERTIES,
    make: (context, properties, { id }) =>
      new Igb({
        ...nicOptions(context, properties, id ?? 'igb'),
        ...(id === undefined ? {} : { name: id }),
      }),
  },
  ...VIRTIO_DEVICES,
  'riscv-iommu-pci': {
    description: 'RISC-V IOMMU as a PCI function, on the root bus; its interrupts need aia=aplic-imsic',
    properties: IOMMU_PROPERTIES,
    make: (context, properties, { id, express }) => {
      if (express) throw new CliError('-device riscv-iommu-pci: an IOMMU is on pcie.0, the root bus');
      checkOnlyIommu(context.machine);
      return new PciIommu({ ...iommuOptions(properties), ...(id === undefined ? {} : { name: id }) });
    },
  },
  'pcie-root-port': {
    description: 'PCI Express root port, a slot for one device',
    properties: {
      chassis: "number of the chassis, accepted for QEMU's sake: slots are told apart by their own",
      slot: 'number of the slot, 0 to 8191: there is one, into which cards may come while the machine runs',
      hotplug: 'off: what is in the slot stays there',
      port: 'port number, 0 to 255',
    },
    make: (_context, properties, { id }) => rootPortOf(properties, id),
  },
};

function rootPortOf(properties: Properties, id: string | undefined): RootPort {
  properties.number('chassis', 0);
  const slot = properties.number('slot', -1, { least: 0, most: 8191 });
  const hotPlug = properties.flag('hotplug', true);
  return new RootPort({
    portNumber: properties.number('port', 0, { most: 255 }),
    ...(slot < 0 ? {} : { slot: { number: slot, hotPlug } }),
    ...(id === undefined ? {} : { name: id }),
  });
}

/** Makes the devices of a command line and plugs them in, in its order. @throws CliError, PciError, VirtioError */
export function plugDevices(
  parts: Omit<DeviceContext, 'taken' | 'nics'>,
  plans: readonly DevicePlan[],
): void {
  const context: DeviceContext = { ...parts, taken: new Map(), nics: 0 };
  const { machine } = context;
  for (const { driver, properties } of plans) {
    const model = Object.hasOwn(DEVICES, driver) ? DEVICES[driver] : undefined;
    if (model === undefined) {
      throw new CliError(
        `there is no device ${driver}${didYouMean(driver, Object.keys(DEVICES))}; see vmloom devices`,
      );
    }
    const id = properties.optional('id');
    const bus = properties.optional('bus');
    const address = properties.optional('addr');
    const express = bus !== undefined && bus !== 'pcie.0';
    const made = model.make(context, properties, { id, express });
    properties.done();
    if (!(made instanceof PciFunction)) {
      if (address !== undefined) throw new CliError(`-device ${driver}: addr= is of PCI devices`);
      plugMmio(machine, made, bus, id);
    } else if (express) rootPort(machine, bus).plug(made, slotOf(address));
    else machine.pcie.plug(made, slotOf(address));
  }
}

/** `bus=virtio-mmio-bus.N`, or the highest slot that is free. */
function plugMmio(
  machine: Machine,
  { device, rings }: MmioDevice,
  bus: string | undefined,
  id: string | undefined,
): void {
  const name = id === undefined ? {} : { name: id };
  if (bus === undefined) {
    machine.virtio.plug(device, { ...rings, ...name });
    return;
  }
  const slot = /^virtio-mmio-bus\.(\d+)$/.exec(bus)?.[1];
  if (slot === undefined || Number(slot) >= machine.virtio.count) {
    throw new CliError(
      `${device.model}: the bus is virtio-mmio-bus.0 to .${machine.virtio.count - 1}, not ${bus}`,
    );
  }
  machine.virtio.plug(device, { ...rings, ...name, slot: Number(slot) });
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
