import { REGISTERS, type RegisterDefinition } from '../src/register-table.js';
import * as R from '../src/register-map.js';

/** One 32-bit access to the card; a write has a value. */
export interface Access {
  /** The registers of BAR 0, or the configuration space. */
  readonly space: 'registers' | 'config';
  readonly offset: number;
  readonly value?: number;
}

/** A card that a script of accesses can be run on. */
export interface ScriptedCard {
  /** The values of the reads, in their order. */
  run(script: readonly Access[]): Promise<number[]>;
  close(): Promise<void>;
}

const ONES = 0xffff_ffff;
const read = (offset: number): Access => ({ space: 'registers', offset });
const write = (offset: number, value: number): Access => ({ space: 'registers', offset, value });

/** Places BAR 0 where both cards are looked for, and lets the card answer and master the bus. */
export const PLACE: readonly Access[] = [
  { space: 'config', offset: 0x10, value: 0x4000_0000 },
  { space: 'config', offset: 0x04, value: 6 },
];

/** Bits that are not written: they reset, or begin to work. */
const LEFT_ALONE: Readonly<Record<string, number>> = {
  CTRL: 0xa400_0000,
  CTRL_EXT: 1 << 13,
  RCTL: 2,
  TCTL: 2,
  TXDCTL: 1 << 25,
  RXDCTL: 1 << 25,
};
/** Registers whose writes act or whose reads say more than what was written: they have scripts of their own. */
const ACTIVE = new Set([
  'EECD',
  'EERD',
  'EEWR',
  'MDIC',
  'ICR',
  'ICS',
  'IMS',
  'IMC',
  'EICR',
  'EICS',
  'EIMS',
  'EIMC',
  'TDT',
  'RDT',
  'SWSM',
  'STATUS',
  'TIMINCA',
  'TIMADJH',
  'SYSTIML',
  'SYSTIMH',
  'FRTIMER',
  'TCPTIMER',
  'P2VMAILBOX',
  'V2PMAILBOX',
  'GCR',
]);

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

/** Values in hexadecimal, repetitions as a count: `0x5, 0x0 x15`. */
function listed(values: readonly number[]): string {
  const runs: { text: string; count: number }[] = [];
  for (const text of values.map(hex)) {
    const last = runs.at(-1);
    if (last?.text === text) last.count++;
    else runs.push({ text, count: 1 });
  }
  return runs.map(({ text, count }) => (count === 1 ? text : `${text} x${count}`)).join(', ');
}

const offsets = ({ offset, count = 1, stride = 4 }: RegisterDefinition): number[] =>
  Array.from({ length: count }, (_, index) => offset + index * stride);

/** What was seen, by `<register>: <aspect>`. Every probe leaves behind what the next one expects. */
export async function observe(card: ScriptedCard): Promise<Map<string, string>> {
  const seen = new Map<string, string>();
  const script = async (...accesses: readonly Access[]): Promise<string> => listed(await card.run(accesses));
  await card.run(PLACE);
  for (const definition of REGISTERS) {
    seen.set(`${nameOf(definition)}: power-on`, await script(...offsets(definition).map(read)));
  }
  await interrupts(script, seen);
  await eepromAndPhy(script, seen);
  for (const definition of REGISTERS) {
    if (ACTIVE.has(definition.name)) continue;
    const left = LEFT_ALONE[definition.name] ?? 0;
    const masks: number[] = [];
    for (const at of offsets(definition)) {
      const [zero, one] = await card.run([
        write(at, 0),
        read(at),
        write(at, ONES & ~left),
        read(at),
        write(at, 0),
      ]);
      masks.push(zero ^ one);
    }
    seen.set(`${nameOf(definition)}: writable bits`, listed(masks));
  }
  return seen;
}

/** RAL and RAH have two banks. */
const nameOf = ({ name, offset }: RegisterDefinition): string =>
  name.startsWith('RA') && offset >= R.REG_RAL16 && offset < 0x5600 ? `${name}(16)` : name;

type Script = (...accesses: readonly Access[]) => Promise<string>;

async function interrupts(script: Script, seen: Map<string, string>): Promise<void> {
  const { REG_ICR, REG_ICS, REG_IMS, REG_IMC, REG_EICR, REG_EICS, REG_EIMS, REG_EIMC, REG_GPIE } = R;
  await script(read(REG_ICR), write(REG_IMC, ONES), write(REG_EIMC, ONES));
  seen.set('ICS: every cause', await script(write(REG_ICS, ONES), read(REG_ICR), read(REG_ICR)));
  seen.set(
    'IMS: every cause',
    await script(write(REG_IMS, ONES), read(REG_IMS), write(REG_IMC, ONES), read(REG_IMS)),
  );
  seen.set(
    'ICR: read while another cause is enabled',
    await script(write(REG_IMS, 0x10), write(REG_ICS, 4), read(REG_ICR), read(REG_ICR)),
  );
  seen.set(
    'ICR: the same with NSICR',
    await script(write(REG_GPIE, 1), read(REG_ICR), read(REG_ICR), write(REG_IMC, ONES), write(REG_GPIE, 0)),
  );
  seen.set(
    'ICR: a write clears',
    await script(write(REG_ICS, 0x14), write(REG_ICR, 4), read(REG_ICR), read(REG_ICR)),
  );
  seen.set(
    'EICR: EICS, a write, a read',
    await script(
      write(REG_GPIE, 0x11),
      write(REG_EICS, 0xff),
      write(REG_EICR, 1),
      read(REG_EICR),
      read(REG_EICR),
    ),
  );
  seen.set(
    'EIMS: set and clear',
    await script(
      write(REG_EIMS, ONES),
      read(REG_EIMS),
      write(REG_EIMC, 5),
      read(REG_EIMS),
      write(REG_EIMC, ONES),
    ),
  );
  await script(write(REG_GPIE, 0), read(REG_ICR), read(REG_EICR));
}

async function eepromAndPhy(script: Script, seen: Map<string, string>): Promise<void> {
  for (let word = 0; word < 0x40; word++) {
    const answer = await script(write(R.REG_EERD, (word << 2) | 1), read(R.REG_EERD));
    seen.set(`EEPROM: word ${hex(word)}`, answer);
  }
  for (let register = 0; register < 32; register++) {
    const answer = await script(
      write(R.REG_MDIC, (2 << 26) | (1 << 21) | (register << 16)),
      read(R.REG_MDIC),
    );
    seen.set(`PHY ${register}: power-on`, answer);
  }
  seen.set('MDIC: another address', await script(write(R.REG_MDIC, (2 << 26) | (2 << 21)), read(R.REG_MDIC)));
  seen.set('SWSM: two reads', await script(read(R.REG_SWSM), read(R.REG_SWSM), write(R.REG_SWSM, 0)));
}
