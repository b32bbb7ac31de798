//! The package for crates.io.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result, ensure};

use super::{VERSION, empty, out};
use crate::shell::{cargo, output, program, run, target};

/// Packs the crate, and runs its tests in a folder that holds nothing else.
pub fn make() -> Result<()> {
    check_list()?;
    // What is not committed yet is packed too.
    run(cargo().args(["package", "--locked", "--package", "froc", "--no-verify", "--allow-dirty"]))?;
    let name = format!("froc-{VERSION}");
    let packed = out()?.join(format!("{name}.crate"));
    let made = target()?.join("package").join(format!("{name}.crate"));
    fs::copy(&made, &packed).with_context(|| format!("cannot copy {}", made.display()))?;
    let folder = out()?.join("crate");
    empty(&folder)?;
    // -m: as old as they are here, or cargo would take an earlier build for one of them.
    run(program("tar").current_dir(&folder).arg("-xzmf").arg(&packed))?;
    let manifest = folder.join(&name).join("Cargo.toml");
    // Or cargo would take it for a part of the project in whose folder it lies.
    let mut text = fs::read_to_string(&manifest).context("the package has no Cargo.toml")?;
    text.push_str("\n[workspace]\n");
    fs::write(&manifest, text)?;
    run(cargo()
        .args(["test", "--locked", "--quiet", "--manifest-path"])
        .arg(manifest)
        .env("CARGO_TARGET_DIR", out()?.join("crate-target"))
        // Files that are not in the package do not count.
        .env_remove("GOLDEN_DIR"))
}

/// Whether the package holds all sources and all that its tests read; takes a second, where the tests take minutes.
///
/// # Errors
/// A file of `src` or `tests` is left out: by `exclude`, or since a `Cargo.toml` lies in its folder.
pub fn check_list() -> Result<()> {
    let packed = output(cargo().args(["package", "--locked", "--package", "froc", "--list", "--allow-dirty"]))?;
    let packed: BTreeSet<String> = packed.lines().map(|line| line.replace('\\', "/")).collect();
    let known = output(program("git").args(["ls-files", "src", "tests"]))?;
    let is_left_out =
        |file: &str| ["tests/bench/", "tests/fuzz/targets/"].iter().any(|folder| file.starts_with(folder));
    let missing: Vec<&str> = known.lines().filter(|file| !is_left_out(file) && !packed.contains(*file)).collect();
    ensure!(missing.is_empty(), "the package for crates.io leaves out {}", missing.join(", "));
    Ok(())
}
