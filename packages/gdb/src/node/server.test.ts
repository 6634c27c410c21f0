import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { FakeTarget, GdbClient } from '../testing/index.js';
import { GdbServer } from './server.js';

async function client(port: number): Promise<{ client: GdbClient; socket: Socket }> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const made = new GdbClient((bytes) => void socket.write(bytes));
  socket.on('data', (bytes: Uint8Array) => made.receive(bytes));
  return { client: made, socket };
}

describe('the server', () => {
  it('serves one GDB at a time, and the next one when it has gone', async () => {
    const target = new FakeTarget();
    const server = new GdbServer({ target, port: 0, monitor: (line) => line });
    const port = await server.listen();
    const first = await client(port);
    expect(await first.client.ask('?')).toBe('T05thread:1;');
    const second = await client(port);
    await once(second.socket, 'close');
    expect(target.log).toEqual(['attach']);
    first.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(target.log).toEqual(['attach', 'detach']);
    const third = await client(port);
    expect(await third.client.ask('qRcmd,6869')).toBe('O68690a');
    expect(await third.client.next()).toBe('OK');
    expect(await third.client.ask('D')).toBe('OK');
    await once(third.socket, 'end');
    server.close();
  });

  it('close says goodbye', async () => {
    const target = new FakeTarget();
    const server = new GdbServer({ target, port: 0 });
    const { client: gdb, socket } = await client(await server.listen());
    await gdb.ask('?');
    server.close();
    await once(socket, 'end');
    expect(target.log).toEqual(['attach', 'detach']);
  });

  it('a port that is taken rejects', async () => {
    const server = new GdbServer({ target: new FakeTarget(), port: 0 });
    const port = await server.listen();
    await expect(new GdbServer({ target: new FakeTarget(), port }).listen()).rejects.toThrow(/EADDRINUSE/);
    server.close();
  });
});
