import { describe, expect, it } from 'vitest';
import { kernelComplaints, readTranscript } from './transcript.js';

describe('readTranscript', () => {
  it('reads checks and shown output from a console with carriage returns', () => {
    const log = [
      '[    1.0] Run /init as init process',
      '@@ check modprobe ok',
      '@@ begin self-test',
      'The test result is PASS',
      'Link test  0',
      '',
      '@@ end self-test 0',
      '@@ check ping FAIL exit code 1: no route',
      '',
    ].join('\r\n');
    const { checks, shown } = readTranscript(log);
    expect(checks).toEqual([
      { name: 'modprobe', ok: true, detail: '' },
      { name: 'ping', ok: false, detail: 'exit code 1: no route' },
    ]);
    expect(shown.get('self-test')).toEqual({ text: 'The test result is PASS\nLink test  0', exitCode: 0 });
  });

  it('leaves out what the guest did not get to the end of', () => {
    expect(readTranscript('@@ begin a\nhalf of it').shown.size).toBe(0);
    expect(readTranscript('@@ begin a\n@@ end b 0\n').shown.size).toBe(0);
    expect(readTranscript('echo @@ check typed ok').checks).toEqual([]);
  });
});

describe('kernelComplaints', () => {
  it('finds what no healthy kernel writes', () => {
    const log = `[    0.1] Linux version 6.12
[    0.2] rcu: INFO: rcu_sched self-detected stall on CPU
[    0.3] WARNING: CPU: 0 PID: 1 at kernel/x.c:1
[    0.4] debug: nothing here
[    0.5] Oops [#1]`;
    expect(kernelComplaints(log)).toHaveLength(3);
  });
});
