//! On what machine the figures were taken.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Cores, processor, memory, kernel.
pub fn description() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processor = line_of("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory = line_of("/proc/meminfo", "MemTotal").and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let guest = if fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains(" hypervisor")) { ", a virtual machine" } else { "" };
    format!("{cores} cores of {processor}, {} GiB memory, Linux {}{guest}", memory >> 20, kernel.trim())
}

/// The kind of file system below a folder, for what a durable commit costs there.
pub fn file_system(folder: &Path) -> String {
    let said = Command::new("df").arg("--output=fstype").arg(folder).output();
    let said = said.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned()).unwrap_or_default();
    said.lines().last().unwrap_or("unknown").to_owned()
}

fn line_of(file: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}
