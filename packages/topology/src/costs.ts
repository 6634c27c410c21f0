import type { Ledger } from '@vmloom/device';

/** What a stretch of a run cost one machine: sums, to be divided by packets. */
export interface Costs {
  /** Frames that its NICs sent, and received. */
  readonly sent: number;
  readonly received: number;
  /** By reason. */
  readonly exits: Readonly<Record<string, number>>;
  readonly doorbells: number;
  readonly raised: number;
  readonly injected: number;
  readonly copies: number;
  readonly copiedBytes: number;
  readonly guestInstructions: number;
  /** Nanoseconds of host harts: the guest's, the hypervisor's for it, polling in vain. */
  readonly guestTime: number;
  readonly vmmTime: number;
  readonly pollTime: number;
  /** Cycles of the hypervisor by cause. */
  readonly cycles: Readonly<Record<string, number>>;
}

/** Whose costs. */
export interface Costed {
  readonly name: string;
  readonly machine: { readonly retired: number };
  readonly nics: readonly { readonly device: string }[];
}

/** What a machine has cost since it was made. */
export function costsOf(ledger: Ledger, { name, machine, nics }: Costed): Costs {
  const ofNics = (event: string, reason?: string): number =>
    nics.reduce(
      (sum, { device }) =>
        sum + ledger.total({ owner: device, event, ...(reason === undefined ? {} : { reason }) }),
      0,
    );
  const byReason = (event: string): Record<string, number> =>
    Object.fromEntries(
      ledger.select({ owner: name, event, class: 'modelled' }).map(({ reason, value }) => [reason, value]),
    );
  const time = (reason: string): number => ledger.total({ owner: name, event: 'cpu-ns', reason });
  return {
    sent: ofNics('tx', 'packets'),
    received: ofNics('rx', 'packets'),
    exits: byReason('exit'),
    doorbells: ofNics('doorbell'),
    raised: ofNics('interrupt'),
    injected: ledger.total({ owner: name, event: 'interrupt', reason: 'injected' }),
    copies: ofNics('frame-copy'),
    copiedBytes: ofNics('copied-bytes'),
    guestInstructions: machine.retired,
    guestTime: time('guest'),
    vmmTime: time('vmm'),
    pollTime: time('poll'),
    cycles: byReason('vmm-cycles'),
  };
}

/** What came between two looks. */
export function costsBetween(before: Costs, after: Costs): Costs {
  const tables = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(b).map(([reason, value]) => [reason, value - (a[reason] ?? 0)]));
  const numbers = Object.fromEntries(
    Object.entries(after)
      .filter(([, value]) => typeof value === 'number')
      .map(([field, value]) => [field, (value as number) - (before[field as keyof Costs] as number)]),
  );
  return {
    ...(numbers as unknown as Costs),
    exits: tables(before.exits, after.exits),
    cycles: tables(before.cycles, after.cycles),
  };
}

/** Exits that belong to the network: not those of the serial line, on which commands are typed. */
export function networkExits({ exits }: Costs): number {
  return Object.entries(exits).reduce((sum, [reason, value]) => (reason === 'uart' ? sum : sum + value), 0);
}
