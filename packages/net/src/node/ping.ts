import { spawn } from 'node:child_process';
import type { Failure } from '../nat/outside-network.js';

const SECONDS = 5;
/** Processes at once. */
const LIMIT = 8;
let running = 0;

/**
 * Sends one ICMP echo by the system's `ping`, for raw sockets need privileges that this process lacks.
 * Answers the empty string for a reply; `host-unreachable` also where there is no such program.
 */
export function systemPing(address: string, size: number, answer: (failure: Failure | '') => void): void {
  if (running >= LIMIT) {
    answer('timeout');
    return;
  }
  running++;
  let done = false;
  const finish = (failure: Failure | ''): void => {
    if (done) return;
    done = true;
    running--;
    answer(failure);
  };
  let output = '';
  const child = spawn('ping', ['-n', '-c', '1', '-W', String(SECONDS), '-s', String(size), address], {
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: (SECONDS + 2) * 1000,
  });
  child.stdout.on('data', (text: Buffer) => {
    if (output.length < 4096) output += text.toString();
  });
  child.once('error', () => finish('host-unreachable'));
  child.once('close', (code) => {
    if (code === 0) finish('');
    else if (code === 1)
      finish(
        /net unreachable/i.test(output)
          ? 'net-unreachable'
          : /unreachable/i.test(output)
            ? 'host-unreachable'
            : 'timeout',
      );
    else finish('host-unreachable');
  });
}
