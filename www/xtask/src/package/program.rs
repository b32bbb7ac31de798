//! The program, for people without Rust.

use std::fs;

use anyhow::{Context as _, Result};

use super::{VERSION, copy_page, empty, notices, out};
use crate::shell::{cargo, program, root, run, target};
use crate::{stages, wasm};

/// Builds the program for a target, such as `x86_64-unknown-linux-musl`, and packs it with its manual pages, completions and
/// what licences ask to be shipped.
pub fn make(triple: &str) -> Result<()> {
    run(cargo()
        .args(["build", "--locked", "--release", "--package", "froc", "--bin", "froc", "--target", triple])
        .env("CARGO_ENCODED_RUSTFLAGS", wasm::flags_without_paths()?))?;
    let name = format!("froc-{VERSION}-{triple}");
    let folder = out()?.join(&name);
    empty(&folder)?;
    let exe = if triple.contains("windows") { "froc.exe" } else { "froc" };
    let built = target()?.join(triple).join("release").join(exe);
    fs::copy(&built, folder.join(exe)).with_context(|| format!("cannot copy {}", built.display()))?;
    for file in ["README.md", "LICENSE", "CHANGELOG.md"] {
        fs::copy(root().join(file), folder.join(file)).with_context(|| format!("cannot copy {file}"))?;
    }
    fs::write(folder.join("THIRD-PARTY.txt"), notices::of_program()?)?;
    copy_page(&folder)?;
    // By the program of this machine, which may not run that of another.
    run(program(stages::terminal()?).arg("manual").arg(folder.join("manual")))?;
    run(program("tar").current_dir(out()?).arg("-czf").arg(format!("{name}.tar.gz")).arg(&name))
}
