//! Data goes one way: a module imports only from floors below its own, by module path.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The floors, from the ground up. A module that is not here has no place in the house yet.
///
/// `bootstrap` resamples what `score` reads, so it stands above it. `sheet` makes tables of a `report`, and `render` makes bytes of them, so each stands above what it is made of; the root of the crate (`lib.rs`) stands below the
/// shells, which may use what it offers.
const FLOORS: &[&[&str]] = &[
    &["limits", "printable", "texts"],
    &["geometry", "reading"],
    &["error", "finding", "protocol"],
    &["matching", "dataset", "options"],
    &["curve", "input", "run"],
    &["convert", "fusion", "score"],
    &["bootstrap"],
    &["compare", "diagnosis", "doctor", "thresholds"],
    &["rank", "slices", "suspects"],
    &["report"],
    &["sheet"],
    &["render", "saved_page"],
    &[ROOT],
    &["session"],
    &["wasm", "guard", "manual"],
    &["main"],
];

/// What the root of the crate is called here.
const ROOT: &str = "lib";

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

/// The modules at the top of the crate that the code of a file imports from, `ROOT` for names of the root itself.
///
/// `module` is the path of the file's module, empty for `lib.rs`.
fn imports(code: TokenStream, module: &[String], modules: &BTreeSet<String>) -> BTreeSet<String> {
    let tokens: Vec<TokenTree> = code.into_iter().collect();
    let mut found = BTreeSet::new();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Group(group) => {
                // A module in the file is one step deeper than what stands around it.
                let mut inner = module.to_vec();
                if group.delimiter() == Delimiter::Brace
                    && at > 1
                    && word(&tokens, at - 2).as_deref() == Some("mod")
                    && let Some(name) = word(&tokens, at - 1)
                {
                    inner.push(name);
                }
                found.extend(imports(group.stream(), &inner, modules));
                at += 1;
            }
            TokenTree::Ident(ident) if (ident == "crate" || ident == "froc") && is_path(&tokens, at + 1) => {
                found.extend(targets(&tokens, at + 3, modules));
                at += 3;
            }
            TokenTree::Ident(ident) if ident == "super" && is_path(&tokens, at + 1) => {
                let mut outer = module.to_vec();
                while word(&tokens, at).as_deref() == Some("super") && is_path(&tokens, at + 1) {
                    outer.pop();
                    at += 3;
                }
                match outer.first() {
                    Some(top) => drop(found.insert(top.clone())),
                    None => found.extend(targets(&tokens, at, modules)),
                }
            }
            _ => at += 1,
        }
    }
    found
}

/// What a path starts with after `crate::`; one name, or those of a group.
fn targets(tokens: &[TokenTree], at: usize, modules: &BTreeSet<String>) -> Vec<String> {
    let top = |name: String| if modules.contains(&name) { name } else { ROOT.to_owned() };
    match tokens.get(at) {
        Some(TokenTree::Group(group)) => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            let starts = inner.split(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ','));
            starts.filter_map(|path| word(path, 0)).map(top).collect()
        }
        Some(TokenTree::Ident(name)) => {
            // `crate::curve(..)` is a function of the root beside the module `curve`.
            let is_call = matches!(tokens.get(at + 1), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
            vec![if is_call { ROOT.to_owned() } else { top(name.to_string()) }]
        }
        // `use crate::*;`
        _ => vec![ROOT.to_owned()],
    }
}

fn word(tokens: &[TokenTree], at: usize) -> Option<String> {
    match tokens.get(at) {
        Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
        _ => None,
    }
}

/// Whether `::` stands there.
fn is_path(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon = |at| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    is_colon(at) && is_colon(at + 1)
}

/// What is wrong with the imports of one file of `src/`; `path` is relative to it.
fn violations(path: &str, code: &str, modules: &BTreeSet<String>) -> Vec<String> {
    let module = module_of(path);
    let top = module.first().map_or(ROOT, String::as_str);
    let Some(own) = floor(top) else {
        return vec![format!("{path}: the module `{top}` stands on no floor")];
    };
    let code: TokenStream = code.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
    let from: Vec<String> = if top == "main" { Vec::new() } else { module.clone() };
    let mut wrong = Vec::new();
    for target in imports(code, &from, modules) {
        match floor(&target) {
            _ if target == top => {}
            None => wrong.push(format!("{path}: it imports from `{target}`, which stands on no floor")),
            Some(below) if below < own => {}
            Some(_) if target == ROOT => {
                wrong.push(format!("{path}: it imports from the root of the crate; name the module instead"));
            }
            Some(_) => wrong.push(format!("{path}: `{top}` imports from `{target}`, which is not below it")),
        }
    }
    wrong
}

