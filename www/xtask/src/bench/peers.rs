//! What people would use instead, on the same boxes, in a Python environment of their own.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Result, bail, ensure};
use serde::Deserialize;

use super::Bench;
use super::data::{self, Data, Size, folder};
use super::figures::{Section, Unit};
use super::parts::{FEW_ROUNDS, last_number, row};
use super::process::{Cores, froc_score, milliseconds};
use crate::shell::{output, program, root, run};

/// What takes longer than this, in milliseconds, and is in no goal is measured in fewer rounds.
const LONG: f64 = 20_000.0;
/// The row of as much work as the official script's.
const SCRIPT: &str = "plain Python as the script";

/// What people would use instead.
pub fn measure(bench: &Bench, section: &mut Section) -> Result<()> {
    let peers = Peers::install()?;
    section.remarks.push(peers.versions()?);
    for size in [Size::M, Size::L].into_iter().filter(|size| bench.sizes.contains(size)) {
        let data = data::make(size)?;
        peers.convert(&data)?;
        for round in 0..bench.rounds {
            round_of(&peers, size, &data, round, section)?;
        }
        ratios(size.name(), section);
    }
    Ok(())
}

fn round_of(peers: &Peers, size: Size, data: &Data, round: usize, section: &mut Section) -> Result<()> {
    let column = size.name();
    let mut add = |row: &str, ms| section.add(row, column, Unit::Milliseconds, ms);
    add(row::NATIVE_ALL, milliseconds(&mut froc_score(Cores::All, data)?)?);
    add(row::NATIVE_ONE, milliseconds(&mut froc_score(Cores::One, data)?)?);
    add("froc score --statistics, all cores", milliseconds(froc_score(Cores::All, data)?.arg("--statistics"))?);
    let once = |section: &mut Section, row: &str, measure: &dyn Fn() -> Result<Measured>| -> Result<Option<f64>> {
        let is_long = row != SCRIPT && section.values(row, column).first().is_some_and(|ms| *ms > LONG);
        if is_long && round >= FEW_ROUNDS {
            return Ok(None);
        }
        let measured = measure()?;
        section.add(row, column, Unit::Milliseconds, measured.ms);
        Ok(measured.result)
    };
    let mut precision = None;
    for package in PACKAGES {
        for is_full in [false, true] {
            let row = package_row(package, is_full);
            let Some(result) = once(section, &row, &|| peers.package(package, data, is_full))? else { continue };
            let first = *precision.get_or_insert(result);
            ensure!((result - first).abs() < 1e-9, "AP at IoU 0.5 is {result} by {row}, but {first} by another");
        }
    }
    for (row, what) in [(SCRIPT, "script"), ("plain Python, kind", "kind")] {
        if let Some(result) = once(section, row, &|| peers.script(data, what))? {
            let (ours, theirs) = (last_number(data)?, format!("{:.2}%", result * 100.0));
            ensure!(ours == theirs, "the official average is {ours} by froc, but {theirs} by {row}");
        }
    }
    Ok(())
}

fn package_row(package: &str, is_full: bool) -> String {
    format!("{package}, {}", if is_full { "as it comes" } else { "IoU 0.5 alone" })
}

/// Against the leanest that a package can do, without Python's start, while froc's whole process counts.
fn ratios(column: &str, section: &mut Section) {
    let ours = section.values(row::NATIVE_ALL, column);
    let packages = PACKAGES.map(|package| section.values(&package_row(package, false), column));
    let fastest: Vec<f64> = (0..ours.len())
        .map(|round| packages.iter().filter_map(|values| values.get(round)).copied().fold(f64::INFINITY, f64::min))
        .collect();
    section.add_ratio(row::TO_PEER, column, &fastest, &ours);
    section.add_ratio(row::TO_SCRIPT, column, &section.values(SCRIPT, column), &ours);
}

/// Of one evaluation, in a fresh process.
#[derive(Deserialize)]
struct Measured {
    /// From reading to the result, in milliseconds, without Python's start and imports.
    ms: f64,
    /// What it computed: average precision at IoU 0.5, or the official average; `None` if it was undefined.
    result: Option<f64>,
}

/// An environment with the packages of tests/bench/requirements.txt.
struct Peers {
    python: PathBuf,
}

/// The packages, by the names that tests/bench/peers.py knows.
const PACKAGES: [&str; 3] = ["pycocotools", "faster-coco-eval", "hotcoco"];

impl Peers {
    /// Makes the environment unless it is there.
    ///
    /// # Errors
    /// There is no Python 3, or a package cannot be installed.
    fn install() -> Result<Self> {
        let environment = folder()?.join("python");
        let bin = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
        let python = environment.join(bin);
        let requirements = root().join("tests/bench/requirements.txt");
        if !python.exists() {
            run(program("python3").args(["-m", "venv"]).arg(&environment))?;
        }
        let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        run(program(&python).args(arguments).arg(requirements))?;
        Ok(Self { python })
    }

    /// Version of Python and of each package.
    fn versions(&self) -> Result<String> {
        Ok(output(program(&self.python).arg(script("peers.py")).arg("versions"))?.trim().to_owned())
    }

    /// Writes the same boxes as COCO's JSON, and as a folder of files for the script, unless they are there.
    fn convert(&self, data: &Data) -> Result<()> {
        run(program(&self.python).arg(script("peers.py")).arg("convert").arg(&data.folder))
    }

    /// A package on the boxes: with its ten IoU thresholds and four ranges of area, or with IoU 0.5 alone.
    fn package(&self, name: &str, data: &Data, is_full: bool) -> Result<Measured> {
        let what = if is_full { "full" } else { "lean" };
        self.measure(&script("peers.py"), &[name.as_ref(), data.folder.as_ref(), what.as_ref()])
    }

    /// Plain Python: as much work as the official script's ("script"), or less ("kind").
    fn script(&self, data: &Data, what: &str) -> Result<Measured> {
        self.measure(&script("eval_like.py"), &[data.folder.as_ref(), what.as_ref()])
    }

    fn measure(&self, script: &Path, arguments: &[&Path]) -> Result<Measured> {
        let output = program(&self.python).arg(script).args(arguments).stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "{} {arguments:?} failed ({})", script.display(), output.status);
        // Packages print as they go; the last line is ours.
        let printed = String::from_utf8_lossy(&output.stdout);
        let Some(line) = printed.lines().last() else { bail!("{} printed nothing", script.display()) };
        Ok(serde_json::from_str(line)?)
    }
}

fn script(name: &str) -> PathBuf {
    root().join("tests/bench").join(name)
}
