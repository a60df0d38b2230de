//! Processor time, and the memory of other processes.

use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::time::{ClockId, clock_gettime};

/// Processor time that the calling thread has used.
pub fn of_thread() -> Duration {
    read(ClockId::ThreadCPUTime)
}

/// Processor time that this process has used, all threads together.
pub fn of_process() -> Duration {
    read(ClockId::ProcessCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let (seconds, nanos) =
        (u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default());
    Duration::new(seconds, nanos)
}

/// Memory of a process in MB (10⁶ bytes).
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Resident now.
    pub resident: f64,
    /// The most that was ever resident.
    pub peak: f64,
}

/// Reads the memory of a process from `/proc`.
pub fn memory(pid: u32) -> Result<Memory> {
    let path = format!("/proc/{pid}/status");
    let status =
        std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read: this needs Linux"))?;
    Ok(Memory { resident: field(&status, "VmRSS:")?, peak: field(&status, "VmHWM:")? })
}

/// A line such as `VmRSS:     18704 kB`; the kernel's kB are 1 024 bytes.
fn field(status: &str, name: &str) -> Result<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number =
        line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse::<f64>().ok());
    Ok(number.with_context(|| format!("{name} is missing"))? * 1_024.0 / 1_000_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_goes_on_while_work_is_done() {
        let (thread, process) = (of_thread(), of_process());
        let mut sum = 0_u64;
        while of_thread() == thread {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(of_process() > process);
    }

    #[test]
    fn memory_is_read_in_megabytes() {
        let status = "Name:\tkopru\nVmHWM:\t  2000 kB\nVmRSS:\t   1000 kB\n";
        assert!((field(status, "VmRSS:").unwrap() - 1.024).abs() < 1e-9);
        assert!(field(status, "VmSwap:").is_err());
        let own = memory(std::process::id()).unwrap();
        assert!(own.resident > 0.5 && own.peak >= own.resident * 0.9);
    }
}
