import { physical } from '@vmloom/memory';
import { disassemble } from './disassembler.js';
import type { Hart } from './hart.js';
import type { MemoryDifference, StateDifference } from './lockstep-state.js';
import { F_NAMES, X_NAMES } from './operands.js';

/** The first difference between two sides. */
export interface LockstepDifference {
  /** Units from the start of the shortest way to a difference; one unit less and the sides agree. */
  readonly position: number;
  /** Harts that differ, and in what. */
  readonly harts: readonly { readonly id: number; readonly fields: readonly StateDifference[] }[];
  readonly memory: MemoryDifference | undefined;
  /** The instructions before the difference as the reference carried them out, the last one last. */
  readonly trace: readonly string[];
  /** All of the state of the first hart that differs, on both sides. */
  readonly reference: ReadonlyMap<string, bigint>;
  readonly subject: ReadonlyMap<string, bigint>;
}

const hex = (value: bigint, digits = 16): string => `0x${value.toString(16).padStart(digits, '0')}`;
const MODES: Readonly<Record<number, string>> = { 0: 'U', 1: 'S', 3: 'M' };

/** The bytes of the instruction at the PC; undefined where a fetch faults. */
function instructionWord(hart: Hart): number | undefined {
  const { space, pc } = hart;
  const half = (address: bigint): number | undefined => {
    const at = hart.translate(address, 'fetch');
    const offset = at === undefined ? -1 : space.resolve(physical(Number(at)), 2);
    return offset < 0 ? undefined : hart.core.memory.view.getUint16(offset, true);
  };
  const low = half(pc);
  if (low === undefined || (low & 3) !== 3) return low;
  const high = half(pc + 2n);
  return high === undefined ? undefined : (low | (high << 16)) >>> 0;
}

/** Notes the instruction that a hart is about to carry out; the answer tells what it did to the registers. */
export function traceStep(hart: Hart): () => string {
  const registers = (): bigint[] => [
    ...X_NAMES.map((_, index) => hart.readX(index)),
    ...F_NAMES.map((_, index) => hart.readF(index)),
  ];
  const before = registers();
  const { pc, privilege } = hart;
  const word = instructionWord(hart);
  const text = word === undefined ? 'fetch fault' : disassemble(word, pc).text;
  return () => {
    const names = [...X_NAMES, ...F_NAMES];
    const changes = registers().flatMap((value, index) =>
      value === before[index] ? [] : [`${names[index]}=${hex(value, 1)}`],
    );
    return `${MODES[privilege]} ${hex(pc)}  ${text.padEnd(32)} ${changes.join(' ')}`.trimEnd();
  };
}

/** A difference as text: what differs, both states side by side, and the way there. */
export function lockstepReport(difference: LockstepDifference): string {
  const { position, harts, memory, trace, reference, subject } = difference;
  const lines = [`the sides differ after ${position} steps of one unit`];
  for (const { id, fields } of harts) {
    lines.push(`hart ${id}:`);
    for (const field of fields) {
      lines.push(`  ${field.name.padEnd(12)} ${hex(field.reference)} | ${hex(field.subject)}`);
    }
  }
  if (memory !== undefined) {
    const offset = `RAM + 0x${memory.offset.toString(16)}`;
    lines.push(`${offset}: ${hex(memory.reference)} | ${hex(memory.subject)}`);
  }
  lines.push('the last instructions of the reference:', ...trace.map((line) => `  ${line}`));
  lines.push('all state, reference | subject:');
  for (const [name, value] of reference) {
    const other = subject.get(name)!;
    const mark = other === value ? ' ' : '*';
    lines.push(`${mark} ${name.padEnd(12)} ${hex(value)} | ${hex(other)}`);
  }
  return lines.join('\n');
}
