import { AddressSpace, HostMemory } from '@vmloom/memory';
import { Clock, type EventArguments, type EventOwner } from '../clock.js';
import { DirectTranslator, DmaPort } from '../dma.js';
import type { InterruptLine, MessageSink, RequesterId } from '../interrupts.js';

/** An owner of events that logs `time kind`, and keeps the arguments. */
export class FakeOwner implements EventOwner {
  readonly log: string[] = [];
  readonly arguments: EventArguments[] = [];
  /** Called with each event, after it is logged. */
  react: ((kind: string, args: EventArguments) => void) | undefined;

  constructor(
    readonly clock: Clock,
    readonly name = 'fake',
  ) {
    clock.register(this);
  }

  onEvent(kind: string, args: EventArguments): void {
    this.log.push(`${this.clock.now} ${kind}`);
    this.arguments.push(args);
    this.react?.(kind, args);
  }
}

/** An interrupt line that remembers its level and how often it rose. */
export class FakeLine implements InterruptLine {
  level = false;
  rises = 0;

  set(level: boolean): void {
    if (level && !this.level) this.rises++;
    this.level = level;
  }
}

/** A sink that keeps every interrupt message. */
export class FakeMessages implements MessageSink {
  readonly sent: { requester: RequesterId; addressLow: number; addressHigh: number; data: number }[] = [];
  /** What `send` answers. */
  accepts = true;

  send(requester: RequesterId, addressLow: number, addressHigh: number, data: number): boolean {
    this.sent.push({ requester, addressLow, addressHigh, data });
    return this.accepts;
  }
}

/** Memory for a device under test: RAM at `base`, a clock, and a port to it without an IOMMU. */
export class FakeHost {
  readonly memory: HostMemory;
  readonly space: AddressSpace;
  readonly clock = new Clock();
  readonly dma: DmaPort;

  constructor(options: { ram?: number; base?: number; ramOffset?: number; reserve?: number } = {}) {
    const { ram = 0x40_0000, base = 0x8000_0000, ramOffset, reserve = 0x40_0000 } = options;
    this.memory = new HostMemory({ ram, reserve, ...(ramOffset === undefined ? {} : { ramOffset }) });
    this.space = new AddressSpace(this.memory);
    this.space.mapRam({ name: 'ram', base, size: ram, offset: this.memory.ramOffset });
    this.dma = new DmaPort(this.memory, new DirectTranslator(this.space));
  }
}
