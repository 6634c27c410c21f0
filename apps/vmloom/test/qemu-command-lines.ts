/** One command line that means the same to QEMU and to `vmloom run`. */
export interface QemuLine {
  readonly name: string;
  /**
   * Arguments behind the program's name. KERNEL is the tiny guest, TMP a folder of its own, PORT and OTHER free
   * ports of the host, FILE an existing file.
   */
  readonly args: string;
  /** Boot arguments of the guest: what follows `-append`. */
  readonly append?: string;
  /** The guest's output must show each of them. */
  readonly shows: readonly RegExp[];
  /** Exit status of vmloom; 0 unless told. QEMU's firmware does not always pass a failure on. */
  readonly status?: number;
  /** A second process on the same TMP and PORT, started first. */
  readonly peer?: { readonly args: string; readonly append: string };
  /** Why the guest's words are not the same on both; they are unless told. */
  readonly differs?: string;
  /** What the test does while it runs. */
  readonly act?: 'send-udp' | 'cont-by-qmp';
  /** The output is in this file of TMP, not on the terminal. */
  readonly log?: string;
  /** A file of TMP that must have been written. */
  readonly writes?: string;
}

const USER = '-netdev user,id=n0 -device e1000,romfile=,netdev=n0';
const PING = 'ip=dhcp quiet cmd="wait-link; ip; ping -c 2 -i 1 10.0.2.2; poweroff"';
const PINGED = [/eth0: 10\.0\.2\.15\/24/, /ping: 2 sent, 2 received/];
const VIRTIO_PING = 'ip=dhcp quiet cmd="link; ping -c 2 -i 1 -s 1400 10.0.2.2; poweroff"';
const UNAME = 'quiet cmd="uname; poweroff"';
const LSPCI = 'quiet cmd="lspci; poweroff"';
const serve = 'ip=10.0.0.2/24 quiet cmd="udp-echo; wait 20000"';
const ask =
  'ip=10.0.0.1/24 quiet cmd="wait-link; ping -c 2 -i 1 -t 8000 10.0.0.2; udp-send -t 700 10.0.0.2 7 hello; poweroff"';
const ASKED = [/ping: 2 sent, [12] received/, /udp-send: 5 bytes from 10\.0\.0\.2:7: hello/];

