import type { BareMachine } from './bare-machine.js';
import { PAGE_TABLE_ENTRIES } from './random-events.js';
import {
  CODE_PAGES,
  CONSTANT_PAGES,
  PLACE,
  REMAPPED_PAGES,
  STACK_PAGES,
  TABLE_BYTES,
  VIRTUAL,
  WINDOW_PAGES,
} from './random-layout.js';
import { PageTables, PTE, PTE_KERNEL, PTE_USER } from './page-tables.js';
import type { RandomProgram } from './random-program.js';
import type { Random } from './random.js';
import { RAM_BASE } from './bare-machine.js';

const PAGE = 4096;
/** Bytes of page tables for one address space. */
const TABLES_EACH = 26 * PAGE;
const SUPERPAGE = 1;
const GIGAPAGE = 2;
/** A physical address at which nothing answers. */
const NOTHING = 0x4000_0000;

/** Values of satp: two Sv39 spaces, an Sv48 one, and the first by another ASID. */
export const SATPS: readonly bigint[] = [
  [8n, 1n, 0],
  [8n, 2n, 1],
  [9n, 3n, 2],
  [8n, 4n, 0],
].map(
  ([mode, asid, space]) =>
    ((mode as bigint) << 60n) |
    ((asid as bigint) << 44n) |
    (BigInt(PLACE.tables + (space as number) * TABLES_EACH) >> 12n),
);

/** Values that a page-table entry may take while the program runs. */
interface Variable {
  readonly slot: number;
  readonly values: readonly bigint[];
}

const entry = (physicalAddress: number, bits: bigint): bigint =>
  ((BigInt(physicalAddress) >> 12n) << 10n) | bits;

/** Entries of pages that often fault: absent, without rights, without A or D, reserved, of a device, of nothing. */
const troubled = (page: number): bigint[] => [
  0n,
  entry(page, PTE_USER),
  entry(page, PTE_USER & ~PTE.W),
  entry(page, PTE_USER & ~(PTE.R | PTE.W)),
  entry(page, PTE_USER & ~PTE.A),
  entry(page, PTE_USER & ~PTE.D),
  entry(page, PTE_KERNEL),
  entry(page, PTE_USER & ~PTE.R),
  entry(page, PTE_USER) | (1n << 54n),
  entry(page + PAGE, PTE_USER),
  entry(PLACE.device, PTE_USER),
  entry(NOTHING, PTE_USER),
];

/** Builds the address spaces in RAM; pairs of an entry's address and a value that it may get. */
export function buildAddressSpaces(
  machine: BareMachine,
  random: Random,
  { scattered, twins }: Pick<RandomProgram, 'scattered' | 'twins'>,
): readonly (readonly [slot: number, value: bigint])[] {
  const variables: Variable[] = [];
  for (const space of [0, 1, 2]) {
    const tables = new PageTables(machine, space === 2 ? 4 : 3, PLACE.tables + space * TABLES_EACH);
    const superData = space === 2;
    mapData(tables, random, variables, superData);
    mapCode(tables, random, variables, scattered);
    mapTwins(tables, variables, scattered, twins, space === 1);
  }
  return Array.from({ length: PAGE_TABLE_ENTRIES }, () => {
    const { slot, values } = random.pick(variables);
    return [slot, random.pick(values)] as const;
  });
}

