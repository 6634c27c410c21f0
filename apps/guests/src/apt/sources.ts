/** One archive that a machine's apt knows. */
export interface AptSource {
  readonly types: readonly string[];
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

/**
 * Archives of a file in apt's configuration: `deb822` for `.sources`, `line` for `.list`. What is disabled, or
 * no source at all, is left out, as apt does. sources.list(5)
 */
export function parseSources(text: string, format: 'deb822' | 'line'): AptSource[] {
  return format === 'deb822' ? parseStanzas(text) : parseLines(text);
}

function parseStanzas(text: string): AptSource[] {
  return text.split(/\n[ \t]*\n/).flatMap((stanza) => {
    const fields = stanzaFields(stanza);
    if (/^(no|false|off|0|without|disable)$/i.test(fields.get('enabled') ?? 'yes')) return [];
    const words = (name: string): string[] =>
      (fields.get(name) ?? '').split(/\s+/).filter((word) => word !== '');
    return words('uris').map((uri) => ({
      types: words('types'),
      uri,
      suites: words('suites'),
      components: words('components'),
    }));
  });
}

function stanzaFields(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let last = '';
  for (const line of stanza.split('\n')) {
    if (line.startsWith('#')) continue;
    const match = /^([^\s:#]+):(.*)$/.exec(line);
    if (match !== null) {
      last = match[1].toLowerCase();
      fields.set(last, match[2].trim());
    } else if (/^[ \t]/.test(line) && last !== '') {
      fields.set(last, `${fields.get(last)!} ${line.trim()}`);
    }
  }
  return fields;
}

function parseLines(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(deb|deb-src)\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)([^#]*)/.exec(line);
    if (match === null) return [];
    const components = match[4].split(/\s+/).filter((word) => word !== '');
    return [{ types: [match[1]], uri: match[2], suites: [match[3]], components }];
  });
}

/**
 * The archive that also carries Debian's other suites: a binary archive of main, and none of security updates
 * or backports alone. Undefined when there is none.
 */
export function debianMirror(sources: readonly AptSource[]): string | undefined {
  return sources.find(
    ({ types, uri, suites, components }) =>
      types.includes('deb') &&
      components.includes('main') &&
      !/security/.test(uri) &&
      /\/debian\/?$/.test(uri) &&
      suites.some((suite) => !/security/.test(suite)),
  )?.uri;
}
