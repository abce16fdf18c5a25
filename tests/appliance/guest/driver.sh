#!/bin/bash
# Inside the virtual machine: says that it is up, waits for GO, unpacks what the input disk carries, runs the test. The machine is
# saved between "up" and "GO", so that a run starts there.
work=/run/appliance
modprobe virtio_console
for _ in $(seq 100); do [ -e /dev/virtio-ports/appliance ] && break; sleep 0.2; done
exec 3<> /dev/virtio-ports/appliance
cards=(/sys/class/net/e*)
device=${cards[0]##*/}
{ ip link set "$device" up; ip address add 10.0.2.15/24 dev "$device"; ip route add default via 10.0.2.2; } 3>&- < /dev/null
udevadm settle
echo "@READY $(cut -d' ' -f1 /proc/uptime) $(getenforce) $(id -Z)" >&3
read -r -u 3 go now || exit 1
[ "$go" = GO ] || exit 1
date -s "@$now" > /dev/null
mkdir -p $work
if ! cd $work || ! tar -xf /dev/vdb; then echo '@RC 97' >&3; exit 1; fi
# One process alone may hold the port: it is reached through two pipes.
mkfifo up down
exec 4<> up 5<> down
cat <&4 >&3 &
cat <&3 >&5 &
# an unnamed pipe: D-Bus may pass it on, a named one it may not
bash $work/run-test.sh 2>&1 3>&- 4>&- 5>&- < /dev/null | cat > up
