import { Clock, WiredOr } from '@vmloom/device';
import { AddressSpace, HostMemory, physical } from '@vmloom/memory';
import { Plic, Uart16550 } from '../src/index.js';
import { FakeLine, PlicDriver, UartDriver } from '../src/testing/index.js';

const UART_SOURCE = 10;

/** A key press on its way to a hart: UART, line, PLIC, context. */
export function run() {
  const clock = new Clock();
  const supervisor = new FakeLine(); // where a hart's external interrupt would be

  // Lines are wired-OR: a device holds an input, the controller is at the output.
  const plic = new Plic({ contexts: [supervisor] });
  const wire = new WiredOr();
  plic.connect(UART_SOURCE, wire);

  const output: number[] = [];
  const uart = new Uart16550({ clock, line: wire.input(), output: (byte) => output.push(byte) });

  // A board puts registers at addresses; each device says how wide accesses may be.
  const space = new AddressSpace(new HostMemory({ ram: 4096 }));
  space.mapMmio({
    name: 'uart',
    base: 0x1000_0000,
    size: Uart16550.SIZE,
    handler: uart,
    widths: Uart16550.WIDTHS,
  });

  // The drivers of `./testing` do what a guest's drivers do: registers only.
  const interrupts = new PlicDriver(plic);
  interrupts.setPriority(UART_SOURCE, 1);
  interrupts.enable(UART_SOURCE);
  const serial = new UartDriver(uart);
  serial.setFormat(2, 3); // 115,200 baud, 8 bits
  serial.enableFifos(1); // interrupt at 4 characters, or after a pause
  serial.interruptEnable = 1;

  const taken = uart.receive(new TextEncoder().encode('ls\n'));
  const before = supervisor.level; // three characters are below the trigger level
  clock.runUntil(4 * uart.characterTime); // the character time-out
  const after = supervisor.level;

  const source = interrupts.claim();
  const line = serial.receive();
  interrupts.complete(source);

  space.store(physical(0x1000_0000), 1, 0x24); // a guest's store: '$'
  return {
    taken,
    before,
    after,
    source,
    line,
    done: !supervisor.level,
    output: String.fromCharCode(...output),
  };
}
