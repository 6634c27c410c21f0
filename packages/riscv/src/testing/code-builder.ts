import { assemble, li, type Operand } from './assembler.js';

/** A place in code that is being built. */
export class Label {
  /** Bytes from the start of the code; undefined until placed. */
  at: number | undefined;
}

interface Piece {
  readonly size: number;
  readonly encode: (at: number) => readonly number[];
}

const OFFSET_LOW = 0xfff;

/** Position-independent code with labels: 32-bit and compressed instructions and tables of offsets in it. */
export class CodeBuilder {
  readonly #pieces: Piece[] = [];
  #size = 0;

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** 32-bit instructions, as {@link assemble} gives them. */
  words(...words: readonly number[]): void {
    for (const word of words) this.#add(4, () => [word & 0xffff, word >>> 16]);
  }

  /** One 32-bit instruction by its mnemonic. */
  op(mnemonic: string, ...operands: readonly Operand[]): void {
    this.words(assemble(mnemonic, ...operands));
  }

  /** A compressed instruction. */
  half(half: number): void {
    this.#add(2, () => [half]);
  }

  li(register: Operand, value: bigint | number): void {
    this.words(...li(register, value));
  }

  /** The label, placed here. */
  place(label: Label): Label {
    label.at = this.#size;
    return label;
  }

  /** A conditional branch; its reach is 4 KiB. */
  branch(mnemonic: string, first: Operand, second: Operand, target: Label): void {
    this.#add(4, (at) => split(assemble(mnemonic, first, second, distance(at, target, 4096))));
  }

  /** JAL; its reach is 1 MiB. */
  jal(link: Operand, target: Label): void {
    this.#add(4, (at) => split(assemble('jal', link, distance(at, target, 1 << 20))));
  }

  /** C.J; its reach is 2 KiB. */
  shortJump(target: Label): void {
    this.#add(2, (at) => [compressedJump(distance(at, target, 2048))]);
  }

  /** C.BEQZ or C.BNEZ on x8 to x15; its reach is 256 bytes. */
  shortBranch(zero: boolean, register: number, target: Label): void {
    this.#add(2, (at) => [compressedBranch(zero, register, distance(at, target, 256))]);
  }

  /** AUIPC and ADDI: the label's address. */
  la(register: Operand, target: Label): void {
    this.#far(register, target, (low) => assemble('addi', register, register, low));
  }

  /** AUIPC and JALR, through a scratch register. */
  farJump(link: Operand, scratch: Operand, target: Label): void {
    this.#far(scratch, target, (low) => assemble('jalr', link, low, scratch));
  }

  /** A 32-bit offset of a label from another one. */
  offset(target: Label, from: Label): void {
    this.#add(4, () => split((placed(target) - placed(from)) >>> 0));
  }

  /** Half-words of C.NOP or zeros up to a multiple of `bytes`. */
  align(bytes: number, filler = 1): void {
    while (this.#size % bytes !== 0) this.half(filler);
  }

  build(): Uint8Array {
    const bytes = new Uint8Array(this.#size);
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (const { size, encode } of this.#pieces) {
      encode(at).forEach((half, index) => view.setUint16(at + index * 2, half, true));
      at += size;
    }
    return bytes;
  }

  #far(scratch: Operand, target: Label, second: (low: number) => number): void {
    this.#add(8, (at) => {
      const away = placed(target) - at;
      const low = (away << 20) >> 20;
      return [
        ...split(assemble('auipc', scratch, ((away - low) >> 12) & 0xfffff)),
        ...split(second(low & OFFSET_LOW)),
      ];
    });
  }

  #add(size: number, encode: Piece['encode']): void {
    this.#pieces.push({ size, encode });
    this.#size += size;
  }
}

const split = (word: number): [number, number] => [word & 0xffff, word >>> 16];

function placed(label: Label): number {
  if (label.at === undefined) throw new RangeError('a label was not placed');
  return label.at;
}

function distance(at: number, target: Label, reach: number): number {
  const away = placed(target) - at;
  if (away < -reach || away >= reach)
    throw new RangeError(`${away} bytes are beyond the reach of a ${reach}-byte branch`);
  return away;
}

const bit = (value: number, from: number, to: number): number => ((value >> from) & 1) << to;

function compressedJump(away: number): number {
  return (
    0xa001 |
    bit(away, 11, 12) |
    bit(away, 4, 11) |
    (((away >> 8) & 3) << 9) |
    bit(away, 10, 8) |
    bit(away, 6, 7) |
    bit(away, 7, 6) |
    (((away >> 1) & 7) << 3) |
    bit(away, 5, 2)
  );
}

function compressedBranch(zero: boolean, register: number, away: number): number {
  return (
    (zero ? 0xc001 : 0xe001) |
    ((register - 8) << 7) |
    bit(away, 8, 12) |
    (((away >> 3) & 3) << 10) |
    (((away >> 6) & 3) << 5) |
    (((away >> 1) & 3) << 3) |
    bit(away, 5, 2)
  );
}
