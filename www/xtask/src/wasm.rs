//! The core as WebAssembly, and its bindings.

use std::ffi::OsString;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

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

/// Builds the core and writes its bindings to www/pkg, for the page, which says itself where the module is.
pub fn build() -> Result<()> {
    let out = www().join("pkg");
    if out.exists() {
        fs::remove_dir_all(&out).context("cannot clear www/pkg")?;
    }
    fs::create_dir_all(&out).context("cannot make www/pkg")?;
    bind(&compile()?, &out, true)
}

/// Builds the core, and gives the place of the module without bindings.
pub fn compile() -> Result<PathBuf> {
    let flags = flags_without_paths()?;
    // That alone: beside an rlib it would not be optimised together with what it links.
    let module = ["--lib", "--crate-type", "cdylib", "--profile", "wasm"];
    run(cargo_for_wasm("rustc").args(module).env("CARGO_ENCODED_RUSTFLAGS", flags))?;
    Ok(target()?.join(TARGET).join("wasm/froc.wasm"))
}

/// Writes the module, its bindings and their types into a folder; the bindings look for the module beside them, unless they are `told`
/// each time where it is.
pub fn bind(module: &Path, out: &Path, told: bool) -> Result<()> {
    Bindgen::new()
        .input_path(module)
        .out_name("froc")
        .web(true)?
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .omit_default_module_path(told)
        .generate(out)?;
    let folders = machine_folders()?;
    for name in ["froc_bg.wasm", "froc.js", "froc.d.ts"] {
        let bytes = fs::read(out.join(name)).with_context(|| format!("cannot read {name} in {}", out.display()))?;
        if let Some(folder) = folders.iter().find(|folder| holds(&bytes, folder)) {
            bail!("{name} holds the path {} of this machine: remap it in www/xtask/src/wasm.rs", folder.display());
        }
    }
    Ok(())
}

/// Cargo on the core as the page uses it.
pub fn cargo_for_wasm(command: &str) -> Command {
    let mut cargo = cargo();
    cargo.args([command, "--locked", "--package", "froc", "--no-default-features", "--target", TARGET]);
    cargo
}

/// Folders whose names tell who built: the wider ones first, since of several that fit rustc takes the last.
fn machine_folders() -> Result<Vec<PathBuf>> {
    let root = root().canonicalize().context("cannot find the workspace")?;
    let home = env::home_dir().filter(|home| home.parent().is_some());
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(".cargo")));
    let rustup = env::var_os("RUSTUP_HOME").map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(".rustup")));
    // Below the folder of sources, one folder a registry, named after its host.
    let registry = cargo.as_ref().map(|cargo| cargo.join("registry/src"));
    let hosts = registry.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let hosts: Vec<PathBuf> = hosts.filter_map(|entry| Some(entry.ok()?.path())).collect();
    let target = target()?;
    Ok([home, cargo, rustup, Some(root), Some(target)].into_iter().flatten().chain(hosts).collect())
}

/// Compiler flags under which what is built tells nothing of the folders it was built in.
pub fn flags_without_paths() -> Result<OsString> {
    Ok(flags(&machine_folders()?))
}

/// Compiler flags that leave these folders out of what is built, in cargo's own encoding.
fn flags(folders: &[PathBuf]) -> OsString {
    let mut flags = OsString::new();
    for folder in folders {
        if !flags.is_empty() {
            flags.push("\u{1f}");
        }
        flags.push("--remap-path-prefix=");
        flags.push(folder);
        flags.push("=.");
    }
    flags
}

/// Whether a path below the folder is there; `/root` alone may stand in a text by chance.
fn holds(bytes: &[u8], folder: &Path) -> bool {
    let text = format!("{}{MAIN_SEPARATOR}", folder.display());
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_machine_is_seen() {
        let folder = Path::new("/home/somebody");
        assert!(holds(b"\0/home/somebody/.cargo/x.rs\0", folder));
        assert!(!holds(b"\0./x.rs\0", folder));
    }
}
