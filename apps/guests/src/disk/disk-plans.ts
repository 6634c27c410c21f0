import { PLAN_WORDS } from '../boot/init-script.js';
import type { CpioEntry } from '../cpio.js';
import type { Program } from '../userland.js';

/** Programs of the disk beside what every initial RAM disk has. */
export const DISK_PROGRAMS: readonly Program[] = [
  { package: 'bash', path: 'usr/bin/bash' },
  { package: 'e2fsprogs', path: 'usr/sbin/mke2fs' },
  { package: 'e2fsprogs', path: 'usr/sbin/e2fsck' },
  { package: 'iperf3', path: 'usr/bin/iperf3' },
  // The C library loads it when a thread is cancelled; no ELF header says so.
  { package: 'libgcc-s1', path: 'usr/lib/riscv64-linux-gnu/libgcc_s.so.1' },
  { package: 'socat', path: 'usr/bin/socat' },
  { package: 'tcpdump', path: 'usr/bin/tcpdump' },
];

/** What the initial RAM disk needs to check and mount the disk. */
export const DISK_BOOT_PROGRAMS: readonly Program[] = [{ package: 'e2fsprogs', path: 'usr/sbin/e2fsck' }];
/** ext4 of 6.12 takes its checksums from one of these, and says so nowhere. */
export const DISK_BOOT_MODULES = ['virtio_blk', 'crc32c_generic', 'ext4'];

/** Modules on the disk: every device that may be there. */
export const DISK_MODULES = [
  ...DISK_BOOT_MODULES,
  'virtio_net',
  'virtio-rng',
  '9p',
  '9pnet_virtio',
  'vmw_vsock_virtio_transport',
];

/** Where a plan for a system on its disk waits, when a test brings one. */
const LATER_PLAN = '/run/plan';
const END = 'poweroff -f';

/** `/usr/sbin/init` of the disk: a test's plan, or a person's prompt with the network up. */
const DISK_INIT = `#!/usr/bin/busybox sh
${PLAN_WORDS}
modprobe -a e1000 virtio_net virtio-rng 9pnet_virtio 9p vmw_vsock_virtio_transport 2> /dev/null
if [ -e ${LATER_PLAN} ]; then . ${LATER_PLAN}; fi
if [ -e /sys/class/net/eth0 ]; then dhcp eth0 > /dev/null 2>&1 || echo "eth0: no answer from DHCP"; fi
echo "Debian's $(uname -sr) on vmloom, its root on /dev/vda. The network is eth0; \\"${END}\\" ends the machine."
cd /root
while true; do setsid cttyhack bash; done
`;

/** `poweroff` and `reboot` of the disk: whoever ends the machine leaves the file system clean. */
const END_SCRIPT = `#!/usr/bin/busybox sh
sync
mount -o remount,ro / 2> /dev/null
exec /applets/$(basename $0) "$@"
`;

/** Files of the disk that no package has. */
export function diskFiles(): CpioEntry[] {
  const file = (path: string, text: string, mode = 0o755): CpioEntry => ({
    kind: 'file',
    path,
    bytes: new TextEncoder().encode(text),
    mode,
  });
  return [
    file('usr/sbin/init', DISK_INIT),
    file('usr/local/sbin/poweroff', END_SCRIPT),
    file('usr/local/sbin/reboot', END_SCRIPT),
    file('etc/passwd', 'root:x:0:0:root:/root:/bin/bash\n', 0o644),
    file('etc/group', 'root:x:0:\n', 0o644),
    file('etc/hostname', 'vmloom\n', 0o644),
    file('etc/fstab', '/dev/vda / ext4 defaults 0 1\n', 0o644),
  ];
}

/** Makes the file system on `/dev/vda` and puts everything that the initial RAM disk has on it. */
export const MAKE_DISK_PLAN = `
modprobe -a virtio_blk crc32c_generic
check modprobe-ext4 modprobe ext4
# busybox's own mke2fs knows no ext4.
check mke2fs /usr/sbin/mke2fs -q -t ext4 -L vmloom -E lazy_itable_init=0,lazy_journal_init=0 /dev/vda
mkdir /mnt
check mount mount -t ext4 /dev/vda /mnt
copy() {
  for one in /applets /bin /etc /lib /root /sbin /usr; do cp -a $one /mnt || return; done
  mkdir -p /mnt/dev /mnt/proc /mnt/run /mnt/sys /mnt/tmp /mnt/mnt /mnt/var && ln -s /run /mnt/var/run
}
check copy copy
check unmount umount /mnt
check fsck /usr/sbin/e2fsck -f -n /dev/vda
finish poweroff -f
`;

/** Repairs and mounts `/dev/vda` and goes on with its `init`; `later` is a plan for it, instead of a prompt. */
export function bootDiskPlan(later?: string): string {
  const plan =
    later === undefined
      ? ''
      : `cat > ${LATER_PLAN} << 'END-OF-PLAN'
${later}
END-OF-PLAN`;
  return `
modprobe -a virtio_blk crc32c_generic 2> /dev/null
modprobe ext4
within 10 test -b /dev/vda || echo "there is no disk"
# 1 is that something was repaired.
/usr/sbin/e2fsck -p /dev/vda > /run/fsck 2>&1 || [ $? = 1 ] || cat /run/fsck
${plan}
mkdir /mnt
mount -t ext4 /dev/vda /mnt || { echo "/dev/vda has no file system to start from"; poweroff -f; }
for one in dev proc sys run; do mount -o move /$one /mnt/$one; done
exec switch_root /mnt /usr/sbin/init
`;
}
