import { Random } from '@vmloom/net';
import { expect, it } from 'vitest';
import { MemorySockets } from '../testing/memory-sockets.js';
import { VsockDriver } from '../testing/vsock-driver.js';
import * as V from './codes.js';

it.each([1, 2, 3])('hostile drivers and hosts: random packets, chains and arrivals, seed %i', (seed) => {
  const random = new Random(seed);
  const sockets = new MemorySockets();
  for (let port = 0; port < 4; port++) sockets.listening.add(port);
  const driver = new VsockDriver({ packed: seed === 3, sockets, buffers: 0 });
  const { bench } = driver;
  for (let round = 0; round < 2000; round++) {
    if (round % 100 === 0 || (bench.endpoint.status & 64) !== 0) {
      bench.memory.mark = 0x8000_0000;
      expect(bench.start()).toBe(true);
    }
    const alive = [...sockets.sockets.values()];
    const socket = alive[random.below(Math.max(1, alive.length))];
    const kind = random.below(10);
    if (kind < 5) {
      driver.send({
        guestPort: random.below(3),
        hostPort: random.chance(0.7) ? random.below(5) : 2 ** 30 + random.below(20),
        op: random.below(9),
        flags: random.below(5),
        space: random.chance(0.8) ? 100_000 : random.below(2 ** 32),
        forwarded: random.chance(0.8) ? 0 : random.below(2 ** 32),
        data: new Uint8Array(random.below(200)),
        ...(random.chance(0.1) && { length: random.below(2 ** 32) }),
        ...(random.chance(0.1) && { type: random.below(4) }),
      });
    } else if (kind === 5) driver.fill(random.below(4), random.below(300) + 1);
    else if (kind === 6)
      bench.submit(random.below(3), {
        out: [random.fill(new Uint8Array(1 + random.below(60)))],
        in: random.chance(0.5) ? [random.below(60) + 1] : [],
      });
    else if (kind === 7) sockets.dial(random.below(4));
    else if (socket !== undefined) {
      const act = random.below(5);
      if (act === 0) socket.end();
      else if (act === 1) {
        socket.close();
        sockets.sockets.delete(socket.id);
      } else socket.send(new Uint8Array(random.below(500)));
    }
    driver.run(random.chance(0.05) ? 1e9 : 100);
    for (const queue of bench.queues) while (queue.poll() !== undefined);
    expect(driver.device.connections).toBeLessThan(200);
  }
  bench.memory.mark = 0x8000_0000;
  expect(bench.start()).toBe(true);
  driver.fill(3);
  driver.send({ guestPort: 1000, hostPort: 1, op: V.OP_REQUEST });
  expect(driver.received().map(({ op }) => op)).toEqual([V.OP_RESPONSE]);
});
