/**
 * Finds the runnable examples of the Markdown files: blocks fenced as `ts` that import something, together with the
 * blocks fenced as `ts continued` that follow. Any other block is a sketch, and so is one fenced as `ts no-run`.
 */
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
    else if (/^\s*```ts continued\s*$/.test(line)) {
      const before = examples.pop();
      if (!before) throw new Error(`line ${index + 1} continues no example`);
      open = { line: before.line, lines: before.code.trimEnd().split('\n') };
    }
  });
  return examples.filter(({ code }) => /^import /m.test(code));
}

/**
 * What the example says it prints: the comments that end its lines, in order. Comments that say something
 * else may stand between them.
 */
export function promisedOutput(code) {
  return [...code.matchAll(/^[ \t]*[^\s/].* \/\/ (.*)$/gm)].map(([, comment]) => comment);
}

/**
 * The first printed line that the comments do not promise in its place; undefined when there is none. A comment
 * promises its text, or the part before a colon or comma that it goes on with.
 */
export function unpromised(printed, promised) {
  const promises = (comment, line) =>
    comment.startsWith(line) && /^(?:$|[:,])/.test(comment.slice(line.length));
  let at = 0;
  for (const line of printed) {
    while (at < promised.length && !promises(promised[at], line)) at++;
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
      const place = join(folder, entry.name);
      const parts = existsSync(join(root, place, 'src')) ? readdirSync(join(root, place, 'src')) : [];
      // A package of several parts may explain each beside its source.
      const readmes = [place, ...parts.map((part) => join(place, 'src', part))].map((at) =>
        join(at, 'README.md'),
      );
      return readmes.filter((readme) => existsSync(join(root, readme)));
    });
  });
  return ['README.md', 'CONTRIBUTING.md', ...inFolders].filter((file) => existsSync(join(root, file)));
}
