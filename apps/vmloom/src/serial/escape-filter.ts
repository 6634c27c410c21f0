const ESCAPE = 0x01;

/** What a person asked for behind Ctrl-a. */
export type EscapeCommand = 'quit' | 'switch' | 'help' | 'break' | 'timestamps';

const COMMANDS: Readonly<Record<string, EscapeCommand>> = {
  x: 'quit',
  c: 'switch',
  h: 'help',
  '?': 'help',
  b: 'break',
  t: 'timestamps',
};

export const ESCAPE_HELP = [
  'C-a h    print this help',
  'C-a x    exit vmloom',
  'C-a t    toggle console timestamps',
  'C-a b    send break',
  'C-a c    switch between console and monitor',
  'C-a C-a  send C-a',
].join('\r\n');

/** Ctrl-a and a letter, as QEMU's multiplexed console takes them; everything else passes. */
export class EscapeFilter {
  #escaped = false;

  constructor(readonly onCommand: (command: EscapeCommand) => void) {}

  /** The bytes that are for the guest. A letter that names no command is dropped with its escape. */
  filter(input: Uint8Array): Uint8Array {
    const passed: number[] = [];
    for (const byte of input) {
      if (!this.#escaped) {
        if (byte === ESCAPE) this.#escaped = true;
        else passed.push(byte);
        continue;
      }
      this.#escaped = false;
      if (byte === ESCAPE) passed.push(byte);
      else {
        const command = COMMANDS[String.fromCharCode(byte)];
        if (command !== undefined) this.onCommand(command);
      }
    }
    return Uint8Array.from(passed);
  }
}
