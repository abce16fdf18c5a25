//! Files: what lies outside the state directory is neither written nor read (rule G5, G1).

use super::{Attack, Outcome};
use crate::kernel::{call, open, Argument};
use crate::prison::{Prison, ANOTHERS, OUTSIDE, SHARED, STATE_FILE, STICK};
use std::ffi::CStr;

pub(super) const ATTACKS: &[Attack] = &[
    Attack { name: "duty-write-state", tries: "write a file in the state directory (a duty: must work)", passed: &[], run: write_state },
    Attack { name: "write-outside", tries: "make a file outside the state directory", passed: &[], run: write_outside },
    Attack { name: "write-shared", tries: "write a file in /var/tmp that anyone may write", passed: &[], run: write_shared },
    Attack { name: "write-stick", tries: "make a file on a mounted stick that anyone may write", passed: &[], run: write_stick },
    Attack { name: "read-anothers", tries: "read another user's file (/etc/shadow)", passed: &[], run: read_anothers },
];

/// Opens a file and writes three bytes to it. What is made stays: the rig clears it away, since a filter might not let us.
fn write(path: &CStr, flags: i32) -> Outcome {
    let file = open(path, libc::O_WRONLY | flags)?;
    call(libc::SYS_write, [Argument::Number(file), Argument::Bytes(&mut b"out".to_vec()), Argument::Number(3)]).map(drop)
}

fn write_state(_: &Prison) -> Outcome {
    write(STATE_FILE, 0)
}

fn write_outside(_: &Prison) -> Outcome {
    write(OUTSIDE, libc::O_CREAT)
}

fn write_shared(_: &Prison) -> Outcome {
    write(SHARED, 0)
}

fn write_stick(_: &Prison) -> Outcome {
    write(STICK, libc::O_CREAT)
}

fn read_anothers(_: &Prison) -> Outcome {
    let file = open(ANOTHERS, libc::O_RDONLY)?;
    call(libc::SYS_read, [Argument::Number(file), Argument::Bytes(&mut [0; 1]), Argument::Number(1)]).map(drop)
}