export const QEMU_LINES: readonly QemuLine[] = [
  {
    name: 'the least',
    args: '-M virt -nographic -kernel KERNEL',
    append: UNAME,
    shows: [/hart N, 128 MiB/],
  },
  {
    name: '-machine',
    args: '-machine virt -nographic -kernel KERNEL',
    append: UNAME,
    shows: [/vmloom guest riscv64/],
  },
  { name: '-m in MiB', args: '-M virt -m 64 -nographic -kernel KERNEL', append: UNAME, shows: [/64 MiB/] },
  {
    name: '-m with a unit',
    args: '-M virt -m 256M -nographic -kernel KERNEL',
    append: UNAME,
    shows: [/256 MiB/],
  },
  {
    name: '-m size=',
    args: '-M virt -m size=1G -nographic -kernel KERNEL',
    append: UNAME,
    shows: [/1024 MiB/],
  },
  { name: '-smp', args: '-M virt -smp 2 -nographic -kernel KERNEL', append: UNAME, shows: [/vmloom guest/] },
  {
    name: '-smp cpus=',
    args: '-M virt -smp cpus=4 -nographic -kernel KERNEL',
    append: UNAME,
    shows: [/vmloom guest/],
  },
  {
    name: '-cpu',
    args: '-M virt -cpu rv64 -nographic -kernel KERNEL',
    append: UNAME,
    shows: [/vmloom guest/],
  },
  {
    name: '-bios default',
    args: '-M virt -bios default -nographic -kernel KERNEL',
    append: UNAME,
    shows: [/128 MiB/],
  },
  {
    name: 'serial on stdio',
    args: '-M virt -display none -serial stdio -kernel KERNEL',
    append: UNAME,
    shows: [/128 MiB/],
  },
  {
    name: 'serial with monitor',
    args: '-M virt -display none -serial mon:stdio -kernel KERNEL',
    append: UNAME,
    shows: [/128 MiB/],
  },
  {
    name: 'serial in a file',
    args: '-M virt -display none -monitor none -serial file:TMP/serial.log -kernel KERNEL',
    append: UNAME,
    shows: [/128 MiB/],
    log: 'serial.log',
  },
  {
    name: 'no serial line',
    args: '-M virt -display none -monitor none -serial none -kernel KERNEL',
    append: UNAME,
    shows: [/^$/],
  },
  {
    name: '-initrd',
    args: '-M virt -nographic -kernel KERNEL -initrd FILE',
    append: UNAME,
    shows: [/128 MiB/],
  },
  {
    name: 'memory',
    args: '-M virt -nographic -kernel KERNEL',
    append: 'quiet cmd="mem; poweroff"',
    shows: [/mem.total=134217728/],
  },
  {
    name: '-no-reboot',
    args: '-M virt -nographic -no-reboot -kernel KERNEL',
    append: 'quiet cmd="uname; reboot"',
    shows: [/^(?!.*reboot.*reboot)/s, /reboot/],
  },
  {
    name: 'a crash of the guest',
    args: '-M virt -nographic -no-reboot -kernel KERNEL',
    append: 'quiet cmd="crash"',
    shows: [/panic: store page fault/],
    differs: 'registers hold what the firmware left in them',
    status: 1,
  },
  {
    name: 'accepted without effect',
    args: '-nodefaults -no-user-config -M virt -snapshot -nographic -serial mon:stdio -kernel KERNEL',
    append: UNAME,
    shows: [/128 MiB/],
  },
  {
    name: '-rtc and -name',
    args: '-M virt -name box -rtc base=2024-02-29T12:00:00 -nographic -kernel KERNEL',
    append: UNAME,
    shows: [/128 MiB/],
  },
  { name: 'user network', args: `-M virt -nographic -kernel KERNEL ${USER}`, append: PING, shows: PINGED },
  {
    name: 'user network elsewhere',
    args: '-M virt -nographic -kernel KERNEL -netdev user,id=n0,net=192.168.76.0/24,dhcpstart=192.168.76.9 -device e1000,romfile=,netdev=n0',
    append: 'ip=dhcp quiet cmd="wait-link; ip; ping -c 2 -i 1 192.168.76.2; poweroff"',
    shows: [/192\.168\.76\.9\/24/, /2 sent, 2 received/],
  },
  {
    name: 'a virtio network card',
    args: '-M virt -nographic -kernel KERNEL -netdev user,id=n0 -device virtio-net-pci,romfile=,netdev=n0',
    append: VIRTIO_PING,
    shows: [/eth0: virtio-net split event_idx link up/, ...PINGED],
  },
  {
    name: 'a virtio network card with packed rings',
    args: '-M virt -nographic -kernel KERNEL -netdev user,id=n0 -device virtio-net-pci,romfile=,netdev=n0,packed=on,event_idx=off',
    append: VIRTIO_PING,
    shows: [/eth0: virtio-net packed link up/, ...PINGED],
  },
  {
    name: 'an address for the NIC',
    args: '-M virt -nographic -kernel KERNEL -netdev user,id=n0 -device e1000,romfile=,netdev=n0,mac=52:54:00:ab:cd:ef',
    append: 'ip=dhcp quiet cmd="wait-link; ip; poweroff"',
    shows: [/mac 52:54:00:ab:cd:ef/],
  },
  {
    name: 'a capture',
    args: `-M virt -nographic -kernel KERNEL ${USER} -object filter-dump,id=f0,netdev=n0,file=TMP/frames.pcap`,
    append: PING,
    shows: PINGED,
    writes: 'frames.pcap',
  },
  {
    name: 'a forwarded port',
    args: '-M virt -nographic -kernel KERNEL -netdev user,id=n0,hostfwd=udp:127.0.0.1:PORT-:7 -device e1000,romfile=,netdev=n0',
    append: 'ip=dhcp quiet cmd="wait-link; ip; udp-echo; wait 4000; poweroff"',
    shows: [/udp-echo: /],
    act: 'send-udp',
  },
  {
    name: 'a hub',
    args:
      '-M virt -nographic -kernel KERNEL -netdev user,id=u0 -netdev hubport,id=h0,hubid=0,netdev=u0 ' +
      '-netdev hubport,id=h1,hubid=0 -device e1000,romfile=,netdev=h1',
    append: PING,
    shows: PINGED,
  },
  {
    name: 'two NICs',
    args: `-M virt -nographic -kernel KERNEL ${USER} -netdev user,id=n1,net=10.0.9.0/24 -device e1000,romfile=,netdev=n1`,
    append: LSPCI,
    shows: [/00:01\.0 8086:100e/, /00:02\.0 8086:100e/],
    differs: "QEMU's e1000 has no power management and MSI capabilities, the 82540EM has",
  },
  {
    name: 'a slot',
    args: '-M virt -nographic -kernel KERNEL -netdev user,id=n0 -device e1000,romfile=,netdev=n0,addr=0x5',
    append: LSPCI,
    shows: [/00:05\.0 8086:100e/],
    differs: "QEMU's e1000 has no power management and MSI capabilities, the 82540EM has",
  },
  {
    name: 'behind a root port',
    args: '-M virt -nographic -kernel KERNEL -device pcie-root-port,id=rp0,chassis=1 -netdev user,id=n0 -device e1000,romfile=,netdev=n0,bus=rp0',
    append: PING,
    shows: PINGED,
  },
  {
    name: 'socket networks between two processes',
    args: '-M virt -nographic -kernel KERNEL -netdev socket,id=n0,connect=127.0.0.1:PORT -device e1000,romfile=,netdev=n0',
    append: ask,
    differs: 'datagrams may be lost between two processes',
    shows: ASKED,
    peer: {
      args: '-M virt -nographic -kernel KERNEL -netdev socket,id=n0,listen=127.0.0.1:PORT -device e1000,romfile=,netdev=n0,mac=52:54:00:12:34:99',
      append: serve,
    },
  },
  {
    name: 'stream networks over a UNIX socket',
    args: '-M virt -nographic -kernel KERNEL -netdev stream,id=n0,server=off,addr.type=unix,addr.path=TMP/lan -device e1000,romfile=,netdev=n0',
    append: ask,
    differs: 'datagrams may be lost between two processes',
    shows: ASKED,
    peer: {
      args: '-M virt -nographic -kernel KERNEL -netdev stream,id=n0,server=on,addr.type=unix,addr.path=TMP/lan -device e1000,romfile=,netdev=n0,mac=52:54:00:12:34:99',
      append: serve,
    },
  },
  {
    name: 'datagram networks between two processes',
    args: '-M virt -nographic -kernel KERNEL -netdev dgram,id=n0,local.type=inet,local.host=127.0.0.1,local.port=PORT,remote.type=inet,remote.host=127.0.0.1,remote.port=OTHER -device e1000,romfile=,netdev=n0',
    append: ask,
    differs: 'datagrams may be lost between two processes',
    shows: ASKED,
    peer: {
      args: '-M virt -nographic -kernel KERNEL -netdev dgram,id=n0,local.type=inet,local.host=127.0.0.1,local.port=OTHER,remote.type=inet,remote.host=127.0.0.1,remote.port=PORT -device e1000,romfile=,netdev=n0,mac=52:54:00:12:34:99',
      append: serve,
    },
  },
  {
    name: 'stopped until the monitor lets it go',
    args: '-M virt -S -nographic -kernel KERNEL -qmp unix:TMP/qmp,server=on,wait=off',
    append: UNAME,
    shows: [/128 MiB/],
    act: 'cont-by-qmp',
  },
];
