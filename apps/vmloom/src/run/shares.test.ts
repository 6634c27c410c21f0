import { createMachine, World } from '@vmloom/machine';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { devicePlan } from '../options/command-line.js';
import { folderPlan } from '../options/storage.js';
import type { HostResource } from './device-model.js';
import { plugDevices } from './devices.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmloom-share-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function plug(...lines: string[]) {
  const machine = await createMachine({ name: 'guest', world: new World({ time: 'virtual' }) });
  const plan = folderPlan(`local,id=shared,path=${folder},security_model=none`);
  const resources: HostResource[] = [];
  const parts = { machine, networks: new Map(), disks: new Map(), entropies: new Map(), resources };
  plugDevices({ ...parts, folders: new Map([[plan.id, plan]]) }, lines.map(devicePlan));
  return { machine, resources };
}

it('virtio-9p-pci shares the folder of its -fsdev', async () => {
  const { machine, resources } = await plug('virtio-9p-pci,fsdev=shared,mount_tag=here,id=nine');
  expect(machine.pcie.find('nine')).toBeDefined();
  expect(resources).toHaveLength(1);
  resources[0].close();
});

it('virtio-9p-pci names the -fsdev that was meant', async () => {
  await expect(plug('virtio-9p-pci,fsdev=share,mount_tag=here')).rejects.toThrow(/did you mean.*shared/i);
  await expect(plug('virtio-9p-pci,fsdev=shared')).rejects.toThrow(/mount_tag/);
});

it('vhost-vsock-pci listens at its UNIX socket, and leaves none behind', async () => {
  const path = join(folder, 'vsock');
  const { resources } = await plug(`vhost-vsock-pci,guest-cid=3,uds_path=${path}`);
  await resources[0].ready?.();
  expect(existsSync(path)).toBe(true);
  resources[0].close();
  await expect.poll(() => existsSync(path)).toBe(false);
});

it('5.10.4: context IDs below 3 belong to others', async () => {
  await expect(plug(`vhost-vsock-pci,guest-cid=2,uds_path=${folder}/v`)).rejects.toThrow(/guest-cid/);
  await expect(plug('vhost-vsock-pci,guest-cid=3')).rejects.toThrow(/uds_path/);
});
