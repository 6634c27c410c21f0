import type { Ledger } from '@vmloom/device';
import type { Machine } from '@vmloom/machine';
import { describeFabric } from '@vmloom/pci';
import type { InfoTopic } from '../monitor/target.js';
import type { Network } from './networks.js';

/** Text of `info TOPIC`. */
export function infoText(
  topic: InfoTopic,
  machine: Machine,
  networks: ReadonlyMap<string, Network>,
  status: string,
): string {
  switch (topic) {
    case 'status':
      return `VM status: ${status}`;
    case 'pci':
      return describeFabric(machine.pcie);
    case 'ledger':
      return ledgerTable(machine.world.ledger);
    case 'mtree':
      return memoryTree(machine);
    case 'network':
      return [...networks.values()]
        .map((network) => `${network.id}: ${network.describe()}, link ${network.port.up ? 'up' : 'down'}`)
        .join('\n');
  }
}

/** Every count that is not zero, by owner. */
export function ledgerTable(ledger: Ledger): string {
  const rows = ledger
    .select()
    .filter(({ value }) => value !== 0)
    .map(({ owner, event, reason, value, class: kind }) => [
      owner,
      reason === '' ? event : `${event} (${reason})`,
      String(value),
      kind,
    ]);
  return table(['owner', 'event', 'count', 'of'], rows, [2]);
}

/** Columns padded to their widest cell; those in `right` are aligned to the right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column].length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        right.includes(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
      )
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)].join('\n');
}

function memoryTree(machine: Machine): string {
  const hex = (value: number): string => value.toString(16).padStart(16, '0');
  return [...machine.space.regions()]
    .map(({ name, base, size }) => `${hex(base)}-${hex(base + size - 1)} ${name}`)
    .join('\n');
}
