//! The page in Chromium, driven by tests/bench/page.mjs.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::data::Data;
use crate::browser;
use crate::shell::{program, root, www};

/// A headless Chromium that waits for commands; it ends with this.
pub struct Page {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// From files chosen to scores shown, in milliseconds.
#[derive(Deserialize)]
pub struct Scored {
    pub ms: f64,
    /// Of that, until all files were read.
    pub read_ms: f64,
    /// Milliseconds that processors worked for the whole browser meanwhile.
    pub busy_ms: f64,
    /// What the page shows as the official average.
    pub average: String,
    /// From other rates chosen to their scores shown.
    pub rates_ms: Vec<f64>,
    /// The same for the IoU threshold.
    pub iou_ms: Vec<f64>,
}

/// In bytes.
#[derive(Deserialize)]
pub struct Memory {
    /// WebAssembly memory of each worker.
    pub heaps: Vec<f64>,
    /// The renderer's peak; `None` where there is no `/proc`.
    pub peak: Option<f64>,
    /// The same before any file is chosen.
    pub before: Option<f64>,
}

#[derive(Deserialize)]
pub struct Manners {
    pub longest_frame_ms: f64,
    pub cancel_ms: f64,
}

/// A file that the page asked its host for.
#[derive(Deserialize)]
pub struct Request {
    pub name: String,
    /// As it is sent, so gzipped if text or wasm.
    pub bytes: f64,
    /// Sent only once the first score was shown.
    pub is_held: bool,
}

/// What the gallery of a page did, in milliseconds.
#[derive(Deserialize)]
pub struct Gallery {
    /// From the score on the screen to the first tiles on the screen.
    pub first: f64,
    /// The longest frames while it was scrolled, slowly to fast.
    pub longest_frames: Vec<f64>,
    /// From a threshold that is moved to its counts.
    pub threshold: f64,
}

/// Milliseconds one way and bytes a second both ways.
pub type Connection = (f64, f64);

impl Page {
    /// Starts the browser on www/dist.
    pub fn start() -> Result<Self> {
        let mut child = program("node")
            .current_dir(www())
            .arg(root().join("tests/bench/page.mjs"))
            .env("CHROMIUM", browser::chromium()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start node")?;
        let commands = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("node has no output")?);
        Ok(Self { child, commands, answers })
    }

    /// Versions of browser and Node.
    pub fn versions(&mut self) -> Result<(String, String)> {
        #[derive(Deserialize)]
        struct Versions {
            browser: String,
            node: String,
        }
        let Versions { browser, node } = self.ask(&json!({ "do": "version" }))?;
        Ok((browser, node))
    }

    /// Scores in a fresh page with so many cores, as far as it knows, `pause` milliseconds after it is usable; then changes
    /// either option `changes` times.
    pub fn score(&mut self, data: &Data, cores: Option<usize>, pause: u32, changes: usize) -> Result<Scored> {
        let command =
            json!({ "do": "score", "paths": paths(data), "cores": cores, "pause": pause, "changes": changes });
        self.ask(&command)
    }

    pub fn memory(&mut self, data: &Data, cores: Option<usize>) -> Result<Memory> {
        self.ask(&json!({ "do": "memory", "paths": paths(data), "cores": cores }))
    }

    pub fn manners(&mut self, data: &Data) -> Result<Manners> {
        self.ask(&json!({ "do": "manners", "paths": paths(data) }))
    }

    /// Milliseconds until the page is usable on a first visit, from this machine or over a connection.
    pub fn visit(&mut self, connection: Option<Connection>) -> Result<f64> {
        #[derive(Deserialize)]
        struct Visit {
            usable_ms: f64,
        }
        let throttle = connection.map(|(latency, throughput)| {
            json!({ "latency": latency, "downloadThroughput": throughput, "uploadThroughput": throughput })
        });
        let Visit { usable_ms } = self.ask(&json!({ "do": "visit", "throttle": throttle }))?;
        Ok(usable_ms)
    }

    /// What is asked of the host until the first score.
    pub fn weight(&mut self, data: &Data) -> Result<Vec<Request>> {
        #[derive(Deserialize)]
        struct Weight {
            requests: Vec<Request>,
        }
        let Weight { requests } = self.ask(&json!({ "do": "weight", "paths": paths(data) }))?;
        Ok(requests)
    }

    /// The gallery after a score: first tiles, scrolling, a threshold that is moved.
    pub fn gallery(&mut self, data: &Data) -> Result<Gallery> {
        self.ask(&json!({ "do": "gallery", "paths": paths(data) }))
    }

    fn ask<T: DeserializeOwned>(&mut self, command: &Value) -> Result<T> {
        let commands = self.commands.as_mut().context("the browser has ended")?;
        writeln!(commands, "{command}")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let answer: Value = serde_json::from_str(&line).with_context(|| format!("no answer to {command}"))?;
        if let Some(error) = answer["error"].as_str() {
            bail!("the page failed at {command}: {error}");
        }
        Ok(serde_json::from_value(answer)?)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // At the end of its commands the program closes the browser.
        self.commands = None;
        let _ = self.child.wait();
    }
}

fn paths(data: &Data) -> [&Path; 2] {
    [&data.ground_truth, &data.zip]
}
