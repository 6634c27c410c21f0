import { Virtio9p, VirtioVsock, type VirtioDevice } from '@vmloom/virtio';
import { HostFolder, UnixSockets } from '@vmloom/virtio/node';
import { CliError } from '../error.js';
import type { Properties } from '../options/properties.js';
import { didYouMean } from '../suggest.js';
import type { DeviceContext } from './device-model.js';

/** virtio 1.3, 5.10.4: addresses below are the hypervisor's, the local one's and the host's, the last is any. */
const LEAST_CID = 3;
const MOST_CID = 0xffff_fffe;

/** `virtio-9p-pci,fsdev=ID,mount_tag=TAG`: the folder of an `-fsdev`. @throws CliError, VirtioError */
export function make9p(context: DeviceContext, properties: Properties): VirtioDevice {
  const id = properties.required('fsdev');
  const folder = context.folders.get(id);
  if (folder === undefined) {
    throw new CliError(`no -fsdev is called ${id}${didYouMean(id, context.folders.keys())}`);
  }
  const files = new HostFolder(folder.path);
  context.resources.push(files);
  const { outside: io } = context.machine.world;
  return new Virtio9p({ files, io, tag: properties.required('mount_tag'), readOnly: folder.readOnly });
}

/** `vhost-vsock-pci,guest-cid=N,uds_path=P`: streams to UNIX sockets of the host. @throws CliError, VirtioError */
export function makeVsock(context: DeviceContext, properties: Properties): VirtioDevice {
  // Both are needed, and what is wrong with a command line is told before anything listens.
  properties.required('guest-cid');
  const cid = properties.number('guest-cid', LEAST_CID, { least: LEAST_CID, most: MOST_CID });
  const sockets = new UnixSockets({ path: properties.required('uds_path') });
  context.resources.push({ ready: () => sockets.ready(), close: () => void sockets.close() });
  return new VirtioVsock({ cid, sockets, io: context.machine.world.outside });
}
