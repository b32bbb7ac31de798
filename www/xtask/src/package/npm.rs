//! The package for npm: the core as an ES module with its WebAssembly and its types.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::{VERSION, empty, notices, out, repository};
use crate::shell::{npm, output, program, root, run, www};
use crate::{browser, stages, wasm};

/// What is copied as it is; the rest of www/npm tries the package.
const FILES: &[&str] = &["node.js", "README.md", "examples/score.mjs", "examples/page.html", "examples/worker.js"];

/// Makes the tarball, installs it in an empty folder, and scores with it in Node and in Chromium.
pub fn make() -> Result<()> {
    stages::install_npm_packages()?;
    let packed = pack()?;
    let folder = out()?.join("npm-installed");
    empty(&folder)?;
    fs::write(folder.join("package.json"), r#"{ "private": true, "type": "module" }"#)?;
    run(npm().current_dir(&folder).args(["install", "--offline", "--silent"]).arg(&packed))?;
    check_types(&folder)?;
    run(program("node")
        .arg(www().join("npm/try.mjs"))
        .arg(&folder)
        .env("CHROMIUM", browser::chromium()?)
        .env("FROC_BIN", stages::terminal()?)
        .env("GOLDEN", root().join("tests/golden/synthetic")))
}

/// Makes the tarball.
fn pack() -> Result<PathBuf> {
    let folder = out()?.join("npm");
    empty(&folder)?;
    wasm::bind(&wasm::compile()?, &folder, false)?;
    for file in FILES {
        let to = folder.join(file);
        fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
        fs::copy(www().join("npm").join(file), to).with_context(|| format!("cannot copy www/npm/{file}"))?;
    }
    fs::copy(root().join("LICENSE"), folder.join("LICENSE")).context("cannot copy LICENSE")?;
    fs::write(folder.join("THIRD-PARTY.txt"), notices::of_wasm()?)?;
    // As text: Node goes by the order of the conditions under `exports`.
    let description = fs::read_to_string(www().join("npm/package.json")).context("cannot read www/npm/package.json")?;
    let description = description.replacen("VERSION", VERSION, 1).replacen("REPOSITORY", &repository()?, 1);
    fs::write(folder.join("package.json"), description)?;
    let printed = output(npm().current_dir(&folder).args(["pack", "--silent", "--pack-destination"]).arg(out()?))?;
    Ok(out()?.join(printed.trim()))
}

/// Whether the example uses the package as its types say.
fn check_types(folder: &Path) -> Result<()> {
    let example = folder.join("node_modules/froc/examples/score.mjs");
    // Beside the package, not in it: what lies in node_modules is not checked.
    let copy = folder.join("score.mjs");
    fs::copy(&example, &copy).with_context(|| format!("cannot copy {}", example.display()))?;
    let strict = ["--noEmit", "--strict", "--allowJs", "--checkJs", "--module", "nodenext", "--target", "es2023"];
    let failures = ["--useUnknownInCatchVariables", "false", "--types", "node", "--typeRoots"];
    run(npm().args(["exec", "--", "tsc"]).args(strict).args(failures).arg(www().join("node_modules/@types")).arg(&copy))
}
