/** What a monitor can do to a running machine. Each may throw a CliError with a sentence. */
export interface MonitorTarget {
  readonly name: string;
  status(): 'running' | 'paused' | 'prelaunch' | 'shutdown';
  cont(): void;
  stop(): void;
  reset(): void;
  powerDown(): void;
  quit(): void;
  /** By the name of a network or of a device on it. */
  setLink(name: string, up: boolean): void;
  saveSnapshot(file: string): Promise<void>;
  loadSnapshot(file: string): Promise<void>;
  /** Text of `info TOPIC`. */
  info(topic: InfoTopic): string;
}

export const INFO_TOPICS = ['network', 'pci', 'ledger', 'status', 'mtree'] as const;
export type InfoTopic = (typeof INFO_TOPICS)[number];