/// `score/ties.rs` is the module `score::ties`; `lib.rs` is the root.
fn module_of(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == ROOT { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// Every file of `src/`, by its path below it.
fn sources() -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files =
        walkdir::WalkDir::new(&src).sort_by_file_name().into_iter().map(|entry| entry.expect("a readable folder"));
    let sources: Vec<(String, String)> = files
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"))
        .map(|entry| {
            let path = entry.path().strip_prefix(&src).expect("a path below src");
            let path: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            (path.join("/"), fs::read_to_string(entry.path()).expect("UTF-8"))
        })
        .collect();
    assert!(sources.iter().any(|(path, _)| path == "lib.rs"), "src/ has no lib.rs");
    sources
}

fn modules_of(sources: &[(String, String)]) -> BTreeSet<String> {
    sources.iter().filter_map(|(path, _)| module_of(path).first().cloned()).collect()
}

#[test]
fn every_module_imports_only_from_floors_below_its_own() {
    let sources = sources();
    let modules = modules_of(&sources);
    let wrong: Vec<String> = sources.iter().flat_map(|(path, code)| violations(path, code, &modules)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_bad_import_is_caught_in_every_form() {
    let modules = modules_of(&sources());
    let bad = [
        (1, "geometry.rs", "use crate::error::Error;"),
        (2, "geometry.rs", "use crate::{error::Error, matching::Verdict};"),
        (1, "geometry.rs", "fn f() -> crate::report::Report { todo!() }"),
        (1, "geometry.rs", "fn f() { let x = vec![crate::score::points()]; }"),
        (1, "error.rs", "use crate::finding::Notice;"),
        (1, "score/ties.rs", "use super::super::report::Report;"),
        (1, "curve.rs", "use super::report::Report;"),
        (2, "curve.rs", "mod tests { use super::super::{report, render}; }"),
        // By module path, never from the root.
        (1, "matching.rs", "use crate::Options;"),
        (1, "matching.rs", "use crate::*;"),
        (1, "matching.rs", "fn f() { crate::evaluate(); }"),
        (1, "report.rs", "fn f() { crate::curve(); }"),
        (1, "lib.rs", "use crate::wasm::Evaluator;"),
        // A module that nobody has given a floor.
        (1, "cellar.rs", ""),
        (1, "cellar/wine.rs", ""),
    ];
    for (n, path, code) in bad {
        let wrong = violations(path, code, &modules);
        assert_eq!(wrong.len(), n, "{path}: {code}: {wrong:?}");
    }
}

#[test]
fn a_good_import_passes() {
    let modules = modules_of(&sources());
    let good = [
        ("error.rs", "use crate::geometry::BBox;"),
        ("score/ties.rs", "use super::official::Counts; use crate::score::exact; use crate::curve::Staircase;"),
        ("score/mod.rs", "mod ties; use self::ties::extremes; mod tests { use super::*; }"),
        ("curve.rs", "//! [`crate::report`] is only named.\nmod tests { use super::Curve; }"),
        ("lib.rs", "pub use render::json; use crate::report::Report; mod score {}"),
        ("wasm.rs", "use crate::{evaluate, report::Report}; fn f() { crate::curve(); }"),
        ("main.rs", "use froc::{Error, Options}; fn f() { froc::evaluate(); }"),
    ];
    for (path, code) in good {
        assert_eq!(violations(path, code, &modules), Vec::<String>::new(), "{path}: {code}");
    }
}

/// Documents that send a reader to a file or folder name one that is there.
#[test]
fn documents_name_files_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = 0;
    for document in ["README.md", "CONTRIBUTING.md", "SECURITY.md"] {
        let text = fs::read_to_string(root.join(document)).expect("a document of the project");
        let is_place = |word: &&str| {
            let top = word.split('/').next().unwrap_or_default();
            word.contains('/') && ["src", "tests", "www", ".ci", ".github"].contains(&top)
        };
        for place in text.split(['`', '(', ')', '|']).filter(is_place).filter(|place| !place.contains(' ')) {
            // What a build makes is there after it; the package of the crate leaves the page out, and how it is tested.
            let is_made = place.starts_with("www/dist");
            let is_left_out = !root.join("www").exists() && !place.starts_with("src") && !place.starts_with("tests");
            assert!(
                is_made || is_left_out || root.join(place).exists(),
                "{document} names {place}, which is not there"
            );
            named += 1;
        }
    }
    assert!(named > 40, "{named} places");
}
