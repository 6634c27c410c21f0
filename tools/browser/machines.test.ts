import { expect, it } from 'vitest';
import { E1000 } from '@vmloom/e1000';
import { ethernetFrame, NicBench } from '@vmloom/e1000/testing';
import { bootArgs, guestImage } from '@vmloom/guest';
import { createMachine, World } from '@vmloom/machine';
import { Switch } from '@vmloom/net';
import { bareMachine, RAM_BASE } from '@vmloom/riscv/testing';
import { DeviceBench, EchoDevice } from '@vmloom/virtio/testing';

const ADDI_X1_X0_41 = 0x02900093;
const ADDI_X1_X1_1 = 0x00108093;
const AUIPC_X2_0 = 0x00000117;
const SD_X1_64_X2 = 0x04113023;

it('riscv in a page: a hart retires exactly the instructions it is given', async () => {
  const machine = await bareMachine();
  machine.load(RAM_BASE, [ADDI_X1_X0_41, ADDI_X1_X1_1, AUIPC_X2_0, SD_X1_64_X2]);
  expect(machine.run(3)).toBe(3);
  expect(machine.read64(RAM_BASE + 8 + 64)).toBe(0n);
  expect(machine.run(1)).toBe(1);
  expect(machine.read64(RAM_BASE + 8 + 64)).toBe(42n);
});

it('e1000 in a page: a frame leaves by the ring', () => {
  const bench = new NicBench();
  bench.start();
  const frame = ethernetFrame({ length: 200 });
  const index = bench.driver.send(frame);
  bench.run(1_000_000);
  expect(bench.port.sent).toEqual([frame]);
  expect(bench.driver.transmitted(index)).toBe(true);
});

it('virtio in a page: a chain goes through a packed ring', () => {
  const bench = new DeviceBench(new EchoDevice(), { packed: true });
  bench.start();
  const out = [new TextEncoder().encode('page')];
  expect(new TextDecoder().decode(bench.request(0, { out, in: [8] })?.bytes)).toBe('page');
});

it('machine in a page: two guests ping each other', async () => {
  const world = new World();
  const { clock, ledger } = world;
  const lan = world.add(new Switch({ name: 'lan', clock, ledger }));
  const kernel = await guestImage('tiny');
  const guest = async (name: string, mac: string, ip: string, ...cmd: string[]) => {
    const machine = await createMachine({
      name,
      world,
      kernel,
      memory: '32MiB',
      bootArguments: bootArgs({ ip, quiet: true, cmd }),
    });
    machine.pcie.plug(new E1000({ mac, port: lan.port({ name: `lan.${name}` }) }));
    return machine;
  };
  const alice = await guest(
    'alice',
    '52:54:00:00:00:01',
    '10.0.0.1/24',
    'wait-link',
    'ping -c 2 -i 100 10.0.0.2',
  );
  const bob = await guest('bob', '52:54:00:00:00:02', '10.0.0.2/24', 'wait-link');
  let text = '';
  const decoder = new TextDecoder();
  alice.console.onOutput = (bytes) => {
    text += decoder.decode(bytes, { stream: true });
    if (/2 received/.test(text)) world.stop();
  };
  alice.powerOn();
  bob.powerOn();
  await world.run({ until: 20e9 });
  expect(text).toMatch(/2 (?:packets )?received/);
});
