# Inside the machine: somebody plugs a USB stick in, before the package is installed and after (rule G5).
# shellcheck shell=bash

usb_disk() { # the name of a disk behind USB, where there is one
    local disk
    for disk in /sys/block/sd*; do
        [ -e "$disk" ] || continue
        case $(readlink -f "$disk") in */usb*) basename "$disk" ;; esac
    done
}
usb_storage_device() { grep -lx 08 /sys/bus/usb/devices/*/bInterfaceClass 2> /dev/null | head -n 1; }
wait_until() { # SECONDS CONDITION...
    local left=$((10 * $1))
    shift
    until "$@"; do
        left=$((left - 1))
        [ $left -gt 0 ] || return 1
        sleep 0.1
    done
}
disk_is_there() { [ -n "$(usb_disk)" ]; }
disk_is_gone() { [ -z "$(usb_disk)" ]; }
stick_is_there() { [ -n "$(usb_storage_device)" ]; }
stick_is_gone() { [ -z "$(usb_storage_device)" ]; }

# The control: without the package a stick is a disk.
stick_without_the_package() {
    host-turn plug-stick
    wait_until 60 disk_is_there || fail 'without the package a USB stick should have become a disk'
    udevadm settle
    host-turn unplug-stick
    wait_until 60 disk_is_gone || fail 'the stick should be gone'
    udevadm settle
    modprobe -r uas usb-storage
    say 'ok: without the package a USB stick becomes a disk'
}

stick_with_the_package() {
    local refusal
    if refusal=$(modprobe usb-storage 2>&1); then fail 'usb-storage was loaded'; fi
    if grep -q '^usb_storage' /proc/modules; then fail 'usb-storage is there'; fi
    say "ok: usb-storage is not loaded (modprobe: ${refusal%%$'\n'*})"
    host-turn plug-stick
    wait_until 60 stick_is_there || true # it may be gone again at once
    udevadm settle
    switched_off || fail 'the stick should have been switched off'
    disk_is_gone || fail 'with the package a USB stick became a disk'
    say 'ok: with the package a USB stick is switched off, and no disk appears'
    host-turn unplug-stick
    wait_until 60 stick_is_gone || fail 'the stick should be gone'
}

# udev's rule: the device is no longer authorised, so that the kernel talks to it no more.
switched_off() {
    local device interface
    for interface in /sys/bus/usb/devices/*/bInterfaceClass; do
        [ "$(cat "$interface" 2> /dev/null)" != 08 ] || [ "$(cat "${interface%/*}/authorized")" = 0 ] || return 1
    done
    for device in /sys/bus/usb/devices/*/authorized; do
        [ "$(cat "$device" 2> /dev/null)" != 0 ] || return 0
    done
    return 1
}
