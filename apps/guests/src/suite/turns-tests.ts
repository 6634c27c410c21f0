import { SHELL_PLAN } from '../boot/init-script.js';
import { bootDebian, GATEWAY, lastWords, nameOf, runPlan, type Configuration } from './debian-run.js';
import type { GuestTest } from './guest-test.js';

/** Share of a core that an idle machine may use. */
const IDLE_SHARE = 0.05;
/** Seconds of the host: for what a boot leaves to do, and for the measurement. */
const SETTLE = 3;
const MEASURE = 10;

/** A machine that waits at its prompt in real time costs next to nothing. */
export function idleTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)}: idle at its prompt`,
    set,
    run: async (context) => {
      let share = NaN;
      const result = await bootDebian(context, configuration, SHELL_PLAN, {
        network: true,
        time: 'realtime',
        onMachine: ({ machine: { console }, stop }) => {
          const prompt = console.waitFor(/\n[^\n]*# /);
          void prompt
            .then(async () => {
              await seconds(SETTLE);
              const before = process.cpuUsage();
              const began = performance.now();
              await seconds(MEASURE);
              const { user, system } = process.cpuUsage(before);
              share = (user + system) / 1e3 / (performance.now() - began);
            })
            .finally(stop);
        },
      });
      const percent = (100 * share).toFixed(1);
      context.report.note(`${percent} % of a core`);
      const detail = Number.isNaN(share) ? lastWords(result) : `${percent} %`;
      context.report.check(`uses less than ${100 * IDLE_SHARE} % of a core`, share < IDLE_SHARE, detail);
    },
  };
}

const seconds = (count: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, count * 1000));

/** Seconds that a second of sleep may take beside a hart that spins. */
const SLOWEST_SECOND = 1.2;
/** Milliseconds in which the gateway answers. */
const SLOWEST_ANSWER = 50;

/** Harts that spin cannot starve the others: sleep, commands and the network go on as before. */
export function spinTest(configuration: Configuration, set: GuestTest['set'], spinners: number): GuestTest {
  const busy = Array.from({ length: spinners }, (_, index) => configuration.harts - 1 - index);
  const plan = `
modprobe e1000
check dhcp dhcp eth0
spin() { while :; do :; done; }
for hart in ${busy.join(' ')}; do
  spin &
  check spinner-on-hart-$hart taskset -p $((1 << hart)) $!
done
uptime() { cut -d ' ' -f 1 /proc/uptime; }
show before uptime
sleep 1
show after uptime
show pings /usr/bin/ping -c 10 -i 0.1 -W 1 ${GATEWAY}
check commands within 1 true
show busy grep ^cpu /proc/stat
show load ps -o pid,stat,time
finish poweroff -f
`;
  return {
    name: `${nameOf(configuration)}: ${spinners === 1 ? '1 spins' : `${spinners} spin`}`,
    set,
    run: async (context) => {
      const { report } = context;
      const { shown } = await runPlan(context, configuration, plan, { network: true });
      const text = (name: string): string => shown.get(name)?.text ?? '';
      // The kernel counts hundredths; their difference in binary is not quite one.
      const slept = Math.round(100 * (Number(text('after')) - Number(text('before')))) / 100;
      report.check('a second of sleep is a second', slept >= 1 && slept < SLOWEST_SECOND, `${slept} s`);
      const pings = text('pings');
      const slowest = Number(/= [\d.]+\/[\d.]+\/([\d.]+)\//.exec(pings)?.[1] ?? NaN);
      const answered = pings.includes(' 10 received') && slowest < SLOWEST_ANSWER;
      report.check(`the gateway answers within ${SLOWEST_ANSWER} ms`, answered, pings);
      for (const hart of busy) {
        const ticks = Number(new RegExp(`^cpu${hart} (\\d+)`, 'm').exec(text('busy'))?.[1] ?? 0);
        report.check(`hart ${hart} has spun all the while`, ticks > 100, text('busy'));
      }
    },
  };
}
