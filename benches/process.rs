//! What processes have used: processor time of each thread and resident memory, from proc(5).

use nix::sys::resource::{getrusage, UsageWho};
use nix::sys::time::TimeValLike;
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// Nanoseconds of processor time in a second of who has nothing to do.
const RESTING: u64 = 10_000_000;

/// Processor time in nanoseconds by kind of thread: names without their trailing numbers.
pub type ThreadTimes = BTreeMap<String, u64>;

/// The processor time of all threads of these processes.
pub fn thread_times(processes: &[u32]) -> ThreadTimes {
    let mut times = ThreadTimes::new();
    for process in processes {
        for task in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
            let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
            let name = name.trim().trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
            let used = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            let used: u64 = used.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0);
            *times.entry(name.to_owned()).or_default() += used;
        }
    }
    times
}

/// `after` without `before`; threads that ended in between are left out.
pub fn spent(before: &ThreadTimes, after: &ThreadTimes) -> ThreadTimes {
    let since = |(name, time): (&String, &u64)| (name.clone(), time.saturating_sub(before.get(name).copied().unwrap_or(0)));
    after.iter().map(since).collect()
}

/// Waits until these processes rest, five minutes at most; whether they do. A daemon puts down what its looks left waiting for their index, which
/// else the next turn pays for.
pub fn rested(processes: &[u32]) -> bool {
    let all = || thread_times(processes).values().sum::<u64>();
    let mut before = all();
    (0..300).any(|_| {
        std::thread::sleep(Duration::from_secs(1));
        let since = std::mem::replace(&mut before, all());
        before.saturating_sub(since) < RESTING
    })
}

/// This process and its children.
pub fn with_children(process: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    std::iter::once(process).chain(children.split_whitespace().filter_map(|child| child.parse().ok())).collect()
}

/// Highest resident memory since the start, or since [`forget_peak`], in KiB (VmHWM).
pub fn peak_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Lets the peak begin anew; only root may where the process is not dumpable, and then it stays as it is.
pub fn forget_peak(process: u32) {
    let _ = fs::write(format!("/proc/{process}/clear_refs"), "5");
}

/// Nanoseconds of processor time that this process has used, its ended threads included.
pub fn own_time() -> u64 {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return 0 };
    [usage.user_time(), usage.system_time()].into_iter().map(|time| u64::try_from(time.num_microseconds()).unwrap_or(0) * 1000).sum()
}
