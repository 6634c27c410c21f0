import { E1000 } from '@vmloom/e1000';
import { bootArgs, guestImage } from '@vmloom/guest';
import { createMachine, World, type Machine } from '@vmloom/machine';
import { capture, PcapngWriter, Switch, UserNat, type Port } from '@vmloom/net';
import { FileSink, HostNetwork } from '@vmloom/net/node';
import { createSocket, type Socket } from 'node:dgram';
import { resolve } from 'node:path';
import { CliError } from '../error.js';
import { table } from '../run/info.js';

const CAPTURE = 'vmloom-demo.pcapng';
const STREAM_PACKETS = 20_000;
const STREAM_SIZE = 1472;
/** Virtual nanoseconds that the demo may take. */
const PATIENCE = 120e9;
const PROGRESS_EVERY = 500;

interface Guest {
  readonly machine: Machine;
  readonly nic: E1000;
}

/**
 * `vmloom demo`: alice and bob on a switch, carol behind a NAT; ping, a UDP stream, and a datagram to a real
 * socket of this host and back. Shows progress, then what it cost, then where the capture lies.
 */
export async function demo(argv: readonly string[], out: NodeJS.WriteStream): Promise<number> {
  if (argv.length > 0) throw new CliError('the demo takes no arguments');
  const began = performance.now();
  const world = new World();
  const { clock, ledger } = world;
  const echo = await echoServer();
  const sink = new FileSink(CAPTURE);
  const writer = new PcapngWriter(sink);
  const lan = world.add(new Switch({ name: 'lan', clock, ledger }));
  const nat = world.add(
    new UserNat({ name: 'nat', clock, ledger, io: world.outside, outside: new HostNetwork() }),
  );
  const kernel = await guestImage('tiny');
  let address = 0x10;
  const guest = async (name: string, wire: Port, ip: string, cmd: readonly string[]): Promise<Guest> => {
    const bootArguments = bootArgs({ ip, quiet: true, cmd: [...cmd, 'poweroff'] });
    const machine = await createMachine({ name, world, kernel, bootArguments, memory: '32MiB' });
    const mac = `52:54:00:76:6d:${(address++).toString(16)}`;
    const port = capture(wire, writer, clock, `${name}.eth0`);
    return { machine, nic: machine.pcie.plug(new E1000({ port, mac })) };
  };
  const stream = `udp-stream -n ${STREAM_PACKETS} -s ${STREAM_SIZE} -t 60000 10.0.0.2`;
  const guests = [
    await guest('alice', lan.port({ name: 'lan.alice' }), '10.0.0.1/24', [
      'wait-link',
      'ping -c 3 -i 100 10.0.0.2',
      stream,
    ]),
    await guest('bob', lan.port({ name: 'lan.bob' }), '10.0.0.2/24', ['wait-link', 'udp-sink -w -t 60000']),
    await guest('carol', nat.port, 'dhcp', [
      'ip',
      'ping -c 3 -i 100 10.0.2.2',
      `udp-send -t 3000 10.0.2.2 ${echo.address().port} 'hello from carol'`,
    ]),
  ];
  for (const { machine } of guests) show(machine, out);
  for (const { machine } of guests) machine.powerOn();
  const progress = setInterval(() => out.write(`${progressLine(world, guests)}\n`), PROGRESS_EVERY);
  void Promise.all(guests.map(({ machine }) => machine.exited)).then(() => world.stop());
  try {
    await world.run({ until: PATIENCE });
  } finally {
    clearInterval(progress);
    nat.close();
    echo.close();
    sink.close();
  }
  out.write(`${progressLine(world, guests)}\n\n${report(guests)}\n\n`);
  out.write(
    `${((performance.now() - began) / 1000).toFixed(1)} s in all. Every frame: ${resolve(CAPTURE)}\n`,
  );
  const failure = firstFailure(guests);
  if (failure === undefined) return 0;
  throw new CliError(failure);
}

/** A UDP socket of this host that sends back what comes. */
async function echoServer(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, peer) => socket.send(bytes, peer.port, peer.address));
  await new Promise<void>((listening) => socket.bind(0, '127.0.0.1', listening));
  return socket;
}

/** Prints each line of the guest's console under its name. */
function show({ name, console }: Machine, out: NodeJS.WriteStream): void {
  const decoder = new TextDecoder();
  let line = '';
  console.onOutput = (bytes) => {
    for (const character of decoder.decode(bytes, { stream: true })) {
      if (character !== '\n') line += character;
      else {
        out.write(`${name.padEnd(6)}| ${line.trimEnd()}\n`);
        line = '';
      }
    }
  };
}

function progressLine(world: World, guests: readonly Guest[]): string {
  const instructions = guests.reduce((sum, { machine }) => sum + machine.retired, 0);
  const frames = guests.reduce((sum, { nic }) => sum + count(nic, 'tx', 'packets'), 0);
  const seconds = (world.clock.now / 1e9).toFixed(2);
  return `      .. ${seconds} s of virtual time, ${millions(instructions)} M instructions, ${frames} frames`;
}

function report(guests: readonly Guest[]): string {
  const rows = guests.map(({ machine, nic }) => {
    const sent = count(nic, 'tx', 'packets');
    const received = count(nic, 'rx', 'packets');
    const exits = machine.world.ledger.select({ owner: machine.name, event: 'exit' });
    const perReason = exits.filter(({ value }) => value > 0).map(({ reason, value }) => `${reason} ${value}`);
    return [
      machine.name,
      String(sent),
      String(received),
      String(count(nic, 'interrupt', 'raised')),
      String(count(nic, 'doorbell', 'TDT') + count(nic, 'doorbell', 'RDT')),
      String(count(nic, 'copy', 'bytes')),
      (machine.retired / Math.max(1, sent + received)).toFixed(0),
      perReason.join(', '),
    ];
  });
  const head = [
    'machine',
    'sent',
    'received',
    'interrupts',
    'doorbells',
    'bytes copied',
    'instructions/packet',
  ];
  return table([...head, 'exits by reason'], rows, [1, 2, 3, 4, 5, 6]);
}

/** What went otherwise than it must; undefined when all is well. */
function firstFailure(guests: readonly Guest[]): string | undefined {
  const expected: readonly (readonly [string, RegExp])[] = [
    ['alice', /3 sent, 3 received/],
    ['alice', new RegExp(`${STREAM_PACKETS} delivered, 0 lost`)],
    ['bob', new RegExp(`${STREAM_PACKETS} packets`)],
    ['carol', /10\.0\.2\.15/],
    ['carol', /3 sent, 3 received/],
    ['carol', /hello from carol/],
  ];
  for (const { machine } of guests) {
    if (machine.exit?.reason !== 'power-off') return `${machine.name} did not power off in time`;
    for (const [name, pattern] of expected) {
      if (name === machine.name && !pattern.test(machine.console.text)) {
        return `${name}'s console does not show ${String(pattern)}`;
      }
    }
  }
  return undefined;
}

function count(nic: E1000, event: string, reason: string): number {
  return nic.context?.ledger.counter(nic.name, event, reason).value ?? 0;
}

const millions = (value: number): string => (value / 1e6).toFixed(0);
