import { describe, expect, it } from 'vitest';
import { CliError } from '../error.js';
import { OPTIONS, parseCommandLine } from './command-line.js';

const plan = (line: string) => parseCommandLine(line === '' ? [] : line.split(' '));

describe("QEMU's command line", () => {
  it('has defaults for everything', () => {
    expect(plan('')).toMatchObject({
      harts: 1,
      memory: 2 ** 27,
      bios: 'default',
      kernel: undefined,
      serial: { kind: 'stdio', escapes: true },
      netdevs: [],
      devices: [],
      time: 'realtime',
      rtc: 'now',
    });
  });

  it('takes a whole line', () => {
    const line =
      '-M virt -smp 4 -m 256 -kernel tiny.elf -initrd i.cpio -append quiet -bios none -nographic ' +
      '-netdev user,id=n0,hostfwd=tcp::2222-:22 -device e1000,netdev=n0,mac=52:54:00:00:00:01 ' +
      '-object filter-dump,id=f0,netdev=n0,file=n0.pcapng -qmp unix:/run/q,server=on,wait=off -S -no-reboot';
    const parsed = plan(line);
    expect(parsed).toMatchObject({
      harts: 4,
      memory: 2 ** 28,
      bios: 'none',
      kernel: 'tiny.elf',
      initrd: 'i.cpio',
      append: 'quiet',
      paused: true,
      noReboot: true,
      dumps: [{ id: 'f0', netdev: 'n0', file: 'n0.pcapng', maxLength: 65_536 }],
      monitors: [{ path: '/run/q', server: true, wait: false }],
    });
    expect(parsed.netdevs[0]).toMatchObject({ id: 'n0', type: 'user' });
    expect(parsed.devices[0]).toMatchObject({ driver: 'e1000' });
  });

  it.each([
    ['-m 1G', { memory: 2 ** 30 }],
    ['-m size=64M', { memory: 2 ** 26 }],
    ['--smp cpus=2,cores=2', { harts: 2 }],
    ['-bios fw.elf', { bios: { path: 'fw.elf' } }],
    ['-serial stdio', { serial: { kind: 'stdio', escapes: false } }],
    ['-serial mon:stdio', { serial: { kind: 'stdio', escapes: true } }],
    ['-serial file:log', { serial: { kind: 'file', path: 'log' } }],
    ['-serial none', { serial: { kind: 'none' } }],
    ['-machine virt,aia=none', {}],
    ['-display none -nodefaults -snapshot -cpu max', {}],
    ['-rtc base=2024-02-29T12:00:00', { rtc: 1_709_208_000_000_000_000n }],
    ['-time virtual', { time: 'virtual' }],
    ['-monitor none', { monitors: [] }],
    [
      '-drive file=a.img,if=none,format=raw,id=d0',
      {
        drives: [
          { id: 'd0', file: 'a.img', interface: 'none', readOnly: false, temporary: false, writeback: true },
        ],
      },
    ],
    [
      '-drive file=a.img,if=none,id=d0,readonly=on,cache=writethrough',
      { drives: [{ readOnly: true, writeback: false }] },
    ],
    [
      '-snapshot -drive file=a.img',
      { drives: [{ temporary: true }], devices: [{ driver: 'virtio-blk-pci' }] },
    ],
    ['-snapshot -drive file=a.img,snapshot=off', { drives: [{ temporary: false }] }],
    ['-drive file=a.img,overlay=b', { drives: [{ overlay: 'b', temporary: false }] }],
    [
      '-virtfs local,path=/srv,mount_tag=t,security_model=none,readonly=on',
      { folders: [{ id: 'virtfs0', path: '/srv', readOnly: true }], devices: [{ driver: 'virtio-9p-pci' }] },
    ],
    ['-object rng-random,id=r0,filename=/dev/urandom', { entropies: [{ id: 'r0' }] }],
    ['-global virtio-mmio.force-legacy=false', {}],
    ['-accel tcg', { jit: {} }],
    ['-accel jit,tb-size=8', { jit: { quota: 8 << 20 } }],
    ['-accel interpreter', { jit: false }],
    ['-cpu-check', { cpuCheck: true, time: 'virtual' }],
    ['-statistics cost.json', { statistics: 'cost.json' }],
    ['-S', { paused: true, gdb: undefined }],
    ['-s', { gdb: { host: '127.0.0.1', port: 1234 } }],
    ['-gdb tcp::4321', { gdb: { host: '127.0.0.1', port: 4321 } }],
    ['-gdb tcp:0.0.0.0:1', { gdb: { host: '0.0.0.0', port: 1 } }],
    ['-gdb tcp:[::1]:65535', { gdb: { host: '::1', port: 65_535 } }],
    ['-s -gdb none', { gdb: undefined }],
    ['-M virt,aia=aplic', { aia: 'aplic', aiaGuests: 0 }],
    ['-M virt,aia=aplic-imsic,aia-guests=3', { aia: 'aplic-imsic', aiaGuests: 3 }],
    ['-machine virt,aia=none', { aia: 'none', iommu: false }],
    ['-M virt,iommu-sys=on', { iommu: true }],
  ])('%s', (line, expected) => {
    expect(plan(line)).toMatchObject(expected);
  });

  it('-nic is a network and its NIC', () => {
    const { netdevs, devices } = plan('-nic user,model=e1000,mac=52:54:00:00:00:09');
    expect(netdevs.map(({ id }) => id)).toEqual(['nic0']);
    expect(devices[0].driver).toBe('e1000');
    expect(devices[0].properties.required('netdev')).toBe('nic0');
  });

  it.each([
    ['-kernal x', 'unknown option -kernal; did you mean -kernel?'],
    ['--netdve x', 'unknown option --netdve; did you mean -netdev?'],
    ['-kernel', '-kernel needs an argument: FILE'],
    ['tiny.elf', '"tiny.elf" is no option; a kernel is given with -kernel FILE'],
    ['-M vrit', '-M is virt, not "vrit"; did you mean virt?'],
    ['-M virt,aia=apilc', '-M: aia is none or aplic or aplic-imsic, not "apilc"; did you mean aplic?'],
    ['-M virt,aia=aplic,aia-guests=1', 'which comes with aia=aplic-imsic'],
    ['-M virt,aia=aplic-imsic,aia-guests=8', '-M: aia-guests is a number from 0 to 7, not "8"'],
    ['-smp 9', '-smp: cpus is a number from 1 to 8, not "9"'],
    ['-smp 0', '-smp: cpus is a number from 1 to 8, not "0"'],
    ['-m lots', '-m is a size such as 128M or 1G, not "lots"'],
    ['-accel kvm', '-accel is jit or tcg or interpreter, not "kvm"'],
    ['-accel jit,tb-size=0', '-accel: tb-size is a number from 1 to 2047, not "0"'],
    ['-serial tcp::1', '-serial is stdio, mon:stdio, file:PATH or none, not "tcp::1"'],
    ['-netdev user', '-netdev user needs id='],
    [
      '-object filter-dmp,netdev=a,file=b',
      '-object is filter-dump or rng-random or rng-builtin, not "filter-dmp"; did you mean filter-dump?',
    ],
    ['-object filter-dump,netdev=a,fiel=b', '-object filter-dump needs file='],
    ['-drive if=none,id=a', '-drive needs file='],
    ['-drive file=a,format=qcow2', '-drive: the format is raw, not "qcow2"'],
    ['-drive file=a,if=ide', '-drive: if is none or virtio, not "ide"'],
    ['-drive file=a,overlay=b,readonly=on', '-drive: overlay= takes the writes'],
    ['-drive file=a,chache=none', '-drive has no property chache; did you mean cache?'],
    ['-virtfs local,path=/srv', '-virtfs needs mount_tag='],
    ['-fsdev proxy,id=a,path=b', '-fsdev: the driver is local, not "proxy"'],
    ['-object rng-random,filename=/dev/null,id=a', 'not from /dev/null'],
    ['-global virtio-mmio.force-legacy=true', '-global virtio-mmio.force-legacy is false'],
    ['-qmp tcp:x', 'a monitor is unix:PATH,server=on,wait=off, not "tcp:x"'],
    ['-qmp unix:x', '-qmp unix: the monitor listens; add server=on,wait=off'],
    ['-rtc base=tomorrow', '-rtc base is utc or a date'],
    ['-gdb tcp:1234', '-gdb is tcp::PORT or tcp:HOST:PORT, not "tcp:1234"'],
    ['-gdb tcp::99999', '-gdb is tcp::PORT or tcp:HOST:PORT'],
    ['-gdb stdio', '-gdb is tcp::PORT or tcp:HOST:PORT'],
    ['-display gtk', '-display is none, not "gtk"'],
    ['-constructor x', 'unknown option -constructor'],
    ['-toString', 'unknown option -toString'],
  ])('%s is refused', (line, sentence) => {
    expect(() => plan(line)).toThrow(CliError);
    expect(() => plan(line)).toThrow(sentence);
  });

  it('every option has help, and an alias leads to an option', () => {
    for (const { help, alias } of Object.values(OPTIONS)) {
      expect(help).not.toBe('');
      if (alias !== undefined) expect(OPTIONS[alias]).toBeDefined();
    }
  });
});
