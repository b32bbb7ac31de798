//! The tests of the core, in one program: a program for each file took half of the time that building them took.
//! `cargo test oracle` runs those of one file.
#![cfg(not(target_arch = "wasm32"))]

mod bootstrap;
mod cases;
mod cli;
mod compare;
mod containers;
mod convert;
mod convert_cli;
mod diagnosis;
mod doctor;
mod floors;
mod formats;
mod fusion;
mod gallery;
mod gates;
mod golden;
mod hits;
mod hostile;
mod ignored;
mod input;
mod kept_reports;
mod layouts;
mod observer;
mod operating;
mod oracle;
mod other_metrics;
mod parts;
mod properties;
mod published;
mod rank;
mod readers;
mod render;
mod rjafroc;
mod schema;
mod script;
mod session;
mod session_file;
mod sizes;
mod slices;
mod slices_cli;
mod statistics_cli;
mod support;
mod suppression;
mod suspects;
mod suspects_cli;
mod thresholds;
mod thresholds_cli;
mod view;

/// A file that is not in the list above would never be run.
#[test]
fn every_file_of_tests_is_run() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let here = include_str!("main.rs");
    for entry in std::fs::read_dir(folder).expect("the folder of tests") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        if path.extension().is_some_and(|ending| ending == "rs") && name != "main" {
            assert!(here.contains(&format!("\nmod {name};\n")), "tests/{name}.rs is no module of tests/main.rs");
        }
    }
}
