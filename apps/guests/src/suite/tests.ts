import { KERNELS, type KernelSeries } from '../kernel.js';
import { E1000_NIC, IGB_NIC, virtioNic } from '../boot/nics.js';
import { aiaTest } from './aia-test.js';
import { captureTest } from './capture-tests.js';
import { cpuCheckTest } from './cpu-check-test.js';
import { bootTest, cyclesTest, e1000Test, rebootTest } from './debian-tests.js';
import type { Configuration } from './debian-run.js';
import { diskTest } from './disk-test.js';
import { failureTest } from './failure-tests.js';
import { gdbTest } from './gdb-test.js';
import type { GuestTest } from './guest-test.js';
import { igbTest } from './igb-tests.js';
import { iommuTest, type IommuConfiguration } from './iommu-test.js';
import { jumpLimitTest } from './jump-limit-test.js';
import { jumpTest } from './jump-test.js';
import { offloadWireTest } from './offload-wire-test.js';
import { linkTest, offloadTest, transferTest } from './network-tests.js';
import { pairTest } from './pair-tests.js';
import { powerLossTest } from './power-loss-test.js';
import { tinyTest } from './tiny-test.js';
import { receiveChecksumTest } from './receive-checksum-test.js';
import { idleTest, spinTest } from './turns-tests.js';
import { virtualFunctionsCyclesTest, virtualFunctionsResetTest } from './virtual-functions-reset-tests.js';
import { virtualFunctionsTrafficTest } from './virtual-functions-traffic-test.js';
import { virtioBlkTest, type DiskVariant } from './virtio-blk-test.js';
import { virtioDevicesTest } from './virtio-devices-test.js';
import { virtioNetTest } from './virtio-net-tests.js';
import { vlanWireTest } from './vlan-wire-test.js';
import { xv6Test } from './xv6-test.js';

const SERIES = Object.keys(KERNELS) as KernelSeries[];

/** Rings, and pairs of queues. */
const VIRTIO_NICS = [
  { packed: false, pairs: 1 },
  { packed: true, pairs: 4 },
];

const DISKS: readonly DiskVariant[] = [
  { packed: false, queues: 1, outside: true, transport: 'pci' },
  { packed: true, queues: 2, outside: false, transport: 'pci' },
  { packed: true, queues: 1, outside: false, transport: 'mmio' },
];

const AIA = ['aplic', 'aplic-imsic'] as const;

/** The board's IOMMU with its wires, and one that is a function, with messages. */
const IOMMUS: readonly IommuConfiguration[] = [
  { series: '7.2', harts: 1, firmware: 'sbi', iommu: 'board' },
  { series: '7.2', harts: 1, firmware: 'sbi', aia: 'aplic-imsic', iommu: 'function' },
];

