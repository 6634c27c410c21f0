import type { World } from '@vmloom/machine';
import type { Hub, Port } from '@vmloom/net';

/** What a type of network makes of its properties, before captures. */
export interface Backend {
  readonly port: Port;
  describe(): string;
  setLink(up: boolean): void;
  ready(): Promise<void>;
  close(): void;
}

/** What the networks of one command line share. */
export interface NetworkContext {
  readonly world: World;
  readonly hubs: Map<number, Hub>;
}
