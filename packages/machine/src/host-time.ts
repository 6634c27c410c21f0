/** Wall time, injected so that tests own it. */
export interface WallClock {
  /** Nanoseconds from an arbitrary origin; never goes back. */
  now(): number;
}

/** The host's monotonic clock. */
export function wallClock(): WallClock {
  return { now: () => performance.now() * 1e6 };
}

/**
 * Calls back after at least `milliseconds`, with the host's event loop running meanwhile; below half of one
 * (timers are no finer) after one turn of it; never for Infinity. The answer cancels.
 */
export function hostTimer(milliseconds: number, callback: () => void): () => void {
  if (milliseconds === Infinity) return keepAlive();
  if (milliseconds >= 0.5) {
    const timer = setTimeout(callback, Math.min(milliseconds, LONGEST_TIMEOUT));
    return () => clearTimeout(timer);
  }
  if (typeof setImmediate === 'function') setImmediate(callback);
  else browserTurn(callback);
  return () => undefined;
}

/** Keeps Node's event loop from ending while a machine waits for the outside. */
function keepAlive(): () => void {
  const timer = setInterval(() => undefined, LONGEST_TIMEOUT);
  return () => clearInterval(timer);
}

const LONGEST_TIMEOUT = 0x7fff_ffff;

/** A macrotask without the 4 ms that browsers impose on nested timers. */
function browserTurn(callback: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(undefined);
}

declare const setImmediate: ((callback: () => void) => unknown) | undefined;
