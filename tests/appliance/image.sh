#!/usr/bin/env bash
# Builds what both rigs run in: a Debian 12 root tree (target/appliance/tree), and from it a disk image with SELinux labels.
# Everything lies below target/appliance/ and is built once; a change of this file or of guest/ builds anew what depends on it.
#
#   tests/appliance/image.sh tree     the root tree: what container.sh needs; about two minutes
#   tests/appliance/image.sh disk     the tree and the disk: what vm.sh needs; half a minute more
#   tests/appliance/image.sh clean    removes target/appliance/
#
# Debian's packages come from where this machine's own apt has them. Needs: root; mmdebstrap, e2fsprogs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$(cd "$here/../.." && pwd)/target/appliance
suite=bookworm

# What an appliance has (kernel, SELinux, SoftHSM for the trial), and what the tests of a rig call inside.
packages=linux-image-amd64,initramfs-tools,lz4,kmod,udev,dbus,systemd,systemd-sysv,procps,iproute2
packages+=,selinux-basics,selinux-policy-default,policycoreutils,policycoreutils-python-utils,semodule-utils,checkpolicy,auditd
packages+=,softhsm2,opensc,openssl,libssl3,adduser,python3-minimal,jq,oathtool,netbase
# Drivers of hardware that no rig has: a third of the tree.
unused_drivers=(gpu media infiniband staging iio isdn net/wireless net/ethernet ../sound)

say() { printf 'image: %s\n' "$*" >&2; }
die() { say "$*"; exit 97; }

# shellcheck disable=SC2016 # apt's own fields, not ours
repository() { # SUITE: where this machine itself takes it from
    apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | awk -v want="$1" '$2 == want && !seen++ { print $1 }'
}

build_tree() {
    local mirror security excluded=() driver
    mirror=$(repository "$suite")
    security=$(repository "$suite-security")
    [ -n "$mirror" ] || die "apt has no sources for $suite here: run apt-get update"
    for driver in "${unused_drivers[@]}"; do
        case $driver in ../*) driver=${driver#../} ;; *) driver=drivers/$driver ;; esac
        excluded+=(--dpkgopt="path-exclude=/lib/modules/*/kernel/$driver/*")
    done
    # shellcheck disable=SC2016 # $1 is the hook's, not ours
    mmdebstrap --quiet --mode=root --variant=apt --format=directory \
        --aptopt='Apt::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        "${excluded[@]}" \
        --essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
            printf "MODULES=list\nCOMPRESS=lz4\n" > "$1/etc/initramfs-tools/conf.d/appliance"
            printf "virtio_pci\nvirtio_blk\next4\n" > "$1/usr/share/initramfs-tools/modules.d/appliance"' \
        --include="$packages" "$suite" "$cache/tree" \
        "deb $mirror $suite main" ${security:+"deb $security $suite-security main"}
    cp "$cache"/tree/boot/vmlinuz-* "$cache/vmlinuz"
    cp "$cache"/tree/boot/initrd.img-* "$cache/initrd"
}

# What the guest has of ours: the driver that runs a test, and peace (no timers, no consoles).
furnish() { # ROOT
    local root=$1 unit
    install -m 755 "$here/guest/driver.sh" "$root/usr/local/sbin/appliance-driver"
    install -m 755 "$here/guest/host-turn.sh" "$root/usr/local/bin/host-turn"
    install -m 644 "$here/guest/appliance-driver.service" "$root/etc/systemd/system/appliance-driver.service"
    mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
    ln -sf ../appliance-driver.service "$root/etc/systemd/system/multi-user.target.wants/"
    for unit in apt-daily.timer apt-daily-upgrade.timer fstrim.timer dpkg-db-backup.timer e2scrub_all.timer \
        getty@tty1.service serial-getty@ttyS0.service systemd-pstore.service; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    sed -i 's/^SELINUX=.*/SELINUX=enforcing/' "$root/etc/selinux/config"
    # the kernel and its initrd come from out here: none is made inside
    echo update_initramfs=no > "$root/etc/initramfs-tools/update-initramfs.conf"
    echo appliance > "$root/etc/hostname"
    printf '127.0.0.1 localhost appliance\n' > "$root/etc/hosts"
    echo 0123456789abcdef0123456789abcdef > "$root/etc/machine-id"
    # emulated processors have these by name only
    printf 'blacklist %s\n' kvm_amd aesni_intel powernow_k8 crct10dif_pclmul ghash_clmulni_intel > "$root/etc/modprobe.d/appliance.conf"
}

# With the guest's own setfiles and policy. setfiles sets labels through /proc/self/fd, so /proc is mounted; the tree is labelled
# through a bind mount, so that what lies under mount points is labelled as well.
label() { # ROOT
    # shellcheck disable=SC2016 # $1 is the inner shell's
    unshare -m bash -euc '
        mount --make-rprivate /
        mount -t proc proc "$1/proc"
        mount --bind "$1" "$1/mnt"
        chroot "$1" setfiles -m -F -r /mnt /etc/selinux/default/contexts/files/file_contexts /mnt' - "$1"
}

has() { [ "$(cat "$cache/$1.key" 2> /dev/null)" = "$2" ]; }

tree() {
    local key from=$SECONDS
    key=$({ echo "$suite $packages ${unused_drivers[*]}"; declare -f build_tree; } | sha256sum)
    has tree "$key" && return
    say "building the root tree ($suite)"
    rm -rf "$cache"
    mkdir -p "$cache"
    build_tree
    echo "$key" > "$cache/tree.key"
    say "root tree built in $((SECONDS - from)) s"
}

disk() {
    local key from
    locked tree
    from=$SECONDS
    key=$({ cat "$cache/tree.key" "$here"/guest/*; declare -f furnish label; } | sha256sum)
    has disk "$key" && return
    rm -f "$cache"/machine.key "$cache/disk.key"
    furnish "$cache/tree"
    label "$cache/tree"
    rm -f "$cache/base.img"
    truncate -s 4G "$cache/base.img"
    mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1,root_owner=0:0 -F -d "$cache/tree" "$cache/base.img"
    echo "$key" > "$cache/disk.key"
    say "disk made in $((SECONDS - from)) s"
}

[ "$(id -u)" = 0 ] || die 'needs root'
mkdir -p "$(dirname "$cache")"
# Two rigs may be started at once; one that needs the tree alone does not wait for a disk.
locked() { (flock 9 && "$1") 9> "$cache.$1.lock"; }
case ${1:-} in
    tree) locked tree ;;
    disk) locked disk ;;
    clean) rm -rf "$cache" ;;
    *) sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; exit 97 ;;
esac
