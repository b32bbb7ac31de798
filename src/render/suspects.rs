//! Suspects in the ground truth: a list for people, a table to be marked and given back, or the report.

use comfy_table::{Table, presets};

use crate::error::Error;
use crate::printable::{no_formula, visible};
use crate::report::suspects::SuspectsReport;
use crate::suspects::{Mark, Suspect, SuspectDetection};

/// How suspects are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuspectsFormat {
    /// A list, and the scores under both ground truths.
    Text,
    /// A line for each, whose first column is to be filled in.
    Csv,
    /// The report.
    Json,
}

/// Boxes are in one field, so that nobody takes the table for one of lesions.
const COLUMNS: [&str; 13] = [
    "mark",
    "kind",
    "image",
    "class",
    "box",
    "lesion",
    "lesion_box",
    "iou",
    "n_finding",
    "runs",
    "ranks",
    "scores",
    "id",
];

impl SuspectsFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Text, Self::Csv, Self::Json];

    /// What it is asked for by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// The format of that name.
    ///
    /// # Errors
    /// If there is none.
    pub fn named(name: &str) -> Result<Self, Error> {
        let none = || Error::option("Format", format!("there is \"{name}\""), "text, csv or json");
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(none)
    }

    /// The report in this format. In a table, names that a spreadsheet would run as a formula begin with an apostrophe.
    ///
    /// # Errors
    /// If it does not fit into memory.
    pub fn bytes(self, report: &SuspectsReport) -> Result<Vec<u8>, Error> {
        let fail = |what: String| Error::new("suspects", what, "a list that can be written");
        match self {
            Self::Text => Ok(text(report).into_bytes()),
            Self::Csv => csv(report).map_err(|error| fail(error.to_string())),
            Self::Json => {
                let mut bytes = serde_json::to_vec_pretty(report).map_err(|error| fail(error.to_string()))?;
                bytes.push(b'\n');
                Ok(bytes)
            }
        }
    }
}

/// As many fields as there are columns.
fn row(report: &SuspectsReport, one: &Suspect) -> [String; COLUMNS.len()] {
    let corners = |bbox: [f64; 4]| bbox.map(|corner| corner.to_string()).join(" ");
    let lesion = one.lesion.as_ref();
    let listed = |of: fn(&SuspectsReport, &SuspectDetection) -> String| {
        one.detections.iter().map(|detection| of(report, detection)).collect::<Vec<_>>().join("; ")
    };
    [
        one.mark.map_or("", Mark::id).to_owned(),
        one.kind.id().to_owned(),
        one.name.clone(),
        one.class.clone(),
        corners(one.bbox),
        lesion.map(|lesion| lesion.class.clone()).unwrap_or_default(),
        lesion.map(|lesion| corners(lesion.bbox)).unwrap_or_default(),
        lesion.map(|lesion| lesion.iou.to_string()).unwrap_or_default(),
        lesion.map(|lesion| lesion.n_finding.to_string()).unwrap_or_default(),
        listed(|report, of| report.runs.get(of.run).cloned().unwrap_or_default()),
        listed(|_, of| of.rank.to_string()),
        listed(|_, of| of.score.to_string()),
        one.id.clone(),
    ]
}

fn csv(report: &SuspectsReport) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for one in &report.suspects {
        writer.write_record(row(report, one).map(|field| no_formula(&field).into_owned()))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn text(report: &SuspectsReport) -> String {
    let (truth, rate, runs) = (&report.ground_truth, report.fp_per_image, report.runs.join(", "));
    let mut lines = vec![
        format!("# froc {}, ground truth {} (SHA-256 {})", report.froc_version, truth.name, truth.sha256),
        format!("# {}; at the score thresholds of {rate} false positives per image", report.options.hit_in_words()),
        format!("# runs: {runs}"),
        String::new(),
    ];
    lines.extend(report.counts.iter().map(|of| {
        let (kind, n, n_right, n_wrong) = (of.kind.id(), of.n, of.n_right, of.n_wrong);
        format!("{kind}: {n}; marked right: {n_right}, wrong: {n_wrong}")
    }));
    lines.extend(report.none_because.clone());
    if report.n_marks_elsewhere > 0 {
        lines.push(format!("Marks of suspects that are not in this list: {}", report.n_marks_elsewhere));
    }
    // Names may hold anything, a new line among it.
    let mut text: String = lines.iter().map(|line| visible(line).into_owned() + "\n").collect();
    if !report.suspects.is_empty() {
        text += &table(COLUMNS, report.suspects.iter().map(|one| row(report, one)));
    }
    if let Some(of) = &report.corrections {
        let percent =
            |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{:.2}", 100.0 * value));
        // Each number under its own name.
        let rows = of.scores.iter().flat_map(|of| {
            let run = report.runs.get(of.run).cloned().unwrap_or_default();
            let by = of.difference.map_or_else(String::new, |by| format!("{:+.2}", 100.0 * by));
            let original = [run.clone(), of.original_name.clone(), percent(of.original), String::new()];
            [original, [run, of.corrected_name.clone(), percent(of.corrected), by]]
        });
        text += &table(["run", "score", "average recall, %", "difference, points"], rows);
    }
    text
}

/// A table with a blank line before it.
fn table<const N: usize>(header: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for row in rows {
        table.add_row(row.map(|field| visible(&field).into_owned()));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    format!("\n{table}\n").lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
