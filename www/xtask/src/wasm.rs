//! The core as WebAssembly, its bindings and its tests in a browser.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::browser;
use crate::shell::{cargo, output, program, root, run, target, www};

const TARGET: &str = "wasm32-unknown-unknown";

/// Installs the target if rustup does not have it.
pub fn set_up() -> Result<()> {
    let installed = output(program("rustup").args(["target", "list", "--installed"]));
    match installed {
        Ok(targets) if targets.lines().any(|target| target == TARGET) => Ok(()),
        Ok(_) => run(program("rustup").args(["target", "add", TARGET])),
        // A toolchain without rustup brings its own targets, or cargo says what is missing.
        Err(_) => Ok(()),
    }
}

/// Builds the core and writes its bindings to www/pkg.
pub fn build() -> Result<()> {
    check_versions()?;
    let out = www().join("pkg");
    run(cargo()
        .args(["build", "--package", "froc", "--lib", "--no-default-features"])
        .args(["--profile", "wasm", "--target", TARGET])
        .env("RUSTFLAGS", remapped_paths().join(" ")))?;
    let module = target().join(TARGET).join("wasm/froc.wasm");
    if out.exists() {
        fs::remove_dir_all(&out).context("cannot clear www/pkg")?;
    }
    let mut arguments: Vec<OsString> =
        ["wasm-bindgen", "--target", "web", "--omit-default-module-path"].map(Into::into).into();
    arguments.extend(["--remove-name-section", "--remove-producers-section", "--out-dir"].map(Into::into));
    arguments.extend([out.clone().into(), module.into()]);
    wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(arguments)?;
    names_no_folder_of_this_machine(&out.join("froc_bg.wasm"))
}

/// Runs the tests of the bindings in headless Chromium.
pub fn test() -> Result<()> {
    let this = std::env::current_exe().context("cannot find this program")?;
    let this = this.to_str().context("the path of this program is not UTF-8")?;
    let chromium = browser::chromium()?;
    let capabilities = target().join("webdriver.json");
    let arguments = ["headless", "disable-gpu", "no-sandbox", "disable-dev-shm-usage", "disable-background-networking"];
    let options = serde_json::json!({ "goog:chromeOptions": { "binary": chromium, "args": arguments } });
    fs::write(&capabilities, options.to_string()).context("cannot write webdriver.json")?;
    run(cargo()
        .args(["test", "--package", "froc", "--test", "bindings", "--no-default-features", "--target", TARGET])
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", format!("{this} wasm-test-runner --"))
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", capabilities)
        .env("CHROMEDRIVER", browser::chromedriver()?))
}

/// The runner that cargo calls for each wasm test binary.
pub fn run_tests(arguments: Vec<OsString>) -> Result<()> {
    let name = OsString::from("wasm-bindgen-test-runner");
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::iter::once(name).chain(arguments))
}

/// Bindings made by another version than the library's do not fit, and say so only in the browser.
fn check_versions() -> Result<()> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let version = |name: &str| {
        let entry = format!("name = \"{name}\"\nversion = \"");
        lock.split_once(&entry).and_then(|(_, rest)| rest.split_once('"')).map(|(version, _)| version.to_owned())
    };
    let (library, tool) = (version("wasm-bindgen"), version("wasm-bindgen-cli"));
    ensure!(
        library.is_some() && library == tool,
        "wasm-bindgen is {library:?} in Cargo.lock and wasm-bindgen-cli is {tool:?}: set both to one version in Cargo.toml and www/xtask/Cargo.toml"
    );
    Ok(())
}

/// Flags that keep the folders of this machine out of the module.
fn remapped_paths() -> Vec<String> {
    private_folders()
        .into_iter()
        .map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display()))
        .collect()
}

fn private_folders() -> Vec<(PathBuf, &'static str)> {
    let home = std::env::home_dir();
    let in_home = |variable: &str, folder: &str| {
        std::env::var_os(variable).map(PathBuf::from).or_else(|| home.as_ref().map(|home| home.join(folder)))
    };
    let folders = [(home.clone(), "home"), (Some(root()), "froc")];
    let tools = [(in_home("RUSTUP_HOME", ".rustup"), "rustup"), (in_home("CARGO_HOME", ".cargo"), "cargo")];
    // rustc takes the last one that fits, so the narrower folders come last.
    folders.into_iter().chain(tools).filter_map(|(folder, name)| Some((folder?, name))).collect()
}

fn names_no_folder_of_this_machine(module: &Path) -> Result<()> {
    let bytes = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    for (folder, _) in private_folders() {
        let name = folder.to_string_lossy().into_owned();
        // "/" or "/root" alone may stand in a text by chance.
        if name.len() > 5 && bytes.windows(name.len()).any(|window| window == name.as_bytes()) {
            bail!("{} holds the path {name} of this machine: remap it in www/xtask/src/wasm.rs", module.display());
        }
    }
    Ok(())
}
