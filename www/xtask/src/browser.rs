//! Finds the browsers for the tests, or installs a Chromium.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context as _, Result, bail};

use crate::shell::{npm, output, program, run, www};
use crate::stages::install_npm_packages;

const CHROMIUM: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
];
const HEADLESS_SHELL: &[&str] = &["chromium-headless-shell", "chrome-headless-shell"];
const WEBKIT_DRIVER: &[&str] = &["WebKitWebDriver"];
const FIREFOX: &[&str] = &["firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"];

/// The browser for the tests: `CHROMIUM`, an installed one, Debian's package, or Playwright's own.
pub fn chromium() -> Result<PathBuf> {
    if let Some(found) = find("CHROMIUM", CHROMIUM)? {
        return Ok(found);
    }
    if install_debian_package("chromium")
        && let Some(found) = find("CHROMIUM", CHROMIUM)?
    {
        return Ok(found);
    }
    playwright_chromium()
        .context("no Chromium is here and none could be installed; install one, or set CHROMIUM to its path")
}

/// Chromium without its windows, if it is here: with it, tests take a third less.
pub fn headless_shell() -> Result<Option<PathBuf>> {
    find("HEADLESS_SHELL", HEADLESS_SHELL)
}

/// Firefox, if it is here: what only it can show is skipped without it.
pub fn firefox() -> Result<Option<PathBuf>> {
    find("FIREFOX", FIREFOX)
}

/// The driver of `WebKitGTK`, if it is here: as with Firefox.
pub fn webkit_driver() -> Result<Option<PathBuf>> {
    find("WEBKIT_DRIVER", WEBKIT_DRIVER)
}

fn find(variable: &str, names: &[&str]) -> Result<Option<PathBuf>> {
    let Some(path) = env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from) else {
        return Ok(names.iter().find_map(|name| find_program(name)));
    };
    if !path.is_file() {
        bail!("{variable} is {}, where there is no file; set it to the path of the program", path.display());
    }
    Ok(Some(path))
}

fn find_program(name: &str) -> Option<PathBuf> {
    if Path::new(name).is_absolute() {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(format!("{name}{EXE_SUFFIX}"))).find(|path| path.is_file())
}

/// Whether Debian's package could be installed: only as root on Debian.
fn install_debian_package(package: &str) -> bool {
    let is_root = output(program("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    // Ubuntu's package of that name only points to a snap.
    let is_debian =
        fs::read_to_string("/etc/os-release").is_ok_and(|text| text.lines().any(|line| line == "ID=debian"));
    if !is_root || !is_debian {
        return false;
    }
    let apt = |arguments: &[&str]| run(program("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(arguments));
    apt(&["update", "-q"]).is_ok() && apt(&["install", "-y", "-q", package]).is_ok()
}

fn playwright_chromium() -> Result<PathBuf> {
    install_npm_packages()?;
    run(npm().args(["exec", "--", "playwright", "install", "chromium"]))?;
    let script = "process.stdout.write(require('@playwright/test').chromium.executablePath())";
    let path = PathBuf::from(output(program("node").current_dir(www()).args(["-e", script]))?);
    if !path.is_file() {
        bail!("Playwright installed no browser at {}", path.display());
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_variable_names_comes_first_and_must_be_there() {
        // Cargo sets both for a test: a folder, and its own program.
        let folder = find("CARGO_MANIFEST_DIR", &[]).expect_err("a folder is no program").to_string();
        assert!(folder.starts_with("CARGO_MANIFEST_DIR is "), "{folder}");
        assert!(folder.ends_with(", where there is no file; set it to the path of the program"), "{folder}");
        assert_eq!(find("CARGO", &["no-such-program"]).expect("a program"), env::var_os("CARGO").map(PathBuf::from));
        assert_eq!(find("NO_SUCH_VARIABLE", &["no-such-program"]).expect("nothing named"), None);
    }
}
