import { guestImage } from '@vmloom/guest';
import { fptestLines, fptestReference } from '@vmloom/guest/testing';
import { createMachine } from '@vmloom/machine';
import { expect, it } from 'vitest';

it('RISC-V F and D: 1.3 million cases of every operation, rounding mode and class give the bytes that QEMU gives', async () => {
  const machine = await createMachine({ memory: '16MiB', kernel: await guestImage('fptest') });
  machine.powerOn();
  await machine.world.run();
  expect(machine.exit).toEqual({ reason: 'power-off', code: 0 });
  expect(fptestLines(machine.console.text)).toBe(await fptestReference());
}, 120_000);
