//! Devices and mounts: there is no way to physical media (rule G5).

use super::{Attack, Outcome};
use crate::kernel::{call, open, Argument};
use crate::prison::{Prison, MEMORY, STATE, STATE_NODE, USB};

pub(super) const ATTACKS: &[Attack] = &[
    // ENXIO, ENODEV: the node was opened, and no driver is behind it
    Attack { name: "open-disk", tries: "open a block device", passed: &[libc::ENXIO, libc::ENODEV], run: open_disk },
    Attack { name: "open-usb", tries: "open a USB device", passed: &[libc::ENXIO, libc::ENODEV], run: open_usb },
    Attack { name: "open-memory", tries: "open /dev/mem", passed: &[libc::ENXIO, libc::ENODEV], run: open_memory },
    Attack { name: "make-device", tries: "make a block device in the state directory", passed: &[], run: make_device },
    Attack { name: "mount", tries: "mount a file system", passed: &[], run: mount },
    // EBUSY: the last check is that the new root is not the old one
    Attack { name: "pivot-root", tries: "change the root of the mount namespace", passed: &[libc::EBUSY, libc::EINVAL], run: pivot_root },
    Attack { name: "chroot", tries: "change the root directory", passed: &[], run: chroot },
];

fn open_disk(prison: &Prison) -> Outcome {
    open(&prison.disk, libc::O_RDONLY).map(drop)
}

fn open_usb(_: &Prison) -> Outcome {
    open(USB, libc::O_RDWR).map(drop)
}

fn open_memory(_: &Prison) -> Outcome {
    open(MEMORY, libc::O_RDONLY).map(drop)
}

fn make_device(_: &Prison) -> Outcome {
    let at = || Argument::Number(libc::AT_FDCWD.into());
    let kind = Argument::Number((libc::S_IFBLK | 0o600).into());
    let loop_device = Argument::Number(7 << 8);
    call(libc::SYS_mknodat, [at(), Argument::Text(STATE_NODE), kind, loop_device])?;
    call(libc::SYS_unlinkat, [at(), Argument::Text(STATE_NODE), Argument::Number(0)]).map(drop)
}

fn mount(_: &Prison) -> Outcome {
    let kind = c"tmpfs";
    call(libc::SYS_mount, [Argument::Text(kind), Argument::Text(STATE), Argument::Text(kind), Argument::Number(0), Argument::Number(0)])?;
    call(libc::SYS_umount2, [Argument::Text(STATE), Argument::Number(libc::MNT_DETACH.into())]).map(drop)
}

fn pivot_root(_: &Prison) -> Outcome {
    call(libc::SYS_pivot_root, [Argument::Text(c"/"), Argument::Text(c"/")]).map(drop)
}

fn chroot(_: &Prison) -> Outcome {
    call(libc::SYS_chroot, [Argument::Text(STATE)]).map(drop)
}
