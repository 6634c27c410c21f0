import type { Executor, Tariff } from '@vmloom/hypervisor';
import { VirtioNet, VirtioPci, type NotificationOptions, type RingOptions } from '@vmloom/virtio';
import type { Site } from './structure.js';

/** What tells the virtio structures apart. */
export interface VirtioNicOptions {
  readonly rings: RingOptions;
  readonly executor: Executor;
  readonly tariff: Tariff;
  readonly doorbells: NonNullable<NotificationOptions['doorbells']>;
  /** A doorbell only wakes the back end (ioeventfd). */
  readonly lightDoorbell: boolean;
}

/** Where BAR 4 of virtio over PCI has its doorbells. */
const DOORBELLS = 'bar4/notify';

/** Plugs a virtio-net with INTx into a machine, its back end where the structure wants it. */
export function plugVirtioNic({ vm, wire, mac, index }: Site, options: VirtioNicOptions): string {
  const name = `virtio-${index}`;
  const device = `${vm.name}.${name}`;
  const { executor, tariff, doorbells, rings } = options;
  const backEnd = vm.host.hypervisor.backEnd({ device, account: vm.vm.account, executor, tariff });
  if (options.lightDoorbell) vm.vm.classify(`${device}/${DOORBELLS}`, 'exitDoorbell');
  vm.pcie.plug(
    new VirtioPci({
      ...rings,
      name,
      device: new VirtioNet({ port: backEnd.port(wire), mac }),
      vectors: 0,
      notification: { doorbells },
    }),
  );
  return device;
}

/**
 * As a vhost thread: while it finds work it looks again with doorbells off, and asks for them when it finds none.
 * Looks follow each other as fast as the work lets them.
 */
export const LOOK_UNTIL_EMPTY = { kind: 'adaptive', enter: 1, leave: 1, window: 0, interval: 0 } as const;
