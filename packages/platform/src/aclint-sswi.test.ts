import { describe, expect, it } from 'vitest';
import { AclintSswi } from './aclint-sswi.js';

describe('SSWI', () => {
  it('ACLINT 1.0 4.2: writing 1 to SETSSIP is an edge to its hart; it reads 0', () => {
    const raised: number[] = [];
    const sswi = new AclintSswi({ harts: 2, raise: (hart) => raised.push(hart) });
    sswi.write(4, 4, 1);
    sswi.write(0, 4, 2);
    sswi.write(8, 4, 1);
    expect(raised).toEqual([1]);
    expect(sswi.read(4, 4)).toBe(0);
    sswi.reset();
    sswi.restore(sswi.save());
  });
});
