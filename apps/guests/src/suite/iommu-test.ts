import type { Nic } from '../boot/nics.js';
import type { LiveMachine } from '../boot/boot.js';
import { GATEWAY, nameOf, runPlan, type Configuration } from './debian-run.js';
import type { GuestTest } from './guest-test.js';

/** How the IOMMU is there. */
export interface IommuConfiguration extends Configuration {
  /** The board's, or a PCI function. */
  readonly iommu: 'board' | 'function';
}

const plan = (driver: string): string => `
show iommus ls /sys/class/iommu
groups() {
  for path in /sys/kernel/iommu_groups/*/devices/*; do
    group=\${path#/sys/kernel/iommu_groups/}
    echo "\${group%%/*} $(cat /sys/kernel/iommu_groups/\${group%%/*}/type) \${path##*/} $(cat $path/class)"
  done
}
show groups groups
check modprobe modprobe ${driver}
check dhcp dhcp eth0
check ping-gateway /usr/bin/ping -c 5 -W 3 ${GATEWAY}
check large-pings /usr/bin/ping -c 5 -W 3 -s 1400 ${GATEWAY}
show interrupts cat /proc/interrupts
show messages dmesg
finish poweroff -f
`;

/**
 * Linux finds the IOMMU, gives each function a group and a device context, and its network card works behind it. Debian
 * builds its kernel for this architecture without CONFIG_IOMMU_DMA, so that domains of drivers pass everything
 * ("identity"), whatever the command line asks for.
 */
export function iommuTest(configuration: IommuConfiguration, nic: Nic, set: GuestTest['set']): GuestTest {
  const { iommu } = configuration;
  const form = iommu === 'board' ? 'riscv-iommu of the board' : 'riscv-iommu-pci';
  return {
    name: `${nameOf(configuration)}: ${form}, ${nic.name}`,
    set,
    run: async (context) => {
      const { report } = context;
      let live: LiveMachine | undefined;
      const result = await runPlan(context, configuration, plan(nic.driver), {
        network: true,
        nic,
        iommu,
        pack: { modules: [nic.driver] },
        onMachine: (machine) => (live = machine),
      });
      const text = (name: string): string => result.shown.get(name)?.text ?? '';
      report.check('the driver is bound', /riscv-iommu@/.test(text('iommus')), text('iommus'));
      const groups = text('groups')
        .split('\n')
        .map((line) => line.trim().split(' '))
        .filter((words) => words.length === 4);
      const cards = groups.filter(([, , , kind]) => kind === '0x020000');
      report.check('the card has a group', cards.length === 1, text('groups'));
      const numbers = groups.map(([group]) => group);
      report.check('one function to a group', new Set(numbers).size === numbers.length, text('groups'));
      const type = cards[0]?.[1] ?? 'none';
      report.check('its domain is the identity', type === 'identity', type);
      const owner = iommu === 'board' ? 'guest.iommu' : 'guest.riscv-iommu-pci-0';
      const count = (event: string, reason?: string): number =>
        live!.machine.world.ledger.total({ owner, event, ...(reason === undefined ? {} : { reason }) });
      const found = count('device-cache', 'hit');
      report.check('its requests find their device context', found > 20, `${found} requests`);
      report.check('caches are invalidated', count('command', 'IODIR') > 0, `${count('command')} commands`);
      report.check('no request faults', count('fault') === 0, `${count('fault')} faults`);
      report.note(
        `${found} requests by a context at hand, ${count('device-directory')} reads of the directory, ` +
          `${count('command', 'IODIR')} IODIR, ${count('command', 'IOTINVAL')} IOTINVAL, ${count('command', 'IOFENCE')} IOFENCE`,
      );
    },
  };
}
