#!/usr/bin/env bash
# Runs a test in a throw-away container whose PID 1 is systemd: a second to start, where vm.sh takes a minute. It has its own network,
# processes and mounts, and this machine's kernel: no SELinux, no audit, no udev.
#
#   tests/appliance/container.sh [options] TEST    runs TEST (a bash script) as root inside, in /run/appliance
#
#   --deb FILE        installs FILE with dpkg first (repeatable; one dpkg call has all, so they may depend on each other)
#   --file FILE       places FILE or folder beside the test, in /run/appliance (repeatable)
#   --forward H:G     forwards 127.0.0.1:H out here to 127.0.0.1:G inside (repeatable)
#   --host SCRIPT     runs SCRIPT out here each time the test inside calls `host-turn ARGUMENTS [< INPUT] [> ANSWER]`
#   --out DIR         copies what the test leaves in /run/appliance/out to DIR
#   --timeout SECONDS limit for the whole run (120)
#
# The root tree is image.sh's (built when it is not there); it is never changed, the container writes to a tmpfs laid over it.
# Exit code: the test's own; 96 dpkg failed, 97 the rig had trouble, 124 timeout.
# Needs: root (with CAP_SYS_ADMIN), util-linux, python3, and what image.sh needs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(cd "$here/../.." && pwd)/target/appliance/tree
say() { printf 'container: %s\n' "$*" >&2; }
die() { say "$*"; exit 97; }
since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }

debs=() files=() forwards=() host='' out='' limit=120 test=''
while [ $# -gt 0 ]; do
    case $1 in
        --deb) debs+=("$2"); shift ;;
        --file) files+=("$2"); shift ;;
        --forward) forwards+=("$2"); shift ;;
        --host) host=$2; shift ;;
        --out) out=$2; shift ;;
        --timeout) limit=$2; shift ;;
        -*) die "unknown option $1" ;;
        *) test=$1 ;;
    esac
    shift
done
if [ ! -f "$test" ]; then sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; exit 97; fi
[ "$(id -u)" = 0 ] || die 'needs root'
"$here/image.sh" tree

# --- the folder, the control group, and leaving nothing behind -----------------------------------------------------------------------

began=$EPOCHREALTIME
folder=$(mktemp -d)
init='' outer='' group='' helpers=() mounted=''
# shellcheck disable=SC2317 # called by the trap
leave() {
    local process
    [ -z "$init" ] || kill -KILL "$init" 2> /dev/null || true # PID 1 of its namespace: all go
    for process in ${outer:+"$outer"} ${helpers[@]+"${helpers[@]}"}; do kill "$process" 2> /dev/null || true; done
    wait 2> /dev/null || true
    for _ in $(seq 50); do
        if [ -z "$group" ] || [ ! -d "$group" ]; then break; fi
        find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || sleep 0.1
    done
    [ -z "$mounted" ] || umount "$mounted" 2> /dev/null || true
    rm -rf "$folder"
}
trap leave EXIT

groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
if [ -z "$groups" ]; then
    groups=$folder/cgroup
    mkdir "$groups"
    mount -t cgroup2 cgroup2 "$groups" || die 'no cgroup2 here'
    mounted=$groups
fi
group=$groups/contactpoint-appliance-$$
mkdir "$group"

mkdir -p "$folder/work/debs" "$folder/work/out" "$folder/root"
cp "$test" "$folder/work/test"
cp "$here/guest/run-test.sh" "$folder/work/"
cp "$here/guest/host-turn.sh" "$folder/host-turn"
chmod 755 "$folder/host-turn"
for file in ${debs[@]+"${debs[@]}"}; do cp "$file" "$folder/work/debs/"; done
for file in ${files[@]+"${files[@]}"}; do cp -r "$file" "$folder/work/"; done
mkfifo "$folder/work/up" "$folder/work/down"
cat > "$folder/driver.service" << 'UNIT'
[Unit]
Description=Test driver
After=multi-user.target

[Service]
ExecStart=/bin/bash -c 'bash /run/appliance/run-test.sh > /run/appliance/up 2>&1 < /dev/null'
UNIT

# --- the container -------------------------------------------------------------------------------------------------------------------

