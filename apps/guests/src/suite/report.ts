/** Where results of a guest's checks go: one line each, and the count. */
export class Report {
  passed = 0;
  failed = 0;
  readonly #print: (line: string) => void;
  readonly #test: string;

  constructor(test: string, print: (line: string) => void) {
    this.#test = test;
    this.#print = print;
  }

  /** One check; the detail is shown when it failed. */
  check(name: string, ok: boolean, detail = ''): void {
    if (ok) this.passed++;
    else this.failed++;
    const why = ok || detail === '' ? '' : `: ${detail}`;
    this.#print(`${ok ? 'ok    ' : 'FAILED'} ${this.#test}: ${name}${why}`);
  }

  /** A figure or remark that is no check. */
  note(text: string): void {
    this.#print(`       ${this.#test}: ${text}`);
  }
}
