import { STATION } from '../boot/boot.js';
import { IGB_NIC } from '../boot/nics.js';
import { GATEWAY, nameOf, runPlan, type Configuration } from './debian-run.js';
import { counters, dumpedBytes, selfTestParts, wordSum } from './ethtool.js';
import type { GuestTest } from './guest-test.js';

const SELF_TEST = ['register', 'eeprom', 'interrupt', 'loopback', 'link'];
/** 82576 datasheet 6.2: the sum of the first 64 words. */
const EEPROM_SUM = 0xbaba;

const PLAN = `
check modprobe modprobe igb
check dhcp dhcp eth0
check ping-gateway /usr/bin/ping -c 3 -W 3 ${GATEWAY}
show interrupts grep eth0 /proc/interrupts
show registers ethtool -d eth0
show eeprom ethtool -e eth0 length 128 raw off
show clock ethtool -T eth0
show self-test ethtool -t eth0 offline
check link-after-self-test within 10 grep -q 1 /sys/class/net/eth0/carrier
check ping-after-self-test /usr/bin/ping -c 3 -W 3 ${GATEWAY}
show statistics ethtool -S eth0
finish poweroff -f
`;

/** The physical function of the 82576 by the stock driver: it binds, pings, and passes its own test. */
export function igbTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)}: igb`,
    set,
    run: async (context) => {
      const pack = { modules: [IGB_NIC.driver] };
      const options = { network: true, nic: IGB_NIC, pack };
      const { shown, log } = await runPlan(context, configuration, PLAN, options);
      const { report } = context;
      const text = (name: string): string => shown.get(name)?.text ?? '';
      const parts = selfTestParts(text('self-test'));
      for (const part of SELF_TEST) {
        const code = parts.get(part);
        const detail = code === undefined ? 'no answer' : `error ${code}`;
        report.check(`ethtool -t offline: ${part}`, code === 0, detail);
      }
      const vectors = text('interrupts')
        .split('\n')
        .filter((line) => line.includes('eth0')).length;
      const messages = configuration.aia === 'aplic-imsic';
      const expected = messages ? vectors > 1 : vectors === 1;
      report.check(messages ? 'MSI-X: a vector for each queue' : 'one interrupt', expected, `${vectors}`);
      const bytes = dumpedBytes(text('eeprom'));
      const mac = [...bytes.subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
      report.check('ethtool -e: the station address comes first', mac === STATION, mac);
      const sum = wordSum(bytes);
      report.check('ethtool -e: 64 words with the sum 0xBABA', sum === EEPROM_SUM, `0x${sum.toString(16)}`);
      const clock =
        /PTP Hardware Clock: (\d+)/i.exec(text('clock'))?.[1] ??
        /Hardware timestamp provider index: (\d+)/i.exec(text('clock'))?.[1];
      report.check('ethtool -T: a PTP clock', clock !== undefined, text('clock'));
      const statistics = counters(text('statistics'));
      for (const counter of ['rx_packets', 'tx_packets', 'rx_bytes', 'tx_bytes']) {
        const value = statistics.get(counter) ?? 0;
        report.check(`ethtool -S: ${counter} moves`, value > 0, `${value}`);
      }
      for (const counter of ['rx_errors', 'tx_errors', 'rx_crc_errors', 'rx_missed_errors']) {
        const value = statistics.get(counter) ?? NaN;
        report.check(`ethtool -S: ${counter} is 0`, value === 0, `${value}`);
      }
      report.check(
        'the link came up at 1000 Mb/s',
        /1000 Mbps Full Duplex/.test(log),
        'the log says nothing of it',
      );
    },
  };
}
