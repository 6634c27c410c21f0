import { PackageStore } from './store.js';

const FOLDER = 'usr/lib/riscv64-linux-gnu/opensbi/generic';

/** OpenSBI's generic firmware from Debian: `dynamic` is told by the boot ROM where to go on, `jump` knows it. @throws GuestsError */
export function openSbi(kind: 'dynamic' | 'jump'): Uint8Array {
  return new PackageStore('trixie').get('opensbi').read(`${FOLDER}/fw_${kind}.bin`);
}
