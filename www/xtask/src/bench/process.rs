//! Programs as whole processes: how long they take and how much memory they use.

use std::num::NonZero;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use anyhow::{Result, bail};

use super::data::Data;
use crate::shell::{program, target};

/// The cores that a process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cores {
    One,
    All,
}

pub const BOTH: [Cores; 2] = [Cores::One, Cores::All];

impl Cores {
    pub const fn name(self) -> &'static str {
        match self {
            Self::One => "one core",
            Self::All => "all cores",
        }
    }

    /// A program held to these cores. Without `taskset`, which is Linux's, one core is one thread of rayon's.
    pub fn program(self, path: &Path) -> Command {
        match self {
            Self::All => program(path),
            Self::One => {
                let has_taskset = Command::new("taskset").arg("--version").stdout(Stdio::null()).status().is_ok();
                let mut command = if has_taskset { program("taskset") } else { program(path) };
                if has_taskset {
                    // The last one: the first has more of the machine's own work.
                    let last = thread::available_parallelism().map_or(0, |n| NonZero::get(n) - 1);
                    command.args(["--cpu-list", &last.to_string()]).arg(path);
                }
                command.env("RAYON_NUM_THREADS", "1");
                command
            }
        }
    }
}

/// `froc score`, as it is released, on these data.
pub fn froc_score(cores: Cores, data: &Data) -> Result<Command> {
    let path = target()?.join("release").join(format!("froc{}", env::consts::EXE_SUFFIX));
    let mut command = cores.program(&path);
    command.arg("score").arg("--ground-truth").arg(&data.ground_truth).arg("--predictions").arg(&data.zip);
    Ok(command)
}

/// Milliseconds from start to end.
///
/// # Errors
/// It cannot be started, or fails.
pub fn milliseconds(command: &mut Command) -> Result<f64> {
    command.stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status()?;
    let ms = start.elapsed().as_secs_f64() * 1e3;
    if !status.success() {
        bail!("{command:?} failed ({status})");
    }
    Ok(ms)
}

/// The most memory that it holds at a time, in bytes; `None` where there is no `/proc`.
///
/// The kernel keeps the peak, but only while the process lives: what it takes in its last millisecond is missed.
///
/// # Errors
/// It cannot be started, or fails.
pub fn peak(command: &mut Command) -> Result<Option<f64>> {
    let mut child = command.stdout(Stdio::null()).spawn()?;
    let mut peak = None;
    let status = loop {
        peak = peak_of(child.id()).or(peak);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(Duration::from_millis(1));
    };
    if !status.success() {
        bail!("{command:?} failed ({status})");
    }
    Ok(peak)
}

/// The peak so far of a process that runs, in bytes.
fn peak_of(id: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? * 1024.0)
}
