import type { EventArguments } from '@vmloom/device';
import { Link } from '@vmloom/net';
import {
  ExpressCapability,
  MsixCapability,
  RootPort,
  registers as R,
  type FunctionContext,
} from '@vmloom/pci';
import { FakeHost } from '@vmloom/pci/testing';
import { AriCapability, SriovCapability, VirtualFunction } from '@vmloom/sriov';
import { SriovDriver } from '@vmloom/sriov/testing';
import { describe, expect, it } from 'vitest';
import { features, VIRTIO_F_SR_IOV } from '../features.js';
import * as N from '../net/codes.js';
import { VirtioNet } from '../net/virtio-net.js';
import { GuestMemory, MockDriver, PciDriverTransport } from '../testing/index.js';
import { VirtioPciRegisters } from './pci-registers.js';
import { VirtioPci } from './virtio-pci.js';

const MODERN_NET = 0x1041;
const COUNT = 3;

/** A network card as virtual function: the same registers as on a function of its own, and no more than that. */
class NetVf extends VirtualFunction {
  readonly registers: VirtioPciRegisters;

  constructor(physical: VirtioPci<VirtioNet>, index: number, device: VirtioNet) {
    super({ physical, index, device: MODERN_NET, model: 'virtio-net-vf' });
    const vectors = device.queues.length + 1;
    this.registers = new VirtioPciRegisters(this, { device }, vectors);
    const wide = { kind: 'memory', bits: 64, prefetchable: true } as const;
    this.addBar(0, { ...wide, size: VirtioPciRegisters.barSize, regions: this.registers.regions });
    this.addBar(2, { ...wide, size: 0x1000 });
    for (const capability of this.registers.capabilities(0)) this.addCapability(capability);
    this.addCapability(new MsixCapability({ vectors, bar: 2 }));
    this.addCapability(physical.capability(ExpressCapability)!.ofVirtual());
    this.addCapability(new AriCapability());
  }

  onEvent(kind: string, args: EventArguments): void {
    this.registers.endpoint.onEvent(kind, args);
  }

  protected override attached({ clock, ledger, dma }: FunctionContext): void {
    this.registers.endpoint.attach({ clock, ledger, dma, owner: this });
  }

  protected override detached(): void {
    this.registers.endpoint.detach();
  }

  protected override onReset(): void {
    this.registers.endpoint.reset();
    this.registers.wasReset();
  }
}

const mac = (index: number): string => `02:00:00:00:00:0${index}`;

function setup() {
  const host = new FakeHost({ ram: 0x100_0000, reserve: 0x40_0000 });
  // The physical function and its first virtual one are the two ends of a wire.
  const wire = new Link({ clock: host.clock, ledger: host.ledger, name: 'wire' });
  const physical = new VirtioPci({ device: new VirtioNet({ mac: mac(9), port: wire.a }), express: true });
  physical.addCapability(new AriCapability());
  const functions = Array.from(
    { length: COUNT },
    (_, index) =>
      new NetVf(physical, index, new VirtioNet({ mac: mac(index), ...(index === 0 && { port: wire.b }) })),
  );
  physical.addCapability(new SriovCapability({ functions, placing: { offset: 1, stride: 1 } }));
  host.root.plug(new RootPort()).plug(physical);
  host.enumerate();
  host.enable(physical);
  const sriov = new SriovDriver(host, physical);
  sriov.enable(COUNT);
  for (const fn of functions) host.enable(fn);
  const memory = new GuestMemory(host.memory);
  const driver = (fn: VirtioPci<VirtioNet> | NetVf): MockDriver => {
    const made = new MockDriver(new PciDriverTransport(host, fn), memory);
    expect(made.start({ without: features(VIRTIO_F_SR_IOV) })).toBe(true);
    return made;
  };
  return { host, physical, functions, sriov, driver };
}

describe('a virtio network card with virtual functions', () => {
  it('4.1.2, PCIe 9: each is found by the capabilities of its own function, with its own address', () => {
    const { host, functions, sriov } = setup();
    expect(functions.map((fn) => fn.address)).toEqual(['01:00.1', '01:00.2', '01:00.3']);
    expect(sriov.read(0x1a)).toBe(MODERN_NET);
    expect(host.configRead(functions[1], R.SUBSYSTEM_VENDOR_ID, 2)).toBe(0x1af4);
    const stations = functions.map((fn) => {
      const transport = new PciDriverTransport(host, fn);
      return [0, 1, 2, 3, 4, 5].map((at) => transport.read(4, at, 1));
    });
    expect(stations).toEqual([0, 1, 2].map((index) => [2, 0, 0, 0, 0, index]));
  });

  it('a packet goes from the physical function to a virtual one, through rings of their own', () => {
    const { host, physical, functions, driver } = setup();
    const sender = driver(physical);
    const receiver = driver(functions[0]);
    receiver.submit(0, { in: [1526] });
    const packet = Uint8Array.from({ length: 64 }, (_, at) => (at < 6 ? [2, 0, 0, 0, 0, 0][at] : at));
    sender.submit(1, { out: [new Uint8Array(N.HDR_SIZE), packet] });
    host.run(1_000_000);
    const got = receiver.poll(0);
    expect(got?.bytes.subarray(N.HDR_SIZE)).toEqual(packet);
  });

  it('PCIe 9.5: interrupts are messages of the virtual function', () => {
    const { host, functions, driver } = setup();
    const { transport } = driver(functions[2]);
    const pci = transport as PciDriverTransport;
    pci.enableMsix(3);
    pci.mapVector(1, 1);
    functions[2].registers.queueInterrupt(1);
    host.run();
    expect(host.messages).toEqual([
      expect.objectContaining({ requester: functions[2].requester, data: 0x101 }),
    ]);
  });

  it('PCIe 9.2.2.2, 9.2.2.3: one function’s reset leaves its neighbours working; that of the physical one ends all', () => {
    const { host, physical, functions, driver } = setup();
    const drivers = functions.map(driver);
    const reset = (fn: VirtioPci<VirtioNet> | NetVf): void =>
      host.configWrite(fn, host.findCapability(fn, R.CAPABILITY_EXPRESS) + 8, 2, 0x8000);
    reset(functions[1]);
    expect(drivers.map(({ transport }) => transport.readStatus() & 4)).toEqual([4, 0, 4]);
    reset(physical);
    expect(functions.map((fn) => fn.isPresent)).toEqual([false, false, false]);
    expect(functions[0].registers.endpoint.status).toBe(0);
  });
});
