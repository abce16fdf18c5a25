//! Privilege: what was given up at the start cannot be taken back.

use super::{Attack, Outcome};
use crate::kernel::{call, Argument};
use crate::prison::Prison;

pub(super) const ATTACKS: &[Attack] = &[
    Attack { name: "raise-capability", tries: "give itself CAP_SYS_ADMIN (capset)", passed: &[], run: raise_capability },
    Attack { name: "become-another", tries: "become another user (setresuid)", passed: &[], run: become_another },
    Attack { name: "user-namespace", tries: "be root in a user namespace of its own (unshare)", passed: &[], run: user_namespace },
    Attack { name: "load-module", tries: "load a kernel module (init_module)", passed: &[libc::ENOEXEC], run: load_module },
    Attack { name: "load-module-file", tries: "load a kernel module (finit_module)", passed: &[libc::EBADF], run: load_module_file },
];

fn raise_capability(_: &Prison) -> Outcome {
    const VERSION_3: u32 = 0x2008_0522;
    const SYS_ADMIN: u32 = 1 << 21;
    // two words each of effective, permitted and inheritable; the second words are of capabilities above 31
    let words: [u32; 6] = [SYS_ADMIN, SYS_ADMIN, 0, 0, 0, 0];
    let mut header: Vec<u8> = [VERSION_3, 0].iter().flat_map(|word| word.to_ne_bytes()).collect();
    let mut sets: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    call(libc::SYS_capset, [Argument::Bytes(&mut header), Argument::Bytes(&mut sets)]).map(drop)
}

fn become_another(_: &Prison) -> Outcome {
    let daemon = || Argument::Number(1);
    call(libc::SYS_setresuid, [daemon(), daemon(), daemon()]).map(drop)
}

fn user_namespace(_: &Prison) -> Outcome {
    call(libc::SYS_unshare, [Argument::Number(libc::CLONE_NEWUSER.into())]).map(drop)
}

fn load_module(_: &Prison) -> Outcome {
    // not a module: who may load gets as far as ENOEXEC
    let image = &mut [0; 128];
    call(libc::SYS_init_module, [Argument::Bytes(image), Argument::Number(128), Argument::Text(c"")]).map(drop)
}

fn load_module_file(_: &Prison) -> Outcome {
    call(libc::SYS_finit_module, [Argument::Number(-1), Argument::Text(c""), Argument::Number(0)]).map(drop)
}
