#!/bin/bash
# Inside a rig: installs the packages that were handed in and runs the test. What it prints goes out; lines that begin with @ are for
# the rig. Both rigs call it, each from a driver of its own that has made the pipes `up` and `down`.
cd /run/appliance || exit 1
uptime() { cut -d' ' -f1 /proc/uptime; }
run() { "$@" < /dev/null 2>&1; }
status=0
mkdir -p out debs
if ls debs/*.deb > /dev/null 2>&1; then
    DEBIAN_FRONTEND=noninteractive run dpkg -i debs/*.deb || status=96
    echo "@MARK packages installed at $(uptime)"
fi
[ $status != 0 ] || run bash ./test || status=$?
echo "@MARK test ended at $(uptime)"
if [ -n "$(ls -A out)" ]; then
    echo @OUT
    tar -cz -C out . | base64
    echo @ENDOUT
fi
echo "@RC $status"
