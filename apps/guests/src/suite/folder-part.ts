import { Virtio9p, VirtioPci } from '@vmloom/virtio';
import { HostFolder } from '@vmloom/virtio/node';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DevicePart } from './device-part.js';

const TAG = 'share';
const FIXED_TAG = 'fixed';
const SIZE = 3_000_000;
/** Of the transport: how the guest mounts a tag. */
const mount = (tag: string): string =>
  `mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 ${tag} /${tag}`;
const WAITING = '9p: now the host';
const LATER = 'written while the guest ran';

/** A folder of the host, written from both sides; the same folder through a device that is read-only. */
export function folderPart(): DevicePart {
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
  const files = new HostFolder(folder);
  const path = (name: string): string => join(folder, name);
  const given = new Uint8Array(SIZE).map((_, at) => (at * 7) ^ (at >> 8));
  const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  writeFileSync(path('from-host'), given);
  return {
    modules: ['9p', '9pnet_virtio'],
    plan: `
check 9p-modprobe modprobe -a 9pnet_virtio 9p
mkdir /${TAG} /${FIXED_TAG}
check 9p-mount ${mount(TAG)}
show 9p-from-host sha256sum /${TAG}/from-host
check 9p-write sh -c 'head -c ${SIZE} /dev/urandom > /${TAG}/from-guest'
show 9p-from-guest sha256sum /${TAG}/from-guest
names() {
  cd /${TAG} && mkdir folder && cp from-guest folder/old && mv folder/old folder/new && chmod 640 folder/new &&
    ln -s folder/new link && ln from-guest second && rm from-host && truncate -s 100 second && cd /
}
check 9p-names names
append() { for n in $(seq 100); do echo line $n >> /${TAG}/lines || return; done; }
check 9p-append append
echo "${WAITING}"
check 9p-host-writes within 60 test -s /${TAG}/later
show 9p-later cat /${TAG}/later
check 9p-mount-read-only ${mount(FIXED_TAG)}
show 9p-read-only cat /${FIXED_TAG}/later
refuses() { ! touch /${FIXED_TAG}/new && ! rm /${FIXED_TAG}/later && ! sh -c 'echo > /${FIXED_TAG}/later'; }
check 9p-read-only-refuses refuses
check 9p-unmount umount /${TAG} /${FIXED_TAG}
`,
    plug: ({ machine }) => {
      const io = machine.world.outside;
      const shared = new Virtio9p({ files, tag: TAG, io });
      machine.pcie.plug(new VirtioPci({ device: shared, packed: true, name: 'folder' }));
      const fixed = new Virtio9p({ files, tag: FIXED_TAG, io, readOnly: true });
      machine.pcie.plug(new VirtioPci({ device: fixed, name: 'fixed-folder' }));
      void machine.console.waitFor(new RegExp(WAITING)).then(
        () => writeFileSync(path('later'), LATER),
        () => undefined,
      );
    },
    judge: (report, text) => {
      const word = (name: string): string => text(name).split(' ')[0];
      const check = (name: string, found: string, expected: string): void =>
        report.check(`9p: ${name}`, found === expected, found);
      check('the guest reads what the host wrote', word('9p-from-host'), digest(given));
      check('and what it writes later', text('9p-later'), LATER);
      check('through the read-only device too', text('9p-read-only'), LATER);
      /** What the host sees; where it sees nothing, why. */
      const seen = (name: string, look: (path: string) => string): string => {
        try {
          return look(path(name));
        } catch (error) {
          return (error as Error).message;
        }
      };
      const mode = (file: string): string => (statSync(file).mode & 0o777).toString(8);
      const size = (file: string): string => String(statSync(file).size);
      check(
        'the host reads what the guest wrote',
        seen('folder/new', (file) => digest(readFileSync(file))),
        word('9p-from-guest'),
      );
      check('the mode is set', seen('folder/new', mode), '640');
      check('a symbolic link is one', seen('link', readlinkSync), 'folder/new');
      check('a file with two names is cut', seen('from-guest', size), '100');
      report.check('9p: a removed file is gone', !existsSync(path('from-host')));
      const lines = Array.from({ length: 100 }, (_, index) => `line ${index + 1}\n`).join('');
      check(
        'lines are appended',
        seen('lines', (file) => readFileSync(file, 'utf8')),
        lines,
      );
    },
    close: () => {
      files.close();
      rmSync(folder, { recursive: true });
    },
  };
}