/** All tests, in the order in which they run. */
export const GUEST_TESTS: readonly GuestTest[] = [
  tinyTest,
  ...SERIES.map((series) => e1000Test({ series, harts: 1, firmware: 'sbi' }, 'smoke')),
  igbTest({ series: '6.12', harts: 1, firmware: 'sbi' }, 'smoke'),
  bootTest({ series: '6.12', harts: 4, firmware: 'opensbi' }, 'smoke'),
  transferTest({ series: '6.12', harts: 1, firmware: 'sbi' }, 'smoke', 5),
  transferTest({ series: '6.12', harts: 1, firmware: 'sbi' }, 'smoke', 5, virtioNic({ packed: true })),
  virtioDevicesTest({ series: '6.12', harts: 1, firmware: 'sbi' }, 'smoke'),
  powerLossTest({ series: '6.12', harts: 1, firmware: 'sbi' }, 'smoke', 5),
  aiaTest({ series: '6.12', harts: 4, firmware: 'sbi', aia: 'aplic-imsic' }, 'smoke'),
  cpuCheckTest({ series: '6.12', harts: 1, firmware: 'sbi' }, 'smoke', 100e6),
  cpuCheckTest({ series: '6.12', harts: 1, firmware: 'opensbi' }, 'smoke', 50e6),
  cpuCheckTest({ series: '6.12', harts: 4, firmware: 'opensbi' }, 'full', 100e6, true),
  // To /init and beyond.
  ...SERIES.map((series) => cpuCheckTest({ series, harts: 1, firmware: 'sbi' }, 'full', 1200e6)),
  cpuCheckTest({ series: '7.2', harts: 4, firmware: 'opensbi', aia: 'aplic-imsic' }, 'full', 300e6),
  ...[1, 4].map((harts) => jumpTest({ series: '6.12', harts, firmware: 'opensbi' }, 'full')),
  ...IOMMUS.flatMap((configuration) =>
    [E1000_NIC, virtioNic({ packed: true, platform: true })].map((nic) =>
      iommuTest(configuration, nic, 'full'),
    ),
  ),
  jumpLimitTest({ series: '7.2', harts: 1, firmware: 'opensbi' }, 'full'),
  ...SERIES.flatMap((series) => [
    ...matrix(series).map((configuration) => bootTest(configuration, 'full')),
    igbTest({ series, harts: 4, firmware: 'sbi', aia: 'aplic-imsic' }, 'full'),
    ...(series === '6.12' ? [] : [igbTest({ series, harts: 1, firmware: 'sbi' }, 'full')]),
    virtualFunctionsTrafficTest({ series, harts: 1, firmware: 'sbi', aia: 'aplic-imsic' }, 'full'),
    virtualFunctionsResetTest({ series, harts: 1, firmware: 'sbi', aia: 'aplic-imsic' }, 'full'),
    virtualFunctionsCyclesTest({ series, harts: 1, firmware: 'sbi', aia: 'aplic-imsic' }, 'full', 50),
    transferTest({ series, harts: 1, firmware: 'sbi' }, 'full', 100, IGB_NIC),
    pairTest(series, 'full', 100, IGB_NIC),
    e1000Test({ series, harts: 4, firmware: 'sbi' }, 'full'),
    e1000Test({ series, harts: 1, firmware: 'opensbi' }, 'full'),
    cyclesTest({ series, harts: 1, firmware: 'sbi' }, 'full'),
    rebootTest({ series, harts: 1, firmware: 'sbi' }, 'full'),
    offloadTest({ series, harts: 1, firmware: 'sbi' }, 'full'),
    linkTest({ series, harts: 1, firmware: 'sbi' }, 'full'),
    transferTest({ series, harts: 1, firmware: 'sbi' }, 'full', 100),
    pairTest(series, 'full', 100),
    e1000Test({ series, harts: 8, firmware: 'sbi' }, 'full'),
    rebootTest({ series, harts: 1, firmware: 'opensbi' }, 'full'),
    captureTest({ series, harts: 1, firmware: 'sbi' }, 'full', 'off'),
    captureTest({ series, harts: 1, firmware: 'sbi' }, 'full', 'on'),
    offloadWireTest({ series, harts: 1, firmware: 'sbi' }, 'full'),
    receiveChecksumTest({ series, harts: 1, firmware: 'sbi' }, 'full'),
    vlanWireTest({ series, harts: 1, firmware: 'sbi' }, 'full'),
    failureTest({ series, harts: 1, firmware: 'sbi' }, 'full'),
    ...[1, 4].map((harts) => idleTest({ series, harts, firmware: 'sbi' }, 'full')),
    ...[1, 3].map((spinners) => spinTest({ series, harts: 4, firmware: 'sbi' }, 'full', spinners)),
    gdbTest({ series, harts: 2, firmware: 'sbi' }, 'full'),
    ...DISKS.map((disk) => virtioBlkTest({ series, harts: 2, firmware: 'sbi' }, 'full', disk)),
    diskTest({ series, harts: 1, firmware: 'sbi' }, 'full'),
    powerLossTest({ series, harts: 1, firmware: 'sbi' }, 'full', 100),
    virtioDevicesTest({ series, harts: 4, firmware: 'sbi' }, 'full'),
    ...VIRTIO_NICS.map((nic) => virtioNetTest({ series, harts: 4, firmware: 'sbi' }, 'full', nic)),
    ...VIRTIO_NICS.map((nic) =>
      transferTest({ series, harts: 1, firmware: 'sbi' }, 'full', 100, virtioNic(nic)),
    ),
    ...VIRTIO_NICS.map((nic) => pairTest(series, 'full', 100, virtioNic(nic))),
    ...AIA.flatMap((aia) =>
      [1, 4].flatMap((harts) =>
        (['sbi', 'opensbi'] as const)
          .map((firmware) => ({ series, harts, firmware, aia }))
          .filter((one) => series !== '6.12' || aia === 'aplic' || harts === 1 || one.firmware !== 'sbi')
          .map((configuration) => aiaTest(configuration, 'full')),
      ),
    ),
  ]),
  xv6Test,
];

/** Harts and firmware that no other test boots the kernel with. */
function matrix(series: KernelSeries): Configuration[] {
  return (['sbi', 'opensbi'] as const).flatMap((firmware) =>
    [1, 4, 8]
      .map((harts) => ({ series, harts, firmware }))
      .filter(({ harts }) => harts === 8 || (firmware === 'opensbi' && harts === 4 && series !== '6.12')),
  );
}
