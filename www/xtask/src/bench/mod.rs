//! `cargo xtask bench`: measures froc natively, in the page and beside its peers, on data made here, and writes
//! tests/bench/RESULTS.md. A part that is not measured keeps what stands there of it.

mod data;
mod table;

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::shell::{cargo, output, program, root, run as run_program, target, www};
use crate::{browser, stages};
use data::{Data, Size};
use table::{Table, Unit};

#[derive(clap::Args)]
pub struct Arguments {
    /// Which data: 12,000, 55,000 or 2 million detections.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "S,M,L")]
    sizes: Vec<Size>,
    /// How often each thing is measured.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Also the memory of the page with a zip of 5 GB.
    #[arg(long)]
    huge: bool,
    /// Only the parts whose name holds this text: stages, whole, select, memory, page, decide, formats, peers.
    #[arg(long)]
    only: Option<String>,
}

/// What a detection takes in columns: box and score with all digits of the file, and class.
const COLUMN_BYTES: f64 = 42.0;
/// A connection as many people have at home: 40 ms, 10 Mbit/s.
const HOME: [&str; 2] = ["40", "1250000"];
/// Names of rows that goals look at.
const ALL_CORES: &str = "froc score";
const PAGE: &str = "page, from files chosen to scores shown";

type Part = (&'static str, &'static str, fn(&Arguments, &mut Table) -> Result<()>);

const PARTS: &[Part] = &[
    ("stages", "One stage after the other, natively, all cores", native_stages),
    ("whole", "From files to scores: the whole program, and the page in headless Chromium", whole),
    (
        "select",
        "Another class or rate chosen, until its last answer is drawn, and images scrolled, in the page",
        select,
    ),
    ("memory", "The most memory held at a time", memory),
    ("page", "A first visit", page),
    ("decide", "Twenty runs ranked, and images divided by three columns, natively, 2,000 replicates", decide),
    ("formats", "The same run in other formats, natively, from files to scores", formats),
    ("peers", "Average precision at IoU 0.5 by what people would use instead, without Python's start", peers),
];

/// Measures the parts asked for and writes the results after each.
pub fn run(arguments: &Arguments) -> Result<()> {
    ensure!(arguments.rounds > 0 && !arguments.sizes.is_empty(), "there is nothing to measure");
    let is_chosen = |name: &str| arguments.only.as_deref().is_none_or(|only| name.contains(only));
    let chosen: Vec<&Part> = PARTS.iter().filter(|(name, ..)| is_chosen(name)).collect();
    let names: Vec<&str> = PARTS.iter().map(|(name, ..)| *name).collect();
    ensure!(!chosen.is_empty(), "no part has such a name; there are: {}", names.join(", "));
    let where_and_when = where_and_when()?;
    stages::build()?;
    run_program(cargo().args([
        "build",
        "--locked",
        "--release",
        "--package",
        "froc",
        "--bin",
        "froc",
        "--bench",
        "stages",
    ]))?;
    for (name, title, measure) in chosen {
        println!("\n== {name}");
        let mut table = Table::default();
        measure(arguments, &mut table).with_context(|| format!("part \"{name}\""))?;
        let text = format!("{where_and_when}, up to {} rounds.\n\n{table}", arguments.rounds);
        println!("{text}");
        table::write(title, &text, PARTS.iter().map(|(_, title, _)| *title))?;
    }
    Ok(())
}

/// Date, commit, cores, and whether other programs are busy: to be asked before results are written.
fn where_and_when() -> Result<String> {
    let commit = output(program("git").args(["describe", "--always", "--dirty", "--exclude=*"]))?;
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    Ok(format!(
        "{}, commit {}, {cores} cores of {}, load {} before",
        time::OffsetDateTime::now_utc().date(),
        commit.trim(),
        env::consts::ARCH,
        load.split(' ').next().unwrap_or("unknown")
    ))
}

fn native_stages(arguments: &Arguments, table: &mut Table) -> Result<()> {
    for (size, data) in make(arguments)? {
        for _ in 0..arguments.rounds {
            let printed = output(program(newest_stages()?).arg(&data.ground_truth).arg(&data.zip))?;
            for (stage, ms) in serde_json::from_str::<Vec<(String, f64)>>(&printed)? {
                table.add(&stage, size.name(), Unit::Milliseconds, ms);
            }
        }
    }
    Ok(())
}

