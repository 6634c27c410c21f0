import { GATEWAY, nameOf, type Configuration } from './debian-run.js';
import { selfTestParts } from './ethtool.js';
import type { GuestTest } from './guest-test.js';
import { runWithFunctions } from './virtual-functions-run.js';

const SELF_TEST = ['register', 'eeprom', 'interrupt', 'loopback', 'link'];

// The function that is reset is up: igbvf takes its interface down before the reset without asking whether it is up, and
// waits for ever in napi_disable when it is not.
const RESETS = `
check before $PING -c 1 -W 1 10.0.9.11
check flr sh -c 'echo 1 > /sys/bus/pci/devices/0000:01:10.2/reset'
sleep 2
n 1 $IP link set port down
n 1 $IP link set port up
check after-flr within 10 n 1 $PING -c 1 -W 1 10.0.9.12
show self-test ethtool -t eth0 offline
check pf-after-self-test within 10 $PING -c 1 -W 1 ${GATEWAY}
check vf-after-self-test within 10 n 1 $PING -c 1 -W 1 10.0.9.12
check pf-to-vf-after-self-test within 10 $PING -c 1 -W 1 10.0.9.11
`;

/** Function level reset of a virtual function, then igb's own test of the card while seven functions are up. */
export function virtualFunctionsResetTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)}: igb and seven igbvf, resets`,
    set,
    run: async (context) => {
      const { shown } = await runWithFunctions(context, configuration, RESETS, 'all');
      const parts = selfTestParts(shown.get('self-test')?.text ?? '');
      for (const part of SELF_TEST) {
        const code = parts.get(part);
        const detail = code === undefined ? 'no answer' : `error ${code}`;
        context.report.check(`ethtool -t offline: ${part}`, code === 0, detail);
      }
    },
  };
}

/** Pings of the physical function, a hundred in a second, that two resets and their way to a link may cost. */
const LOST_PER_ROUND = 10;

/**
 * The functions go while one of them and the physical function send a hundred frames a second: what never rests
 * would never let virtual time pass quickly.
 */
const cyclesPlan = (cycles: number): string => `
modprobe igbvf
$PING -i 0.01 -q ${GATEWAY} > /run/pf-ping 2>&1 &
pinging=$!
first() { ls /sys/bus/pci/devices/0000:01:10.0/net 2>/dev/null | grep -q .; }
bound() { test $(ls -d /sys/bus/pci/drivers/igbvf/0000:* 2>/dev/null | wc -l) = $1; }
good=0
for round in $(seq ${cycles}); do
  count=$((round % 7 + 1))
  $IP netns add n0
  echo $count > $CARD/sriov_numvfs
  within 10 first
  name=$(ls /sys/bus/pci/devices/0000:01:10.0/net)
  $IP link set $name netns n0
  $IP -n n0 addr add 10.0.2.77/24 dev $name
  $IP -n n0 link set $name up
  if within 10 bound $count && within 10 n 0 $PING -c 1 -W 1 ${GATEWAY} > /dev/null; then good=$((good + 1)); fi
  n 0 $PING -i 0.01 -q ${GATEWAY} > /dev/null 2>&1 &
  vfping=$!
  usleep 100000
  echo 0 > $CARD/sriov_numvfs
  bound 0 || good=-1000
  { kill $vfping; wait $vfping; } 2>/dev/null
  $IP netns del n0
done
check every-round test $good = ${cycles}
check pf-sent-all-the-while kill -INT $pinging
wait $pinging
show pf-ping cat /run/pf-ping
check pf-still-there $PING -c 2 -W 1 ${GATEWAY}
`;

/** Functions are enabled and disabled again and again while they and the card carry traffic. */
export function virtualFunctionsCyclesTest(
  configuration: Configuration,
  set: GuestTest['set'],
  cycles: number,
): GuestTest {
  return {
    name: `${nameOf(configuration)}: igb, ${cycles} times functions and none`,
    set,
    run: async (context) => {
      const { shown } = await runWithFunctions(context, configuration, cyclesPlan(cycles), 'none');
      const { report } = context;
      const text = shown.get('pf-ping')?.text ?? '';
      const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(text) ?? [];
      // The driver resets the card, and the link with it, when functions come and when they go: what is on its way is lost.
      const lost = Number(sent) - Number(received);
      const passed = Number(received) > 10 * cycles && lost <= LOST_PER_ROUND * cycles;
      report.check('the physical function loses pings only about its resets', passed, text);
      report.note(`${received} of ${sent} pings of the physical function answered`);
    },
  };
}
