import { Clock, decodeSnapshot, encodeSnapshot } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { FakeLine, UartDriver } from './testing/index.js';
import { Uart16550, type Uart16550Options } from './uart-16550.js';
import {
  IER_LINE_STATUS,
  IER_MODEM_STATUS,
  IER_RECEIVED_DATA,
  IER_THR_EMPTY,
  IIR_CHARACTER_TIMEOUT,
  IIR_FIFOS_ENABLED,
  IIR_LINE_STATUS,
  IIR_MODEM_STATUS,
  IIR_NONE,
  IIR_RECEIVED_DATA,
  IIR_THR_EMPTY,
  LCR_BREAK,
  LCR_DLAB,
  LSR_BREAK,
  LSR_DATA_READY,
  LSR_FIFO_ERROR,
  LSR_FRAMING_ERROR,
  LSR_OVERRUN,
  LSR_PARITY_ERROR,
  LSR_THR_EMPTY,
  LSR_TRANSMITTER_EMPTY,
  MCR_DTR,
  MCR_LOOP,
  MCR_OUT1,
  MCR_OUT2,
  MCR_RTS,
  MSR_CTS,
  MSR_DCD,
  MSR_DELTA_CTS,
  MSR_DELTA_DCD,
  MSR_DELTA_DSR,
  MSR_DSR,
  MSR_RI,
  MSR_TRAILING_RI,
  UART_DATA,
  UART_FCR,
  UART_IER,
  UART_LCR,
  UART_LSR,
  UART_MCR,
  UART_SCR,
} from './uart-registers.js';

const EIGHT_BITS = 3;
const IDLE = LSR_THR_EMPTY | LSR_TRANSMITTER_EMPTY;

