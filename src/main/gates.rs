//! What a run has to reach, for CI: bounds, and what became of them as sentences, JUnit XML and Markdown.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::{env, fs};

use froc::Report;
use froc::printable::visible;
use froc::render::markdown_of;
use froc::report::RunReport;
use froc::report::statistics::{ComparisonReport, DifferenceReport, MEAN};
use froc::score::average_recall;
use froc::sheet::{Cell, Column, Row, Sheet, sheets};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

/// What is checked, and where it is written.
#[derive(clap::Args)]
pub struct Gates {
    /// End with exit code 1 if a number of a run is below this fraction: `average=0.6`, `exact_average=0.6`, or at one of
    /// the rates `recall@0.1=0.5`, `exact_recall@0.1=0.5`; at the score thresholds of --thresholds that were chosen for a rate
    /// `reached_recall@0.1=0.5`; of a class `Nodule:exact_recall@0.1=0.4`; give it again for more.
    #[arg(long, value_name = "METRIC=FRACTION")]
    fail_under: Vec<Bound>,
    /// Write what became of each bound to a file as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Add what became of each bound, and the table of the score, to the end of a file as Markdown: of that named by
    /// `GITHUB_STEP_SUMMARY`, for example.
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
}

/// By whose rules a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rules {
    Official,
    Exact,
    /// At score thresholds chosen on other images.
    Reached,
}

/// Which number: of a class or of all, by which rules, at a rate or their average.
#[derive(Debug, Clone, PartialEq)]
struct Metric {
    class: Option<String>,
    rules: Rules,
    /// In false positives per image.
    fp_per_image: Option<f64>,
}

/// A fraction that a number of every run must reach.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    metric: Metric,
    least: f64,
}

/// By how much every run may be worse than the baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct Margin {
    metric: Metric,
    /// 0..=1.
    most: f64,
}

/// What became of a bound.
struct Check {
    /// The run, or two of them.
    run: String,
    /// The number, such as `the exact average`.
    what: String,
    found: String,
    expected: String,
    is_reached: bool,
}

impl FromStr for Metric {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (class, metric) = text.rsplit_once(':').map_or((None, text), |(class, metric)| (Some(class), metric));
        let (name, rate) = metric.split_once('@').map_or((metric, None), |(name, rate)| (name, Some(rate)));
        let by = |prefix, rules| name.strip_prefix(prefix).map(|name| (name, rules));
        let named = by("exact_", Rules::Exact).or_else(|| by("reached_", Rules::Reached));
        let (name, rules) = named.unwrap_or((name, Rules::Official));
        let fp_per_image = match (name, rate) {
            ("average", None) => None,
            ("recall", Some(rate)) => Some(rate.parse().map_err(|_| ())?),
            _ => return Err(()),
        };
        Ok(Self { class: class.map(str::to_owned), rules, fp_per_image })
    }
}

/// A fraction from 0 to 1.
fn fraction(text: &str) -> Option<f64> {
    text.parse().ok().filter(|fraction| (0.0..=1.0).contains(fraction))
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (metric, least) = text.rsplit_once('=')?;
            Some(Self { metric: metric.parse().ok()?, least: fraction(least)? })
        };
        read().ok_or_else(|| {
            "expected average=0.6, exact_average=0.6, reached_average=0.6, recall@0.1=0.6, exact_recall@0.1=0.6 or \
             reached_recall@0.1=0.6, or one of a class as in Nodule:exact_average=0.6; a fraction from 0 to 1"
                .to_owned()
        })
    }
}

impl FromStr for Margin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (metric, most) = text.rsplit_once('=').unwrap_or(("exact_average", text));
            // Differences are of exact recall alone.
            let metric = metric.parse().ok().filter(|metric: &Metric| metric.rules == Rules::Exact)?;
            Some(Self { metric, most: fraction(most)? })
        };
        read().ok_or_else(|| {
            "expected 0.01, exact_average=0.01 or exact_recall@0.1=0.01, or one of a class as in Nodule:exact_average=0.01; \
             a fraction from 0 to 1"
                .to_owned()
        })
    }
}

impl Gates {
    /// Checks all bounds and writes the files that are asked for; one sentence for each bound that is not reached.
    ///
    /// # Errors
    /// If a bound is on a class or a rate that the report does not hold, if there is nothing to write as JUnit XML, or if
    /// a file cannot be written: one sentence each.
    pub fn check(&self, report: &Report, margins: &[Margin]) -> Result<Vec<String>, Vec<String>> {
        let metrics = self.fail_under.iter().map(|bound| &bound.metric);
        let metrics = metrics.map(|metric| ("--fail-under", metric));
        let of_margins = margins.iter().map(|margin| ("--fail-if-worse", &margin.metric));
        let unknown: Vec<String> =
            metrics.chain(of_margins).filter_map(|(flag, metric)| metric.unknown(flag, report)).collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let bounds = report
            .runs
            .iter()
            .enumerate()
            .flat_map(|run| self.fail_under.iter().map(move |bound| bound.check(report, run)));
        let compared = report.comparisons.iter();
        let compared = compared.flat_map(|of| margins.iter().map(|margin| margin.check(report, of)));
        let checks: Vec<Check> = bounds.chain(compared).collect();
        if let Some(path) = &self.junit {
            if checks.is_empty() {
                let flags = "--fail-under, or of froc compare --fail-if-worse, beside it";
                return Err(vec![format!("--junit: there is no bound to write about; expected {flags}.")]);
            }
            written(path, junit(&checks).map_err(|error| vec![error])?, false)?;
        }
        if let Some(path) = &self.summary {
            written(path, summary(report, &checks), true)?;
        }
        Ok(checks.iter().filter(|check| !check.is_reached).map(Check::sentence).collect())
    }
}

