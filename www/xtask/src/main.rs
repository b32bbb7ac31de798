//! `cargo xtask`: builds, serves, tests and measures everything.

mod bench;
mod browser;
mod package;
mod sample;
mod shell;
mod stages;
mod wasm;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "Builds, serves, tests and measures froc and its page")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Sets up what is missing and builds the page into www/dist.
    Build,
    /// Builds the page and serves it on this machine.
    Serve {
        /// The port; another free one if it is taken.
        #[arg(long, default_value_t = 8040)]
        port: u16,
    },
    /// Checks and tests everything, in real browsers too.
    Test {
        /// Only the stages whose name holds this text.
        #[arg(long)]
        only: Option<String>,
    },
    /// The stages of the page; `test` calls this.
    #[command(hide = true)]
    TestPage,
    /// Makes what is published into target/packages, and tries each package where nothing else is.
    Package {
        /// Only one: crate, npm or wheel.
        #[arg(long)]
        only: Option<String>,
        /// What the wheel is for, if not this machine, such as x86_64-unknown-linux-musl.
        #[arg(long)]
        target: Option<String>,
    },
    /// Builds page and crate here and from a clone in another folder, and compares their bytes; takes minutes.
    Reproduce,
    /// Builds the program for a target and packs it into target/packages, with its manual and the notices of others.
    Program {
        /// As rustc calls it, such as x86_64-unknown-linux-musl.
        target: String,
    },
    /// Measures everything on data of its own and writes tests/bench/RESULTS.md.
    Bench(bench::Arguments),
    /// Writes the files of the made-up samples.
    Sample {
        /// Made if it does not exist.
        folder: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Build => stages::build(),
        Command::Serve { port } => stages::serve(port),
        Command::Test { only } => stages::test(only.as_deref()),
        Command::TestPage => stages::test_page_stages(),
        Command::Package { only, target } => package::make(only.as_deref(), target.as_deref()),
        Command::Reproduce => package::reproduce(),
        Command::Program { target } => package::program(&target),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Sample { folder } => sample::write(&folder),
    }
}
