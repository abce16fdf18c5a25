//! Memory for secrets: pages of their own, locked against swapping, left out of core files and child processes, zeroized at the end.

use crate::HardeningError;
use nix::sys::mman::{madvise, mlock, mmap_anonymous, munmap, MapFlags, MmapAdvise, ProtFlags};
use std::ffi::c_void;
use std::fmt;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use zeroize::Zeroize;

/// `N` bytes on pages of their own: mlock(2)ed, MADV_DONTDUMP, MADV_DONTFORK; zeroized, then unmapped, on drop. `Debug` shows the type
/// only.
pub struct LockedBytes<const N: usize> {
    bytes: NonNull<[u8; N]>,
}

impl<const N: usize> LockedBytes<N> {
    const LENGTH: NonZeroUsize = match NonZeroUsize::new(N) {
        Some(length) => length,
        None => panic!("a secret has at least one byte"),
    };

    /// `N` zero bytes.
    ///
    /// # Errors
    /// [`HardeningError::OutOfMemory`], [`HardeningError::NotLocked`] (RLIMIT_MEMLOCK) or [`HardeningError::NotExcluded`]; nothing stays
    /// mapped then.
    pub fn zeroed() -> Result<Self, HardeningError> {
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new anonymous mapping at an address of the kernel's choice touches no memory that anything else refers to.
        let mapped = unsafe { mmap_anonymous(None, Self::LENGTH, protection, MapFlags::MAP_PRIVATE) };
        let address = mapped.map_err(|source| HardeningError::OutOfMemory { bytes: N, source })?;
        // From here on, dropping `secret` unmaps. Fresh pages are zero and page-aligned, so they hold a valid [u8; N].
        let secret = Self { bytes: address.cast() };
        secret.lock()?;
        Ok(secret)
    }

    /// `N` bytes that `fill` writes in place, so that the secret is never anywhere else on its way in.
    ///
    /// # Errors
    /// Those of [`LockedBytes::zeroed`] and those of `fill`; what `fill` wrote before it failed is zeroized.
    pub fn filled_by<E: From<HardeningError>>(fill: impl FnOnce(&mut [u8; N]) -> Result<(), E>) -> Result<Self, E> {
        let mut secret = Self::zeroed()?;
        fill(secret.bytes_mut())?;
        Ok(secret)
    }

    /// The secret itself. Every call is a place to look at in review.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; N] {
        // SAFETY: `bytes` points at a live, aligned, initialised mapping of at least N bytes that only `self` owns; the shared borrow of
        // `self` lasts as long as the reference, and writing needs `&mut self`.
        unsafe { self.bytes.as_ref() }
    }

    fn bytes_mut(&mut self) -> &mut [u8; N] {
        // SAFETY: as in `expose_secret`; the exclusive borrow of `self` makes this the only reference.
        unsafe { self.bytes.as_mut() }
    }

    fn lock(&self) -> Result<(), HardeningError> {
        let address: NonNull<c_void> = self.bytes.cast();
        // SAFETY: the range is the mapping that `self` owns; locking changes no content.
        unsafe { mlock(address, N) }.map_err(|source| HardeningError::NotLocked { bytes: N, source })?;
        for advice in [MmapAdvise::MADV_DONTDUMP, MmapAdvise::MADV_DONTFORK] {
            // SAFETY: the range is the mapping that `self` owns; neither advice changes its content in this process.
            unsafe { madvise(address, N, advice) }.map_err(|source| HardeningError::NotExcluded { source })?;
        }
        Ok(())
    }

    fn wipe(&mut self) {
        self.bytes_mut().zeroize();
    }
}

impl<const N: usize> Drop for LockedBytes<N> {
    fn drop(&mut self) {
        self.wipe();
        #[cfg(test)]
        tests::note_last_sight(self.expose_secret());
        // SAFETY: `self` owns the mapping and nobody can hold a reference into it while it is dropped. Unmapping unlocks. A failure would
        // leave zeroed pages behind, which is harmless, and a destructor has nobody to tell.
        let _unmapped = unsafe { munmap(self.bytes.cast(), N) };
    }
}

