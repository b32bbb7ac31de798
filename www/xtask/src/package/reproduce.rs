//! Whether what is released depends on nothing but the commit and the compilers.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::{VERSION, empty, out};
use crate::shell::{cargo, output, program, root, run, target};
use crate::stages;

/// Builds the page and packs the crate here and from a clone in another folder: the bytes are the same.
pub fn check() -> Result<()> {
    let changed = output(program("git").args(["status", "--porcelain"]))?;
    ensure!(changed.is_empty(), "a clone holds what is committed; commit first:\n{changed}");
    stages::build()?;
    pack(&root(), &target()?)?;
    let clone = out()?.join("a clone/elsewhere");
    empty(&clone)?;
    run(program("git").args(["clone", "--quiet"]).arg(root()).arg(&clone))?;
    let target_of_clone = clone.join("target");
    run(cargo().current_dir(&clone).args(["xtask", "build"]).env("CARGO_TARGET_DIR", &target_of_clone))?;
    pack(&clone, &target_of_clone)?;
    let crate_in = |target: &Path| target.join(format!("package/froc-{VERSION}.crate"));
    let pages = [&root(), &clone].map(|folder: &PathBuf| folder.join("www/dist/froc.html"));
    for [here, there] in [pages, [crate_in(&target()?), crate_in(&target_of_clone)]] {
        let read = |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
        let (ours, theirs) = (read(&here)?, read(&there)?);
        let first = ours.iter().zip(&theirs).position(|(ours, theirs)| ours != theirs);
        let equal = first.is_none() && ours.len() == theirs.len();
        ensure!(equal, "{} and {} differ from byte {}", here.display(), there.display(), first.unwrap_or(ours.len()));
        println!("{} is the same from another folder", here.display());
    }
    Ok(())
}

fn pack(folder: &Path, target: &Path) -> Result<()> {
    let arguments = ["package", "--locked", "--package", "froc", "--no-verify"];
    run(cargo().current_dir(folder).args(arguments).env("CARGO_TARGET_DIR", target))
}
