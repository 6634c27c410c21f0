import { FakeHost } from '@vmloom/pci/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { VirtioPci, type VirtioPciOptions } from '../src/index.js';
import { EchoDevice } from '../src/testing/index.js';
import { viewConfig, type ConfigView } from './config-view.js';
import { qemuMissing, QtestDevice } from './qtest.js';

interface Kind {
  readonly name: string;
  /** Device type. */
  readonly type: number;
  /** Options of QEMU that make one. */
  readonly qemu: readonly string[];
  readonly queues: number;
}

const KINDS: readonly Kind[] = [
  {
    name: 'virtio-net-pci',
    type: 1,
    qemu: ['-netdev', 'hubport,id=n,hubid=0', '-device', 'virtio-net-pci,netdev=n,romfile='],
    queues: 3,
  },
  {
    name: 'virtio-blk-pci',
    type: 2,
    qemu: ['-blockdev', 'null-co,node-name=d', '-device', 'virtio-blk-pci,drive=d'],
    queues: 1,
  },
  { name: 'virtio-serial-pci', type: 3, qemu: ['-device', 'virtio-serial-pci'], queues: 1 },
  { name: 'virtio-rng-pci', type: 4, qemu: ['-device', 'virtio-rng-pci'], queues: 1 },
  {
    name: 'virtio-9p-pci',
    type: 9,
    qemu: [
      '-fsdev',
      'local,id=f,path=/,security_model=none,readonly=on',
      '-device',
      'virtio-9p-pci,fsdev=f,mount_tag=t',
    ],
    queues: 1,
  },
];

const MODES = [
  ['as QEMU has it unless told', '', {}],
  ['modern', ',disable-legacy=on', { legacy: false }],
  ['legacy', ',disable-modern=on', { modern: false }],
] as const;

async function ours(kind: Kind, options: Partial<VirtioPciOptions>): Promise<ConfigView> {
  const host = new FakeHost({ reserve: 0x10_0000 });
  const queues = Array.from({ length: kind.queues }, () => ({ size: 64 }));
  const fn = new VirtioPci({ device: new EchoDevice({ type: kind.type, queues }), ...options });
  host.root.plug(fn);
  return viewConfig({
    read: async (offset) => host.configRead(fn, offset, 4),
    write: async (offset, value) => host.configWrite(fn, offset, 4, value),
  });
}

/** The legacy BAR is as large as the device's configuration space makes it, which is the device's affair here. */
function withoutLegacySize(view: ConfigView): ConfigView {
  const bars = Object.fromEntries(
    Object.entries(view.bars).map(([index, bar]) => [index, bar.replace(/^(io) .*/, '$1')]),
  );
  return { ...view, bars };
}

const missing = qemuMissing();
describe.skipIf(missing !== undefined)(
  `differential: configuration space of QEMU's virtio-pci and ours${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    const devices: QtestDevice[] = [];
    afterEach(() => Promise.all(devices.splice(0).map((device) => device.close())));

    describe.each(MODES)('%s', (_mode, suffix, options) => {
      it.each(KINDS)('4.1.2, 4.1.4: $name looks the same', async (kind) => {
        const [device, ...before] = [...kind.qemu].reverse();
        const qemu = new QtestDevice(...before.reverse(), `${device},addr=1${suffix}`);
        devices.push(qemu);
        const theirs = await viewConfig(qemu);
        expect(Object.keys(theirs.capabilities).length).toBeGreaterThan(0);
        const vectors = Number(/vectors (\d+)/.exec(JSON.stringify(theirs))?.[1]) + 1;
        expect(withoutLegacySize(await ours(kind, { ...options, vectors }))).toEqual(
          withoutLegacySize(theirs),
        );
      });
    });
  },
);