// SAFETY: the mapping belongs to the value, not to a thread; moving the value moves sole ownership of it.
unsafe impl<const N: usize> Send for LockedBytes<N> {}
// SAFETY: through `&self` the bytes can only be read; writing needs `&mut self`.
unsafe impl<const N: usize> Sync for LockedBytes<N> {}

impl<const N: usize> fmt::Debug for LockedBytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LockedBytes<{N}>(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::fs;
    use std::sync::Mutex;

    thread_local! {
        static LAST_SIGHT: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
    }
    /// VmLck counts the whole process, so tests that hold locked memory take turns.
    static TURNS: Mutex<()> = Mutex::new(());

    /// Called by `drop` between the wiping and the unmapping: afterwards nobody may look.
    pub(super) fn note_last_sight(bytes: &[u8]) {
        LAST_SIGHT.with(|seen| *seen.borrow_mut() = Some(bytes.to_vec()));
    }

    fn locked_kib() -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// The VmFlags of the mapping that begins at an address, from /proc/self/smaps.
    fn flags_at(address: *const u8) -> Option<Vec<String>> {
        let smaps = fs::read_to_string("/proc/self/smaps").unwrap();
        let start = format!("{:x}-", address as usize);
        let mapping = smaps.lines().skip_while(|line| !line.starts_with(&start));
        let flags = mapping.skip(1).find_map(|line| line.strip_prefix("VmFlags:"))?;
        Some(flags.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn a_secret_lies_in_locked_memory_as_long_as_it_lives() {
        // G1: no operator can read; a swapped page would be on a disk
        let _turn = TURNS.lock().unwrap();
        let before = locked_kib();
        let secret = LockedBytes::<32>::zeroed().unwrap();
        assert!(locked_kib() >= before + 4, "VmLck rises by a page");
        drop(secret);
        assert_eq!(locked_kib(), before);
    }

    #[test]
    fn a_secret_is_in_no_core_file_and_in_no_child() {
        // G1: no dump, no core file. lo = locked, dd = not in a core file, dc = not in a forked child (proc(5))
        let _turn = TURNS.lock().unwrap();
        for secret in [LockedBytes::<5000>::zeroed().unwrap(), LockedBytes::<5000>::zeroed().unwrap()] {
            let flags = flags_at(secret.expose_secret().as_ptr()).unwrap();
            for flag in ["lo", "dd", "dc"] {
                assert!(flags.iter().any(|has| has == flag), "{flag} in {flags:?}");
            }
        }
    }

    #[test]
    fn a_secret_is_wiped_before_its_memory_is_given_back() {
        // Keys: data keys are zeroized at the end
        let _turn = TURNS.lock().unwrap();
        let secret = LockedBytes::<32>::filled_by(|bytes| {
            bytes.fill(0xa5);
            Ok::<(), HardeningError>(())
        })
        .unwrap();
        assert_eq!(secret.expose_secret(), &[0xa5; 32]);
        drop(secret);
        assert_eq!(LAST_SIGHT.with(RefCell::take), Some(vec![0; 32]));
    }

    #[test]
    fn half_a_secret_is_wiped_where_filling_fails() {
        let _turn = TURNS.lock().unwrap();
        let before = locked_kib();
        let failed = LockedBytes::<32>::filled_by(|bytes| {
            bytes[..16].fill(0xa5);
            Err::<(), _>(HardeningError::NoHttps)
        });
        assert!(matches!(failed, Err(HardeningError::NoHttps)));
        assert_eq!(LAST_SIGHT.with(RefCell::take), Some(vec![0; 32]));
        assert_eq!(locked_kib(), before);
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        // G1: no log line with a secret
        let _turn = TURNS.lock().unwrap();
        assert_eq!(format!("{:?}", LockedBytes::<32>::zeroed().unwrap()), "LockedBytes<32>(..)");
    }

    #[test]
    fn a_secret_can_be_shared_between_threads() {
        let _turn = TURNS.lock().unwrap();
        let secret = LockedBytes::<4>::filled_by(|bytes| {
            *bytes = [1, 2, 3, 4];
            Ok::<(), HardeningError>(())
        })
        .unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(secret.expose_secret(), &[1, 2, 3, 4]));
            }
        });
    }
}
