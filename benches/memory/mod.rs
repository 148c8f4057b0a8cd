//! Measures how much memory a program takes.

use std::fs;
use std::process::Child;
use std::time::Duration;

/// Returns the peak memory of a program that runs to its end, in bytes.
pub fn peak(mut child: Child) -> Option<u64> {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    while child.try_wait().expect("the program runs").is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = kilobytes.map(|number| number * 1024).or(peak);
        std::thread::sleep(Duration::from_millis(1));
    }
    peak
}
