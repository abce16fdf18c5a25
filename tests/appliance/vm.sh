#!/usr/bin/env bash
# Runs a test in a throw-away Debian 12 machine: systemd as PID 1, SELinux enforcing, its own kernel. Needs no KVM (QEMU emulates).
#
#   tests/appliance/vm.sh build                 the image and a saved, booted machine (some minutes, once; below target/appliance/)
#   tests/appliance/vm.sh run [options] TEST    runs TEST (a bash script) as root inside, in /run/appliance
#   tests/appliance/vm.sh boot [options] TEST   the same from a cold boot
#
#   --deb FILE        installs FILE with dpkg first (repeatable; one dpkg call has all, so they may depend on each other)
#   --file FILE       places FILE or folder beside the test, in /run/appliance (repeatable)
#   --forward H:G     forwards 127.0.0.1:H out here to port G inside, where the caller is 10.0.2.2 (repeatable)
#   --host SCRIPT     runs SCRIPT out here each time the test inside calls `host-turn ARGUMENTS [< INPUT] [> ANSWER]`
#   --out DIR         copies what the test leaves in /run/appliance/out to DIR
#   --timeout SECONDS limit for the whole run (600)
#
# Inside: /dev/vdc is a disk of 16 MiB with an ext4 file system, for a test to mount; `host-turn plug-stick` plugs a USB stick in.
# Exit code: the test's own; 96 dpkg failed, 97 the rig had trouble, 124 timeout. SELinux denials are the test's to judge: the rig
# prints how many there were. `semodule -i` takes half a minute to a minute and a half here.
# Needs: root; qemu-system-x86, qemu-utils, and what image.sh needs. Three machines at once need 3 GiB: run one.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$(cd "$here/../.." && pwd)/target/appliance
memory=1024 processors=1 input_mb=512

rig=vm
# shellcheck source-path=SCRIPTDIR
. "$here/rig.sh"

# --- the machine -------------------------------------------------------------------------------------------------------------------

vm_pid='' reader=''

vm_start() { # FOLDER LIMIT [more for QEMU]: starts it as coprocess VM
    local folder=$1 limit=$2
    shift 2
    rm -f "$folder"/monitor.*
    mkfifo "$folder/monitor.in" "$folder/monitor.out"
    cat < "$folder/monitor.out" > "$folder/monitor.log" &
    reader=$!
    coproc VM {
        exec timeout -k 5 "$limit" qemu-system-x86_64 \
            -M q35 -accel tcg,thread=multi,tb-size=256 -cpu max -smp $processors -m $memory \
            -nodefaults -display none -no-reboot -serial "file:$folder/console.log" -monitor "pipe:$folder/monitor" \
            -kernel "$cache/vmlinuz" -initrd "$cache/initrd" \
            -append 'root=/dev/vda rw console=ttyS0 loglevel=4 panic=-1 audit=1 security=selinux enforcing=1' \
            -drive "file=$folder/disk.qcow2,format=qcow2,if=virtio,cache=unsafe" \
            -drive "file=$folder/input.img,format=raw,if=virtio,readonly=on" \
            -drive "file=$folder/stick.img,format=raw,if=virtio" \
            -device qemu-xhci,id=usb \
            -netdev "user,id=n0,restrict=on$forwards" -device virtio-net-pci,netdev=n0,romfile= \
            -device virtio-rng-pci -device vmgenid,guid=auto \
            -chardev stdio,id=control,signal=off -device virtio-serial-pci -device virtserialport,chardev=control,name=appliance \
            "$@" 2> "$folder/qemu.err"
    }
    # shellcheck disable=SC2153 # VM_PID is the coprocess's
    vm_pid=$VM_PID
    exec {to_vm}>&"${VM[1]}" {from_vm}<&"${VM[0]}" {monitor}> "$folder/monitor.in"
}

vm_expect_ready() {
    local line
    while IFS= read -r line <&"$from_vm"; do
        case $line in @READY*) ready=${line#@READY }; return 0 ;; esac
    done
    return 1
}

vm_stop() {
    [ -n "$vm_pid" ] || return 0
    kill "$vm_pid" 2> /dev/null || true
    wait "$vm_pid" 2> /dev/null || true
    kill "$reader" 2> /dev/null || true
    vm_pid=''
}

vm_disks() { # FOLDER: the input disk, empty, and the two sticks
    truncate -s ${input_mb}M "$1/input.img"
    truncate -s 16M "$1/stick.img" "$1/usb.img"
    mke2fs -q -t ext4 -L STICK -F "$1/stick.img"
    mke2fs -q -t ext4 -L USBSTICK -F "$1/usb.img"
}