/// Whether the arguments of this program name a file more than once: as what is read, too.
fn is_named_twice(path: &Path) -> bool {
    let Ok(file) = path.canonicalize() else { return false };
    let is_it = |text: &str| Path::new(text).canonicalize().is_ok_and(|other| other == file);
    let value = |argument: &str| argument.split_once('=').is_some_and(|(_, value)| is_it(value));
    let arguments = env::args_os().filter_map(|argument| argument.into_string().ok());
    arguments.filter(|argument| is_it(argument) || value(argument)).count() > 1
}

/// Writes a file, or adds to its end.
pub(super) fn written(path: &Path, bytes: impl AsRef<[u8]>, is_added: bool) -> Result<(), Vec<String>> {
    if is_named_twice(path) {
        let path = path.display();
        return Err(vec![format!("{path}: it is another file of this command as well; expected a path of its own.")]);
    }
    let mut options = fs::OpenOptions::new();
    options.create(true).write(true).append(is_added).truncate(!is_added);
    options.open(path).and_then(|mut file| file.write_all(bytes.as_ref())).map_err(|error| {
        let path = path.display();
        vec![format!("{path}: it cannot be written ({error}); expected a path at which a file can be made.")]
    })
}

impl Metric {
    /// A sentence if the report does not hold it.
    fn unknown(&self, flag: &str, report: &Report) -> Option<String> {
        let classes = report.runs.first().map(|run| run.classes.iter().map(|class| class.name.as_str()));
        let classes: Vec<&str> = classes.into_iter().flatten().collect();
        if let Some(class) = self.class.as_deref().filter(|class| !classes.contains(class)) {
            let classes = classes.join(", ");
            return Some(visible(&format!("{flag}: there is class {class}; expected one of {classes}.")).into_owned());
        }
        let Some(rates) = self.rates(report) else {
            return Some(format!(
                "{flag}: there are no thresholds to reach a recall at; expected --thresholds FILE beside it."
            ));
        };
        let rate = self.fp_per_image.filter(|rate| !rates.contains(rate))?;
        let rates: Vec<String> = rates.iter().map(f64::to_string).collect();
        let (list, all) = (rates.join(", "), rates.join(","));
        let advice = match self.rules {
            Rules::Reached => ", for which the thresholds were chosen".to_owned(),
            Rules::Official | Rules::Exact => format!("; add it to --fp, which is now {all}"),
        };
        Some(format!("{flag}: there is rate {rate}; expected one of {list}{advice}."))
    }

    /// The rates at which there are such numbers, in false positives per image; `None` without any such numbers.
    fn rates<'a>(&self, report: &'a Report) -> Option<&'a [f64]> {
        match self.rules {
            Rules::Reached => report.thresholds.as_ref().map(|of| of.fp_per_image.as_slice()),
            Rules::Official | Rules::Exact => Some(&report.options.fp_per_image),
        }
    }

    /// What it is called; `by` says whose number it is, such as `exact`.
    fn name(&self, by: Option<&str>, rules: &str) -> String {
        let by = by.map(|by| format!("{by} ")).unwrap_or_default();
        let of = self.class.as_ref().map(|class| format!(" of {class}")).unwrap_or_default();
        match self.fp_per_image {
            None => format!("the {by}average{of}{rules}"),
            Some(rate) => format!("the {by}recall{of} at {rate} false positives per image{rules}"),
        }
    }

    /// The one of several numbers, one a rate, that is asked for; `average` is that of them.
    fn pick<T>(&self, report: &Report, at_rates: &[Option<T>], average: Option<T>) -> Option<T>
    where
        T: Copy,
    {
        let Some(rate) = self.fp_per_image else { return average };
        let place = self.rates(report)?.iter().position(|other| other.total_cmp(&rate).is_eq())?;
        at_rates.get(place).copied().flatten()
    }
}

