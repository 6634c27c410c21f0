import { parseHex } from './hex.js';
import type { ResumeAction } from './target.js';

const ACTIONS: Readonly<Record<string, ResumeAction>> = {
  c: 'run',
  C: 'run',
  s: 'step',
  S: 'step',
  t: 'stay',
};
/** What `vCont?` answers. */
export const VCONT_ACTIONS = 'vCont;c;C;s;S;t';

/** A thread as a packet names it: 0 for any, -1 for all, or its number; undefined for other text. */
export function parseThread(text: string): number | undefined {
  if (text === '-1') return -1;
  const value = parseHex(text);
  return value === undefined || value > 0xffffn ? undefined : Number(value);
}

/**
 * What each thread does by `vCont;action[:thread]…` (GDB manual, E.2): the leftmost action that names it, or
 * none. Undefined when the text is no list of actions, or names a thread that is not there.
 */
export function parseActions(text: string, threads: number): ResumeAction[] | undefined {
  const actions: (ResumeAction | undefined)[] = Array.from({ length: threads }, () => undefined);
  for (const item of text.split(';')) {
    const { letter, thread = '-1' } =
      /^(?<letter>[csCSt])[0-9a-fA-F]{0,2}(?::(?<thread>.*))?$/.exec(item)?.groups ?? {};
    if (letter === undefined) return undefined;
    const wanted = parseThread(thread);
    if (wanted === undefined || wanted > threads) return undefined;
    for (let index = 0; index < threads; index++) {
      if (wanted === -1 || wanted === index + 1 || (wanted === 0 && index === 0))
        actions[index] ??= ACTIONS[letter];
    }
  }
  return actions.map((action) => action ?? 'stay');
}
