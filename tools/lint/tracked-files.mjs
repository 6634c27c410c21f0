/** Checks of the files that git tracks. Each gives one sentence per fault. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Lines a source file may have before it needs a reason. */
export const MAX_LINES = 500;

const SOURCE = /\.(?:ts|c|h|S|mjs)$/;
const GENERATED = /(?:^|\/)layout-offsets\.ts$/;

/** Tracked files that exist, relative to `root`. */
export function trackedFiles(root) {
  const output = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  return output
    .split('\0')
    .filter((file) => file && existsSync(join(root, file)) && statSync(join(root, file)).isFile());
}

function countLines(text) {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

/**
 * @param {string} root folder of the files
 * @param {string[]} files paths relative to it
 * @param {Record<string, string>} reasons why a file may be longer, by path
 */
export function findLongFiles(root, files, reasons) {
  const faults = [];
  const long = new Set();
  for (const file of files) {
    if (!SOURCE.test(file) || GENERATED.test(file)) continue;
    const lines = countLines(readFileSync(join(root, file), 'utf8'));
    if (lines <= MAX_LINES) continue;
    long.add(file);
    if (!reasons[file]) {
      faults.push(
        `${file} has ${lines} lines, over ${MAX_LINES}: split it, or give a reason in tools/long-files.json`,
      );
    }
  }
  for (const file of Object.keys(reasons)) {
    if (!long.has(file)) faults.push(`tools/long-files.json lists ${file}, which is no longer that long`);
  }
  return faults;
}

/** Host names of this machine's package registry and Debian mirror; they belong to it alone. */
export function localHosts() {
  const texts = [execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8', shell: false })];
  const apt = '/etc/apt';
  const folders = [join(apt, 'sources.list.d')].filter((folder) => existsSync(folder));
  const sources = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  for (const file of [join(apt, 'sources.list'), ...sources]) {
    if (existsSync(file) && statSync(file).isFile())
      texts.push(readFileSync(file, 'utf8').replace(/^\s*#.*$/gm, ''));
  }
  const hosts = new Set();
  for (const [, host, name] of texts.join('\n').matchAll(/https?:\/\/(?:[^/@\s]*@)?(([\w.-]+)(?::\d+)?)/g)) {
    // "localhost" alone is an ordinary word; with its port it is a registry.
    hosts.add(/^(?:localhost|127\.)/.test(name) ? host : name);
  }
  return [...hosts];
}

/** Folders that every Linux system has; a path below them means the same everywhere. */
const STANDARD_FOLDERS =
  'bin boot dev etc home lib lib32 lib64 libx32 lost+found media mnt opt proc root run sbin srv sys usr var';

/** Beginnings of absolute paths that lead somewhere on this machine only. */
export function machinePaths(root) {
  const standard = STANDARD_FOLDERS.split(' ');
  const folders = readdirSync('/', { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !standard.includes(entry.name))
    .map(({ name }) => `/${name}/`);
  const own = [homedir(), root].filter((path) => path.length > 1).map((path) => `${path}/`);
  return [...new Set([...folders, ...own])];
}

/**
 * @param {string[]} hosts host names; none is repeated in a fault
 * @param {string[]} paths beginnings of absolute paths
 */
export function findMachineTraces(root, files, hosts, paths) {
  const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const host =
    hosts.length > 0 ? new RegExp(`(?<![\\w-])(?:${hosts.map(escape).join('|')})(?![\\w-])`) : /$^/;
  const path = new RegExp(`(?<![\\w./~$})*-])(?:file:\\/\\/)?(?:${paths.map(escape).join('|')})(?=[\\w.-])`);
  const faults = [];
  for (const file of files) {
    // Latin-1 keeps every byte, so that the text inside binary files is searched too.
    const lines = readFileSync(join(root, file), 'latin1').split('\n');
    lines.forEach((line, index) => {
      if (host.test(line)) faults.push(`${file}:${index + 1} names a host of this machine's package sources`);
      if (path.test(line)) faults.push(`${file}:${index + 1} holds an absolute path of this machine`);
    });
  }
  return faults;
}
