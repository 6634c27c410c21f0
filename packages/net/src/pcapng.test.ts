import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Clock } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { capture } from './capture.js';
import { Link } from './link.js';
import { FileSink } from './node/file-sink.js';
import { PcapngWriter } from './pcapng.js';
import { Random } from './random.js';
import { MemorySink } from './sink.js';
import { Switch } from './switch.js';
import { etherFrame, macOf, randomFrame, readPcapng, Station } from './testing/index.js';
import { Frame } from './frame.js';

describe('pcapng 4: blocks', () => {
  it('4.2, 4.3: an interface has its name, Ethernet as link type and nanoseconds as resolution', () => {
    const sink = new MemorySink();
    const writer = new PcapngWriter(sink, { startTime: 1_700_000_000 });
    writer.addInterface('nic0');
    const { interfaces } = readPcapng(sink.toBytes());
    expect(interfaces[0].linkType).toBe(1);
    expect(new TextDecoder().decode(interfaces[0].options.get(2))).toBe('nic0');
    expect([...interfaces[0].options.get(9)!]).toEqual([9]);
    expect(new DataView(interfaces[0].options.get(14)!.buffer).getBigInt64(0, true)).toBe(1_700_000_000n);
  });

  it('4.3: packets of every length modulo 4 carry time above 32 bits, lengths, direction and data', () => {
    const sink = new MemorySink();
    const writer = new PcapngWriter(sink);
    const id = writer.addInterface('x');
    const random = new Random(1);
    const frames = [60, 61, 62, 63, 9000].map((size) => random.fill(new Uint8Array(size)));
    frames.forEach((bytes, index) =>
      writer.packet(id, index % 2 === 0 ? 1 : 2, 5e9 + index, Frame.of(bytes)),
    );
    const { packets } = readPcapng(sink.toBytes());
    expect(packets.map((packet) => packet.bytes)).toEqual(frames);
    expect(packets.map((packet) => packet.time)).toEqual(
      [0n, 1n, 2n, 3n, 4n].map((extra) => 5_000_000_000n + extra),
    );
    expect(packets.map((packet) => packet.options.get(2)![0])).toEqual([1, 2, 1, 2, 1]);
  });

  it('4.3: a snap length cuts the data and tells the original length', () => {
    const sink = new MemorySink();
    const writer = new PcapngWriter(sink, { snapLength: 30 });
    writer.packet(writer.addInterface('x'), 1, 0, Frame.of(new Uint8Array(100).fill(3)));
    const [packet] = readPcapng(sink.toBytes()).packets;
    expect([packet.bytes.length, packet.originalLength]).toEqual([30, 100]);
  });
});

describe('capture', () => {
  it('stands in the place of a port: both directions recorded, everything else passed on', () => {
    const clock = new Clock();
    const sink = new MemorySink();
    const link = new Link();
    const a = new Station(capture(link.a, new PcapngWriter(sink), clock));
    const b = new Station(link.b);
    a.send(etherFrame({ from: macOf(1) }));
    clock.runUntil(77);
    b.send(etherFrame({ from: macOf(2) }));
    link.up = false;
    expect([a.port.up, a.carrier]).toEqual([false, [false]]);
    const { packets } = readPcapng(sink.toBytes());
    expect(packets.map(({ time, options, bytes }) => [time, options.get(2)![0], bytes[11]])).toEqual([
      [0n, 2, 1],
      [77n, 1, 2],
    ]);
  });

  it('a refused frame appears once, when it is taken', () => {
    const sink = new MemorySink();
    const writer = new PcapngWriter(sink);
    const clock = new Clock();
    const link = new Link();
    const a = new Station(capture(link.a, writer, clock, 'a'));
    const b = new Station(capture(link.b, writer, clock, 'b'));
    b.room = 0;
    a.onWritable = () => expect(a.send(etherFrame({ from: macOf(1) }))).toBe(true);
    expect(a.send(etherFrame({ from: macOf(1) }))).toBe(false);
    expect(readPcapng(sink.toBytes()).packets).toHaveLength(0);
    b.admit(1);
    expect(readPcapng(sink.toBytes()).packets.map((packet) => packet.interfaceId)).toEqual([0, 1]);
  });

  it('a frame through a switch stands before what follows from it', () => {
    const sink = new MemorySink();
    const writer = new PcapngWriter(sink);
    const clock = new Clock();
    const lan = new Switch();
    const stations = ['a', 'b', 'c'].map((name) => new Station(capture(lan.port(), writer, clock, name)));
    stations[1].send(etherFrame({ from: macOf(1) }));
    expect(
      readPcapng(sink.toBytes()).packets.map(({ interfaceId, options }) => [interfaceId, options.get(2)![0]]),
    ).toEqual([
      [1, 2],
      [0, 1],
      [2, 1],
    ]);
  });
});

const tshark = (() => {
  try {
    return /TShark/.test(
      execFileSync('tshark', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    );
  } catch {
    return false;
  }
})();

describe('a capture file', () => {
  it('reads as written, and tshark (where installed) reads it without complaint', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vmloom-net-'));
    try {
      const path = join(folder, 'lan.pcapng');
      const sink = new FileSink(path);
      const writer = new PcapngWriter(sink, { startTime: 1_700_000_000 });
      const clock = new Clock();
      const lan = new Switch({ clock });
      const stations = [0, 1, 2].map(
        (index) => new Station(capture(lan.port(), writer, clock, `nic${index}`)),
      );
      const random = new Random(5);
      for (let index = 0; index < 300; index++) {
        clock.runUntil(index * 1_234_567);
        stations[index % 3].send(randomFrame(random, 3));
      }
      sink.close();
      const { packets, interfaces } = readPcapng(readFileSync(path));
      expect(interfaces).toHaveLength(3);
      expect(packets.length).toBeGreaterThan(450);
      if (!tshark) return;
      const [first] = packets;
      const output = execFileSync(
        'tshark',
        [
          '-n',
          '-r',
          path,
          '-T',
          'fields',
          '-e',
          'frame.time_epoch',
          '-e',
          'frame.len',
          '-e',
          'frame.interface_name',
          '-e',
          'frame.packet_flags_direction',
        ],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
      );
      const lines = output.trim().split('\n');
      expect(lines).toHaveLength(packets.length);
      expect(lines[0].split('\t').slice(0, 3)).toEqual([
        '1700000000.000000000',
        String(first.originalLength),
        'nic0',
      ]);
      expect(lines.at(-1)).toMatch(/^1700000000\.369135533\t/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('a path that cannot be written is a NetError', () => {
    expect(() => new FileSink(join(tmpdir(), 'no', 'such', 'folder', 'x'))).toThrow(
      expect.objectContaining({ name: 'NetError', code: 'bad-capture' }),
    );
  });
});