/// The program of tests/benches/stages.rs that was built last.
fn newest_stages() -> Result<PathBuf> {
    let files = fs::read_dir(target()?.join("release/deps"))?.filter_map(Result::ok).map(|entry| entry.path());
    let is_program = |path: &PathBuf| {
        let name = path.file_stem().is_some_and(|name| name.to_string_lossy().starts_with("stages-"));
        name && path.extension().is_none_or(|ending| ending == "exe")
    };
    let built = |path: &PathBuf| fs::metadata(path).and_then(|file| file.modified()).ok();
    files.filter(is_program).max_by_key(built).context("there is no program of the stages")
}

fn whole(arguments: &Arguments, table: &mut Table) -> Result<()> {
    for (size, data) in make(arguments)? {
        for _ in 0..arguments.rounds {
            let mut add = |row: &str, ms| table.add(row, size.name(), Unit::Milliseconds, ms);
            add(ALL_CORES, milliseconds(&mut froc(&data)?)?);
            add("froc score, one thread", milliseconds(froc(&data)?.env("RAYON_NUM_THREADS", "1"))?);
            if size != Size::L {
                add("froc score --bootstrap 2000", milliseconds(froc(&data)?.args(["--bootstrap", "2000"]))?);
            }
        }
        in_page(arguments.rounds, size.name(), &["score"], Some(&data), table)?;
    }
    table.goal(PAGE, "M", 120.0);
    table.goal(PAGE, "L", 2300.0);
    table.goal("page, longest that its thread is blocked", "M", 50.0);
    Ok(())
}

fn select(arguments: &Arguments, table: &mut Table) -> Result<()> {
    for (size, data) in make(arguments)? {
        for _ in 0..arguments.rounds {
            // By it one sees how fast the machine was.
            table.add(ALL_CORES, size.name(), Unit::Milliseconds, milliseconds(&mut froc(&data)?)?);
        }
        in_page(arguments.rounds, size.name(), &["select"], Some(&data), table)?;
    }
    for what in ["page, another class chosen", "page, another rate chosen"] {
        table.goal(what, "M", 50.0);
        table.goal(what, "L", 100.0);
    }
    table.goal("page, longest frame while images scroll", "L", 50.0);
    Ok(())
}

fn memory(arguments: &Arguments, table: &mut Table) -> Result<()> {
    let mut datasets: Vec<(&str, Data, f64)> =
        make(arguments)?.into_iter().map(|(size, data)| (size.name(), data, size.detections() as f64)).collect();
    if arguments.huge {
        datasets.push(("L in 5 GB", data::make_huge()?, Size::L.detections() as f64));
    }
    for (column, data, detections) in &datasets {
        for _ in 0..arguments.rounds {
            if let Some(peak) = peak(&mut froc(data)?)? {
                table.add(ALL_CORES, column, Unit::Bytes, peak);
            }
        }
        table.add("columns of the detections", column, Unit::Bytes, COLUMN_BYTES * detections);
        in_page(arguments.rounds, column, &["memory"], Some(data), table)?;
        for heap in table.values("page, WebAssembly", column) {
            table.add("page, WebAssembly beyond the columns", column, Unit::Bytes, heap - COLUMN_BYTES * detections);
        }
    }
    table.goal("page, WebAssembly beyond the columns", "L", 40e6);
    let most = table.values("page, renderer", "L").into_iter().fold(f64::INFINITY, f64::min) * 1.5;
    table.goal("page, renderer", "L in 5 GB", most);
    Ok(())
}

fn page(arguments: &Arguments, table: &mut Table) -> Result<()> {
    in_page(arguments.rounds, "from this machine", &["visit"], None, table)?;
    in_page(arguments.rounds, "10 Mbit/s, 40 ms", &["visit", HOME[0], HOME[1]], None, table)?;
    table.goal("usable", "10 Mbit/s, 40 ms", 1000.0);
    table.goal("all of the page, gzipped", "from this machine", 800e3);
    Ok(())
}

