//! `cargo xtask bench`: measures froc natively, in the page and beside its peers, on data made here.
//!
//! What is compared is measured in turn, A B A B, so that a machine whose speed drifts does not decide; ratios are taken
//! round by round. Each part keeps its figures until it is run again, on these data.

mod data;
mod figures;
mod machine;
mod page;
mod parts;
mod peers;
mod process;
mod results;

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::shell::{cargo, output};
use crate::stages;
use data::Size;
use figures::{Figures, Section};

#[derive(clap::Args)]
pub struct Arguments {
    /// Which data: 12,000, 55,000 or 2 million detections.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "S,M,L")]
    sizes: Vec<Size>,
    /// How often each thing is measured.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Also 20 million detections, natively.
    #[arg(long)]
    xl: bool,
    /// Also a zip of 5 GB in the page.
    #[arg(long)]
    huge: bool,
    /// Also pycocotools, faster-coco-eval, hotcoco and plain Python, installed by pip in an environment of their own.
    #[arg(long)]
    peers: bool,
    /// Only the parts whose name holds this text; none at all writes the results anew from the figures that there are.
    #[arg(long)]
    only: Option<String>,
}

/// What the parts measure with.
struct Bench {
    sizes: Vec<Size>,
    rounds: usize,
    /// The program of tests/benches/stages.rs.
    stages: PathBuf,
}

/// A part, and whether it is measured unless asked for.
type Part = (&'static str, fn(&Arguments) -> bool, fn(&Bench, &mut Section) -> Result<()>);

const PARTS: &[Part] = &[
    ("stages", |_| true, parts::stages),
    ("whole", |_| true, parts::whole),
    ("memory", |_| true, parts::memory),
    ("page", |_| true, parts::page),
    ("gallery", |_| true, parts::gallery),
    ("huge", |arguments| arguments.huge, parts::huge),
    ("xl", |arguments| arguments.xl, parts::xl),
    ("peers", |arguments| arguments.peers, peers::measure),
];

/// Measures and writes tests/bench/figures.json and RESULTS.md.
///
/// # Errors
/// Something cannot be built or run, or two programs that should agree on a number do not.
pub fn run(arguments: &Arguments) -> Result<()> {
    ensure!(arguments.rounds > 0 && !arguments.sizes.is_empty(), "there is nothing to measure");
    let is_chosen = |name: &str| arguments.only.as_deref().is_none_or(|only| !only.is_empty() && name.contains(only));
    let chosen: Vec<&Part> =
        PARTS.iter().filter(|(name, is_wanted, _)| is_wanted(arguments) && is_chosen(name)).collect();
    let mut figures = Figures::load()?;
    if chosen.is_empty() {
        println!(
            "No part is chosen; there are: {}.",
            PARTS.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", ")
        );
        return results::write(&figures);
    }
    let commit = machine::commit()?;
    let bench = Bench { sizes: arguments.sizes.clone(), rounds: arguments.rounds, stages: build()? };
    figures.machine = machine::look()?;
    for (name, _, measure) in chosen {
        println!("\n== {name}");
        let mut section = machine::section(&commit);
        measure(&bench, &mut section).with_context(|| format!("part \"{name}\""))?;
        if let Some(before) = figures.sections.get(*name) {
            section.keep(before);
        }
        println!("\n{}", results::table(&section));
        figures.sections.insert((*name).to_owned(), section);
        // After each part, so that a long run loses nothing.
        figures.save()?;
        results::write(&figures)?;
    }
    Ok(())
}

/// Builds all that is measured; the program of the stages.
fn build() -> Result<PathBuf> {
    stages::build()?;
    // Both at once, since built one after the other each would take the other's library for its own of before.
    let arguments = ["build", "--locked", "--package", "froc", "--release", "--bin", "froc", "--bench", "stages"];
    let messages = output(cargo().args(arguments).arg("--message-format=json"))?;
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = artifacts.filter(|message| message["target"]["name"] == "stages");
    let program = programs.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    program.context("cargo names no program for the stages")
}
