//! Parts of the kernel that a directory has no use for, and in which faults are found year after year.

use super::{Attack, Outcome};
use crate::kernel::{call, Argument};
use crate::prison::Prison;

pub(super) const ATTACKS: &[Attack] = &[
    Attack { name: "keyring", tries: "use the kernel's keyrings (keyctl)", passed: &[], run: keyring },
    Attack { name: "bpf", tries: "make a BPF map", passed: &[], run: bpf },
    Attack { name: "io-uring", tries: "set up io_uring", passed: &[], run: io_uring },
    Attack { name: "perf-event", tries: "open a performance counter (perf_event_open)", passed: &[], run: perf_event },
];

fn keyring(_: &Prison) -> Outcome {
    const GET_KEYRING_ID: i64 = 0;
    const PROCESS_KEYRING: i64 = -2;
    call(libc::SYS_keyctl, [Argument::Number(GET_KEYRING_ID), Argument::Number(PROCESS_KEYRING), Argument::Number(1)]).map(drop)
}

fn bpf(_: &Prison) -> Outcome {
    const MAP_CREATE: i64 = 0;
    // union bpf_attr for it: an array of one element, keys and values of four bytes
    let mut attributes: Vec<u8> = [2_u32, 4, 4, 1].iter().flat_map(|word| word.to_ne_bytes()).collect();
    attributes.resize(72, 0);
    call(libc::SYS_bpf, [Argument::Number(MAP_CREATE), Argument::Bytes(&mut attributes), Argument::Number(72)]).map(drop)
}

fn io_uring(_: &Prison) -> Outcome {
    let parameters = &mut [0; 120];
    call(libc::SYS_io_uring_setup, [Argument::Number(1), Argument::Bytes(parameters)]).map(drop)
}

fn perf_event(_: &Prison) -> Outcome {
    // struct perf_event_attr, first version, 64 bytes: type PERF_TYPE_SOFTWARE, its size, config PERF_COUNT_SW_CPU_CLOCK
    let mut attributes: Vec<u8> = [1_u32, 64].iter().flat_map(|word| word.to_ne_bytes()).collect();
    attributes.resize(64, 0);
    let (itself, any, none) = (Argument::Number(0), Argument::Number(-1), || Argument::Number(-1));
    call(libc::SYS_perf_event_open, [Argument::Bytes(&mut attributes), itself, any, none(), Argument::Number(0)]).map(drop)
}
