//! Finds a Chromium and its driver, or installs them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::shell::{npm, output, program, run, www};

const CHROMIUM: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
];
const CHROMEDRIVER: &[&str] = &["chromedriver", "/usr/lib/chromium-browser/chromedriver"];
const FIREFOX: &[&str] = &["firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"];

/// The browser for the tests: `CHROMIUM`, an installed one, Debian's package, or Playwright's own.
pub fn chromium() -> Result<PathBuf> {
    if let Some(found) = find("CHROMIUM", CHROMIUM) {
        return Ok(found);
    }
    if install_debian_packages(&["chromium", "chromium-driver"])
        && let Some(found) = find("CHROMIUM", CHROMIUM)
    {
        return Ok(found);
    }
    playwright_chromium()
        .context("no Chromium is here and none could be installed; install one, or set CHROMIUM to its path")
}

/// The driver that fits an installed Chromium.
pub fn chromedriver() -> Result<PathBuf> {
    if let Some(found) = find("CHROMEDRIVER", CHROMEDRIVER) {
        return Ok(found);
    }
    install_debian_packages(&["chromium-driver"]);
    find("CHROMEDRIVER", CHROMEDRIVER)
        .context("no chromedriver is here; install the one of your Chromium's version, or set CHROMEDRIVER to its path")
}

/// Firefox, if it is here: what only it can show is skipped without it.
pub fn firefox() -> Option<PathBuf> {
    find("FIREFOX", FIREFOX)
}

fn find(variable: &str, names: &[&str]) -> Option<PathBuf> {
    let chosen = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file());
    chosen.or_else(|| names.iter().find_map(|name| find_program(name)))
}

fn find_program(name: &str) -> Option<PathBuf> {
    if Path::new(name).is_absolute() {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Whether Debian's packages could be installed: only as root on a machine with apt-get.
fn install_debian_packages(packages: &[&str]) -> bool {
    let is_root = output(program("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !is_root || find_program("apt-get").is_none() {
        return false;
    }
    let apt = |arguments: &[&str]| run(program("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(arguments));
    apt(&["update", "-q"]).is_ok() && apt(&[&["install", "-y", "-q"], packages].concat()).is_ok()
}

fn playwright_chromium() -> Result<PathBuf> {
    run(npm().args(["exec", "--", "playwright", "install", "chromium"]))?;
    let script = "process.stdout.write(require('@playwright/test').chromium.executablePath())";
    let path = PathBuf::from(output(program("node").current_dir(www()).args(["-e", script]))?);
    if !path.is_file() {
        bail!("Playwright installed no browser at {}", path.display());
    }
    Ok(path)
}
