/**
 * Runs the guest images on QEMU's virt board, whose registers and addresses vmloom's board has too.
 *
 *   node qemu-smoke.mjs [WORD]         all checks, or those whose name contains the word
 *   node qemu-smoke.mjs --reference    writes prebuilt/fptest.txt anew
 *
 * Prints one line per check; without QEMU it says so and passes. QEMU names the program to use, and
 * VMLOOM_GUEST_DIR a folder of images other than prebuilt/.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const QEMU = process.env.QEMU ?? 'qemu-system-riscv64';
const PREBUILT = fileURLToPath(new URL('prebuilt/', import.meta.url));
const IMAGES = process.env.VMLOOM_GUEST_DIR ?? PREBUILT;
const REFERENCE = join(PREBUILT, 'fptest.txt');
const TIMEOUT_MS = 60_000;
const BENCH_KERNELS = 'integer mix pointer stream bytecode matrix newcode hash sieve sort'.split(' ');

/** One QEMU with its console. */
class Guest {
  output = '';
  #waiting = [];

  constructor(args, { image = 'tiny', append = '' } = {}) {
    const board = ['-M', 'virt', '-m', '128M', '-nographic', '-monitor', 'none', '-serial', 'stdio'];
    const kernel = ['-kernel', join(IMAGES, `${image}.elf`), '-append', append];
    this.child = spawn(QEMU, [...board, ...kernel, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.ended = new Promise((done) => this.child.on('close', (status) => done(status)));
    this.child.stdout.on('data', (data) => {
      this.output += data.toString('latin1');
      this.#wake();
    });
    this.child.on('close', () => this.#wake());
  }

  #wake() {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Waits for a pattern in what is printed from `from` on, and returns the match. */
  async waitFor(pattern, from = 0) {
    const end = Date.now() + TIMEOUT_MS;
    for (;;) {
      const match = pattern.exec(this.output.slice(from));
      if (match) return match;
      if (this.child.exitCode !== null) throw new Error(`QEMU ended before ${pattern}:\n${this.output}`);
      if (Date.now() >= end) throw new Error(`no ${pattern} in:\n${this.output}`);
      await new Promise((wake) => {
        const timer = setTimeout(wake, end - Date.now());
        this.#waiting.push(() => (clearTimeout(timer), wake()));
      });
    }
  }

  /** Types a line and returns what is printed until the next prompt. */
  async command(line) {
    const from = this.output.length;
    this.child.stdin.write(`${line}\r`);
    const prompt = /\nvmloom# /;
    await this.waitFor(prompt, from);
    return this.output.slice(from).split(prompt)[0];
  }

  kill() {
    if (this.child.exitCode === null) this.child.kill('SIGKILL');
  }
}

/** A hub in the framing of QEMU's stream sockets: length (32 bits, big-endian), then the frame. */
class Hub {
  #sockets = new Set();
  onFrame = () => undefined;

  static async open() {
    const hub = new Hub();
    hub.server = createServer((socket) => hub.#connect(socket));
    await new Promise((done) => hub.server.listen(0, '127.0.0.1', done));
    return hub;
  }

  /** QEMU options of a NIC on this hub. */
  nic(id, options = '', device = 'e1000') {
    const { port } = this.server.address();
    return [
      ...['-netdev', `socket,id=${id},connect=127.0.0.1:${port}`],
      ...['-device', `${device},netdev=${id},romfile=${options}`],
    ];
  }

  #connect(socket) {
    this.#sockets.add(socket);
    let held = Buffer.alloc(0);
    socket.on('data', (data) => {
      held = Buffer.concat([held, data]);
      while (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
        const end = 4 + held.readUInt32BE(0);
        this.onFrame(held.subarray(4, end));
        for (const other of this.#sockets) if (other !== socket) other.write(held.subarray(0, end));
        held = held.subarray(end);
      }
    });
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  }

  send(frame) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(frame.length);
    for (const socket of this.#sockets) socket.write(Buffer.concat([length, frame]));
  }

  close() {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
  }
}

function expect(condition, what, seen) {
  if (!condition) throw new Error(`${what}; seen:\n${seen}`);
}

function counter(output, key) {
  const match = new RegExp(`^${key.replaceAll('.', '\\.')}=(\\d+)`, 'm').exec(output);
  if (!match) throw new Error(`no counter ${key} in:\n${output}`);
  return Number(match[1]);
}

const guests = [];
function boot(...args) {
  const guest = new Guest(...args);
  guests.push(guest);
  return guest;
}

/** The lines a program prints, the firmware's left out. */
function programLines(output, pattern) {
  return output
    .split(/\r?\n/)
    .filter((line) => pattern.test(line))
    .map((line) => `${line}\n`)
    .join('');
}

const FPTEST_LINE = /^f[\w.+]+ (?:[\w-]+ [0-9a-f]{16} n=\d+)$|^fptest: \d+ cases$/;
const USER_NET = ['-netdev', 'user,id=n0', '-device', 'e1000,netdev=n0,romfile='];

/** A frame for everybody, in the byte order of the wire. */
function arpRequest(target) {
  const frame = Buffer.alloc(60);
  frame.write('ffffffffffff525400000099080600010800060400015254000000990a000063', 0, 'hex');
  frame.write(target, 38, 'hex');
  return frame;
}

/** xorshift32, the same in every run. */
function randomNumbers(seed) {
  let x = seed;
  return (limit) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % limit;
  };
}

/** Well-formed beginnings for hostile frames: ARP, ICMP echo, UDP, DHCP; bytes and lengths are then spoilt. */
const SEEDS = [
  'ffffffffffff5254000000990806000108000604000152540000009900000000000000000000 0a000001',
  '5254000000015254000000990800 450000540000400040012697 0a0000630a000001 0800f7ff00000000',
  '5254000000015254000000990800 450000240000400040112699 0a0000630a000001 c000000700100000 6162636465666768',
  '525400000001525400000099 0800 4500002400004000401126990a0000630a000001 0043004400100000 0201060000000000',
].map((text) => Buffer.from(text.replaceAll(' ', ''), 'hex'));

function fixIpChecksum(frame) {
  const words = (frame[14] & 15) * 2;
  if (frame.length < 14 + words * 2) return;
  frame.writeUInt16BE(0, 24);
  let sum = 0;
  for (let i = 0; i < words; i++) sum += frame.readUInt16BE(14 + i * 2);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  frame.writeUInt16BE(~sum & 0xffff, 24);
}

function hostileFrame(random) {
  const seed = SEEDS[random(SEEDS.length)];
  const frame = Buffer.alloc(random(4) === 0 ? 1514 : 60 + random(300));
  seed.copy(frame);
  for (let spoilt = random(6); spoilt > 0; spoilt--) frame[12 + random(40)] = random(256);
  if (random(3) > 0 && frame.readUInt16BE(12) === 0x0800) fixIpChecksum(frame); // get past the first check
  return random(8) === 0 ? frame.subarray(0, 14 + random(46)) : frame;
}

/** Two guests on a hub do everything that moves frames; each is a device, its options, and boot arguments. */
async function exchange({ sink: to = {}, source: from = {} } = {}) {
  const hub = await Hub.open();
  const sink = boot(hub.nic('n0', `,mac=52:54:00:00:00:01${to.options ?? ''}`, to.device), {
    append: `ip=10.0.0.1/24 ${to.append ?? ''} cmd="udp-echo; udp-sink; udp-sink -w; stats; wait 500; poweroff"`,
  });
  await sink.waitFor(/listening on port 9/);
  const source = boot(hub.nic('n0', `,mac=52:54:00:00:00:02${from.options ?? ''}`, from.device), {
    append:
      `ip=10.0.0.2/24 ${from.append ?? ''} cmd="ping -c 3 -i 10 10.0.0.1; udp-rr -n 100 -s 1400 10.0.0.1; ` +
      "udp-send -t 200 10.0.0.1 7 'hello there'; udp-stream -n 2000 -r 20000 10.0.0.1; stats; poweroff\"",
  });
  await source.ended;
  await sink.ended;
  hub.close();
  expect(source.output.includes('ping: 3 sent, 3 received'), 'three replies', source.output);
  expect(source.output.includes('udp-rr: 100 sent, 100 received'), '100 responses', source.output);
  expect(
    source.output.includes('udp-send: 11 bytes from 10.0.0.1:7: hello there'),
    'the echo',
    source.output,
  );
  expect(
    /udp-stream: 2000 packets, .* 2000 delivered, 0 lost/.test(source.output),
    'a report',
    source.output,
  );
  expect(/udp-sink: 2000 packets, 2944000 bytes, 0 lost/.test(sink.output), 'a whole stream', sink.output);
  expect(counter(sink.output, 'udp_sink.9.packets') === 2000, 'the sink to count', sink.output);
  expect(counter(source.output, 'drops') === 0, 'no drops', source.output);
  return { sink: sink.output, source: source.output };
}

const CHECKS = {
  async 'DHCP and ping on user-mode networking'() {
    const append = 'ip=dhcp cmd="ping -c 3 -i 10 10.0.2.2; ip; poweroff"';
    const guest = boot(USER_NET, { append });
    expect((await guest.ended) === 0, 'exit status 0', guest.output);
    expect(
      /^eth0: 10\.0\.2\.15\/24 gateway 10\.0\.2\.2 lease \d+ s/m.test(guest.output),
      'a lease',
      guest.output,
    );
    expect(guest.output.includes('ping: 3 sent, 3 received, rtt'), 'three replies', guest.output);
  },

  async 'two guests: ping, request and response, stream'() {
    await exchange();
  },

  async 'virtio-net: split and packed rings, with and without EVENT_IDX, to and from an e1000'() {
    for (const rings of ['split', 'split event_idx', 'packed', 'packed event_idx']) {
      const on = (word) => (rings.includes(word) ? 'on' : 'off');
      const virtio = {
        device: 'virtio-net-pci',
        options: `,packed=${on('packed')},event_idx=${on('event_idx')}`,
      };
      const outputs = [(await exchange({ sink: virtio })).sink, (await exchange({ source: virtio })).source];
      for (const output of outputs) {
        expect(output.includes(`eth0: virtio-net ${rings} link up`), `virtio-net with ${rings}`, output);
      }
    }
  },

  async 'virtio-net: boot arguments turn offers down, and small receive buffers are merged'() {
    const device = { device: 'virtio-net-pci', options: ',packed=on' };
    const small = { ...device, append: 'packed=off event_idx=off rx_buffer=256' };
    const { sink, source } = await exchange({ sink: small, source: { ...device, append: 'rx_buffer=100' } });
    expect(sink.includes('eth0: virtio-net split link up'), 'neither packed nor EVENT_IDX', sink);
    expect(source.includes('eth0: virtio-net packed event_idx link up'), 'both', source);
    expect(counter(sink, 'eth0.rx_joined') >= 2000, 'the stream to come in several buffers', sink);
    expect(counter(source, 'eth0.rx_joined') >= 100, 'the responses to come in several buffers', source);
    const unmerged = { device: 'virtio-net-pci', options: ',mrg_rxbuf=off', append: 'rx_buffer=256' };
    const whole = (await exchange({ sink: unmerged })).sink;
    expect(counter(whole, 'eth0.rx_joined') === 0, 'buffers for whole frames without the offer', whole);
  },

  async 'line editing, Ctrl-C, unknown commands'() {
    const guest = boot([], { append: 'quiet' });
    await guest.waitFor(/^vmloom# /m);
    expect(/\nvmloom guest riscv64/.test(await guest.command('unamx\x7fe')), 'backspace', guest.output);
    expect(/nosuch: no such command/.test(await guest.command('nosuch')), 'an error', guest.output);
    expect(
      /\nvmloom guest/.test(await guest.command('junk\x15uname\x1b[D')),
      'Ctrl-U, no cursor key',
      guest.output,
    );
    const from = guest.output.length;
    guest.child.stdin.write('wait 50000\r');
    await guest.waitFor(/wait 50000\r\n/, from);
    guest.child.stdin.write('\x03');
    await guest.waitFor(/\^C\r\nvmloom# /, from);
    guest.child.stdin.write('poweroff\r');
    await guest.ended;
  },

  async 'an idle guest does not spin'() {
    const guest = boot([], { append: 'cmd="wait 20000"' });
    await guest.waitFor(/vmloom guest/);
    const busy = () => {
      const stat = readFileSync(`/proc/${guest.child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
      return Number(stat[11]) + Number(stat[12]); // utime and stime, in hundredths of a second
    };
    await new Promise((done) => setTimeout(done, 500));
    const before = busy();
    await new Promise((done) => setTimeout(done, 2000));
    const used = busy() - before;
    guest.kill();
    expect(used < 40, 'less than a fifth of the time used', `${used} of 200`);
  },

  async 'a crash is a sentence, registers, and the end'() {
    const guest = boot([], { append: 'cmd="crash; uname"' });
    await guest.ended;
    expect(
      /^panic: store page fault at [0-9a-f]+, address 0\r?$/m.test(guest.output),
      'a sentence',
      guest.output,
    );
    expect(/^scause=f sepc=/m.test(guest.output) && /\bt6=/.test(guest.output), 'registers', guest.output);
  },

  async 'reboot starts again'() {
    const guest = boot([], { append: 'cmd="wait 200"' });
    await guest.waitFor(/vmloom# /);
    guest.child.stdin.write('reboot\r');
    await guest.waitFor(/vmloom# reboot[\s\S]*vmloom guest[\s\S]*vmloom# /);
    guest.child.stdin.write('poweroff\r');
    await guest.ended;
  },

  async 'PCI: behind a root port and a bridge, INTx swizzled, two interfaces'() {
    const bridges =
      '-device pcie-root-port,id=rp,chassis=1,slot=1,addr=2 -device pcie-pci-bridge,id=br,bus=rp';
    const deep = [
      '-netdev',
      'user,id=n1,net=10.0.9.0/24',
      '-device',
      'e1000,netdev=n1,romfile=,bus=br,addr=3',
    ];
    const guest = boot([...bridges.split(' '), ...deep, ...USER_NET], {
      append:
        'cmd="lspci; link; ip eth0 dhcp; ip eth1 dhcp; ping -c 2 -i 1 10.0.9.2; ping -c 2 -i 1 10.0.2.2; poweroff"',
    });
    await guest.ended;
    expect(guest.output.match(/^ping: 2 sent, 2 received/gm)?.length === 2, 'replies on both', guest.output);
    expect(/^02:03\.0 8086:100e .* driver e1000\r?$/m.test(guest.output), 'a NIC on bus 2', guest.output);
  },

  async 'timer by SBI calls where there is no Sstc, and two harts'() {
    const guest = boot(['-cpu', 'rv64,sstc=off', '-smp', '2'], {
      append: 'cmd="uname; wait 50; stats; poweroff"',
    });
    await guest.ended;
    expect(/timer sbi at 10000000 Hz/.test(guest.output), 'the SBI timer', guest.output);
    expect(/^poweroff/m.test(guest.output), 'an orderly end', guest.output);
  },

  async 'hostile frames are dropped, counted and survived'() {
    const hub = await Hub.open();
    const guest = boot(hub.nic('n0', ',mac=52:54:00:00:00:01'), { append: 'ip=10.0.0.1/24 cmd="udp-echo"' });
    await guest.waitFor(/vmloom# /);
    const random = randomNumbers(0x766d6c6f);
    for (let i = 0; i < 200; i++) {
      for (let n = 0; n < 50; n++) hub.send(hostileFrame(random));
      await new Promise((done) => setTimeout(done, 5));
    }
    let answered = false;
    hub.onFrame = (frame) => (answered ||= frame.readUInt16BE(12) === 0x0806 && frame.readUInt16BE(20) === 2);
    for (let tries = 0; tries < 50 && !answered; tries++) {
      hub.send(arpRequest('0a000001'));
      await new Promise((done) => setTimeout(done, 100));
    }
    const stats = await guest.command('stats');
    guest.kill();
    hub.close();
    expect(answered, 'an answer to ARP afterwards', guest.output);
    expect(!guest.output.includes('panic'), 'no panic', guest.output);
    const reasons = ['ip_header', 'ip_length', 'ip_checksum', 'ip_fragment', 'ip_address', 'udp_malformed'];
    for (const reason of [...reasons, 'arp_malformed', 'icmp_malformed', 'udp_checksum', 'ethernet_type']) {
      expect(counter(stats, `drops.${reason}`) > 0, `drops by ${reason}`, stats);
    }
  },

  async 'fptest: equal to the reference, static modes equal to dynamic ones'() {
    const guest = boot([], { image: 'fptest' });
    await guest.ended;
    const lines = programLines(guest.output, FPTEST_LINE);
    expect(lines === readFileSync(REFERENCE, 'utf8'), 'the reference output', lines);
    const hashes = new Map(
      lines.split('\n').map((line) => [line.split(' ', 2).join(' '), line.split(' ')[2]]),
    );
    const dynamic = [...hashes.keys()].filter((key) => key.includes(' dyn-'));
    const unequal = dynamic.filter((key) => hashes.get(key) !== hashes.get(key.replace('dyn-', '')));
    expect(dynamic.length === 165 && unequal.length === 0, 'equal hashes for 165 operations', unequal);
  },

  async 'fptest: dump of one operation and mode'() {
    const guest = boot([], { image: 'fptest', append: 'dump=fcvt.w.d/rtz' });
    await guest.ended;
    const line = /^fcvt\.w\.d rtz c1e0000000200000 [0-9a-f]{16} [0-9a-f]{16} = ffffffff80000000 10\r?$/m;
    expect(line.test(guest.output), 'minus 2^31 - 1 to be invalid and saturate', guest.output.slice(-2000));
  },

  async 'intloop: its checksum'() {
    const guest = boot([], { image: 'intloop', append: 'n=3' });
    await guest.ended;
    expect(
      /^intloop: n=3 primes=6542 checksum=[0-9a-f]{8} instret=\d+/m.test(guest.output),
      'a result',
      guest.output,
    );
  },

  async 'bench: each kernel gives the same checksum with and without paging'() {
    for (const kernel of BENCH_KERNELS) {
      const sums = [];
      for (const paging of [0, 1]) {
        const append = `kernel=${kernel} sv39=${paging} short=2 long=1 loops=50`;
        const guest = boot([], { image: 'bench', append });
        await guest.ended;
        sums.push(/^bench: .* checksum=([0-9a-f]{16}) /m.exec(guest.output)?.[1]);
      }
      expect(sums[0] !== undefined && sums[0] === sums[1], `two equal checksums of ${kernel}`, sums.join());
    }
  },
};

async function writeReference() {
  const guest = boot([], { image: 'fptest' });
  await guest.ended;
  writeFileSync(REFERENCE, programLines(guest.output, FPTEST_LINE));
}

async function main(word = '') {
  if (spawnSync(QEMU, ['--version']).status !== 0) {
    console.log(`${QEMU} is not installed: nothing was checked`);
    return;
  }
  if (word === '--reference') return writeReference();
  let passed = 0;
  let failed = 0;
  for (const [name, check] of Object.entries(CHECKS)) {
    if (!name.includes(word)) continue;
    try {
      await check();
      passed++;
      console.log(`pass ${name}`);
    } catch (error) {
      failed++;
      console.log(`FAIL ${name}: ${error.message}`);
    } finally {
      for (const guest of guests.splice(0)) guest.kill();
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

await main(...process.argv.slice(2));
