//! Processes: none is started, none is touched. A forked child could sign with the HSM's session; a shell is where an intruder goes next.

use super::{Attack, Outcome};
use crate::kernel::{self, call, Argument, Errno};
use crate::prison::Prison;

pub(super) const ATTACKS: &[Attack] = &[
    Attack { name: "duty-thread", tries: "start a thread (a duty: must work)", passed: &[], run: thread },
    Attack { name: "exec-shell", tries: "execute /bin/sh", passed: &[], run: exec_shell },
    Attack { name: "exec-memory", tries: "execute a program that exists in memory alone", passed: &[libc::ENOEXEC], run: exec_memory },
    Attack { name: "fork", tries: "fork", passed: &[], run: fork },
    Attack { name: "ptrace", tries: "attach to another process with ptrace", passed: &[], run: ptrace },
    // EFAULT: the other process has nothing at this address, and the right to look was given
    Attack { name: "read-process", tries: "read another process's memory", passed: &[libc::EFAULT], run: read_process },
    Attack { name: "signal", tries: "send another process a signal", passed: &[], run: signal },
];

fn thread(_: &Prison) -> Outcome {
    let thread = std::thread::Builder::new().spawn(|| ()).map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::EIO)))?;
    thread.join().map_err(|_| Errno(libc::EIO))
}

fn exec_shell(_: &Prison) -> Outcome {
    let arguments = [c"sh".as_ptr(), c"-c".as_ptr(), c"exit 0".as_ptr(), std::ptr::null()];
    let none = [std::ptr::null()];
    call(libc::SYS_execve, [Argument::Text(c"/bin/sh"), Argument::List(&arguments), Argument::List(&none)]).map(drop)
}

fn exec_memory(_: &Prison) -> Outcome {
    let file = call(libc::SYS_memfd_create, [Argument::Text(c"prisoner"), Argument::Number(libc::MFD_CLOEXEC.into())])?;
    let none = || [std::ptr::null()];
    let at_empty_path = Argument::Number(libc::AT_EMPTY_PATH.into());
    let file = Argument::Number(file);
    call(libc::SYS_execveat, [file, Argument::Text(c""), Argument::List(&none()), Argument::List(&none()), at_empty_path]).map(drop)
}

fn fork(_: &Prison) -> Outcome {
    let child = kernel::fork()?;
    if child == 0 {
        kernel::exit(0);
    }
    // a child that cannot be waited for was born all the same
    let _ = kernel::wait(child);
    Ok(())
}

fn ptrace(prison: &Prison) -> Outcome {
    let victim = || Argument::Number(prison.victim.into());
    call(libc::SYS_ptrace, [Argument::Number(libc::PTRACE_SEIZE.into()), victim(), Argument::Number(0), Argument::Number(0)])?;
    // SEIZE does not stop it; the kernel lets go of it when we end
    Ok(())
}

/// `struct iovec`: a pointer and a length, here none of ours and one byte of theirs.
fn one_byte_at(address: u64) -> [u8; 16] {
    let mut vector = [0; 16];
    vector[..8].copy_from_slice(&address.to_ne_bytes());
    vector[8..].copy_from_slice(&1_u64.to_ne_bytes());
    vector
}

fn read_process(prison: &Prison) -> Outcome {
    let (ours, theirs) = (&mut one_byte_at(8), &mut one_byte_at(8));
    let victim = Argument::Number(prison.victim.into());
    let one = || Argument::Number(1);
    call(libc::SYS_process_vm_readv, [victim, Argument::Bytes(ours), one(), Argument::Bytes(theirs), one(), Argument::Number(0)]).map(drop)
}

fn signal(prison: &Prison) -> Outcome {
    // SIGURG is ignored by who does not ask for it
    call(libc::SYS_kill, [Argument::Number(prison.victim.into()), Argument::Number(libc::SIGURG.into())]).map(drop)
}
