/** Finds the runnable examples of the Markdown files: blocks fenced as `ts`. One fenced `ts no-run` is prose. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param {string} text Markdown
 * @returns {{ line: number, code: string }[]} the blocks, with the line that their code begins at
 */
export function extractExamples(text) {
  const examples = [];
  let open;
  text.split('\n').forEach((line, index) => {
    if (open) {
      if (line.trim() === '```') {
        examples.push({ line: open.line, code: `${open.lines.join('\n')}\n` });
        open = undefined;
      } else open.lines.push(line);
    } else if (/^\s*```ts\s*$/.test(line)) open = { line: index + 2, lines: [] };
  });
  return examples;
}

/**
 * What the example says it prints: the comments that end its lines, in order. Comments that say something
 * else may stand between them.
 */
export function promisedOutput(code) {
  return [...code.matchAll(/^[ \t]*[^\s/].* \/\/ (.*)$/gm)].map(([, comment]) => comment);
}

/** The first printed line that the comments do not promise in its place; undefined when there is none. */
export function unpromised(printed, promised) {
  let at = 0;
  for (const line of printed) {
    while (at < promised.length && !promised[at].startsWith(line)) at++;
    if (at === promised.length) return line;
    at++;
  }
  return undefined;
}

/** Markdown files of the workspace that may hold examples, relative to `root`. */
export function documents(root) {
  const inFolders = ['packages', 'apps', 'docs'].flatMap((folder) => {
    if (!existsSync(join(root, folder))) return [];
    return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      if (!entry.isDirectory()) return entry.name.endsWith('.md') ? [join(folder, entry.name)] : [];
      const readme = join(folder, entry.name, 'README.md');
      return existsSync(join(root, readme)) ? [readme] : [];
    });
  });
  return ['README.md', 'CONTRIBUTING.md', ...inFolders].filter((file) => existsSync(join(root, file)));
}
