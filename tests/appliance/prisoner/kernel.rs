//! The one way in which the prisoner asks the kernel for something: a system call by its number, with arguments that are alive. What the C
//! library would do before or after a call (caching, retrying, its own checks) is left out, so that the answer is the kernel's.

use std::ffi::CStr;

/// A refusal as the kernel tells it: an errno above 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) i32);

/// An argument of a system call; what the kernel follows a pointer to is borrowed for the call.
pub(crate) enum Argument<'a> {
    /// A number, a flag, a file descriptor.
    Number(i64),
    /// A path or a name.
    Text(&'a CStr),
    /// A structure to read or to fill, of the size that the call expects.
    Bytes(&'a mut [u8]),
    /// A list of texts that ends with null: what execve takes.
    List(&'a [*const libc::c_char]),
}

impl Argument<'_> {
    fn register(&mut self) -> libc::c_long {
        match self {
            Self::Number(number) => *number,
            Self::Text(text) => text.as_ptr() as libc::c_long,
            Self::Bytes(bytes) => bytes.as_mut_ptr() as libc::c_long,
            Self::List(list) => list.as_ptr() as libc::c_long,
        }
    }
}

/// One system call: what it gives back, or the refusal.
pub(crate) fn call<const N: usize>(number: libc::c_long, mut arguments: [Argument<'_>; N]) -> Result<i64, Errno> {
    let mut registers = [0; 6];
    for (register, argument) in registers.iter_mut().zip(&mut arguments) {
        *register = argument.register();
    }
    let [a, b, c, d, e, f] = registers;
    // SAFETY: pointers come from `Argument`'s borrows, which live until the call is over; each caller hands the structure, in its size,
    // that its call reads or fills. Memory that a call maps is never made into a reference.
    let answer = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if answer == -1 {
        return Err(Errno(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)));
    }
    Ok(answer)
}

/// A second process, without the C library's hooks: 0 in the child, the child's number in the parent. Only where there is one thread.
pub(crate) fn fork() -> Result<i64, Errno> {
    call(libc::SYS_clone, [Argument::Number(libc::SIGCHLD.into())])
}

/// Ends this process at once.
pub(crate) fn exit(code: u8) -> ! {
    loop {
        // a filter that kills for this kills: gone either way
        let _ = call(libc::SYS_exit_group, [Argument::Number(code.into())]);
    }
}

/// Waits for a child and gives its wait status.
pub(crate) fn wait(child: i64) -> Result<i32, Errno> {
    let mut status = [0_u8; 4];
    loop {
        match call(libc::SYS_wait4, [Argument::Number(child), Argument::Bytes(&mut status)]) {
            Err(Errno(libc::EINTR)) => {}
            Err(errno) => return Err(errno),
            Ok(_) => return Ok(i32::from_ne_bytes(status)),
        }
    }
}

/// Opens a path with these flags; the file is closed with the process.
pub(crate) fn open(path: &CStr, flags: i32) -> Result<i64, Errno> {
    let at = Argument::Number(libc::AT_FDCWD.into());
    call(libc::SYS_openat, [at, Argument::Text(path), Argument::Number(flags.into()), Argument::Number(0o600)])
}
