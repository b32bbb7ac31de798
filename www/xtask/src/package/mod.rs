//! What is published: made into target/packages, and tried as the person who installs it would.

mod crates_io;
pub mod notices;
mod npm;
mod program;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::shell::{cargo, output, target};

pub use self::crates_io::check_list as check_crate;
pub use self::npm::make as npm;
pub use self::program::make as program;

/// Of every package.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Makes every package and tries each.
pub fn all() -> Result<()> {
    crates_io::make()?;
    npm::make()
}

/// The address of the project, as Cargo.toml has it.
fn repository() -> Result<String> {
    let metadata = output(cargo().args(["metadata", "--format-version=1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let froc = packages.iter().find(|package| package["name"] == "froc").context("there is no package froc")?;
    froc["repository"].as_str().map(str::to_owned).context("Cargo.toml names no repository")
}

/// Where packages are written; made if it does not exist.
fn out() -> Result<PathBuf> {
    let out = target()?.join("packages");
    fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    Ok(out)
}

/// The folder, without what was in it.
fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}