/// What tests/bench/page.mjs measures in the page: rows with their unit and value.
fn in_page(rounds: usize, column: &str, what: &[&str], data: Option<&Data>, table: &mut Table) -> Result<()> {
    let mut node = program("node");
    node.current_dir(www()).arg(root().join("tests/bench/page.mjs")).arg(rounds.to_string()).args(what);
    if let Some(data) = data {
        node.arg(&data.ground_truth).arg(&data.zip);
    }
    let printed = output(node.env("CHROMIUM", browser::chromium()?))?;
    for (row, unit, value) in serde_json::from_str::<Vec<(String, Unit, f64)>>(&printed)? {
        table.add(&row, column, unit, value);
    }
    Ok(())
}

fn decide(arguments: &Arguments, table: &mut Table) -> Result<()> {
    const RANK: &str = "froc rank, 20 runs";
    const DRAWN: &str = "froc score --bootstrap 2000";
    const DIVIDED: &str = "the same, --by sex,age,view";
    let (data, runs) = data::make_runs(Size::M, 20)?;
    let images = data::table(&data)?;
    let rank = || -> Result<Command> {
        let mut rank = froc_command("rank")?;
        rank.args(["--bootstrap", "2000", "--ground-truth"]).arg(&data.ground_truth).args(&runs);
        Ok(rank)
    };
    for _ in 0..arguments.rounds {
        let mut add = |row: &str, ms| table.add(row, "M", Unit::Milliseconds, ms);
        add(RANK, milliseconds(&mut rank()?)?);
        add(DRAWN, milliseconds(froc(&data)?.args(["--bootstrap", "2000"]))?);
        let by = ["--bootstrap", "2000", "--by", "sex,age,view", "--slices"];
        add(DIVIDED, milliseconds(froc(&data)?.args(by).arg(&images))?);
        if let Some(peak) = peak(&mut rank()?)? {
            table.add("froc rank, 20 runs, memory", "M", Unit::Bytes, peak);
        }
    }
    table.goal(RANK, "M", 3000.0);
    table.goal(DIVIDED, "M", 2.0 * table.median(DRAWN, "M"));
    Ok(())
}

fn formats(arguments: &Arguments, table: &mut Table) -> Result<()> {
    const ZIP: &str = "zip of JSON";
    const OTHERS: [(&str, &str, &str); 3] =
        [("csv", "run.csv", "CSV"), ("yolo", "yolo.zip", "YOLO, zip"), ("coco", "coco.json", "COCO results")];
    for (size, data) in make(arguments)? {
        let mut runs = vec![(ZIP, data.zip.clone())];
        for (target, file, row) in OTHERS {
            let path = data.folder.join(file);
            if !path.exists() {
                let mut convert = froc_command("convert")?;
                convert.arg("--ground-truth").arg(&data.ground_truth).arg("--predictions").arg(&data.zip);
                run_program(convert.args(["--to", target, "--output"]).arg(&path))?;
            }
            runs.push((row, path));
        }
        for _ in 0..arguments.rounds {
            for (row, run) in &runs {
                let score = &mut scored(&data.ground_truth, run)?;
                table.add(row, size.name(), Unit::Milliseconds, milliseconds(score)?);
            }
        }
        for (.., row) in OTHERS {
            table.goal(row, size.name(), 1.5 * table.median(ZIP, size.name()));
        }
    }
    Ok(())
}