impl Bound {
    /// Of the run at place `at`.
    fn check(&self, report: &Report, (at, run): (usize, &RunReport)) -> Check {
        let official = &run.official;
        // Without a script the exact score is the score.
        let rules = match self.metric.rules {
            Rules::Official if official.none_because.is_some() => Rules::Exact,
            rules => rules,
        };
        let what = match rules {
            Rules::Reached => self.metric.name(None, " at thresholds chosen elsewhere"),
            Rules::Exact => self.metric.name(Some("exact"), ""),
            Rules::Official if official.is_official => self.metric.name(Some("official"), ""),
            Rules::Official => self.metric.name(None, &format!(" by {}", official.name)),
        };
        let class = self.metric.class.as_deref();
        let of_class = || run.classes.iter().find(|of| Some(of.name.as_str()) == class);
        let recall: Vec<Option<f64>> = match (rules, class) {
            (Rules::Official, None) => official.recall.clone(),
            (Rules::Official, Some(_)) => of_class().map(|of| of.official.recall.clone()).unwrap_or_default(),
            (Rules::Exact, None) => run.exact.recall.clone(),
            (Rules::Exact, Some(_)) => of_class().map(|of| of.exact.recall.clone()).unwrap_or_default(),
            (Rules::Reached, _) => {
                let mut rows = report.thresholds.iter().flat_map(|of| &of.rows);
                let row = rows.find(|row| row.run == at && row.name == class.unwrap_or(MEAN));
                row.map(|row| row.at_rates.iter().map(|at| at.recall.value).collect()).unwrap_or_default()
            }
        };
        let average = match (rules, class) {
            (Rules::Official, None) => official.average_recall,
            (Rules::Exact, None) => run.exact.average_recall,
            _ => average_recall(&recall),
        };
        let found = self.metric.pick(report, &recall, average);
        let least = self.least;
        Check {
            run: run.name.clone(),
            what,
            found: found.map_or_else(|| "undefined".to_owned(), |found| format!("{found:.4}")),
            expected: format!("at least {least}"),
            is_reached: found.is_some_and(|found| found >= least),
        }
    }
}

impl Margin {
    fn check(&self, report: &Report, of: &ComparisonReport) -> Check {
        let name = |at: usize| report.runs.get(at).map_or("", |run| run.name.as_str());
        let row = of.rows.iter().find(|row| row.name == self.metric.class.as_deref().unwrap_or(MEAN));
        let found = row.and_then(|row| self.metric.pick(report, &row.recall, row.average_recall));
        let level = report.options.bootstrap.as_ref().map_or(0.0, |bootstrap| 100.0 * bootstrap.level);
        let shown = |DifferenceReport { value, interval: [low, high], .. }: DifferenceReport| {
            format!("{value:+.4} ({level} % interval {low:+.4} to {high:+.4})")
        };
        Check {
            run: format!("{} minus {}", name(of.other), name(of.baseline)),
            what: format!("the difference of {}", self.metric.name(Some("exact"), "")),
            found: found.map_or_else(|| "undefined".to_owned(), shown),
            expected: format!("a lower end of at least {}", 0.0 - self.most),
            is_reached: found.is_some_and(|found| found.interval[0] >= -self.most),
        }
    }
}

impl Check {
    fn sentence(&self) -> String {
        let Self { run, what, found, expected, .. } = self;
        format!("{run}: {what} is {found}; expected {expected}.")
    }
}

/// One suite a run, or pair of runs, and one case a bound.
fn junit(checks: &[Check]) -> Result<String, String> {
    let mut report = quick_junit::Report::new("froc");
    for of_run in checks.chunk_by(|a, b| a.run == b.run) {
        let run = of_run.first().map_or("", |check| check.run.as_str());
        let mut suite = TestSuite::new(run);
        for check in of_run {
            let status = if check.is_reached {
                TestCaseStatus::success()
            } else {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(check.sentence());
                status
            };
            let mut case = TestCase::new(format!("{}: {}", check.what, check.expected), status);
            case.set_classname(run);
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|error| format!("JUnit XML: {error}; expected names that XML can hold."))
}

/// What became of each bound, the table of the score, and differences if there are any.
fn summary(report: &Report, checks: &[Check]) -> String {
    let mut all = sheets(report);
    let is_difference = |sheet: &Sheet| sheet.columns.iter().any(|column| column.metric == "recall_difference");
    let mut first = true;
    all.retain(|sheet| std::mem::take(&mut first) || is_difference(sheet));
    if !checks.is_empty() {
        all.insert(0, sheet_of(report, checks));
    }
    markdown_of(&all)
}

fn sheet_of(report: &Report, checks: &[Check]) -> Sheet {
    let n_reached = checks.iter().filter(|check| check.is_reached).count();
    let column = |heading: &str, metric| Column::new(heading, metric, Some(report.options.hit()));
    let row = |check: &Check| Row {
        names: vec![
            if check.is_reached { "reached" } else { "not reached" }.to_owned(),
            check.run.clone(),
            check.what.clone(),
        ],
        class: MEAN.to_owned(),
        run: 0,
        baseline: None,
        by: "".into(),
        fp_per_image: None,
        hit: None,
        slice: None,
        cells: [&check.found, &check.expected].map(|text| Cell { text: text.clone(), ..Cell::default() }).to_vec(),
    };
    Sheet {
        title: format!("{n_reached} of {} bounds reached", checks.len()),
        caption: "What each run had to reach.".to_owned(),
        notes: Vec::new(),
        names: vec!["Bound", "Run", "Number"],
        columns: vec![column("found", "found"), column("expected", "expected")],
        rows: checks.iter().map(row).collect(),
    }
}
