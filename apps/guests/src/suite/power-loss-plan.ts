import type { Program } from '../userland.js';

/** What the plan needs beside what every initial RAM disk has. */
export const POWER_LOSS_PROGRAMS: readonly Program[] = [
  { package: 'e2fsprogs', path: 'usr/sbin/mke2fs' },
  { package: 'e2fsprogs', path: 'usr/sbin/e2fsck' },
];
/** ext4 of 6.12 takes its checksums from one of these, and says so nowhere. */
export const POWER_LOSS_MODULES = ['virtio_blk', 'crc32c_generic', 'ext4'];

/** Files that the load writes and synchronizes. */
export const SYNCED_FILES = 40;

/**
 * One boot. A load on `/dev/vda`: files whose `fsync` is reported to the host when it has returned, between others that
 * nobody synchronizes. Then, as often as the host says `more`, `/dev/vdb` is what a loss of power left: e2fsck repairs
 * what it may without asking, must find nothing the second time, and the files' digests go to the host.
 */
export const POWER_LOSS_PLAN = `
modprobe -a virtio_blk crc32c_generic
check modprobe-ext4 modprobe ext4
exec 3<> /dev/$(basename $(dirname /sys/class/virtio-ports/*p1/name))
# busybox has a mke2fs of its own, without ext4.
check mke2fs /usr/sbin/mke2fs -q -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 /dev/vda
echo formatted >&3
mkdir /mnt
check mount mount -t ext4 /dev/vda /mnt
mkdir /mnt/noise
i=0
while [ $i -lt ${SYNCED_FILES} ]; do
  i=$((i + 1))
  head -c $((4096 * (1 + i * 3 % 17))) /dev/urandom > /run/new
  for j in 1 2 3; do head -c 45000 /dev/urandom > /mnt/noise/n$((i % 7))$j; done
  rm -f /mnt/noise/n$(((i + 3) % 7))2
  dd if=/run/new of=/mnt/f$i bs=64k conv=fsync 2> /run/dd || cat /run/dd
  echo synced $(sha256sum < /run/new | cut -d ' ' -f 1) f$i >&3
  # The kernel writes back by itself what nobody has asked for.
  [ $((i % 5)) != 0 ] || sleep 2
done
check unmount umount /mnt
judge() {
  e2fsck -f -p /dev/vdb > /run/repair 2>&1
  repair=$?
  e2fsck -f -n /dev/vdb > /run/again 2>&1
  again=$?
  echo e2fsck $repair $again $(tail -n 1 /run/repair) >&3
  if [ $repair -gt 1 ] || [ $again != 0 ]; then return; fi
  mount -t ext4 -o ro /dev/vdb /mnt || return
  (cd /mnt && sha256sum f* 2> /dev/null | sed 's/^/found /') >&3
  umount /mnt
}
while echo judged >&3 && read -r answer <&3 && [ "$answer" = more ]; do judge; done
check was-told-to-end test "$answer" = end
finish poweroff -f
`;
