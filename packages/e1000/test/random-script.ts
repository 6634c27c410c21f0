import * as R from '../src/register-map.js';
import { PLAIN, RESETS, offsets, zeroAndOnes } from './register-probes.js';
import { generator, read, write, type Access, type ScriptedCard } from './register-script.js';

const ONES = 0xffff_ffff;
/** Read-only registers that follow others: STATUS follows CTRL, and the halves of PBA each other. */
const FOLLOWING = new Set(['STATUS', 'PBA']);
/** Bits that are not written: they reset, begin DMA, send a PAUSE frame or end a timer. */
const LEFT_ALONE: Readonly<Record<string, number>> = {
  ...RESETS,
  RCTL: R.RCTL_EN,
  TCTL: R.TCTL_EN | R.TCTL_SWXOFF,
  RDTR: R.RDTR_FPD,
};

export interface PlainRegister {
  readonly name: string;
  readonly offset: number;
  /** The bits that answer zeros and ones alike on both cards. */
  readonly bits: number;
}

export interface RandomStep {
  readonly access: Access;
  readonly name: string;
  /** The bits of a read that are compared. */
  readonly bits: number;
}

/** The registers that plain writes reach, with the bits in which two cards agree. They are left 0. */
export async function agreeingBits(one: ScriptedCard, other: ScriptedCard): Promise<PlainRegister[]> {
  const registers: PlainRegister[] = [];
  for (const definition of PLAIN) {
    if (FOLLOWING.has(definition.name)) continue;
    for (const offset of offsets(definition)) {
      const script = zeroAndOnes(definition, offset);
      const [a, b] = [await one.run(script), await other.run(script)];
      const bits = ONES & ~((a[0] ^ b[0]) | (a[1] ^ b[1])) & ~(LEFT_ALONE[definition.name] ?? 0);
      registers.push({ name: definition.name, offset, bits });
    }
  }
  // TCTL and RDTR, written with ones, have raised causes.
  for (const card of [one, other]) await card.run([read(R.REG_ICR)]);
  return registers;
}

/** Writes and reads of plain registers, of the interrupt registers, of EEPROM words and of the PHY's identity. */
export function randomScript(seed: number, steps: number, registers: readonly PlainRegister[]): RandomStep[] {
  const random = generator(seed);
  const script: RandomStep[] = [];
  const step = (name: string, access: Access, bits = ONES): void => void script.push({ name, access, bits });
  // By name first, so that the long tables do not take all turns.
  const names = [...new Set(registers.map(({ name }) => name))];
  const causes = (): number => random(0x2_0000);
  const any = (): PlainRegister => {
    const name = names[random(names.length)];
    const elements = registers.filter((register) => register.name === name);
    return elements[random(elements.length)];
  };
  while (script.length < steps) {
    const { name, offset, bits } = any();
    switch (random(12)) {
      case 0:
        step('ICS', write(R.REG_ICS, causes()));
        break;
      case 1:
        step('IMS', write(R.REG_IMS, causes()));
        step('IMS', read(R.REG_IMS));
        break;
      case 2:
        step('IMC', write(R.REG_IMC, causes()));
        step('IMS', read(R.REG_IMS));
        break;
      case 3:
        if (random(2) === 0) step('ICR', write(R.REG_ICR, causes()));
        step('ICR', read(R.REG_ICR));
        break;
      case 4:
        step('EERD', write(R.REG_EERD, (random(3) << 8) | R.EERD_START));
        step('EERD', read(R.REG_EERD));
        break;
      case 5: {
        const interrupt = random(2) * R.MDIC_INTERRUPT;
        step('MDIC', write(R.REG_MDIC, R.MDIC_OP_READ | interrupt | (1 << 21) | ((2 + random(2)) << 16)));
        step('MDIC', read(R.REG_MDIC));
        break;
      }
      case 6:
      case 7:
      case 8:
        step(name, write(offset, random(2 ** 32) & ~(LEFT_ALONE[name] ?? 0)));
        step(name, read(offset), bits);
        break;
      default:
        step(name, read(offset), bits);
    }
  }
  return script;
}
