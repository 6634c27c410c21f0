import { STATION, type BootResult } from '../boot/boot.js';
import { bootDebian, GATEWAY, lastWords, nameOf, runPlan, type Configuration } from './debian-run.js';
import { counters, dumpedBytes, registers, selfTestParts, wordSum } from './ethtool.js';
import type { GuestTest, TestContext } from './guest-test.js';

const SELF_TEST = ['register', 'eeprom', 'interrupt', 'loopback', 'link'];
/** 8254x manual 5.6.35: the sum of the first 64 words. */
const EEPROM_SUM = 0xbaba;
const EEPROM_BYTES = 128;
const STATUS_LINK_UP = 2;

const BOOT_PLAN = `
show harts grep -c ^processor /proc/cpuinfo
show memory grep MemTotal /proc/meminfo
finish poweroff -f
`;

const E1000_PLAN = `
show harts grep -c ^processor /proc/cpuinfo
check modprobe modprobe e1000
check dhcp dhcp eth0
check ping-gateway /usr/bin/ping -c 3 -W 3 ${GATEWAY}
show registers ethtool -d eth0
show eeprom ethtool -e eth0 raw off
show self-test ethtool -t eth0 offline
check link-after-self-test within 10 grep -q 1 /sys/class/net/eth0/carrier
check ping-after-self-test /usr/bin/ping -c 3 -W 3 ${GATEWAY}
show statistics ethtool -S eth0
finish poweroff -f
`;

const CYCLES = 20;

const CYCLES_PLAN = `
modprobe e1000
cycle() {
  rmmod e1000 && modprobe e1000 && dhcp eth0 && /usr/bin/ping -c 1 -W 3 ${GATEWAY}
}
cycles() {
  for number in $(seq ${CYCLES}); do cycle || { echo "in cycle $number"; return 1; }; done
}
check ${CYCLES}-cycles-of-rmmod-and-modprobe cycles
finish poweroff -f
`;

const REBOOT_PLAN = `
finish reboot -f
`;

/** Everything about the e1000 in one boot. */
export function e1000Test(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)}: e1000`,
    set,
    run: async (context) => {
      const result = await runPlan(context, configuration, E1000_PLAN, { network: true });
      harts(context, result, configuration);
      toolOutput(context, result);
    },
  };
}

/** To /init and off again, in 128 MiB. */
export function bootTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)}: boot`,
    set,
    run: async (context) => {
      const result = await runPlan(context, configuration, BOOT_PLAN, {});
      harts(context, result, configuration);
    },
  };
}

/** The driver comes and goes. */
export function cyclesTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)}: e1000 module cycles`,
    set,
    run: async (context) => {
      await runPlan(context, configuration, CYCLES_PLAN, { network: true, patience: 600 });
    },
  };
}

/** `reboot` boots again: the second boot reaches /init too. */
export function rebootTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)}: reboot`,
    set,
    run: async (context) => {
      const boots = 2;
      let seen = 0;
      const result = await bootDebian(context, configuration, REBOOT_PLAN, {
        onReset: 'boot',
        onMachine: ({ machine: { console }, stop }) => {
          const reached = /end kernel-log 0/;
          const next = (): void => {
            seen++;
            if (seen < boots) void console.waitFor(reached).then(next);
            else stop();
          };
          void console.waitFor(reached).then(next);
        },
      });
      context.report.check('boots again after reboot', seen === boots, `${seen} boots: ${lastWords(result)}`);
    },
  };
}

function harts({ report }: TestContext, { shown }: BootResult, { harts: expected }: Configuration): void {
  const found = shown.get('harts')?.text;
  report.check(
    `all harts run (${expected})`,
    found === String(expected),
    `the kernel counts ${found ?? 'nothing'}`,
  );
}

function toolOutput({ report }: TestContext, { shown }: BootResult): void {
  const text = (name: string): string => shown.get(name)?.text ?? '';
  const parts = selfTestParts(text('self-test'));
  for (const part of SELF_TEST) {
    const code = parts.get(part);
    report.check(
      `ethtool -t offline: ${part}`,
      code === 0,
      code === undefined ? 'no answer' : `error ${code}`,
    );
  }
  const bytes = dumpedBytes(text('eeprom'));
  const mac = [...bytes.subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
  report.check('ethtool -e: the station address comes first', mac === STATION, mac);
  report.check(
    'ethtool -e: 64 words with the sum 0xBABA',
    bytes.length === EEPROM_BYTES && wordSum(bytes) === EEPROM_SUM,
    `${bytes.length} bytes, sum 0x${wordSum(bytes).toString(16)}`,
  );
  const status = registers(text('registers')).get('STATUS') ?? 0;
  report.check(
    'ethtool -d: STATUS says that the link is up',
    (status & STATUS_LINK_UP) !== 0,
    text('registers'),
  );
  const counts = counters(text('statistics'));
  const count = (name: string): number => counts.get(name) ?? -1;
  report.check(
    'ethtool -S: packets both ways and no errors',
    count('rx_packets') >= 6 &&
      count('tx_packets') >= 6 &&
      count('rx_errors') === 0 &&
      count('tx_errors') === 0,
    text('statistics'),
  );
}
