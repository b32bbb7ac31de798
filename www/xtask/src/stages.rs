//! What `build`, `serve` and `test` do, stage by stage.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;
use std::{env, fs};

use anyhow::{Context as _, Result, bail, ensure};

use crate::shell::{cargo, npm, output, program, root, run, target, www};
use crate::{browser, package, sample, wasm};

/// Builds the page into www/dist.
pub fn build() -> Result<()> {
    wasm::set_up()?;
    wasm::build()?;
    sample::write(&www().join("sample"))?;
    install_npm_packages()?;
    // The site knows the digest of the page in one file.
    run(npm().args(["run", "--silent", "build:file"]))?;
    add_notices()?;
    run(npm().args(["run", "--silent", "build:site"]))
}

/// What licences ask to be shipped, beside the page and at the end of the page in one file.
fn add_notices() -> Result<()> {
    let notices = package::notices::of_page()?;
    let dist = www().join("dist");
    fs::write(dist.join("third-party.txt"), &notices).context("cannot write third-party.txt")?;
    let file = dist.join("froc.html");
    let mut page = fs::read_to_string(&file).context("cannot read froc.html")?;
    // Nothing in it may end the comment.
    page = format!("{page}\n<!--\n{}-->\n", notices.replace("->", "- >").replace("!>", "! >"));
    fs::write(&file, page).context("cannot write froc.html")
}

/// Builds the page and serves it until it is stopped.
pub fn serve(port: u16) -> Result<()> {
    build()?;
    run(program("node").arg(www().join("build/serve.mjs")).arg(port.to_string()))
}

/// A named part of the tests.
type Stage = (&'static str, fn() -> Result<()>);

/// The core, stage by stage.
const CORE: &[Stage] = &[
    ("format", || run(cargo().args(["fmt", "--all", "--check"]))),
    ("lints", || run(cargo().args(["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]))),
    // Apart: together they would share features, and the tools of the page would be built once more.
    ("tests", || {
        ["froc", "xtask"].iter().try_for_each(|name| run(cargo().args(["test", "--locked", "--package", name])))
    }),
    ("documentation", document),
    ("lints for wasm", lint_wasm),
    ("packed crate", package::check_crate),
];

/// The page, stage by stage.
const PAGE: &[Stage] = &[
    ("page", build),
    ("types of the page", || run(npm().args(["run", "--silent", "check"]))),
    ("format and lints of the page", || run(npm().args(["run", "--silent", "lint"]))),
    ("npm package", package::npm),
    ("program", || terminal().map(drop)),
    ("page in browsers", test_page),
];

/// Runs the stages whose name holds `only`, or all of them: those of the core and those of the page at the same time, since
/// browsers wait as often as they work. What the page's stages print is held back until the core's are over.
pub fn test(only: Option<&str>) -> Result<()> {
    wasm::set_up()?;
    if let Some(only) = only {
        let chosen: Vec<&Stage> = CORE.iter().chain(PAGE).filter(|(name, _)| name.contains(only)).collect();
        let names: Vec<&str> = CORE.iter().chain(PAGE).map(|(name, _)| *name).collect();
        ensure!(!chosen.is_empty(), "no stage has such a name; there are: {}", names.join(", "));
        return all_of(chosen);
    }
    let log = target()?.join("page.log");
    fs::create_dir_all(target()?)?;
    let printed = fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let this = env::current_exe().context("cannot find this program")?;
    let mut page = program(this)
        .arg("test-page")
        .stderr(printed.try_clone()?)
        .stdout(printed)
        .spawn()
        .context("cannot start the stages of the page")?;
    let core = all_of(CORE.iter().collect());
    if let Err(error) = &core {
        println!("\n{error:#}\nThe stages of the page go on; Ctrl-C ends them.");
    }
    let status = page.wait()?;
    print!("{}", fs::read_to_string(&log)?);
    core?;
    ensure!(status.success(), "a stage of the page failed; what it printed is in {}", log.display());
    Ok(())
}

/// The stages of the page alone.
pub fn test_page_stages() -> Result<()> {
    all_of(PAGE.iter().collect())
}

/// Runs stages one after the other, and stops at the first that fails.
fn all_of(stages: Vec<&Stage>) -> Result<()> {
    let mut times = Vec::new();
    for (name, stage) in stages {
        println!("\n== {name}");
        let start = Instant::now();
        stage().with_context(|| format!("stage \"{name}\""))?;
        times.push(format!("{:>6.1} s  {name}", start.elapsed().as_secs_f64()));
    }
    println!("\nAll of it holds:\n{}", times.join("\n"));
    Ok(())
}

fn lint_wasm() -> Result<()> {
    run(wasm::cargo_for_wasm("clippy").args(["--lib", "--", "-D", "warnings"]))
}

fn document() -> Result<()> {
    let strict = |cargo: &mut Command| run(cargo.arg("--no-deps").env("RUSTDOCFLAGS", "-D warnings"));
    strict(cargo().args(["doc", "--locked", "--workspace"]))?;
    strict(wasm::cargo_for_wasm("doc").arg("--lib"))
}

/// Builds the program as its tests do, so that it is built once, and tells where it is.
pub fn terminal() -> Result<PathBuf> {
    run(cargo().args(["test", "--locked", "--package", "froc", "--no-run", "--test", "core"]))?;
    Ok(target()?.join("debug").join(format!("froc{}", env::consts::EXE_SUFFIX)))
}

fn test_page() -> Result<()> {
    let mut tests: Command = npm();
    tests.args(["test", "--silent"]);
    tests.env("CHROMIUM", browser::chromium()?);
    tests.env("FROC_BIN", terminal()?);
    let others = [
        ("HEADLESS_SHELL", browser::headless_shell()?),
        ("FIREFOX", browser::firefox()?),
        ("WEBKIT_DRIVER", browser::webkit_driver()?),
    ];
    tests.envs(others.into_iter().filter_map(|(name, program)| Some((name, program?))));
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