/// Each package in turn with froc, so that a machine whose speed drifts does not decide.
fn peers(arguments: &Arguments, table: &mut Table) -> Result<()> {
    const PACKAGES: [&str; 3] = ["pycocotools", "faster-coco-eval", "hotcoco"];
    const SAME_FILES: [(&str, &str, &str); 2] = [
        ("0", "froc score, COCO files", "hotcoco"),
        ("1", "froc score, COCO files, one thread", "hotcoco, one thread"),
    ];
    const FROC: &str = "coco-froc-analysis (FROC)";
    let bench = root().join("tests/bench");
    let environment = data::folder()?.join("python");
    let python = environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !python.exists() {
        run_program(program("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run_program(program(&python).args(install).arg("--requirement").arg(bench.join("requirements.txt")))?;
    // It asks for a NumPy before 2, and does without.
    run_program(program(&python).args(install).args(["--no-deps", "coco-froc-analysis==0.2.15"]))?;
    let ask = |arguments: &[&str], threads: &str, data: &Data| -> Result<Value> {
        let mut script = program(&python);
        script.arg(bench.join("peers.py")).args(arguments).arg(&data.folder).stderr(Stdio::inherit());
        // Packages print as they go; the last line is ours.
        let printed = output(script.env("RAYON_NUM_THREADS", threads))?;
        Ok(serde_json::from_str(printed.trim().lines().last().unwrap_or_default())?)
    };
    for (size, data) in make(arguments)?.into_iter().filter(|(size, _)| *size != Size::S) {
        let column = size.name();
        ask(&["convert"], "0", &data)?;
        let (lesions, detections) = (data.folder.join("lesions.json"), data.folder.join("detections.json"));
        for round in 0..arguments.rounds {
            let mut add = |row: &str, ms| table.add(row, column, Unit::Milliseconds, ms);
            add(ALL_CORES, milliseconds(&mut froc(&data)?)?);
            for (threads, row, _) in SAME_FILES {
                add(row, milliseconds(scored(&lesions, &detections)?.env("RAYON_NUM_THREADS", threads))?);
            }
            let mut precision = None;
            let one_thread = SAME_FILES.map(|(threads, _, peer)| (peer, threads)).into_iter().skip(1);
            for (row, threads) in PACKAGES.map(|package| (package, "0")).into_iter().chain(one_thread) {
                let package = row.split(',').next().unwrap_or(row);
                let measured = ask(&[package], threads, &data)?;
                let result = measured["result"].as_f64().context("no average precision")?;
                let first = *precision.get_or_insert(result);
                ensure!((result - first).abs() < 1e-9, "AP is {result} by {package}, but {first} by another");
                add(row, measured["ms"].as_f64().context("no time")?);
            }
            // Of L it would take hours.
            if size == Size::M && round == 0 {
                add(FROC, ask(&["coco-froc-analysis"], "0", &data)?["ms"].as_f64().context("no time")?);
            }
        }
        let fastest = PACKAGES.iter().map(|package| table.median(package, column)).fold(f64::INFINITY, f64::min);
        table.goal(ALL_CORES, column, fastest);
        for (_, row, peer) in SAME_FILES {
            let most = (table.median(peer, column) / 1.5).min(table.median(FROC, column) / 200.0);
            table.goal(row, column, most);
        }
    }
    Ok(())
}

fn make(arguments: &Arguments) -> Result<Vec<(Size, Data)>> {
    arguments.sizes.iter().map(|size| Ok((*size, data::make(*size)?))).collect()
}

/// `froc score`, as it is released, on these data.
fn froc(data: &Data) -> Result<Command> {
    scored(&data.ground_truth, &data.zip)
}

fn scored(ground_truth: &Path, predictions: &Path) -> Result<Command> {
    let mut score = froc_command("score")?;
    score.arg("--ground-truth").arg(ground_truth).arg("--predictions").arg(predictions);
    Ok(score)
}

fn froc_command(command: &str) -> Result<Command> {
    let mut program = program(target()?.join("release").join(format!("froc{}", env::consts::EXE_SUFFIX)));
    program.arg(command).stdout(Stdio::null());
    Ok(program)
}

/// Milliseconds from start to end.
fn milliseconds(command: &mut Command) -> Result<f64> {
    let start = Instant::now();
    run_program(command)?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

/// The most memory that the process which does the work holds at a time, in bytes; `None` where there is no `/proc`.
fn peak(command: &mut Command) -> Result<Option<f64>> {
    let mut child = command.spawn()?;
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let mut most = None;
    while child.try_wait()?.is_none() {
        let worker = fs::read_to_string(&children).unwrap_or_default();
        most = peak_of(Path::new("/proc").join(worker.trim()).join("status")).or(most);
        thread::sleep(Duration::from_millis(1));
    }
    ensure!(child.wait()?.success(), "{command:?} failed");
    Ok(most)
}

fn peak_of(status: PathBuf) -> Option<f64> {
    let status = fs::read_to_string(status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? * 1024.0)
}
