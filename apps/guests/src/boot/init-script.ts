/** Where the plan lies in the initial RAM disk: what `/init` runs when the machine is up. */
export const PLAN_PATH = 'plan';

/** Lines of the guest that speak to the suite begin so. */
export const MARK = '@@';

/** Where programs are found, and what they are told of the terminal. */
const ENVIRONMENT = `export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/applets HOME=/root TERM=linux`;

/**
 * The words of plans:
 *
 * - `check NAME COMMAND…`: runs it; `ok`, or `FAIL` with its exit code and last words.
 * - `show NAME COMMAND…`: runs it and prints all its output, framed, with its exit code.
 * - `within SECONDS COMMAND…`: repeats it every fifth of a second until it succeeds; fails when it never does.
 * - `dhcp INTERFACE`: address, route and name server from DHCP.
 * - `finish COMMAND…`: prints what the kernel complained about, then runs it (`poweroff -f`, `reboot -f`).
 */
export const PLAN_WORDS = `check() {
  name=$1; shift
  if "$@" > /run/check 2>&1; then echo "${MARK} check $name ok"; return 0; fi
  code=$?
  echo "${MARK} check $name FAIL exit code $code: $(tail -c 400 /run/check | tr '\\n' ' ')"
  return $code
}

show() {
  name=$1; shift
  echo "${MARK} begin $name"
  "$@" 2>&1
  echo "
${MARK} end $name $?"
}

within() {
  left=$(($1 * 5)); shift
  until "$@"; do
    left=$((left - 1))
    if [ $left -le 0 ]; then return 1; fi
    usleep 200000
  done
}

dhcp() {
  ip link set $1 up && udhcpc -i $1 -s /etc/udhcpc.script -n -q -t 8 -T 2
}

finish() {
  show kernel-log dmesg
  sync
  "$@"
  # The kernel ends the machine; whoever comes back here is told.
  echo "${MARK} check finish FAIL $* came back"
}
`;

/** `/init`: the file systems, busybox's applets in a folder behind the real programs, then the plan. */
export const INIT_SCRIPT = `#!/usr/bin/busybox sh
${ENVIRONMENT}
/usr/bin/busybox --install -s /applets
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /run
hostname vmloom
# The kernel tells its own programs of an unreachable host by way of it.
ip link set lo up

# A line of the kernel in the middle of one of ours would hide it; what it says is printed at the end.
echo 1 > /proc/sys/kernel/printk

${PLAN_WORDS}
. /${PLAN_PATH}
`;

/** What busybox's DHCP client runs with its news in variables. */
export const DHCP_SCRIPT = `#!/usr/bin/busybox sh
case $1 in
deconfig) ip addr flush dev $interface ;;
bound | renew)
  ip addr add $ip/$mask dev $interface
  for router in $router; do ip route add default via $router dev $interface; done
  : > /etc/resolv.conf
  for server in $dns; do echo "nameserver $server" >> /etc/resolv.conf; done
  ;;
esac
`;

/** A plan that ends at a person's prompt, with the network up. */
export const SHELL_PLAN = `
modprobe -a e1000 virtio_net
if [ -e /sys/class/net/eth0 ]; then dhcp eth0 > /dev/null 2>&1 || echo "eth0: no answer from DHCP"; fi
echo "Debian's $(uname -sr) on vmloom. The network is eth0; \\"poweroff -f\\" ends the machine."
while true; do setsid cttyhack sh; done
`;
