import type { Clock, OutsideIo } from '@vmloom/device';
import { NetError } from '../src/error.js';

/**
 * Runs a clock in step with the wall until `done`, delivering what arrives from outside: for tests with real
 * sockets. @throws NetError socket after `limit` milliseconds of the host
 */
export async function pump(clock: Clock, io: OutsideIo, done: () => boolean, limit = 10_000): Promise<void> {
  const start = performance.now();
  const origin = clock.now;
  for (;;) {
    const elapsed = performance.now() - start;
    io.deliver();
    clock.runUntil(Math.max(clock.now, origin + Math.floor(elapsed * 1e6)));
    if (done()) return;
    if (elapsed > limit) throw new NetError('socket', `nothing has come of it within ${limit} ms`);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