cat > "$folder/enter" << 'ENTER'
set -eu
echo 0 > "$group/cgroup.procs"
exec unshare --mount --pid --ipc --uts --net --cgroup --fork --propagation private bash -euc '
    mount -t tmpfs tmpfs "$folder/root"
    mkdir "$folder/root/upper" "$folder/root/work" "$folder/root/merged"
    root=$folder/root/merged
    mount -t overlay overlay -o "lowerdir=$tree,upperdir=$folder/root/upper,workdir=$folder/root/work" "$root"
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    mkdir "$root/dev/pts" "$root/dev/shm" "$root/run/appliance"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    for node in null zero full random urandom tty; do
        touch "$root/dev/$node"
        mount --bind "/dev/$node" "$root/dev/$node"
    done
    mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    mount --bind "$folder/work" "$root/run/appliance"
    mkdir -p "$root/usr/local/bin" "$root/etc/systemd/system/multi-user.target.wants"
    cp "$folder/host-turn" "$root/usr/local/bin/host-turn"
    cp "$folder/driver.service" "$root/etc/systemd/system/appliance-driver.service"
    ln -sf ../appliance-driver.service "$root/etc/systemd/system/multi-user.target.wants/"
    for unit in systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udev-trigger.service \
        auditd.service systemd-journald-audit.socket console-getty.service apt-daily.timer apt-daily-upgrade.timer fstrim.timer \
        e2scrub_all.timer dpkg-db-backup.timer; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    ln -sf multi-user.target "$root/etc/systemd/system/default.target"
    echo 0123456789abcdef0123456789abcdef > "$root/etc/machine-id"
    printf "127.0.0.1 localhost appliance\n" > "$root/etc/hosts"
    echo update_initramfs=no > "$root/etc/initramfs-tools/update-initramfs.conf"
    hostname appliance
    cd "$root"
    mkdir -p mnt
    pivot_root . mnt
    umount -l /mnt
    mount --make-rshared / # systemd expects it; credentials come up empty without
    exec env -i container=appliance PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd --system --show-status=false --log-target=journal < /dev/null'
ENTER
export folder tree group
timeout -s KILL "$limit" bash "$folder/enter" > "$folder/init.log" 2>&1 &
outer=$!
for _ in $(seq 100); do # the container's PID 1, as seen from here
    unshared=$(pgrep -P "$outer" unshare || true)
    [ -z "$unshared" ] || init=$(pgrep -P "$unshared" || true)
    [ -z "$init" ] || break
    sleep 0.1
done
[ -n "$init" ] || { cat "$folder/init.log" >&2; die 'the container did not start'; }

# --- the way in from outside -----------------------------------------------------------------------------------------------------------

for forward in ${forwards[@]+"${forwards[@]}"}; do
    python3 - "$init" "${forward%:*}" "${forward#*:}" << 'PYTHON' &
import ctypes, os, socket, sys, threading

container, outside, inside = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
listener = socket.create_server(("127.0.0.1", outside))
CLONE_NEWNET = 0x40000000
if ctypes.CDLL(None, use_errno=True).setns(os.open(f"/proc/{container}/ns/net", os.O_RDONLY), CLONE_NEWNET):
    sys.exit("container: setns failed")


def copy(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


while True:
    caller, _ = listener.accept()
    try:
        service = socket.create_connection(("127.0.0.1", inside))
    except OSError:
        caller.close()
        continue
    for source, sink in ((caller, service), (service, caller)):
        threading.Thread(target=copy, args=(source, sink), daemon=True).start()
PYTHON
    helpers+=($!)
done

# --- following the test ------------------------------------------------------------------------------------------------------------------

host_turn() { # INPUT ARGUMENTS...
    local input=$1 status=0
    shift
    [ -n "$host" ] || die "the test inside asks for '$*', and there is no --host"
    { [ "$input" = - ] || printf %s "$input" | base64 -d; } | bash "$host" "$@" > "$folder/answer" || status=$?
    printf 'DONE %s %s\n' "$status" "$(base64 -w 0 "$folder/answer")" > "$folder/work/down"
}

status='' in_out=0
exec {up}<> "$folder/work/up"
while true; do
    IFS= read -r -t 1 -u "$up" line || { kill -0 "$outer" 2> /dev/null && continue; break; }
    if [ $in_out = 1 ]; then
        if [ "$line" = @ENDOUT ]; then in_out=0; else printf '%s\n' "$line" >> "$folder/out.b64"; fi
        continue
    fi
    case $line in
        @HOST*) read -ra words <<< "${line#@HOST }"; host_turn "${words[@]}" ;;
        @MARK*) say "${line#@MARK }, $(since "$began") s" ;;
        @OUT) in_out=1 ;;
        @RC*) status=${line#@RC }; break ;;
        *) printf '%s\n' "$line" ;;
    esac
done
if [ -s "$folder/out.b64" ] && [ -n "$out" ]; then mkdir -p "$out"; base64 -d "$folder/out.b64" | tar -xz -C "$out"; fi
if [ -z "$status" ]; then
    status=0
    wait "$outer" 2> /dev/null || status=$?
    if [ "$status" = 137 ]; then status=124; say "timeout after $limit s"; else status=97; cat "$folder/init.log" >&2; fi
fi
say "exit code $status after $(since "$began") s"
exit "$status"
