import { VirtioConsole, VirtioPci, type ConsolePort } from '@vmloom/virtio';
import type { DevicePart } from './device-part.js';

const NAME = 'org.vmloom.echo';
const GREETING = 'hello from the guest';

/** `/dev/hvc0` reaches the host, and a named port is answered by it. */
export function consolePart(): DevicePart {
  let screen = '';
  return {
    modules: [],
    plan: `
check hvc0 sh -c 'echo ${GREETING} > /dev/hvc0'
show port-name cat /sys/class/virtio-ports/vport*p1/name
echo_port() {
  port=/dev/$(basename $(dirname /sys/class/virtio-ports/*p1/name))
  exec 3<> $port
  echo one two three >&3
  read -r answer <&3
  exec 3>&-
  echo "$answer"
}
show port-answer echo_port
`,
    plug: ({ machine }) => {
      const device = new VirtioConsole({ maxPorts: 2 });
      const decoder = new TextDecoder();
      device.addPort({ output: (bytes) => (screen += decoder.decode(bytes, { stream: true })) });
      const echo: ConsolePort = device.addPort({ name: NAME, output: (bytes) => void echo.receive(bytes) });
      machine.pcie.plug(new VirtioPci({ device }));
    },
    judge: (report, text) => {
      report.check('hvc0: the host reads what was written', screen.includes(GREETING), screen);
      report.check('a port has its name', text('port-name') === NAME, text('port-name'));
      report.check('and is answered', text('port-answer') === 'one two three', text('port-answer'));
    },
  };
}
