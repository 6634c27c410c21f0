import { describe, expect, it } from 'vitest';
import { Console, type ConsoleDevice } from './console.js';
import { World } from './world.js';

class FakeUart implements ConsoleDevice {
  onReceiveReady: (() => void) | undefined;
  received = '';
  breaks = 0;
  room = 1000;

  receiveCharacter(_byte: number, errors: number): void {
    if (errors === 0x10) this.breaks++;
  }

  receive(bytes: Uint8Array): number {
    const taken = bytes.subarray(0, this.room);
    this.received += new TextDecoder().decode(taken);
    this.room -= taken.length;
    return taken.length;
  }
}

function fixture(): { world: World; console: Console; uart: FakeUart; say: (text: string) => void } {
  const world = new World();
  const console = new Console(world, 'console');
  const uart = new FakeUart();
  console.connect(uart);
  return { world, console, uart, say: (text) => console.write(new TextEncoder().encode(text)) };
}

describe('Console', () => {
  it('finds patterns in their order, each behind the last', async () => {
    const { world, console, say } = fixture();
    const first = console.waitFor(/login: /);
    const second = console.waitFor(/(\w+)> /);
    say('vmloom login: ');
    say('root\r\nsh> rest> ');
    await world.run();
    expect((await first)[0]).toBe('login: ');
    expect((await second)[1]).toBe('sh');
    expect((await console.waitFor(/(\w+)> /))[1]).toBe('rest');
  });

  it('a script that awaits output and types does so before the next slice', async () => {
    const { world, console, uart, say } = fixture();
    const script = (async () => {
      await console.waitFor(/# $/);
      console.send('ls\n');
    })();
    say('# ');
    await world.run();
    await script;
    expect(uart.received).toBe('ls\n');
    expect(world.clock.now).toBe(20_000);
  });

  it('input that the UART has no room for waits and is not lost', async () => {
    const { world, console, uart } = fixture();
    uart.room = 3;
    console.send('abc');
    console.send('defg');
    await world.run();
    expect(uart.received).toBe('abc');
    uart.room = 100;
    uart.onReceiveReady?.();
    expect(uart.received).toBe('abcdefg');
  });

  it('sends the break condition', async () => {
    const { world, console, uart } = fixture();
    console.sendBreak();
    await world.run();
    expect(uart.breaks).toBe(1);
  });

  it('input survives a snapshot', async () => {
    const { world, console, uart } = fixture();
    uart.room = 1;
    console.send('abc');
    await world.run();
    const saved = console.save();
    const other = fixture();
    other.console.restore(saved);
    other.uart.onReceiveReady?.();
    expect(other.uart.received).toBe('bc');
  });

  it('rejects with the last words when time is up', async () => {
    const { world, console, say } = fixture();
    const wait = expect(console.waitFor(/never/, { timeout: 1e6 })).rejects.toThrow(
      /in time; its last words: Oops/,
    );
    say('Oops');
    await world.run();
    await wait;
    expect(world.clock.now).toBe(1e6);
  });

  it("a machine's last words are still found", async () => {
    const { console, say } = fixture();
    const wait = console.waitFor(/bye/);
    say('bye');
    console.end('the machine powered off');
    expect((await wait)[0]).toBe('bye');
  });

  it('rejects when the machine ends', async () => {
    const { console } = fixture();
    const wait = expect(console.waitFor(/x/)).rejects.toThrow(
      'the machine powered off before the console showed /x/',
    );
    console.end('the machine powered off');
    await wait;
    await expect(console.waitFor(/y/)).rejects.toThrow(/powered off/);
  });
});
