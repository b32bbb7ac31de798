//! What is published: made into target/packages, and tried as the person who installs it would.

mod crates_io;
pub mod notices;
mod npm;
mod program;
mod reproduce;
mod wheel;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::shell::{cargo, output, target, www};
use crate::stages;

pub use self::crates_io::check_list as check_crate;
pub use self::npm::make as npm;
pub use self::program::make as program;
pub use self::reproduce::check as reproduce;

/// Of every package.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How a package is made and tried; for a target, if it depends on one.
type Make = fn(Option<&str>) -> Result<()>;

/// The packages by name.
const PACKAGES: &[(&str, Make)] =
    &[("crate", |_| crates_io::make()), ("npm", |_| npm::make()), ("wheel", |target| wheel::make(target))];

/// Makes the package of a name, or all, and tries each where nothing else is.
pub fn make(only: Option<&str>, target: Option<&str>) -> Result<()> {
    let chosen: Vec<_> = PACKAGES.iter().filter(|(name, _)| only.is_none_or(|only| *name == only)).collect();
    let names: Vec<&str> = PACKAGES.iter().map(|(name, _)| *name).collect();
    ensure!(!chosen.is_empty(), "no package has such a name; there are: {}", names.join(", "));
    chosen.into_iter().try_for_each(|(name, make)| make(target).with_context(|| format!("package \"{name}\"")))
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

/// Puts the page in one file, as it was built last, into a folder, from where `froc view` takes it.
fn copy_page(folder: &Path) -> Result<()> {
    let page = www().join("dist/froc.html");
    if !page.exists() {
        stages::build()?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::copy(&page, folder.join("froc.html")).with_context(|| format!("cannot copy {}", page.display()))?;
    Ok(())
}

/// The folder, without what was in it.
fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}