function mapData(tables: PageTables, random: Random, variables: Variable[], superpage: boolean): void {
  tables.map(VIRTUAL.kernel, BigInt(RAM_BASE), PTE_KERNEL | PTE.G, GIGAPAGE);
  tables.map(BigInt(PLACE.device), BigInt(PLACE.device), PTE_USER & ~PTE.X);
  if (superpage) {
    tables.map(BigInt(RAM_BASE), BigInt(RAM_BASE), PTE_USER & ~PTE.X, SUPERPAGE);
    return;
  }
  const identity = (first: number, pages: number, bits: bigint): void => {
    for (let at = first; at < first + pages * PAGE; at += PAGE) tables.map(BigInt(at), BigInt(at), bits);
  };
  identity(PLACE.state, 1, PTE_USER & ~PTE.X);
  identity(PLACE.constants, CONSTANT_PAGES, PTE_USER & ~(PTE.X | PTE.W));
  identity(PLACE.tables, TABLE_BYTES / PAGE, PTE_KERNEL & ~PTE.X);
  identity(PLACE.stacks, STACK_PAGES, PTE_USER & ~PTE.X);
  for (let at = 0; at < WINDOW_PAGES; at++) {
    // Neighbours change places, so that an access across a page meets a page that is not the next one.
    const page = PLACE.data + (at ^ 1) * PAGE;
    const slot = tables.map(BigInt(PLACE.data + at * PAGE), BigInt(page), PTE_USER);
    const values = [
      PTE_USER,
      PTE_USER,
      PTE_USER,
      PTE_USER,
      PTE_USER & ~PTE.A,
      PTE_USER & ~PTE.D,
      PTE_USER & ~(PTE.A | PTE.D),
    ];
    variables.push({ slot, values: values.map((bits) => entry(page, bits)) });
  }
  for (let at = 0; at < WINDOW_PAGES; at++) {
    const page = PLACE.trouble + at * PAGE;
    const values = troubled(page);
    const slot = tables.map(BigInt(page), BigInt(page), PTE_USER);
    tables.machine.write64(slot, random.pick(values));
    variables.push({ slot, values });
  }
}

function mapCode(
  tables: PageTables,
  random: Random,
  variables: Variable[],
  scattered: readonly number[],
): void {
  const rights = (): bigint => {
    const kind = random.below(12);
    return kind === 0 ? ~PTE.W : kind === 1 ? ~PTE.A : kind === 2 ? ~PTE.D : ~0n;
  };
  for (let at = 0; at < CODE_PAGES; at++) {
    const offset = BigInt(at * PAGE);
    const contiguous = PLACE.contiguous + at * PAGE;
    for (const [virtual, page, bits] of [
      [VIRTUAL.supervisorContiguous, contiguous, PTE_KERNEL],
      [VIRTUAL.userContiguous, contiguous, PTE_USER],
      [VIRTUAL.supervisorScattered, scattered[at], PTE_KERNEL],
      [VIRTUAL.userScattered, scattered[at], PTE_USER],
    ] as const) {
      const slot = tables.map(virtual + offset, BigInt(page), bits & rights());
      if (random.below(4) !== 0) continue;
      variables.push({
        slot,
        values: [bits, bits & ~PTE.A, bits & ~PTE.W, bits & ~PTE.D].map((some) => entry(page, some)),
      });
    }
  }
  tables.map(VIRTUAL.supervisorSuperpage, BigInt(PLACE.contiguous), PTE_KERNEL, SUPERPAGE);
  tables.map(VIRTUAL.userSuperpage, BigInt(PLACE.contiguous), PTE_USER, SUPERPAGE);
  for (const [virtual, bits] of [
    [VIRTUAL.supervisorRemapped, PTE_KERNEL],
    [VIRTUAL.userRemapped, PTE_USER],
  ] as const) {
    const pages = Array.from({ length: REMAPPED_PAGES }, (_, index) => PLACE.remapped + index * PAGE);
    const slot = tables.map(virtual, BigInt(random.pick(pages)), bits);
    const values = pages.flatMap((page) => [entry(page, bits), entry(page, bits)]);
    const variable = { slot, values: [...values, 0n] };
    // These matter more than the pages of data.
    for (let copies = 0; copies < 6; copies++) variables.push(variable);
  }
}

/** Pages that follow the same page as others do elsewhere, or at another time. */
function mapTwins(
  tables: PageTables,
  variables: Variable[],
  scattered: readonly number[],
  twins: readonly (number | undefined)[],
  first: boolean,
): void {
  for (const [index, twin] of twins.entries()) {
    if (twin === undefined) continue;
    for (const [virtual, bits] of [
      [VIRTUAL.supervisorScattered, PTE_KERNEL],
      [VIRTUAL.userScattered, PTE_USER],
    ] as const) {
      const pages = [twin, scattered[index]];
      const slot = tables.map(virtual + BigInt(index * PAGE), BigInt(pages[first ? 0 : 1]), bits);
      const variable = { slot, values: pages.map((page) => entry(page, bits)) };
      variables.push(variable, variable, variable);
    }
  }
}
