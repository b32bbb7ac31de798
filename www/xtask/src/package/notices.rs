//! What the licences of others ask to be shipped: their copyright lines and texts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::shell::{cargo, output, www};

/// What the program is built for; what other systems would need is not shipped.
const PROGRAM: &[&str] = &[
    "--filter-platform=x86_64-unknown-linux-musl",
    "--filter-platform=x86_64-unknown-linux-gnu",
    "--filter-platform=x86_64-apple-darwin",
    "--filter-platform=x86_64-pc-windows-msvc",
];

/// What the WebAssembly is built with.
const WASM: &[&str] = &["--filter-platform=wasm32-unknown-unknown", "--no-default-features"];

/// Something of others: its name and version, what its licence is called, and the folder with its text.
type Package = (String, String, PathBuf);

/// The notices of the crates in the program.
pub fn of_program() -> Result<String> {
    Ok(text(&read(&crates(PROGRAM)?)?))
}

/// The notices of the crates in the WebAssembly.
pub fn of_wasm() -> Result<String> {
    Ok(text(&read(&crates(WASM)?)?))
}

/// The notices of the page: those of the WebAssembly, and of the npm packages that its sources import.
pub fn of_page() -> Result<String> {
    let mut packages = crates(WASM)?;
    packages.extend(npm_packages()?);
    Ok(text(&read(&packages)?))
}

/// What the crate depends on when it is built for somebody.
fn crates(built_for: &[&str]) -> Result<Vec<Package>> {
    let metadata = output(cargo().args(["metadata", "--format-version=1", "--locked"]).args(built_for))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let by_id = |list: &Value| -> BTreeMap<String, Value> {
        let list = list.as_array().into_iter().flatten();
        list.map(|entry| (entry["id"].as_str().unwrap_or_default().to_owned(), entry.clone())).collect()
    };
    let (packages, nodes) = (by_id(&metadata["packages"]), by_id(&metadata["resolve"]["nodes"]));
    let froc = packages.iter().find(|(_, package)| package["name"] == "froc").context("there is no package froc")?.0;
    let (mut found, mut open) = (BTreeSet::new(), vec![froc.clone()]);
    while let Some(id) = open.pop() {
        let dependencies = nodes.get(&id).map(|node| &node["deps"]).and_then(Value::as_array);
        for dependency in dependencies.into_iter().flatten() {
            let id = dependency["pkg"].as_str().unwrap_or_default().to_owned();
            let mut kinds = dependency["dep_kinds"].as_array().into_iter().flatten();
            // Neither what tests and build scripts use, nor what runs in the compiler.
            let is_shipped = kinds.any(|kind| kind["kind"].is_null())
                && packages.get(&id).is_some_and(|package| !package["targets"].to_string().contains("\"proc-macro\""));
            if is_shipped && found.insert(id.clone()) {
                open.push(id);
            }
        }
    }
    found.iter().filter_map(|id| packages.get(id)).map(of_crate).collect()
}

fn of_crate(package: &Value) -> Result<Package> {
    let said = |key: &str| package[key].as_str().with_context(|| format!("{}: no {key}", package["name"]));
    let folder = Path::new(said("manifest_path")?).parent().context("a manifest lies in a folder")?;
    Ok((format!("{} {}", said("name")?, said("version")?), said("license")?.to_owned(), folder.to_owned()))
}

