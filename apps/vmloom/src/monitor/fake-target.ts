import { CliError } from '../error.js';
import type { MonitorTarget } from './target.js';

/** A machine for tests of the monitor: logs what it is told. */
export class FakeTarget implements MonitorTarget {
  readonly name = 'fake';
  readonly log: string[] = [];
  running = true;

  status(): 'running' | 'paused' {
    return this.running ? 'running' : 'paused';
  }

  cont(): void {
    this.log.push('cont');
    this.running = true;
  }

  stop(): void {
    this.log.push('stop');
    this.running = false;
  }

  reset(): void {
    this.log.push('reset');
  }

  powerDown(): void {
    this.log.push('powerdown');
  }

  quit(): void {
    this.log.push('quit');
  }

  setLink(name: string, up: boolean): void {
    if (name !== 'n0') throw new CliError(`no network is called ${name}`);
    this.log.push(`link ${name} ${up}`);
  }

  async saveSnapshot(file: string): Promise<void> {
    await Promise.resolve();
    this.log.push(`save ${file}`);
  }

  async loadSnapshot(file: string): Promise<void> {
    await Promise.resolve();
    this.log.push(`load ${file}`);
  }

  info(topic: string): string {
    return `about ${topic}\nend`;
  }
}