function make(options: Partial<Uart16550Options> = {}) {
  const clock = new Clock();
  const line = new FakeLine();
  const sent: number[] = [];
  const uart = new Uart16550({ clock, line, output: (byte) => sent.push(byte), ...options });
  const driver = new UartDriver(uart);
  driver.lineControl = EIGHT_BITS;
  return { clock, line, sent, uart, driver, text: () => String.fromCharCode(...sent) };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('registers', () => {
  it('PC16550D table I: master reset values', () => {
    const { uart, driver } = make();
    driver.enableFifos();
    driver.interruptEnable = 0xf;
    uart.reset();
    expect(driver.read(UART_IER)).toBe(0);
    expect(driver.identification).toBe(IIR_NONE);
    expect(driver.read(UART_LCR)).toBe(0);
    expect(driver.read(UART_MCR)).toBe(0);
    expect(driver.lineStatus).toBe(IDLE);
  });

  it('PC16550D 8.1 LCR bit 7: DLAB turns offsets 0 and 1 into the divisor latch', () => {
    const { driver, sent } = make();
    driver.interruptEnable = IER_RECEIVED_DATA;
    driver.lineControl = LCR_DLAB | EIGHT_BITS;
    driver.write(UART_DATA, 0x34);
    driver.write(UART_IER, 0x12);
    expect([driver.read(UART_DATA), driver.read(UART_IER)]).toEqual([0x34, 0x12]);
    driver.lineControl = EIGHT_BITS;
    expect(sent).toEqual([]);
    expect(driver.read(UART_IER)).toBe(IER_RECEIVED_DATA);
  });

  it('PC16550D 8.1 LCR 1:0: a word of 5 bits is what is sent and received', () => {
    const { driver, sent, uart } = make();
    driver.lineControl = 0;
    driver.write(UART_DATA, 0xff);
    uart.receive(Uint8Array.of(0xff));
    expect(sent).toEqual([0x1f]);
    expect(driver.read(UART_DATA)).toBe(0x1f);
  });

  it('eightBits: the line carries eight bits whatever the word length, as on the virt board', () => {
    const sent: number[] = [];
    const uart = new Uart16550({ clock: new Clock(), eightBits: true, output: (byte) => sent.push(byte) });
    uart.write(0, 1, 0xe9);
    uart.receive(Uint8Array.of(0xe9));
    expect(sent).toEqual([0xe9]);
    expect(uart.read(0, 1)).toBe(0xe9);
  });

  it('PC16550D 8.7 IER 7:4 and 8.8 MCR 7:5 are always 0, SCR holds anything', () => {
    const { driver } = make();
    driver.interruptEnable = 0xf0;
    driver.modemControl = 0xe0;
    driver.scratch = 0xa5;
    expect([driver.read(UART_IER), driver.read(UART_MCR), driver.read(UART_SCR)]).toEqual([0, 0, 0xa5]);
  });

  it('PC16550D 8.4: writing LSR changes nothing', () => {
    const { driver } = make();
    driver.write(UART_LSR, 0);
    expect(driver.lineStatus).toBe(IDLE);
  });

  it('offsets behind the registers read 0 and ignore writes', () => {
    const { driver } = make();
    driver.write(0x20, 0xff);
    expect(driver.read(0x20)).toBe(0);
  });
});

describe('transmitter', () => {
  it('never blocks: ten thousand bytes leave, in order, with THR empty after each', () => {
    const { driver, sent } = make();
    let busy = 0;
    for (let index = 0; index < 10_000; index++) {
      driver.write(UART_DATA, index & 0xff);
      if ((driver.lineStatus & LSR_THR_EMPTY) === 0) busy++;
    }
    expect(busy).toBe(0);
    expect(sent).toEqual(Array.from({ length: 10_000 }, (_, index) => index & 0xff));
  });

  it('PC16550D 8.6: the THR empty interrupt is cleared by reading IIR while it is the cause', () => {
    const { driver, line } = make();
    driver.interruptEnable = IER_THR_EMPTY;
    expect(line.level).toBe(true);
    expect(driver.identification).toBe(IIR_THR_EMPTY);
    expect(line.level).toBe(false);
    driver.send('x');
    expect(line.level).toBe(true);
  });

  it('PC16550D table IV: reading IIR leaves the THR empty interrupt alone while a higher cause shows', () => {
    const { driver, uart } = make();
    driver.interruptEnable = IER_THR_EMPTY | IER_RECEIVED_DATA;
    uart.receive(bytes('a'));
    expect(driver.identification).toBe(IIR_RECEIVED_DATA);
    expect(driver.read(UART_DATA)).toBe(0x61);
    expect(driver.identification).toBe(IIR_THR_EMPTY);
    expect(driver.identification).toBe(IIR_NONE);
  });

  it('interruptCompleted: an empty transmitter is told once, until a byte is sent or the interrupt enabled again', () => {
    const line = new FakeLine();
    const uart = new Uart16550({ clock: new Clock(), line });
    const driver = new UartDriver(uart);
    driver.write(UART_IER, IER_THR_EMPTY | IER_RECEIVED_DATA);
    expect(line.level).toBe(true);
    uart.interruptCompleted();
    expect(line.level).toBe(false);
    expect(driver.identification & 0xf).toBe(IIR_THR_EMPTY);
    driver.write(UART_DATA, 0x41);
    expect(line.level).toBe(true);
    uart.interruptCompleted();
    uart.receiveCharacter(0x42);
    uart.interruptCompleted();
    expect(line.level, 'another cause keeps its level').toBe(true);
  });
});

describe('receiver', () => {
  it('PC16550D 8.4 LSR bit 0: data ready until the character is read', () => {
    const { driver, uart } = make();
    expect(uart.receive(bytes('a'))).toBe(1);
    expect(driver.lineStatus).toBe(IDLE | LSR_DATA_READY);
    expect(driver.receive()).toBe('a');
    expect(driver.lineStatus).toBe(IDLE);
  });

  it('receive is bounded: one character without FIFOs, 16 with them, and word of room follows', () => {
    const { driver, uart, clock } = make();
    let ready = 0;
    uart.onReceiveReady = () => ready++;
    expect(uart.receive(bytes('abc'))).toBe(1);
    driver.enableFifos();
    clock.runUntil(1e9);
    expect(ready).toBe(1);
    expect(uart.receive(new Uint8Array(40))).toBe(16);
    expect(ready).toBe(1);
    driver.receive();
    expect(ready).toBe(1);
    clock.runUntil(2e9);
    expect(ready).toBe(2);
  });

  it('a character that is read while nobody waits for room schedules no event', () => {
    const { driver, uart, clock } = make();
    uart.receive(bytes('a'));
    driver.receive();
    expect(clock.nextEvent).toBe(Infinity);
  });

  it('PC16550D 8.4 LSR bit 1: without FIFOs an overrun replaces the character; reading LSR clears the bit', () => {
    const { driver, uart, line } = make();
    driver.interruptEnable = IER_LINE_STATUS;
    uart.receiveCharacter(0x41);
    uart.receiveCharacter(0x42);
    expect(driver.identification).toBe(IIR_LINE_STATUS);
    expect(driver.lineStatus).toBe(IDLE | LSR_DATA_READY | LSR_OVERRUN);
    expect(line.level).toBe(false);
    expect(driver.lineStatus).toBe(IDLE | LSR_DATA_READY);
    expect(driver.receive()).toBe('B');
  });

  it('PC16550D 8.4 LSR bit 1: with FIFOs an overrun loses the new character and keeps the FIFO', () => {
    const { driver, uart } = make();
    driver.enableFifos();
    for (let index = 0; index < 17; index++) uart.receiveCharacter(0x61 + index);
    expect(driver.lineStatus & LSR_OVERRUN).toBe(LSR_OVERRUN);
    expect(driver.receive()).toBe('abcdefghijklmnop');
  });

  it('PC16550D 8.4 LSR 4:2: errors show when their character is on top, bit 7 while one is in the FIFO', () => {
    const { driver, uart } = make();
    driver.enableFifos();
    uart.receiveCharacter(0x61);
    uart.receiveCharacter(0x62, LSR_PARITY_ERROR | LSR_FRAMING_ERROR);
    uart.receiveCharacter(0, LSR_BREAK);
    expect(driver.lineStatus).toBe(IDLE | LSR_DATA_READY | LSR_FIFO_ERROR);
    driver.read(UART_DATA);
    expect(driver.lineStatus).toBe(
      IDLE | LSR_DATA_READY | LSR_PARITY_ERROR | LSR_FRAMING_ERROR | LSR_FIFO_ERROR,
    );
    driver.read(UART_DATA);
    expect(driver.lineStatus).toBe(IDLE | LSR_DATA_READY | LSR_BREAK | LSR_FIFO_ERROR);
    expect(driver.lineStatus).toBe(IDLE | LSR_DATA_READY);
  });

  it('PC16550D 8.5 FCR 7:6: the received data interrupt comes at the trigger level', () => {
    for (const [trigger, level] of [1, 4, 8, 14].entries()) {
      const { driver, uart, line } = make();
      driver.enableFifos(trigger);
      driver.interruptEnable = IER_RECEIVED_DATA;
      for (let count = 1; count <= level; count++) {
        expect(line.level).toBe(false);
        uart.receive(bytes('x'));
      }
      expect(driver.identification).toBe(IIR_RECEIVED_DATA | IIR_FIFOS_ENABLED);
      driver.read(UART_DATA);
      expect(line.level).toBe(false);
    }
  });

  it('PC16550D 8.11: four silent character times below the trigger level raise the time-out', () => {
    const { driver, uart, line, clock } = make();
    driver.setFormat(2, EIGHT_BITS);
    driver.enableFifos(3);
    driver.interruptEnable = IER_RECEIVED_DATA;
    uart.receive(bytes('ab'));
    // 10 bits at 3,686,400 / 16 / 2 baud.
    expect(uart.characterTime).toBe(Math.ceil((10 * 32 * 1e9) / 3_686_400));
    clock.runUntil(3 * uart.characterTime);
    uart.receive(bytes('c'));
    clock.runUntil(7 * uart.characterTime - 1);
    expect(line.level).toBe(false);
    clock.runUntil(7 * uart.characterTime);
    expect(driver.identification).toBe(IIR_CHARACTER_TIMEOUT | IIR_FIFOS_ENABLED);
    driver.read(UART_DATA);
    expect(line.level).toBe(false);
    clock.runUntil(11 * uart.characterTime);
    expect(line.level).toBe(true);
    driver.receive();
    clock.runUntil(20 * uart.characterTime);
    expect(line.level).toBe(false);
  });

  it('PC16550D 8.5 FCR: a reset bit empties the receiver, changing FCR0 empties it too, other bits need FCR0', () => {
    const { driver, uart } = make();
    driver.enableFifos();
    uart.receive(bytes('abc'));
    driver.enableFifos();
    expect(driver.receive()).toBe('');
    uart.receive(bytes('abc'));
    driver.write(UART_FCR, 0xc0);
    expect(driver.receive()).toBe('');
    expect(driver.identification & IIR_FIFOS_ENABLED).toBe(0);
  });

  it('reading an empty receiver gives 0 and is harmless', () => {
    expect(make().driver.read(UART_DATA)).toBe(0);
  });
});

describe('interrupts', () => {
  it('PC16550D table IV: line status, received data, THR empty, modem status, in this order', () => {
    const { driver, uart, line } = make();
    driver.interruptEnable = 0xf;
    uart.receiveCharacter(0x61, LSR_PARITY_ERROR);
    uart.setModemInputs(0);
    expect(driver.identification).toBe(IIR_LINE_STATUS);
    expect(driver.lineStatus & LSR_PARITY_ERROR).toBe(LSR_PARITY_ERROR);
    expect(driver.identification).toBe(IIR_RECEIVED_DATA);
    driver.read(UART_DATA);
    expect(driver.identification).toBe(IIR_THR_EMPTY);
    expect(driver.identification).toBe(IIR_MODEM_STATUS);
    expect(line.level).toBe(true);
    expect(driver.modemStatus).toBe(MSR_DELTA_CTS | MSR_DELTA_DSR | MSR_DELTA_DCD);
    expect(driver.identification).toBe(IIR_NONE);
    expect(line.level).toBe(false);
  });

  it('an interrupt that is not enabled neither shows in IIR nor raises the line', () => {
    const { driver, uart, line } = make();
    uart.receiveCharacter(0x61, LSR_PARITY_ERROR);
    expect(driver.identification).toBe(IIR_NONE);
    expect(line.level).toBe(false);
    driver.interruptEnable = IER_RECEIVED_DATA;
    expect(line.level).toBe(true);
  });

  it('interruptNeedsOut2 gates the line by MCR.OUT2, as PC boards do; the virt board does not', () => {
    const gated = make({ interruptNeedsOut2: true });
    gated.driver.interruptEnable = IER_THR_EMPTY;
    expect(gated.line.level).toBe(false);
    gated.driver.modemControl = MCR_OUT2;
    expect(gated.line.level).toBe(true);
  });
});

describe('modem', () => {
  it('PC16550D 8.9: deltas are set by changes and cleared by reading MSR; RI counts on its trailing edge', () => {
    const { driver, uart } = make();
    expect(driver.modemStatus).toBe(MSR_CTS | MSR_DSR | MSR_DCD);
    uart.setModemInputs(MSR_CTS | MSR_DSR | MSR_DCD | MSR_RI);
    expect(driver.modemStatus).toBe(MSR_CTS | MSR_DSR | MSR_DCD | MSR_RI);
    uart.setModemInputs(MSR_CTS);
    expect(driver.modemStatus).toBe(MSR_CTS | MSR_DELTA_DSR | MSR_DELTA_DCD | MSR_TRAILING_RI);
    expect(driver.modemStatus).toBe(MSR_CTS);
  });

  it('PC16550D 8.8 MCR bit 4: loopback joins outputs to inputs and lets the pins go inactive', () => {
    const { driver, uart } = make();
    driver.modemControl = MCR_DTR | MCR_OUT1;
    expect(uart.modemOutputs).toBe(MCR_DTR | MCR_OUT1);
    for (const [output, input] of [
      [MCR_RTS, MSR_CTS],
      [MCR_DTR, MSR_DSR],
      [MCR_OUT1, MSR_RI],
      [MCR_OUT2, MSR_DCD],
    ] as const) {
      driver.modemControl = MCR_LOOP | output;
      expect(driver.modemStatus & 0xf0).toBe(input);
      expect(uart.modemOutputs).toBe(0);
    }
  });

  it('PC16550D 8.8 MCR bit 4: in loopback data comes back, nothing leaves, the input is disconnected', () => {
    const { driver, uart, sent } = make();
    driver.enableFifos();
    driver.modemControl = MCR_LOOP;
    driver.send('hello');
    expect(uart.receive(bytes('x'))).toBe(0);
    uart.receiveCharacter(0x78);
    expect(driver.receive()).toBe('hello');
    expect(sent).toEqual([]);
  });

  it('PC16550D 8.8: in loopback interrupts work, and too many characters overrun', () => {
    const { driver, line } = make();
    driver.enableFifos();
    driver.modemControl = MCR_LOOP;
    driver.interruptEnable = IER_LINE_STATUS;
    driver.send('0123456789abcdef');
    expect(line.level).toBe(false);
    driver.send('g');
    expect(driver.identification).toBe(IIR_LINE_STATUS | IIR_FIFOS_ENABLED);
    expect(driver.lineStatus & LSR_OVERRUN).toBe(LSR_OVERRUN);
  });

  it('PC16550D 8.1 LCR bit 6: a break in loopback is one zero character with LSR.BI', () => {
    const { driver } = make();
    driver.modemControl = MCR_LOOP;
    driver.lineControl = EIGHT_BITS | LCR_BREAK;
    expect(driver.lineStatus).toBe(IDLE | LSR_DATA_READY | LSR_BREAK);
    expect(driver.read(UART_DATA)).toBe(0);
    expect(driver.lineStatus).toBe(IDLE);
  });

  it('input that was refused in loopback is asked for again when loopback ends', () => {
    const { driver, uart, clock } = make();
    let ready = 0;
    uart.onReceiveReady = () => ready++;
    driver.modemControl = MCR_LOOP;
    uart.receive(bytes('x'));
    clock.runUntil(1e9);
    expect(ready).toBe(0);
    driver.modemControl = 0;
    clock.runUntil(2e9);
    expect(ready).toBe(1);
  });
});

it('the modem status interrupt follows its enable bit', () => {
  const { driver, uart, line } = make();
  uart.setModemInputs(0);
  expect(line.level).toBe(false);
  driver.interruptEnable = IER_MODEM_STATUS;
  expect(driver.identification).toBe(IIR_MODEM_STATUS);
});

it('a snapshot with characters, a pending interrupt and a time-out in flight goes on where it was', () => {
  const first = make();
  first.driver.setFormat(3, EIGHT_BITS);
  first.driver.enableFifos(2);
  first.driver.interruptEnable = IER_RECEIVED_DATA;
  first.uart.receive(bytes('0123456789abcdefgh'));
  for (let count = 0; count < 14; count++) first.driver.read(UART_DATA);
  const saved = encodeSnapshot(first.uart.save());
  const clockSaved = encodeSnapshot(first.clock.save());

  const second = make();
  let ready = 0;
  second.uart.onReceiveReady = () => ready++;
  second.clock.restore(decodeSnapshot(clockSaved));
  second.uart.restore(decodeSnapshot(saved));
  expect(encodeSnapshot(second.uart.save())).toBe(saved);
  expect(second.line.level).toBe(false);
  second.clock.runUntil(4 * second.uart.characterTime);
  expect(second.line.level).toBe(true);
  expect(ready).toBe(1);
  expect(second.driver.receive()).toBe('ef');
});

it('hostile: any sequence of register accesses keeps the registers in their masks and ends', () => {
  const { uart, clock, driver } = make();
  let state = 12345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  let widest = 0;
  for (let step = 0; step < 20_000; step++) {
    const offset = random(10);
    if (random(2) === 0) uart.write(offset, 1, random(256));
    else widest = Math.max(widest, uart.read(offset, 1));
    if (random(8) === 0) uart.receive(bytes('input'));
    if (random(16) === 0) uart.receiveCharacter(random(256), random(256));
    if (random(64) === 0) clock.runUntil(clock.now + random(1_000_000));
  }
  expect(widest).toBeLessThan(256);
  driver.lineControl = EIGHT_BITS;
  expect(driver.read(UART_IER) & 0xf0).toBe(0);
  expect(driver.read(UART_MCR) & 0xe0).toBe(0);
  uart.reset();
  clock.runUntil(clock.now + 1e12);
  expect(clock.nextEvent).toBe(Infinity);
});