# --- the saved machine -------------------------------------------------------------------------------------------------------------

save_machine() { # boots once, and saves the running machine
    local key folder try forwards='' from=$SECONDS
    key="$(cat "$cache/disk.key") $memory $processors $(qemu-system-x86_64 --version | head -n 1) $(declare -f vm_start vm_disks | sha256sum)"
    [ "$key" != "$(cat "$cache/machine.key" 2> /dev/null)" ] || return 0
    folder=$(mktemp -d)
    trap 'vm_stop; rm -rf "$folder"' EXIT
    rm -f "$cache/state"
    vm_disks "$folder"
    for try in 1 2 3; do
        qemu-img create -q -f qcow2 -F raw -b "$cache/base.img" "$folder/disk.qcow2"
        vm_start "$folder" 900
        vm_expect_ready && break
        say "boot $try failed"
        tail -n 5 "$folder/console.log" "$folder/qemu.err" >&2
        vm_stop
        [ "$try" != 3 ] || die 'the machine did not come up'
    done
    say "first boot: ready after $((SECONDS - from)) s (inside: $ready)"
    echo "migrate \"exec:cat > $cache/state.new && mv $cache/state.new $cache/state\"" >&"$monitor"
    for _ in $(seq 600); do [ ! -e "$cache/state" ] || break; sleep 0.2; done
    [ -e "$cache/state" ] || die 'the machine could not be saved'
    echo quit >&"$monitor"
    wait "$vm_pid" || true
    vm_pid=''
    cp "$folder/disk.qcow2" "$cache/booted.qcow2"
    echo "$key" > "$cache/machine.key"
    rm -rf "$folder"
    trap - EXIT
    say "machine saved after $((SECONDS - from)) s"
}

# --- a run -------------------------------------------------------------------------------------------------------------------------

next_line() { IFS= read -r line <&"$from_vm"; }
send_in() { printf '%s\n' "$1" >&"$to_vm"; }
own_turn() { # somebody stands before the machine with a USB stick
    case $1 in
        plug-stick)
            echo "drive_add 0 if=none,id=usbstick,format=raw,file=$folder/usb.img" >&"$monitor"
            echo 'device_add usb-storage,bus=usb.0,drive=usbstick,id=stick' >&"$monitor" ;;
        unplug-stick) echo 'device_del stick' >&"$monitor" ;;
        *) return 1 ;;
    esac
}
lost() {
    status=0
    wait "$vm_pid" || status=$?
    vm_pid=''
    if [ $status = 124 ]; then
        say "timeout after $limit s"
        return
    fi
    say "the machine was lost (QEMU ended with $status)"
    cat "$folder/qemu.err" >&2
    tail -n 20 "$folder/console.log" >&2
    status=97
}

run() { # saved|cold OPTIONS...
    local cold=$1 forwards='' began way
    shift
    read_options 600 "$@"
    for way in ${ways_in[@]+"${ways_in[@]}"}; do forwards+=",hostfwd=tcp:127.0.0.1:${way%:*}-:${way#*:}"; done
    "$here/image.sh" disk
    [ "$cold" = cold ] || save_machine
    began=$EPOCHREALTIME
    folder=$(mktemp -d)
    trap 'vm_stop; rm -rf "$folder"' EXIT
    lay_in "$folder/in"
    tar -C "$folder/in" --owner=0 --group=0 -cf "$folder/input.img" .
    vm_disks "$folder"
    if [ "$cold" = cold ]; then
        qemu-img create -q -f qcow2 -F raw -b "$cache/base.img" "$folder/disk.qcow2"
        vm_start "$folder" "$limit"
        vm_expect_ready || { tail -n 20 "$folder/console.log" "$folder/qemu.err" >&2; die 'the machine did not come up'; }
        say "ready after $(since "$began") s (inside: $ready)"
    else
        cp --sparse=always "$cache/booted.qcow2" "$folder/disk.qcow2"
        vm_start "$folder" "$limit" -incoming "exec:cat $cache/state"
    fi
    echo "GO $EPOCHSECONDS" >&"$to_vm"
    follow
}

[ "$(id -u)" = 0 ] || die 'needs root'
case ${1:-} in
    build) "$here/image.sh" disk; save_machine ;;
    run) shift; run saved "$@" ;;
    boot) shift; run cold "$@" ;;
    *) usage ;;
esac
