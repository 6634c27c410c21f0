/** Puts the virtual time before each line: `[00:00:01.234] `. */
export class Timestamps {
  on = false;
  #lineStart = true;

  constructor(private readonly now: () => number) {}

  /** Output as it is to be shown. */
  mark(bytes: Uint8Array): Uint8Array {
    if (!this.on) {
      if (bytes.length > 0) this.#lineStart = bytes.at(-1) === NEWLINE;
      return bytes;
    }
    const marked: number[] = [];
    for (const byte of bytes) {
      if (this.#lineStart) for (const character of this.#stamp()) marked.push(character.charCodeAt(0));
      this.#lineStart = byte === NEWLINE;
      marked.push(byte);
    }
    return Uint8Array.from(marked);
  }

  #stamp(): string {
    const milliseconds = Math.floor(this.now() / 1e6);
    const pad = (value: number, width: number): string => String(value).padStart(width, '0');
    const [hours, minutes] = [Math.floor(milliseconds / 3_600_000), Math.floor(milliseconds / 60_000) % 60];
    const seconds = Math.floor(milliseconds / 1000) % 60;
    return `[${pad(hours, 2)}:${pad(minutes, 2)}:${pad(seconds, 2)}.${pad(milliseconds % 1000, 3)}] `;
  }
}

const NEWLINE = 10;
