import {
  NET_FEATURES,
  SeededEntropy,
  VirtioBlk,
  VirtioNet,
  VirtioPci,
  VirtioRng,
  type NetFeature,
  type RingOptions,
  type VirtioDevice,
} from '@vmloom/virtio';
import { HostEntropy } from '@vmloom/virtio/node';
import { CliError } from '../error.js';
import type { Properties } from '../options/properties.js';
import { didYouMean } from '../suggest.js';
import type { DeviceContext, DeviceModel } from './device-model.js';
import { findDisk } from './disks.js';
import { NIC_PROPERTIES, nicOptions, take } from './nics.js';
import { make9p, makeVsock } from './shares.js';

/** A virtio device, whichever transport it is on. */
interface VirtioModel {
  readonly description: string;
  readonly properties: Readonly<Record<string, string>>;
  make(context: DeviceContext, properties: Properties, device: string): VirtioDevice;
}

/** Offers of a NIC that are on or off by a property of their own name. */
const NET_OFFERS = (Object.keys(NET_FEATURES) as NetFeature[]).filter(
  (name) => !['mac', 'host_mtu', 'mq', 'rss', 'hash', 'speed_duplex'].includes(name),
);
/** Pairs of queues with `mq=on` when neither `queues` nor `vectors` says how many. */
const DEFAULT_PAIRS = 4;

const MODELS: Readonly<Record<string, VirtioModel>> = {
  'virtio-net': {
    description: 'virtio network card',
    properties: {
      ...NIC_PROPERTIES,
      mq: 'on: several pairs of queues',
      queues: 'how many pairs with mq=on; what fits vectors=, or 4, unless told',
      rx_queue_size: 'descriptors of each queue, a power of two; 256 unless told',
      tx_queue_size: 'the same',
      rss: 'on: the driver may spread by hash (RSS)',
      hash: 'on: received packets carry their hash',
      host_mtu: 'the MTU that the driver is told',
      speed: 'Mbit/s that the driver is told',
      duplex: 'half or full',
      [NET_OFFERS.join(', ')]: 'off: is not offered',
    },
    make: makeNet,
  },
  'virtio-blk': {
    description: 'virtio disk',
    properties: {
      drive: 'the id of its -drive',
      serial: 'up to 20 characters by which the guest finds it',
      'num-queues': 'request queues, 1 to 64; 1 unless told',
      'queue-size': 'descriptors of each queue, a power of two; 256 unless told',
      logical_block_size: 'bytes; 512 unless told',
      physical_block_size: 'bytes; that of a logical block unless told',
      min_io_size: 'bytes of the smallest request that is fast',
      opt_io_size: 'bytes of the best request',
      'write-cache': 'on or off; what cache= of the drive says unless told',
      'config-wce': 'off: the driver may not choose the cache',
      discard: 'off: DISCARD is not offered',
      'write-zeroes': 'off: WRITE_ZEROES is not offered',
      bootindex: "accepted for QEMU's sake: nothing boots from disks",
    },
    make: makeBlk,
  },
  'virtio-rng': {
    description: 'virtio entropy source',
    properties: { rng: 'the id of its -object rng-random or rng-builtin' },
    make: makeRng,
  },
  'virtio-9p': {
    description: 'folder of the host',
    properties: { fsdev: 'the id of its -fsdev', mount_tag: 'by which the guest mounts it' },
    make: make9p,
  },
  'vhost-vsock': {
    description: 'streams to UNIX sockets of the host',
    properties: {
      'guest-cid': 'address of the guest, 3 and up',
      uds_path: 'UNIX socket where a program asks by "CONNECT PORT"; the guest reaches PATH_PORT',
    },
    make: makeVsock,
  },
};

const RING_PROPERTIES: Readonly<Record<string, string>> = {
  packed: 'on: packed rings are offered',
  event_idx: 'off: no notification suppression by index',
  indirect_desc: 'off: no indirect descriptors',
  in_order: 'on: buffers are used in order',
  queue_reset: 'off: queues cannot be reset one by one',
  iommu_platform: 'on: DMA as the platform translates it',
  notification_data: 'on: doorbells say how far the driver got',
};

const PCI_PROPERTIES: Readonly<Record<string, string>> = {
  'disable-legacy': 'on: no interface of before virtio 1.0; auto unless told',
  'disable-modern': 'on: only that interface',
  vectors: 'entries of the MSI-X table; one per queue and one unless told, 0 for INTx',
};

/** Every virtio device twice: `-pci` and, for the virtio-mmio slots, `-device`. */
export const VIRTIO_DEVICES: Readonly<Record<string, DeviceModel>> = Object.fromEntries(
  Object.entries(MODELS).flatMap(([name, model]): [string, DeviceModel][] => [
    [`${name}-pci`, pciModel(`${name}-pci`, model)],
    [`${name}-device`, mmioModel(`${name}-device`, model)],
  ]),
);

