import { describe, expect, it } from 'vitest';
import {
  LSR_BREAK,
  LSR_DATA_READY,
  LSR_FIFO_ERROR,
  LSR_FRAMING_ERROR,
  LSR_OVERRUN,
  LSR_PARITY_ERROR,
} from './uart-registers.js';
import { UartReceiver } from './uart-receiver.js';

function make(fifo: boolean): UartReceiver {
  const receiver = new UartReceiver();
  receiver.reset(fifo);
  return receiver;
}

describe('UART receiver', () => {
  it('holds one character, or 16 with the FIFO, in the order of arrival', () => {
    for (const [fifo, capacity] of [
      [false, 1],
      [true, 16],
    ] as const) {
      const receiver = make(fifo);
      let count = 0;
      for (; receiver.hasRoom; count++) receiver.push(count, 0);
      expect(count).toBe(capacity);
      expect(Array.from({ length: capacity + 1 }, () => receiver.shift())).toEqual([
        ...Array.from({ length: capacity }, (_, index) => index),
        undefined,
      ]);
    }
  });

  it('PC16550D 8.4 bit 1: an overrun is told once, and of which character the data is lost depends on the mode', () => {
    const holding = make(false);
    holding.push(1, 0);
    holding.push(2, 0);
    expect([holding.hasError, holding.readStatus(), holding.hasError, holding.shift()]).toEqual([
      true,
      LSR_DATA_READY | LSR_OVERRUN,
      false,
      2,
    ]);
    const fifo = make(true);
    for (let index = 0; index < 18; index++) fifo.push(index, LSR_PARITY_ERROR);
    expect([fifo.length, fifo.shift()]).toEqual([16, 0]);
  });

  it('PC16550D 8.4 bits 4:2, 7: errors show from the moment their character is on top until LSR is read', () => {
    const receiver = make(true);
    receiver.push(1, LSR_FRAMING_ERROR);
    receiver.push(2, LSR_BREAK);
    receiver.shift();
    expect(receiver.readStatus()).toBe(LSR_DATA_READY | LSR_FRAMING_ERROR | LSR_BREAK | LSR_FIFO_ERROR);
    expect(receiver.readStatus()).toBe(LSR_DATA_READY);
  });

  it('only errors that a character can have travel with it', () => {
    const receiver = make(true);
    receiver.push(1, 0xff);
    expect(receiver.readStatus() & LSR_OVERRUN).toBe(0);
  });

  it('emptying forgets characters and their errors, master reset the overrun too', () => {
    const receiver = make(true);
    for (let index = 0; index < 17; index++) receiver.push(index, LSR_BREAK);
    receiver.reset(true);
    expect(receiver.readStatus()).toBe(LSR_OVERRUN);
    for (let index = 0; index < 17; index++) receiver.push(index, 0);
    receiver.clear();
    expect([receiver.readStatus(), receiver.length]).toEqual([0, 0]);
  });

  it('saves and restores all of it', () => {
    const receiver = make(true);
    for (let index = 0; index < 17; index++) receiver.push(index, index === 0 ? LSR_BREAK : 0);
    const other = new UartReceiver();
    other.restore(receiver.save());
    expect(other.save()).toEqual(receiver.save());
    expect(other.readStatus()).toBe(receiver.readStatus());
    expect([other.length, other.shift()]).toEqual([16, 0]);
  });
});
