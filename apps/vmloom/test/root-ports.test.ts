import { fileURLToPath } from 'node:url';
import type { Igb } from '@vmloom/igb';
import type { RootPort } from '@vmloom/pci';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../src/options/command-line.js';
import { Session } from '../src/run/session.js';

const tiny = fileURLToPath(new URL('../../../packages/guest/prebuilt/tiny.elf', import.meta.url));

const create = (...args: readonly string[]): Promise<Session> =>
  Session.create(
    parseCommandLine(['-m', '16', '-serial', 'none', '-time', 'virtual', '-kernel', tiny, ...args]),
  );

describe('-device pcie-root-port', () => {
  it('has a slot with a number, takes a device by bus= and addr=, and shows its link', async () => {
    const session = await create(
      ...['-device', 'pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=5,addr=4'],
      ...['-device', 'pcie-root-port,id=rp2,chassis=2,slot=6,hotplug=off,port=3'],
      ...['-netdev', 'hubport,id=n0,hubid=0', '-netdev', 'hubport,id=n1,hubid=0'],
      ...['-device', 'igb,id=nic0,bus=rp1,addr=0,netdev=n0', '-device', 'e1000,id=nic1,netdev=n1,addr=8'],
      ...['-device', 'igb,id=nic2,bus=rp2,mac=52:54:00:00:00:09'],
    );
    const { pcie } = session.machine;
    const port = pcie.find('rp1') as RootPort;
    expect([port.slot?.number, port.slot?.hotPlug, port.slot?.present, port.devfn >> 3]).toEqual([
      5,
      true,
      true,
      4,
    ]);
    expect(port.express.linkActive).toBe(true);
    expect((pcie.find('rp2') as RootPort).slot?.hotPlug).toBe(false);
    expect((pcie.find('nic0') as Igb).bus).toBe(port.secondaryBus);
    expect(pcie.find('nic1')!.devfn >> 3).toBe(8);
    expect((pcie.find('nic0') as Igb).sriov.functions).toHaveLength(8);
    session.close();
  });

  it('says what is wrong with a slot, a bus or an address', async () => {
    await expect(create('-device', 'pcie-root-port,id=rp1,slot=9000')).rejects.toThrow(
      /slot is a number from 0 to 8191/,
    );
    await expect(create('-device', 'pcie-root-port,id=rp1', '-device', 'igb,bus=rp1,addr=2')).rejects.toThrow(
      /slot 0 only/,
    );
    await expect(
      create('-device', 'pcie-root-port,id=rp1', '-device', 'igb,bus=rp1', '-device', 'igb,bus=rp1'),
    ).rejects.toThrow(/taken by/);
    await expect(create('-device', 'igb,bus=rp1')).rejects.toThrow(/no bus is called rp1/);
  });
});