function pciModel(name: string, model: VirtioModel): DeviceModel {
  return {
    description: `${model.description}, on PCI`,
    properties: { ...model.properties, ...PCI_PROPERTIES, ...RING_PROPERTIES },
    make: (context, properties, { id, express }) => {
      const device = model.make(context, properties, id ?? name);
      const legacy = properties.choice('disable-legacy', ['auto', 'on', 'off'], 'auto');
      const vectors = properties.number('vectors', -1, { least: 0, most: 2048 });
      return new VirtioPci({
        device,
        express,
        modern: !properties.flag('disable-modern', false),
        ...(legacy === 'auto' ? {} : { legacy: legacy === 'off' }),
        ...(vectors < 0 ? {} : { vectors }),
        ...ringOptions(properties),
        ...(id === undefined ? {} : { name: id }),
      });
    },
  };
}

function mmioModel(name: string, model: VirtioModel): DeviceModel {
  return {
    description: `${model.description}, in a virtio-mmio slot`,
    properties: { ...model.properties, ...RING_PROPERTIES },
    make: (context, properties, { id }) => ({
      device: model.make(context, properties, id ?? name),
      rings: ringOptions(properties),
    }),
  };
}

function ringOptions(properties: Properties): RingOptions {
  return {
    packed: properties.flag('packed', false),
    eventIndex: properties.flag('event_idx', true),
    indirect: properties.flag('indirect_desc', true),
    inOrder: properties.flag('in_order', false),
    ringReset: properties.flag('queue_reset', true),
    accessPlatform: properties.flag('iommu_platform', false),
    notificationData: properties.flag('notification_data', false),
  };
}

function makeNet(context: DeviceContext, properties: Properties, device: string): VirtioDevice {
  const size = Math.max(
    properties.number('rx_queue_size', 0, { least: 64, most: 32_768 }),
    properties.number('tx_queue_size', 0, { least: 64, most: 32_768 }),
  );
  const mtu = properties.number('host_mtu', 0, { least: 68, most: 65_535 });
  const speed = properties.number('speed', -1, { least: 0, most: 0x7fff_ffff });
  const duplex = properties.choice('duplex', ['unknown', 'half', 'full'], 'unknown');
  return new VirtioNet({
    ...nicOptions(context, properties, device),
    pairs: queuePairs(properties),
    rss: properties.flag('rss', false),
    hashReport: properties.flag('hash', false),
    without: NET_OFFERS.filter((name) => !properties.flag(name, true)),
    ...(size === 0 ? {} : { queueSize: size }),
    ...(mtu === 0 ? {} : { mtu }),
    ...(speed < 0 ? {} : { speed }),
    ...(duplex === 'unknown' ? {} : { duplex }),
  });
}

/** QEMU's rule is that `vectors` is twice the pairs and two more. */
function queuePairs(properties: Properties): number {
  const several = properties.flag('mq', false);
  const told = properties.number('queues', 0, { least: 1, most: 64 });
  if (!several) return 1;
  const vectors = properties.number('vectors', 2 * DEFAULT_PAIRS + 2);
  return told > 0 ? told : Math.min(64, Math.max(1, (vectors - 2) >> 1));
}

function makeBlk(context: DeviceContext, properties: Properties, device: string): VirtioDevice {
  const drive = properties.required('drive');
  const { store, plan } = findDisk(context.disks, drive);
  take(context, 'drive', drive, device);
  const block = (name: string): number => properties.number(name, 512, { least: 512, most: 2 ** 21 });
  const logicalBlockSize = block('logical_block_size');
  const physical = properties.optional('physical_block_size');
  const cache = properties.choice('write-cache', ['auto', 'on', 'off'], 'auto');
  properties.optional('bootindex');
  return new VirtioBlk({
    store,
    io: context.machine.world.outside,
    serial: properties.optional('serial') ?? '',
    readOnly: plan.readOnly,
    queues: properties.number('num-queues', 1, { least: 1, most: 64 }),
    queueSize: properties.number('queue-size', 256, { least: 4, most: 32_768 }),
    logicalBlockSize,
    physicalBlockSize: physical === undefined ? logicalBlockSize : block('physical_block_size'),
    minIoSize: properties.number('min_io_size', 0, { most: 65_535 }),
    optIoSize: properties.number('opt_io_size', 0, { most: 2 ** 31 }),
    writeCache: cache === 'auto' ? plan.writeback : cache === 'on',
    configWce: properties.flag('config-wce', true),
    discard: properties.flag('discard', true),
    writeZeroes: properties.flag('write-zeroes', true),
  });
}

/** In virtual time equal runs give equal bytes; in real time they come from the host. */
function makeRng(context: DeviceContext, properties: Properties): VirtioDevice {
  const id = properties.optional('rng');
  if (id !== undefined && !context.entropies.has(id)) {
    throw new CliError(`no -object rng is called ${id}${didYouMean(id, context.entropies.keys())}`);
  }
  const { world } = context.machine;
  const source = world.time === 'virtual' ? new SeededEntropy() : new HostEntropy();
  return new VirtioRng({ source, io: world.outside });
}
