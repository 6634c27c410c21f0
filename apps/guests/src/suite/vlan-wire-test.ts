import { Switch } from '@vmloom/net';
import type { Connection } from './connections.js';
import { nameOf, type Configuration } from './debian-run.js';
import { registers } from './ethtool.js';
import type { GuestTest } from './guest-test.js';
import { runStates, type WireState } from './wire-states.js';
import type { Verdict } from './wire-verdicts.js';

const VLAN = 5;
const LENGTH = 200_000;
/** Ethernet header, tag and MTU. */
const LARGEST_FRAME = 1518;
/** 8254x manual 13.4.1: VLAN mode. */
const CTRL_VME = 1 << 30;

interface State extends WireState {
  /** The card puts tags in and takes them out. */
  readonly tags: boolean;
}

// The driver has no switch of its own for tags of what it sends: they go with rxvlan.
const STATES: readonly State[] = [
  { name: 'rxvlan on', features: 'rxvlan on rx on tx on tso on gro off', tags: true, segmentation: true },
  { name: 'rxvlan off', features: 'rxvlan off', tags: false, segmentation: true },
  { name: 'rxvlan and TSO off', features: 'tso off gso off tx off', tags: false, segmentation: false },
  { name: 'rxvlan on, TSO off', features: 'rxvlan on', tags: true, segmentation: false },
  { name: 'all on again', features: 'tx on tso on gso on', tags: true, segmentation: true },
];

const BEGIN = `
modprobe 8021q
ip link set eth0 up
check vlan ip link add link eth0 name eth0.${VLAN} type vlan id ${VLAN}
check link within 10 carrier_is 1
check dhcp dhcp eth0.${VLAN}
`;

/**
 * A VLAN interface in the guest, on a trunk of a switch whose access port leads to the host: `ethtool -K rxvlan`
 * moves the tag between kernel and card, and neither the wire nor tcpdump sees a difference.
 */
export function vlanWireTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)}: VLAN offload on the wire`,
    set,
    run: async (context) => {
      const { shown } = await runStates(context, configuration, {
        states: STATES,
        length: LENGTH,
        largest: LARGEST_FRAME,
        begin: BEGIN,
        show: (index) => `show features-${index} ethtool -k eth0\nshow registers-${index} ethtool -d eth0`,
        network: (translator, world) => {
          const { clock, ledger } = world;
          const lan = world.add(new Switch({ clock, ledger, vlanAware: true }));
          lan.connect(translator, { vlan: { access: VLAN } });
          return lan.port({ vlan: { trunk: [VLAN] } });
        },
        judge,
      });
      const { report } = context;
      STATES.forEach((state, index) => {
        const text = (name: string): string => shown.get(`${name}-${index}`)?.text ?? '';
        const mode = ((registers(text('registers')).get('CTRL') ?? 0) & CTRL_VME) !== 0;
        report.check(`${state.name}: CTRL.VME says so`, mode === state.tags, text('registers').slice(0, 100));
        const features = text('features');
        const told = ['rx', 'tx'].every((way) =>
          new RegExp(`^${way}-vlan-offload: ${state.tags ? 'on' : 'off'}`, 'm').test(features),
        );
        report.check(`${state.name}: ethtool -k says so of both directions`, told, features);
      });
    },
  };
}

function judge(_state: State, guest: Connection, wire: Connection): Verdict[] {
  const untagged = ({ sent, received }: Connection): number =>
    [...sent, ...received].filter(({ vlan }) => vlan !== VLAN).length;
  return [
    {
      what: 'IEEE 802.1Q 9.6: every frame on the wire has the tag',
      passed: untagged(wire) === 0,
      detail: `${untagged(wire)} have not`,
    },
    {
      what: 'every frame that the guest sees has the tag',
      passed: untagged(guest) === 0 && guest.received.length === wire.received.length,
      detail: `${untagged(guest)} have not; ${guest.received.length} of ${wire.received.length} came`,
    },
  ];
}
