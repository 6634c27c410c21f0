/** What apt's index says of one package. */
export interface PackageRecord {
  readonly name: string;
  readonly version: string;
  /** Of the package's file, in lower-case hexadecimal. */
  readonly sha256: string;
  /** Names of packages that it depends on, first alternatives only, without versions. */
  readonly depends: readonly string[];
}

/** Records of an index, as `apt-cache show` writes them. deb-control(5) */
export function parsePackages(text: string): PackageRecord[] {
  return text
    .split(/\n\s*\n/)
    .filter((stanza) => /^Package:/m.test(stanza))
    .map((stanza) => {
      const fields = new Map<string, string>();
      for (const [, name, value] of stanza.matchAll(
        /^(Package|Version|SHA256|Depends|Pre-Depends):[ \t]*(.*)$/gm,
      )) {
        fields.set(name, value.trim());
      }
      const field = (name: string): string => fields.get(name) ?? '';
      return {
        name: field('Package'),
        version: field('Version'),
        sha256: field('SHA256').toLowerCase(),
        depends: [...firstAlternatives(field('Pre-Depends')), ...firstAlternatives(field('Depends'))],
      };
    });
}

function firstAlternatives(text: string): string[] {
  return text
    .split(',')
    .map((one) => /^\s*([a-z0-9][a-z0-9+.-]*)/.exec(one)?.[1] ?? '')
    .filter((name) => name !== '');
}
