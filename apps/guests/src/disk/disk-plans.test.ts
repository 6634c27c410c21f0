import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { bootDiskPlan, diskFiles, MAKE_DISK_PLAN } from './disk-plans.js';

/** What a POSIX shell says of a script without running it. */
const complaints = (script: string): string =>
  spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' }).stderr;

describe('plans of a system on a disk', () => {
  it('are scripts that a shell can read', () => {
    const later = 'show a cat /etc/passwd\nfinish poweroff -f';
    for (const plan of [MAKE_DISK_PLAN, bootDiskPlan(), bootDiskPlan(later)])
      expect(complaints(plan)).toBe('');
  });

  it("files are scripts with the shell's first line, or tables of plain text", () => {
    for (const entry of diskFiles()) {
      if (entry.kind !== 'file') throw new Error('only files are added');
      const text = new TextDecoder().decode(entry.bytes);
      if (entry.mode === 0o755) {
        expect(text).toMatch(/^#!\/usr\/bin\/busybox sh\n/);
        expect(complaints(text)).toBe('');
      } else expect(text).toMatch(/^[^#]+\n$/);
    }
  });

  it("a test's plan reaches the disk word for word, its variables not expanded on the way", () => {
    expect(bootDiskPlan('echo "$HOME"')).toContain('<< \'END-OF-PLAN\'\necho "$HOME"\nEND-OF-PLAN');
    expect(bootDiskPlan()).not.toContain('END-OF-PLAN');
  });
});
