//! Where and when it is measured.

use std::fs;
use std::num::NonZero;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use time::OffsetDateTime;

use super::figures::{Machine, Section};
use super::page::Page;
use crate::shell::{output, program};

/// Cores, system and versions.
pub fn look() -> Result<Machine> {
    let (browser, node) = Page::start()?.versions()?;
    let cores = thread::available_parallelism().map_or(1, NonZero::get).to_string();
    let facts = [
        ("Processor", line_of("/proc/cpuinfo", "model name", ':').unwrap_or_else(|| std::env::consts::ARCH.to_owned())),
        ("Cores", cores),
        ("Memory", line_of("/proc/meminfo", "MemTotal", ':').unwrap_or_else(|| "not known".to_owned())),
        ("System", system()),
        ("Compiler", output(program("rustc").arg("--version"))?.trim().to_owned()),
        ("Browser", format!("Chromium {browser}, headless")),
        ("Node", node),
    ];
    Ok(Machine { facts: facts.map(|(name, value)| (name.to_owned(), value)).into() })
}

/// The commit that is measured, and whether there are changes to it; to be asked before results are written.
pub fn commit() -> Result<String> {
    Ok(output(program("git").args(["describe", "--always", "--dirty", "--exclude=*"]))?.trim().to_owned())
}

/// A section that starts now; says so if the machine is not at rest.
pub fn section(commit: &str) -> Section {
    let load_before = busy_cores();
    if load_before.is_some_and(|busy| busy > 0.2) {
        println!("Other programs are running: these figures will be worse than they should be.");
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    Section {
        date: OffsetDateTime::now_utc().date().to_string(),
        commit: commit.to_owned(),
        command: format!("cargo xtask {}", arguments.join(" ")),
        load_before,
        ..Section::default()
    }
}

/// How many cores other programs kept busy during a second; `None` where there is no `/proc`.
fn busy_cores() -> Option<f64> {
    let look = || {
        let text = fs::read_to_string("/proc/stat").ok()?;
        let times: Vec<f64> = text.lines().next()?.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        // user, nice, system, idle, iowait, ...
        Some((times.iter().sum::<f64>(), times.get(3)? + times.get(4)?))
    };
    let (all, idle) = look()?;
    thread::sleep(Duration::from_secs(1));
    let (all_now, idle_now) = look()?;
    let cores = thread::available_parallelism().map_or(1, NonZero::get) as f64;
    Some(cores * (1.0 - (idle_now - idle) / (all_now - all)))
}

fn system() -> String {
    let name = line_of("/etc/os-release", "PRETTY_NAME", '=');
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease");
    match (name, kernel) {
        (Some(name), Ok(kernel)) => format!("{}, Linux {}", name.trim_matches('"'), kernel.trim()),
        _ => std::env::consts::OS.to_owned(),
    }
}

/// What stands after a name in a file of lines.
fn line_of(path: &str, name: &str, sign: char) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let (_, value) = text.lines().filter_map(|line| line.split_once(sign)).find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}
