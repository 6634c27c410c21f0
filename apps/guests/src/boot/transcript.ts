import { MARK } from './init-script.js';

/** A check that the guest made itself. */
export interface GuestCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Output of a command that the guest showed. */
export interface Shown {
  readonly text: string;
  readonly exitCode: number;
}

/** What a console log says to the suite. */
export interface Transcript {
  readonly checks: readonly GuestCheck[];
  readonly shown: ReadonlyMap<string, Shown>;
}

const CHECK = new RegExp(`^${MARK} check (\\S+) (ok|FAIL)\\s*(.*)$`);
const BEGIN = new RegExp(`^${MARK} begin (\\S+)$`);
const END = new RegExp(`^${MARK} end (\\S+) (\\d+)$`);

/** The marked lines of a console log. Output whose end never came is left out. */
export function readTranscript(log: string): Transcript {
  const checks: GuestCheck[] = [];
  const shown = new Map<string, Shown>();
  let open: { name: string; lines: string[] } | undefined;
  for (const line of log.split(/\r*\n/)) {
    const end = END.exec(line);
    if (open !== undefined && end?.[1] === open.name) {
      shown.set(open.name, { text: open.lines.join('\n').trim(), exitCode: Number(end[2]) });
      open = undefined;
      continue;
    }
    const begin = BEGIN.exec(line);
    const check = CHECK.exec(line);
    if (begin !== null) open = { name: begin[1], lines: [] };
    else if (check !== null) checks.push({ name: check[1], ok: check[2] === 'ok', detail: check[3] });
    else open?.lines.push(line);
  }
  return { checks, shown };
}

/** Lines of the kernel's log that no healthy machine has. */
export function kernelComplaints(log: string): string[] {
  return log
    .split('\n')
    .filter((line) =>
      /\b(BUG|WARNING|Oops|Call Trace|stall(s|ed)? (detected|on)|Kernel panic|soft lockup|Unhandled|unable to handle)\b/i.test(
        line,
      ),
    );
}
