//! What `build`, `serve` and `test` do, stage by stage.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;
use std::{env, fs};

use anyhow::{Context as _, Result, bail, ensure};

use crate::shell::{cargo, npm, output, program, root, run, target, www};
use crate::{browser, sample, serve, wasm};

/// Builds the page into www/dist.
pub fn build() -> Result<()> {
    wasm::set_up()?;
    wasm::build()?;
    sample::write(&www().join("sample"))?;
    install_npm_packages()?;
    run(npm().args(["run", "--silent", "build"]))
}

/// Builds the page and serves it until it is stopped.
pub fn serve(port: u16) -> Result<()> {
    build()?;
    serve::serve(&www().join("dist"), port)
}

/// A named part of the tests.
type Stage = (&'static str, fn() -> Result<()>);

const STAGES: &[Stage] = &[
    ("format", || run(cargo().args(["fmt", "--all", "--check"]))),
    ("lints", || run(cargo().args(["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]))),
    ("lints for wasm", lint_wasm),
    ("tests", || run(cargo().args(["test", "--locked", "--workspace"]))),
    ("documentation", document),
    ("program", || run(cargo().args(["build", "--locked", "--package", "froc", "--release"]))),
    ("page", build),
    ("types of the page", || run(npm().args(["run", "--silent", "check"]))),
    ("bindings in Chromium", wasm::test),
    ("page in browsers", test_page),
];

/// Runs every stage, or those whose name holds `only`, and stops at the first that fails.
pub fn test(only: Option<&str>) -> Result<()> {
    wasm::set_up()?;
    let chosen: Vec<&Stage> = STAGES.iter().filter(|(name, _)| only.is_none_or(|only| name.contains(only))).collect();
    ensure!(
        !chosen.is_empty(),
        "no stage has such a name; there are: {}",
        STAGES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    );
    let mut times = Vec::new();
    for (name, stage) in chosen {
        println!("\n== {name}");
        let start = Instant::now();
        stage().with_context(|| format!("stage \"{name}\""))?;
        times.push(format!("{:>6.1} s  {name}", start.elapsed().as_secs_f64()));
    }
    println!("\nAll of it holds:\n{}", times.join("\n"));
    Ok(())
}

fn lint_wasm() -> Result<()> {
    run(wasm::cargo_for_wasm("clippy").args(["--lib", "--tests", "--", "-D", "warnings"]))?;
    // As the page has it.
    run(wasm::cargo_for_wasm("clippy").args(["--lib", "--features", "split", "--", "-D", "warnings"]))
}

fn document() -> Result<()> {
    let strict = |cargo: &mut Command| run(cargo.arg("--no-deps").env("RUSTDOCFLAGS", "-D warnings"));
    strict(cargo().args(["doc", "--locked", "--workspace"]))?;
    strict(wasm::cargo_for_wasm("doc").arg("--lib"))
}

fn test_page() -> Result<()> {
    let mut tests: Command = npm();
    tests.args(["test", "--silent"]);
    tests.env("CHROMIUM", browser::chromium()?);
    tests.env("FROC_BIN", target()?.join("release").join(format!("froc{}", env::consts::EXE_SUFFIX)));
    if let Some(firefox) = browser::firefox()? {
        tests.env("FIREFOX", firefox);
    }
    if let Some(driver) = browser::webkit_driver()? {
        tests.env("WEBKIT_DRIVER", driver);
    }
    // Golden cases that may not be part of the project, beside it where they exist.
    let goldens = env::var_os("GOLDEN_DIR").map_or_else(|| root().join("../shared/golden"), PathBuf::from);
    if let Ok(goldens) = goldens.canonicalize() {
        tests.env("GOLDEN_DIR", goldens);
    }
    run(&mut tests)
}

/// Installs the npm packages of the lock file, unless they are those installed last.
pub fn install_npm_packages() -> Result<()> {
    let lock = www().join("package-lock.json");
    let wanted = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    // A copy of the lock file, since git sets no time of change that could be trusted.
    let stamp = www().join("node_modules/.installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    check_node()?;
    run(npm().args(["ci", "--no-audit", "--no-fund"]))?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

fn check_node() -> Result<()> {
    const LEAST: u32 = 20;
    let printed = output(program("node").arg("--version")).context("the page is built with Node 20 or later")?;
    let version = printed.trim();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < LEAST) {
        bail!("the page is built with Node {LEAST} or later, but this is {version}");
    }
    Ok(())
}
