/** Where the time of a run of vmloom went, in hundredths; nothing of a run without a compiler. */
export const SHARES = ['emit', 'compile', 'interpret', 'run'];

/** @returns {string[]} the shares as cells, in the order of {@link SHARES} */
export function shareCells({ jit } = {}) {
  if (jit === undefined) return ['', '', '', ''];
  const seconds = [jit.emitSeconds, jit.compileSeconds, jit.interpretSeconds, jit.runSeconds];
  const whole = seconds.reduce((sum, one) => sum + one, 0);
  return seconds.map((one) => `${((one / whole) * 100).toFixed(0)} %`);
}
