import { Clock, DirectTranslator, DmaPort, Ledger, WiredOr, type InterruptLine } from '@vmloom/device';
import { AddressSpace, HostMemory } from '@vmloom/memory';
import { parseMac, type Port } from '@vmloom/net';
import { eepromImage } from '../eeprom.js';
import { IgbMac } from '../mac.js';
import { FakeDriver } from './fake-driver.js';
import { TestPort } from './test-port.js';

export const RAM_BASE = 0x8000_0000;
export const TEST_MAC = '52:54:00:12:34:56';

export interface NicBenchOptions {
  readonly name?: string;
  readonly mac?: string;
  readonly port?: Port;
  readonly clock?: Clock;
  readonly ledger?: Ledger;
  readonly memory?: HostMemory;
  /** Where in the guest's address space the driver's mebibyte begins. */
  readonly base?: number;
}

/** A controller with memory, clock, interrupt line and driver, and nothing else: no bus, no hart. */
export class NicBench {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly memory: HostMemory;
  readonly space: AddressSpace;
  readonly dma: DmaPort;
  readonly line = new WiredOr();
  readonly port: TestPort;
  readonly mac: IgbMac;
  /** Messages of the physical function's vectors, in order; those of virtual functions as `vf.vector`. */
  readonly messages: (number | string)[] = [];
  readonly driver: FakeDriver;

  constructor(options: NicBenchOptions = {}) {
    this.clock = options.clock ?? new Clock();
    this.ledger = options.ledger ?? new Ledger();
    this.memory = options.memory ?? new HostMemory({ ram: 4 * 1024 * 1024, reserve: 1024 * 1024 });
    this.space = new AddressSpace(this.memory);
    this.space.mapRam({
      name: 'ram',
      base: RAM_BASE,
      size: this.memory.ramSize,
      offset: this.memory.ramOffset,
    });
    this.dma = new DmaPort(this.memory, new DirectTranslator(this.space));
    this.port = new TestPort();
    const input: InterruptLine = this.line.input();
    this.mac = new IgbMac({
      name: options.name ?? 'igb',
      clock: this.clock,
      ledger: this.ledger,
      dma: this.dma,
      sink: {
        set: (level) => input.set(level),
        send: (vector) => this.messages.push(vector),
        sendVf: (vf, vector) => this.messages.push(`${vf}.${vector}`),
      },
      eeprom: eepromImage(parseMac(options.mac ?? TEST_MAC)),
      port: options.port ?? this.port,
    });
    this.driver = new FakeDriver(this.mac, this.space, options.base ?? RAM_BASE);
  }

  /** Runs `time` nanoseconds of virtual time. */
  run(time: number): void {
    this.clock.runUntil(this.clock.now + time);
  }

  /** Lets the link come up, brings the driver up, and clears what that left behind. */
  start(): void {
    this.run(20_000_000);
    this.driver.start();
    this.run(1_000_000);
  }

  /** The sum of the ledger's counters of this controller. */
  count(event: string, reason?: string): number {
    return this.ledger.total({ owner: this.mac.name, event, ...(reason === undefined ? {} : { reason }) });
  }
}
