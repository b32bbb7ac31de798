//! What people would use instead, on the same boxes, in a Python environment of their own.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Result, bail, ensure};
use serde::Deserialize;

use super::data::{Data, folder};
use crate::shell::{output, program, root, run};

/// Of one evaluation, in a fresh process.
#[derive(Deserialize)]
pub struct Measured {
    /// From reading to the result, in milliseconds, without Python's start and imports.
    pub ms: f64,
    /// What it computed: average precision at IoU 0.5, or the official average; `None` if it was undefined.
    pub result: Option<f64>,
}

/// An environment with the packages of tests/bench/requirements.txt.
pub struct Peers {
    python: PathBuf,
}

/// The packages, by the names that tests/bench/peers.py knows.
pub const PACKAGES: [&str; 3] = ["pycocotools", "faster-coco-eval", "hotcoco"];

impl Peers {
    /// Makes the environment unless it is there.
    ///
    /// # Errors
    /// There is no Python 3, or a package cannot be installed.
    pub fn install() -> Result<Self> {
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
    pub fn versions(&self) -> Result<String> {
        Ok(output(program(&self.python).arg(script("peers.py")).arg("versions"))?.trim().to_owned())
    }

    /// Writes the same boxes as COCO's JSON, and as a folder of files for the script, unless they are there.
    pub fn convert(&self, data: &Data) -> Result<()> {
        run(program(&self.python).arg(script("peers.py")).arg("convert").arg(&data.folder))
    }

    /// A package on the boxes: with its ten IoU thresholds and four ranges of area, or with IoU 0.5 alone.
    pub fn package(&self, name: &str, data: &Data, is_full: bool) -> Result<Measured> {
        let what = if is_full { "full" } else { "lean" };
        self.measure(&script("peers.py"), &[name.as_ref(), data.folder.as_ref(), what.as_ref()])
    }

    /// Plain Python: as much work as the official script's ("script"), or less ("kind").
    pub fn script(&self, data: &Data, what: &str) -> Result<Measured> {
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
