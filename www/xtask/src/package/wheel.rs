//! The wheel for PyPI: the program, and the Python module that calls it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};

use super::{VERSION, copy_page, empty, notices, out, repository};
use crate::shell::{program, root, run, target};
use crate::wasm;

/// Makes the wheel for a target, or for this machine, installs it in an environment that holds nothing else, and scores with it.
pub fn make(triple: Option<&str>) -> Result<()> {
    let packed = pack(triple)?;
    if triple.is_some_and(|triple| !triple.starts_with(env::consts::ARCH)) {
        return Ok(());
    }
    let fresh = environment("wheel-installed", &[])?;
    run(python(&fresh).args(["-m", "pip", "install", "--quiet", "--no-index"]).arg(&packed))?;
    // -I: not the sources beside the test.
    let test = |python: &mut Command| {
        run(python.arg("-I").arg(root().join("src/python/test_froc.py")).arg(root().join("tests/golden/synthetic")))
    };
    test(&mut python(&fresh))?;
    // Again with arrays and frames.
    run(python(&fresh).args(["-m", "pip", "install", "--quiet", "numpy", "pandas"]))?;
    test(&mut python(&fresh))
}

fn pack(triple: Option<&str>) -> Result<PathBuf> {
    let folder = out()?.join("wheel");
    empty(&folder)?;
    let from = root().join("src/python");
    fs::create_dir_all(folder.join("froc"))?;
    for file in ["README.md", "froc/__init__.py", "froc/py.typed"] {
        fs::copy(from.join(file), folder.join(file)).with_context(|| format!("cannot copy src/python/{file}"))?;
    }
    fs::copy(root().join("LICENSE"), folder.join("LICENSE")).context("cannot copy LICENSE")?;
    fs::write(folder.join("THIRD-PARTY.txt"), notices::of_program()?)?;
    // Where an environment puts it, the program of that environment finds it.
    copy_page(&folder.join("data/data/share/froc"))?;
    let manifest = root().join("Cargo.toml").display().to_string().replace('\\', "/");
    let project = fs::read_to_string(from.join("pyproject.toml")).context("cannot read pyproject.toml")?;
    let project = project.replacen("REPOSITORY", &repository()?, 1).replacen("MANIFEST", &manifest, 1);
    fs::write(folder.join("pyproject.toml"), project)?;
    let tools = environment("wheel-tools", &["maturin>=1.9,<2"])?;
    let mut build = python(&tools);
    build
        .current_dir(&folder)
        .args(["-m", "maturin", "build", "--release", "--locked", "--quiet", "--out"])
        .arg(out()?)
        .env("CARGO_TARGET_DIR", target()?)
        .env("CARGO_ENCODED_RUSTFLAGS", wasm::flags_without_paths()?);
    if let Some(triple) = triple {
        build.args(["--target", triple]);
        if triple.ends_with("-linux-musl") {
            // It needs no library of the system, so it runs with any.
            build.args(["--compatibility", "manylinux2014", "musllinux_1_1"]);
        }
    }
    run(&mut build)?;
    let start = format!("froc-{VERSION}-");
    let mut wheels = Vec::new();
    for entry in fs::read_dir(out()?)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(&start) && path.extension().is_some_and(|ending| ending == "whl") {
            wheels.push((fs::metadata(&path)?.modified()?, path));
        }
    }
    let newest = wheels.into_iter().max().context("maturin made no wheel")?;
    Ok(newest.1)
}

/// A fresh environment of Python with some packages of PyPI.
fn environment(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = out()?.join(name);
    empty(&folder)?;
    let names = if cfg!(windows) { ["python", "py"] } else { ["python3", "python"] };
    let made = names.iter().any(|name| run(program(name).args(["-m", "venv"]).arg(&folder)).is_ok());
    ensure!(made, "the wheel is made and tried with Python 3.9 or later and its module venv (on Debian, python3-venv)");
    if !packages.is_empty() {
        run(python(&folder).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
    }
    Ok(folder)
}

/// The Python of an environment.
fn python(environment: &Path) -> Command {
    program(environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" }))
}
