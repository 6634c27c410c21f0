import { topology } from '@vmloom/topology';

/** One board, one switch; a packet's way through an emulated NIC against one through virtio with a vhost thread. */
export default topology({
  hosts: { board: { memory: '64MiB', harts: 2, preset: 'arm-board' } },
  switches: { lan: { rate: 1e9 } },
  vms: {
    old: {
      host: 'board',
      ip: '10.0.0.1',
      nics: [{ structure: 'e1000', switch: 'lan' }],
      run: ['ping -c 3 -i 10 10.0.0.2', 'udp-stream -n 500 -s 1472 10.0.0.2'],
    },
    new: {
      host: 'board',
      ip: '10.0.0.2',
      nics: [{ structure: 'virtio-vhost', switch: 'lan' }],
      serve: ['udp-sink'],
    },
  },
});