/// The packages that the page's sources name, and what those depend on.
fn npm_packages() -> Result<Vec<Package>> {
    let mut open = Vec::new();
    for file in files(&www().join("src"))? {
        let code = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        open.extend(imported(&code));
    }
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    while let Some(name) = open.pop() {
        let folder = www().join("node_modules").join(&name);
        if !seen.insert(name.clone()) || !folder.exists() {
            continue;
        }
        let description: Value = serde_json::from_slice(&fs::read(folder.join("package.json"))?)?;
        let said = |key: &str| description[key].as_str().unwrap_or_default().to_owned();
        // Types are gone once it is built.
        if !name.starts_with("@types/") {
            found.push((format!("{name} {}", said("version")), said("license"), folder));
        }
        open.extend(description["dependencies"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
    }
    Ok(found)
}

/// The packages that code imports: `d3-array` of `import .. from "d3-array"`, `@scope/name` of `import("@scope/name/file")`.
fn imported(code: &str) -> Vec<String> {
    let quoted = ["from \"", "import \"", "import(\""].into_iter().flat_map(|before| code.split(before).skip(1));
    let modules = quoted.filter_map(|text| text.split_once('"')).map(|(module, _)| module);
    let is_package = |module: &&str| module.starts_with(|c: char| c.is_ascii_lowercase() || c == '@');
    let parts = |module: &str| if module.starts_with('@') { 2 } else { 1 };
    modules
        .filter(is_package)
        .map(|module| module.split('/').take(parts(module)).collect::<Vec<_>>().join("/"))
        .collect()
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

/// The names of packages with their licences, and their texts.
fn read(packages: &[Package]) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for (name, licence, folder) in packages {
        let texts = texts(folder, licence).with_context(|| format!("the licence of {name}"))?;
        found.extend(texts.into_iter().map(|text| (format!("{name} ({licence})"), text)));
    }
    Ok(found)
}

/// Each text once, after the names of all that it covers, each with its own copyright lines.
fn text(packages: &[(String, String)]) -> String {
    let is_copyright = |line: &&str| line.trim_start().to_lowercase().starts_with("copyright (c)");
    // By its words, however they are broken into lines.
    let mut by_words: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    for (name, text) in packages {
        let (own, common): (Vec<&str>, Vec<&str>) = text.lines().partition(is_copyright);
        let names = [name.as_str()].into_iter().chain(own.into_iter().map(str::trim));
        let words = common.iter().flat_map(|line| line.split_whitespace()).collect::<Vec<_>>().join(" ");
        let (_, covered) =
            by_words.entry(words).or_insert_with(|| (common.join("\n").trim().to_owned(), BTreeSet::new()));
        covered.insert(names.collect::<Vec<_>>().join("\n    "));
    }
    let entries: BTreeSet<(Vec<String>, String)> =
        by_words.into_values().map(|(text, names)| (names.into_iter().collect(), text)).collect();
    let rule = "=".repeat(80);
    let entries = entries.into_iter().map(|(names, text)| format!("\n{rule}\n{}\n\n{text}\n", names.join("\n")));
    std::iter::once("froc contains software of others, under these licences.\n".to_owned()).chain(entries).collect()
}

/// The texts under which a package is shipped: the shorter one, MIT's, where there is a choice, and what is asked besides.
fn texts(folder: &Path, licence: &str) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let is_one = |name: &String| {
        ["LICENSE", "LICENCE", "NOTICE", "COPYING"].iter().any(|start| name.to_uppercase().starts_with(start))
    };
    names.retain(is_one);
    let holds = |name: &str, word: &str| name.to_uppercase().contains(word);
    let chosen = ["MIT", "APACHE"]
        .into_iter()
        .find(|word| names.iter().any(|name| holds(name, word) && !(*word == "MIT" && holds(name, "MIT0"))));
    if let Some(chosen) = chosen {
        let besides = ["NOTICE", "UNICODE", "WHATWG"];
        names.retain(|name| holds(name, chosen) || besides.iter().any(|word| holds(name, word)));
    }
    if names.is_empty() {
        // A few npm packages, none of which ends up in the page itself, tell no more than this.
        if let Ok(description) = fs::read(folder.join("package.json")) {
            let description: Value = serde_json::from_slice(&description)?;
            return Ok(vec![format!(
                "It comes without the text of its licence. Its author: {}.",
                description["author"]
            )]);
        }
        bail!("{} has no file LICENSE or COPYING, though it is under {licence}", folder.display());
    }
    names
        .iter()
        .map(|name| Ok(fs::read_to_string(folder.join(name))?.replace("\r\n", "\n").trim().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_import_is_seen() {
        let code = "import { max } from \"d3-array\";\nimport \"@scope/name/style.css\";\nawait import(\"lazy/part.js\");\n\
                    export * from \"./own.ts\";";
        let mut packages = imported(code);
        packages.sort();
        assert_eq!(packages, ["@scope/name", "d3-array", "lazy"]);
    }

    #[test]
    fn a_text_stands_once_and_every_copyright_line_beside_its_package() {
        let packages = [
            ("one 1.0 (MIT)", "MIT License\n\nCopyright (c) 2020 One\n\nDo as you like."),
            ("two 2.0 (MIT)", "Copyright (c) 2021 Two\nMIT\nLicense\nDo as\nyou like."),
            ("other 1.0 (ISC)", "Copyright (C) 2022 Other\n\nDo what you want."),
        ];
        let rule = "=".repeat(80);
        assert_eq!(
            text(&packages.map(|(name, text)| (name.to_owned(), text.to_owned()))),
            format!(
                "froc contains software of others, under these licences.\n\n{rule}\n\
                 one 1.0 (MIT)\n    Copyright (c) 2020 One\ntwo 2.0 (MIT)\n    Copyright (c) 2021 Two\n\n\
                 MIT License\n\n\nDo as you like.\n\n{rule}\n\
                 other 1.0 (ISC)\n    Copyright (C) 2022 Other\n\nDo what you want.\n"
            )
        );
    }

    #[test]
    fn every_crate_that_is_shipped_has_its_notice() {
        let (program, wasm) = (of_program().expect("a text each"), of_wasm().expect("a text each"));
        // In both; one under two licences at once; one in each alone.
        for (name, in_program, in_wasm) in [
            ("serde_json ", true, true),
            ("zlib-rs ", true, true),
            ("Copyright © WHATWG", true, false),
            ("clap ", true, false),
            ("wasm-bindgen ", false, true),
            // Neither what tests use, nor what runs in the compiler, nor the project itself.
            ("proptest ", false, false),
            ("serde_derive ", false, false),
            ("froc 0", false, false),
        ] {
            assert_eq!((program.contains(name), wasm.contains(name)), (in_program, in_wasm), "{name}");
        }
    }
}
