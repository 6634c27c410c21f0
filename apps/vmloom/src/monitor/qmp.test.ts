import { describe, expect, it } from 'vitest';
import { FakeTarget } from './fake-target.js';
import { QmpSession } from './qmp.js';

async function talk(...commands: unknown[]): Promise<{ target: FakeTarget; answers: unknown[] }> {
  const target = new FakeTarget();
  const answers: unknown[] = [];
  const session = new QmpSession(
    target,
    (line) => answers.push(JSON.parse(line)),
    () => answers.push('closed'),
  );
  for (const command of commands) {
    session.receive(typeof command === 'string' ? command : `${JSON.stringify(command)}\n`);
  }
  await session.settled();
  return { target, answers: answers.slice(1) };
}
const hello = { execute: 'qmp_capabilities' };

describe('the monitor in QMP form', () => {
  it('greets, negotiates, answers with the id that was given', async () => {
    const { answers } = await talk(hello, { execute: 'query-status', id: 7 });
    expect(answers).toEqual([{ return: {} }, { return: { status: 'running', running: true }, id: 7 }]);
  });

  it('takes no command before the negotiation', async () => {
    const { target, answers } = await talk({ execute: 'quit' });
    expect(answers).toMatchObject([{ error: { class: 'CommandNotFound' } }]);
    expect(target.log).toEqual([]);
  });

  it('carries commands out in their order, also the slow ones', async () => {
    const { target } = await talk(
      hello,
      { execute: 'savevm', arguments: { name: 'a.snap' } },
      { execute: 'set_link', arguments: { name: 'n0', up: false } },
      { execute: 'loadvm', arguments: { name: 'a.snap' } },
      { execute: 'stop' },
      { execute: 'cont' },
      { execute: 'system_reset' },
      { execute: 'quit' },
    );
    expect(target.log).toEqual([
      'save a.snap',
      'link n0 false',
      'load a.snap',
      'stop',
      'cont',
      'reset',
      'quit',
    ]);
  });

  it('human-monitor-command runs a typed line', async () => {
    const { answers } = await talk(hello, {
      execute: 'human-monitor-command',
      arguments: { 'command-line': 'info network' },
    });
    expect(answers[1]).toEqual({ return: 'about network\r\nend\r\n' });
  });

  it.each([
    ['{bad json\n', 'invalid JSON syntax'],
    ['[]\n', 'a command is a JSON object'],
    [{ execute: 5 }, 'a command is {"execute"'],
    [{ execute: 'stop', arguments: [] }, 'arguments is an object'],
    [{ execute: 'toString' }, 'has not been found'],
    [{ execute: 'set_link', arguments: { name: 'n0', up: 'yes' } }, 'up is true or false'],
    [{ execute: 'set_link', arguments: { name: 'nX', up: true } }, 'no network is called nX'],
    [{ execute: 'savevm' }, 'name is a string'],
    [
      { execute: 'human-monitor-command', arguments: { 'command-line': 'info netwrk' } },
      'no info on netwrk; did you mean network?',
    ],
    [
      { execute: 'human-monitor-command', arguments: { 'command-line': 'quti' } },
      'unknown command quti; did you mean quit?',
    ],
    [{ execute: 'human-monitor-command', arguments: { 'command-line': 'set_link n0' } }, 'usage: set_link'],
  ])('refuses %j', async (command, sentence) => {
    const { answers } = await talk(hello, command, { execute: 'query-name' });
    expect((answers[1] as { error: { desc: string } }).error.desc).toContain(sentence);
    expect(answers[2]).toEqual({ return: { name: 'fake' } });
  });

  it('a peer that never ends its line is cut off', async () => {
    const { answers } = await talk('x'.repeat(2 ** 20 + 1));
    expect(answers).toEqual(['closed']);
  });

  it('tells events after the negotiation, with the time of the machine', () => {
    const lines: string[] = [];
    const session = new QmpSession(
      new FakeTarget(),
      (line) => lines.push(line),
      () => undefined,
    );
    session.event('STOP', 0);
    session.receive(`${JSON.stringify(hello)}\n`);
    return session.settled().then(() => {
      session.event('SHUTDOWN', 1_500_000_000, { guest: true });
      expect(JSON.parse(lines.at(-1)!)).toEqual({
        event: 'SHUTDOWN',
        data: { guest: true },
        timestamp: { seconds: 1, microseconds: 500_000 },
      });
      expect(lines.length).toBe(3);
    });
  });
});
