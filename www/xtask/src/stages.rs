//! What `build`, `serve` and `test` do, stage by stage.

use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::shell::{cargo, npm, program, root, run, target, www};
use crate::{browser, sample, wasm};

/// Builds the page into www/dist.
pub fn build() -> Result<()> {
    wasm::set_up()?;
    wasm::build()?;
    let folder = www().join("sample");
    fs::create_dir_all(&folder).context("cannot make www/sample")?;
    sample::write(&folder)?;
    install_npm_packages()?;
    run(npm().args(["run", "--silent", "build"]))
}

/// Builds the page and serves it until it is stopped.
pub fn serve(port: u16) -> Result<()> {
    build()?;
    let port =
        (port..=u16::MAX).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).context("no port is free")?;
    println!("\nfroc is at http://127.0.0.1:{port}/ (Ctrl+C ends it). Nothing you drop there leaves this machine.\n");
    let port = port.to_string();
    run(npm().args(["run", "--silent", "preview", "--", "--host", "127.0.0.1", "--strictPort", "--port", &port]))
}

/// A named part of the tests.
type Stage = (&'static str, fn() -> Result<()>);

const STAGES: &[Stage] = &[
    ("format", || run(cargo().args(["fmt", "--all", "--check"]))),
    ("lints", || run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))),
    ("lints for wasm", lint_wasm),
    ("tests", || run(cargo().args(["test", "--workspace"]))),
    ("documentation", || run(cargo().args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))),
    ("program", || run(cargo().args(["build", "--package", "froc", "--release"]))),
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
    let arguments = ["clippy", "--package", "froc", "--lib", "--tests", "--no-default-features"];
    run(cargo().args(arguments).args(["--target", "wasm32-unknown-unknown", "--", "-D", "warnings"]))
}

fn test_page() -> Result<()> {
    let mut tests: Command = npm();
    tests.args(["test", "--silent"]);
    tests.env("CHROMIUM", browser::chromium()?);
    tests.env("FROC_BIN", target().join("release").join(format!("froc{}", std::env::consts::EXE_SUFFIX)));
    if let Some(firefox) = browser::firefox() {
        tests.env("FIREFOX", firefox);
    }
    run(&mut tests)
}

/// Installs the page's packages if the lock file is newer than what is there.
fn install_npm_packages() -> Result<()> {
    let modified = |path: &str| fs::metadata(www().join(path)).and_then(|data| data.modified()).ok();
    let lock = modified("package-lock.json");
    ensure!(lock.is_some(), "{} has no www/package-lock.json", root().display());
    if modified("node_modules/.package-lock.json") < lock {
        run(npm().args(["ci", "--no-audit", "--no-fund"]))?;
        // npm keeps the time of the lock file it wrote; the next look needs a newer one.
        run(program("node")
            .current_dir(www())
            .args(["-e", "fs.utimesSync('node_modules/.package-lock.json',new Date(),new Date())"]))?;
    }
    Ok(())
}
