//! Memory: nothing that was written is ever executed, and no fault is answered in user space.

use super::{Attack, Outcome};
use crate::kernel::{call, Argument, Errno};
use crate::prison::Prison;

pub(super) const ATTACKS: &[Attack] = &[
    Attack { name: "map-write-execute", tries: "map memory that can be written and executed", passed: &[], run: map_write_execute },
    Attack { name: "make-executable", tries: "make written memory executable", passed: &[], run: make_executable },
    Attack { name: "userfaultfd", tries: "handle its own page faults (userfaultfd)", passed: &[], run: userfaultfd },
];

const PAGE: i64 = 4096;
const WRITABLE: i32 = libc::PROT_READ | libc::PROT_WRITE;

fn map(protection: i32) -> Result<i64, Errno> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let number = |it: i32| Argument::Number(it.into());
    call(libc::SYS_mmap, [Argument::Number(0), Argument::Number(PAGE), number(protection), number(flags), number(-1), number(0)])
}

fn map_write_execute(_: &Prison) -> Outcome {
    map(WRITABLE | libc::PROT_EXEC).map(drop)
}

fn make_executable(_: &Prison) -> Outcome {
    let page = map(WRITABLE)?;
    let executable = Argument::Number((libc::PROT_READ | libc::PROT_EXEC).into());
    call(libc::SYS_mprotect, [Argument::Number(page), Argument::Number(PAGE), executable]).map(drop)
}

fn userfaultfd(_: &Prison) -> Outcome {
    const USER_MODE_ONLY: i32 = 1;
    call(libc::SYS_userfaultfd, [Argument::Number((libc::O_CLOEXEC | USER_MODE_ONLY).into())]).map(drop)
}
