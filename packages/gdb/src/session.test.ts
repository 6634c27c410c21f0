import { describe, expect, it } from 'vitest';
import { bytesOf, toHex } from './hex.js';
import { framed } from './packet.js';
import { GdbSession, type MonitorCommand } from './session.js';
import { FakeTarget, GdbClient } from './testing/index.js';

function connect(monitor?: MonitorCommand) {
  const target = new FakeTarget();
  let closed = 0;
  const session: GdbSession = new GdbSession({
    target,
    send: (bytes) => client.receive(bytes),
    close: () => void closed++,
    ...(monitor === undefined ? {} : { monitor }),
  });
  const client: GdbClient = new GdbClient((bytes) => session.receive(bytes));
  return { target, client, session, closed: () => closed };
}

const text = (line: string): string => toHex(bytesOf(line));

describe('a session (GDB manual, appendix E)', () => {
  it('attaches, and ? says why the target stands', async () => {
    const { client, target } = connect();
    expect(target.log).toEqual(['attach']);
    expect(await client.ask('?')).toBe('T05thread:1;');
  });

  it('qSupported names what there is', async () => {
    const { client } = connect();
    const features = (await client.ask('qSupported:multiprocess+;swbreak+')).split(';');
    expect(features).toContain('PacketSize=4000');
    expect(features).toContain('qXfer:features:read+');
    expect(features).toContain('vContSupported+');
    expect(await client.ask('vCont?')).toBe('vCont;c;C;s;S;t');
  });

  it('E.1: packets are acknowledged until QStartNoAckMode', async () => {
    const { client } = connect();
    await client.ask('qC');
    expect(client.raw).toBe('+$QC1#c5');
    await client.ask('QStartNoAckMode');
    client.raw = '';
    await client.ask('qC');
    expect(client.raw).toBe('$QC1#c5');
  });

  it('E.1: a bad packet is answered with -, and - brings the last packet again', async () => {
    const { client, session } = connect();
    client.sendRaw('$qC#00');
    expect(client.raw).toBe('-');
    await client.ask('qC');
    client.raw = '';
    client.sendRaw('-');
    await session.settled();
    expect(client.raw).toBe('$QC1#c5');
  });

  it('g, G, p, P: registers, least significant byte first', async () => {
    const { client, target } = connect();
    target.registers.set(1001, 0x1122334455667788n);
    const all = await client.ask('g');
    expect(all.length).toBe(65 * 16);
    expect(all.slice(16, 32)).toBe('8877665544332211');
    expect(await client.ask('p1')).toBe('8877665544332211');
    expect(await client.ask('p42')).toBe('00000000');
    expect(await client.ask('P2=0100000000000080')).toBe('OK');
    expect(target.registers.get(1002)).toBe(0x8000000000000001n);
    expect(await client.ask(`G${'0a00000000000000'.repeat(33)}`)).toBe('OK');
    expect(target.registers.get(1032)).toBe(10n);
  });

  it('m, M, X: memory', async () => {
    const { client, target } = connect();
    expect(await client.ask('M1000,3:0a0b0c')).toBe('OK');
    expect(await client.ask('m1000,4')).toBe('0a0b0c00');
    const data = Uint8Array.of(0x23, 0x24, 0x7d, 0x2a, 0x03, 0xff);
    expect(await client.ask(Uint8Array.of(...bytesOf('X1004,6:'), ...data))).toBe('OK');
    expect([...target.memory.subarray(4, 10)]).toEqual([...data]);
    expect(await client.ask('X1000,0:')).toBe('OK');
    expect(await client.ask('m1fff,ffffffff')).toBe('00');
  });

  it('H, T, qC, qfThreadInfo, qThreadExtraInfo: harts are threads', async () => {
    const { client, target } = connect();
    target.registers.set(2001, 7n);
    expect(await client.ask('qfThreadInfo')).toBe('m1,2');
    expect(await client.ask('qsThreadInfo')).toBe('l');
    expect(await client.ask('T2')).toBe('OK');
    expect(await client.ask('T3')).toBe('E03');
    expect(await client.ask('Hg2')).toBe('OK');
    expect(await client.ask('p1')).toBe('0700000000000000');
    expect(await client.ask('qC')).toBe('QC2');
    expect(await client.ask('qThreadExtraInfo,2')).toBe(text('thread 2'));
    expect(await client.ask('qAttached')).toBe('1');
  });

  it('Z0 to Z4: breakpoints, watchpoints of stores, of loads, and of both', async () => {
    const { client, target } = connect();
    for (const point of [
      'Z0,80000000,2',
      'z0,80000000,2',
      'Z1,80000000,4',
      'z1,80000000,4',
      'Z2,1000,8',
      'z2,1000,8',
      'Z3,1000,4',
      'z3,1000,4',
      'Z4,1000,2',
      'z4,1000,2',
    ]) {
      expect(await client.ask(point)).toBe('OK');
    }
    expect(target.log.slice(1)).toEqual([
      'break 80000000',
      'no break 80000000',
      'hardware break 80000000',
      'no hardware break 80000000',
      'watch store 1 1000 8',
      'no watch store 1000 8',
      'watch load 1 1000 4',
      'no watch load 1000 4',
      'watch both 1 1000 2',
      'no watch both 1000 2',
    ]);
    for (const point of ['Z2,0,8', 'Z3,0,8', 'Z4,0,8']) expect(await client.ask(point)).toBe('E14');
  });

  it('vCont, c, s: the target goes, and the answer is the next stop', async () => {
    const { client, target, session } = connect();
    await client.ask('qSupported:swbreak+;hwbreak+');
    client.send('vCont;s:2;c');
    await session.settled();
    expect(client.unread).toEqual([]);
    target.stop({ kind: 'stepped', thread: 2 });
    expect(await client.next()).toBe('T05thread:2;');
    client.send('c');
    await session.settled();
    target.stop({ kind: 'breakpoint', thread: 1, hardware: false });
    expect(await client.next()).toBe('T05thread:1;swbreak:;');
    client.send('s80000000');
    await session.settled();
    expect(target.registers.get(1032)).toBe(0x80000000n);
    target.stop({ kind: 'watchpoint', thread: 2, address: 0xffff_ffff_8000_1000n, watched: 'store' });
    expect(await client.next()).toBe('T05thread:2;watch:ffffffff80001000;');
    await client.ask('Hc1');
    client.send('C05');
    await session.settled();
    target.stop({ kind: 'breakpoint', thread: 1, hardware: true });
    expect(await client.next()).toBe('T05thread:1;hwbreak:;');
    client.send('vCont;c');
    await session.settled();
    target.stop({ kind: 'exited', code: 3 });
    expect(await client.next()).toBe('W03');
    expect(target.log.filter((line) => line.startsWith('resume'))).toEqual([
      'resume run step',
      'resume run run',
      'resume step run',
      'resume run stay',
      'resume run run',
    ]);
  });

  it.each([
    ['load', 'rwatch'],
    ['both', 'awatch'],
  ] as const)('GDB E.3: a watchpoint of %s is %s in a stop reply', async (watched, reason) => {
    const { client, target, session } = connect();
    client.send('c');
    await session.settled();
    target.stop({ kind: 'watchpoint', thread: 1, address: 0x1000n, watched });
    expect(await client.next()).toBe(`T05thread:1;${reason}:1000;`);
  });

  it('Ctrl-C stops a running target; a packet for a standing one has to wait for that', async () => {
    const { client } = connect();
    client.send('vCont;c');
    expect(await client.ask('g')).toBe('E16');
    client.interrupt();
    expect(await client.next()).toBe('T02thread:1;');
    client.interrupt();
    expect(await client.ask('qC')).toBe('QC1');
  });

  it('qXfer:features:read hands out target.xml in parts', async () => {
    const { client, target } = connect();
    expect(await client.ask('qXfer:features:read:target.xml:0,8')).toBe(`m${target.description.slice(0, 8)}`);
    expect(await client.ask('qXfer:features:read:target.xml:8,100')).toBe(`l${target.description.slice(8)}`);
    expect(await client.ask('qXfer:features:read:target.xml:999,8')).toBe('l');
    expect(await client.ask('qXfer:features:read:other.xml:0,8')).toBe('E00');
  });

  it('qRcmd: output in O packets, then OK; a failure is a sentence', async () => {
    const said = connect((line) =>
      line === 'fail' ? Promise.reject(new Error('no such thing')) : `said ${line}`,
    );
    expect(await said.client.ask(`qRcmd,${text('hello')}`)).toBe(`O${text('said hello\n')}`);
    expect(await said.client.next()).toBe('OK');
    expect(await said.client.ask(`qRcmd,${text('fail')}`)).toBe(`O${text('no such thing\n')}`);
    expect(await said.client.next()).toBe('OK');
    const long = connect(() => 'x'.repeat(10_000));
    expect((await long.client.ask(`qRcmd,${text('x')}`)).length).toBeLessThan(0x4000);
    expect(await connect().client.ask(`qRcmd,${text('x')}`)).toBe('');
  });

  it('D detaches and k kills; the connection ends, and its end is a detach', async () => {
    const first = connect();
    expect(await first.client.ask('D')).toBe('OK');
    expect([first.target.log.at(-1), first.closed()]).toEqual(['detach', 1]);
    const second = connect();
    second.client.send('k');
    await second.session.settled();
    expect([second.target.log.at(-1), second.closed()]).toEqual(['kill', 1]);
    second.session.end();
    expect(second.target.log.at(-1)).toBe('kill');
    const third = connect();
    third.session.end();
    third.session.end();
    expect(third.target.log).toEqual(['attach', 'detach']);
  });

  it.each([
    ['!', ''],
    ['vMustReplyEmpty', ''],
    ['qSymbol::', ''],
    ['bogus', ''],
    ['', ''],
    ['m', 'E22'],
    ['m1000', 'E22'],
    ['mzz,4', 'E22'],
    ['m10000000000000000,4', 'E22'],
    ['m0,4', 'E14'],
    ['M1000,2:0a', 'E22'],
    ['M1000,1:0g', 'E22'],
    ['M0,1:00', 'E14'],
    ['M1000,ffffffffffffffff:00', 'E22'],
    ['X1000', 'E22'],
    ['X1000,5:ab', 'E22'],
    ['p', 'E22'],
    ['pffff', 'E22'],
    ['pfffffffff', 'E22'],
    ['P1', 'E22'],
    ['P1=', 'E22'],
    ['P1=112233445566778899', 'E22'],
    ['Pffff=00', 'E14'],
    ['G12', 'E22'],
    [`G${'00'.repeat(65 * 8 + 8)}`, 'E22'],
    ['Z', 'E22'],
    ['Z0', 'E22'],
    ['Z0,zz,2', 'E22'],
    ['Z5,1000,2', 'E22'],
    ['Z2,1000,ffffffff', 'E22'],
    ['Z0,1000,2;X1,0', 'E22'],
    ['H', 'E03'],
    ['Hx1', 'E22'],
    ['Hg9', 'E03'],
    ['T', 'E03'],
    ['T-1', 'E03'],
    ['vCont;', 'E22'],
    ['vCont;q', 'E22'],
    ['vCont;t', 'E22'],
    ['vCont;c:99', 'E22'],
    ['czz', 'E22'],
    ['Czz', 'E22'],
    ['qThreadExtraInfo,', 'E03'],
    ['qRcmd,0', ''],
    ['qXfer:features:read:target.xml', 'E22'],
    ['qXfer:features:read:target.xml:0', 'E22'],
    ['qXfer:features:read:target.xml:-1,5', 'E22'],
  ])('hostile or unknown: "%s" is answered "%s"', async (packet, answer) => {
    expect(await connect().client.ask(packet)).toBe(answer);
  });

  it('any bytes at all are survived, and the session still answers', async () => {
    const { client, session, target } = connect();
    let seed = 1;
    const random = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) >>> 16;
    const letters = bytesOf('?gGpPmMXZzHTcsCSvqQ0123456789abcdef,;:=-');
    for (let round = 0; round < 5000; round++) {
      const length = random() % 24;
      const framedWell = random() % 4 !== 0;
      const data = Uint8Array.from({ length }, () =>
        framedWell ? letters[random() % letters.length] : random() & 0xff,
      );
      client.sendRaw(framedWell ? framed(data) : data);
      client.interrupt();
      await session.settled();
    }
    client.sendRaw('#00');
    target.stopped ??= { kind: 'interrupted', thread: 1 };
    expect(await session.settled()).toBeUndefined();
    while (client.unread.length > 0) await client.next();
    expect(await client.ask('qAttached')).toBe('1');
  });
});
