//! What an attempt came to, and how a process tells it when it may no longer write: by the way it ends. Exit code 0 is success, an errno is a
//! refusal, death by SIGSYS is the filter's, and 200 and above mean that there was no attempt (systemd uses these codes for the same).

use crate::attacks::{Attack, Outcome};
use crate::kernel::Errno;
use std::fmt;

/// The exit code of a prisoner that could not be locked in as asked.
pub(crate) const NO_ATTEMPT: u8 = 200;

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The kernel did it.
    Succeeded,
    /// The kernel refused.
    Denied(Errno),
    /// The filter ended the process.
    Killed,
    /// This machine's kernel does not have what the attack is about.
    Absent,
    /// There was no attempt, so nothing is known.
    Unknown(i32),
}

impl Verdict {
    /// From what the attack was answered.
    pub(crate) fn of(attack: &Attack, outcome: Outcome) -> Self {
        match outcome {
            Ok(()) => Self::Succeeded,
            Err(Errno(code)) if attack.passed.contains(&code) => Self::Succeeded,
            Err(Errno(libc::ENOSYS)) => Self::Absent,
            Err(errno) => Self::Denied(errno),
        }
    }

    /// The exit code that tells it; `Killed` and `Unknown` are told by no process.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::Denied(Errno(code)) => u8::try_from(code).unwrap_or(NO_ATTEMPT),
            Self::Absent => 38, // ENOSYS
            Self::Killed | Self::Unknown(_) => NO_ATTEMPT,
        }
    }

    /// From how a process ended: its exit code, or the signal that ended it.
    pub(crate) fn of_end(code: Option<i32>, signal: Option<i32>) -> Self {
        match (code, signal) {
            (_, Some(libc::SIGSYS)) => Self::Killed,
            (Some(0), None) => Self::Succeeded,
            (Some(libc::ENOSYS), None) => Self::Absent,
            (Some(code @ 1..=199), None) => Self::Denied(Errno(code)),
            (Some(other), None) => Self::Unknown(other),
            (_, Some(signal)) => Self::Unknown(-signal),
            (None, None) => Self::Unknown(0),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeded => write!(to, "SUCCEEDED"),
            Self::Denied(errno) => write!(to, "denied: {errno}"),
            Self::Killed => write!(to, "killed"),
            Self::Absent => write!(to, "absent: ENOSYS"),
            Self::Unknown(code) => write!(to, "no attempt ({code})"),
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            libc::EPERM => "EPERM",
            libc::ENOENT => "ENOENT",
            libc::EACCES => "EACCES",
            libc::EROFS => "EROFS",
            libc::EAFNOSUPPORT => "EAFNOSUPPORT",
            libc::ECONNREFUSED => "ECONNREFUSED",
            libc::ENETUNREACH => "ENETUNREACH",
            libc::ETIMEDOUT => "ETIMEDOUT",
            libc::EISCONN => "EISCONN",
            libc::EINVAL => "EINVAL",
            libc::ESRCH => "ESRCH",
            libc::EAGAIN => "EAGAIN",
            libc::EOPNOTSUPP => "EOPNOTSUPP",
            other => return write!(to, "errno {other}"),
        };
        write!(to, "{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening() -> &'static Attack {
        crate::attacks::named("open-usb").unwrap()
    }

    #[test]
    fn a_verdict_survives_the_way_through_an_exit_code() {
        for verdict in [Verdict::Succeeded, Verdict::Denied(Errno(libc::EACCES)), Verdict::Absent] {
            assert_eq!(Verdict::of_end(Some(verdict.exit_code().into()), None), verdict);
        }
    }

    #[test]
    fn only_death_by_the_filter_counts_as_killed() {
        // a prisoner that crashes has not been held by anything
        assert_eq!(Verdict::of_end(None, Some(libc::SIGSYS)), Verdict::Killed);
        assert_eq!(Verdict::of_end(None, Some(libc::SIGSEGV)), Verdict::Unknown(-libc::SIGSEGV));
    }

    #[test]
    fn an_exit_code_of_systemds_own_is_no_attempt() {
        // 226: the mount namespace could not be set up; the attack was never tried, and must not count as denied
        assert_eq!(Verdict::of_end(Some(226), None), Verdict::Unknown(226));
    }

    #[test]
    fn an_answer_that_comes_after_every_permission_is_a_success() {
        assert_eq!(Verdict::of(opening(), Err(Errno(libc::ENXIO))), Verdict::Succeeded);
        assert_eq!(Verdict::of(opening(), Err(Errno(libc::EACCES))), Verdict::Denied(Errno(libc::EACCES)));
    }
}
