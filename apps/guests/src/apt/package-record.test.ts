import { expect, it } from 'vitest';
import { parsePackages } from './package-record.js';

it('deb-control(5): name, version, digest, and first alternatives of what a package depends on', () => {
  const text = `Package: iproute2
Version: 6.15.0-1
Pre-Depends: libc6 (>= 2.38)
Depends: debconf (>= 0.5) | debconf-2.0, libcap2:any (>= 1:2.10), libmnl0
Description: tools
 Depends: not this
SHA256: ABCDEF

Package: empty
Version: 1
SHA256: 00
`;
  expect(parsePackages(text)).toEqual([
    {
      name: 'iproute2',
      version: '6.15.0-1',
      sha256: 'abcdef',
      depends: ['libc6', 'debconf', 'libcap2', 'libmnl0'],
    },
    { name: 'empty', version: '1', sha256: '00', depends: [] },
  ]);
});
