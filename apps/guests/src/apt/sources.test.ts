import { describe, expect, it } from 'vitest';
import { debianMirror, parseSources } from './sources.js';

const DEB822 = `Types: deb
# an old place
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb deb-src
URIs: http://mirror.example/debian-security http://other.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: sid
Components: main
`;

describe('parseSources', () => {
  it('sources.list(5): deb822 stanzas with comments, continued fields and several URIs', () => {
    const found = parseSources(DEB822, 'deb822');
    expect(found.map(({ uri, suites }) => [uri, suites])).toEqual([
      ['http://mirror.example/debian', ['bookworm', 'bookworm-updates']],
      ['http://mirror.example/debian-security', ['bookworm-security']],
      ['http://other.example/debian-security', ['bookworm-security']],
    ]);
    expect(found[0].components).toEqual(['main', 'contrib']);
    expect(found[1].types).toEqual(['deb', 'deb-src']);
  });

  it('sources.list(5): a stanza with "Enabled: no" is none', () => {
    expect(parseSources(DEB822, 'deb822').some(({ uri }) => uri.includes('off'))).toBe(false);
  });

  it('sources.list(5): one line each, with options and comments', () => {
    const text = `# deb http://off.example/debian sid main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian trixie main contrib # here
  deb-src http://mirror.example/debian trixie main
nonsense
`;
    expect(parseSources(text, 'line')).toEqual([
      {
        types: ['deb'],
        uri: 'http://mirror.example/debian',
        suites: ['trixie'],
        components: ['main', 'contrib'],
      },
      { types: ['deb-src'], uri: 'http://mirror.example/debian', suites: ['trixie'], components: ['main'] },
    ]);
  });
});

describe('debianMirror', () => {
  it('takes the archive of main, not sources, security updates or another vendor', () => {
    const text = `deb http://vendor.example/node nodistro main
deb-src http://source.example/debian trixie main
deb http://mirror.example/debian-security trixie-security main
deb http://contrib.example/debian trixie contrib
deb http://mirror.example/debian/ trixie main
`;
    expect(debianMirror(parseSources(text, 'line'))).toBe('http://mirror.example/debian/');
  });

  it('finds nothing on a machine of another family', () => {
    expect(
      debianMirror(parseSources('deb http://archive.example/ubuntu noble main', 'line')),
    ).toBeUndefined();
    expect(debianMirror([])).toBeUndefined();
  });
});
