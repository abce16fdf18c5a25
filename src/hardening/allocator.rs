//! What is freed goes back to the system: memory that held much for a moment is not kept for ever.
//!
//! Argon2 (RFC 9106) asks for 19 MiB a password. glibc raises its own threshold for mapped blocks when the first such one is freed and
//! from then on keeps them in its arenas, of which it makes eight for each processor (mallopt(3)); with a fixed threshold they are mapped,
//! and unmapped when freed.

/// From this size on a block is mapped on its own, in bytes.
#[cfg(target_env = "gnu")]
const MAPPED_FROM: libc::c_int = 1 << 20;
/// Arenas for smaller blocks, shared by all threads.
#[cfg(target_env = "gnu")]
const ARENAS: libc::c_int = 4;

/// Sets both for the rest of the process's life. To be called first in `main`, before there are threads. Where the allocator refuses, or
/// is another than glibc's, memory is used as it would be without this, so there is no error to tell.
pub fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: mallopt(3) takes two integers by value and no pointer; it locks the allocator itself and touches no block in use.
        unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM) };
        // SAFETY: as above.
        unsafe { libc::mallopt(libc::M_ARENA_MAX, ARENAS) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child_tests::{child, is_child};

    fn resident() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// In a process of its own: what other tests hold at the same time is theirs.
    #[test]
    #[ignore = "a child of the test below"]
    fn in_the_child_passwords_are_checked() {
        if !is_child() {
            return;
        }
        give_memory_back();
        let before = resident();
        for _ in 0..4 {
            let checks: Vec<_> = (0..4).map(|n| std::thread::spawn(move || drop(std::hint::black_box(vec![n + 1u8; 19 << 20])))).collect();
            checks.into_iter().for_each(|check| check.join().unwrap());
        }
        println!("TOLD {}", resident().saturating_sub(before));
    }

    #[test]
    fn what_password_checks_took_is_given_back() {
        // speed: resident memory <= page cache + 80 MB
        let output = child("allocator::tests::in_the_child_passwords_are_checked", "", vec![]);
        let said = String::from_utf8_lossy(&output.stdout);
        let kept: usize = said.lines().find_map(|line| line.split_once("TOLD ")).unwrap().1.trim().parse().unwrap();
        assert!(kept < 19 << 10, "{kept} kB are kept");
    }
}
