//! Reports that were kept: read again, whichever version wrote them, and put beside others.

use serde::Deserialize;
use serde_json::{Value, json};

use super::statistics::{ComparisonReport, MEAN, POOLED, RowReport, StatisticsReport};
use super::{
    ClassReport, CurveReport, FindingReport, OFFICIAL, READ_OTHERWISE, Report, RunReport, SCHEMA_VERSION, by_the_rules,
};
use crate::error::{Error, ErrorKind};
use crate::limits::{MAX_ROWS, MAX_SENTENCE_CHARS};
use crate::printable::printable;
use crate::protocol::Protocol;
use crate::score::quirks::QuirkId;

/// What was expected of a file that is no report, or no whole one.
const WHOLE: &str = "a report as froc score --format json or the page writes it; write it anew";

/// Said of a run whose intervals and other metrics were computed otherwise than those beside which it stands.
const STATISTICS_LEFT_OUT: &str = "statistics_left_out";

/// So many digits tell one SHA-256 from another in a sentence.
const DIGITS: usize = 12;

/// A report that was written before some of its keys were there, with what these stand for without them; none if it has them all.
fn from_earlier(bytes: &[u8]) -> Result<Option<Report>, String> {
    let mut value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let mut is_filled = false;
    let mut fill = |value: &mut Value, key: &str, of_before: Value| {
        if let Some(object) = value.as_object_mut().filter(|object| !object.contains_key(key)) {
            object.insert(key.to_owned(), of_before);
            is_filled = true;
        }
    };
    // Findings were called notices, and these had their code for an id.
    let findings = |value: &mut Value, fill: &mut dyn FnMut(&mut Value, &str, Value)| {
        let notices = value.get("notices").cloned().unwrap_or_else(|| json!([]));
        fill(value, "findings", notices);
        for finding in value["findings"].as_array_mut().into_iter().flatten() {
            let code = finding.get("code").cloned().unwrap_or_default();
            fill(finding, "id", code);
            fill(finding, "n_images", json!(0));
        }
    };
    if !value.is_object() {
        return Ok(None);
    }
    findings(&mut value, &mut fill);
    if let Some(truth) = value.get_mut("ground_truth") {
        fill(truth, "protocol", json!(Protocol::default().name()));
        fill(truth, "n_ignored", json!(0));
    }
    for run in value.get_mut("runs").and_then(Value::as_array_mut).into_iter().flatten() {
        if !run.is_object() {
            continue;
        }
        findings(run, &mut fill);
        if let Some(official) = run.get_mut("official") {
            fill(official, "is_official", json!(false));
            fill(official, "name", json!(""));
        }
        for class in run.get_mut("classes").and_then(Value::as_array_mut).into_iter().flatten() {
            fill(class, "n_ignored", json!(0));
        }
        if let Some(statistics) = run.get_mut("statistics") {
            fill(statistics, "mean_curve", json!({ "fp_per_image": [], "recall": [], "score_threshold": [] }));
            fill(statistics, "published", json!([]));
            fill(statistics, "confusion", json!([]));
        }
    }
    if !is_filled {
        return Ok(None);
    }
    let report = serde_json::to_vec(&value).and_then(|bytes| serde_json::from_slice(&bytes));
    // Lines and columns are not those of the file.
    report.map(Some).map_err(|error| error.to_string().split(" at line ").next().unwrap_or_default().to_owned())
}

/// Who made a report: read first, since all else may have changed since.
#[derive(Deserialize)]
struct MadeBy {
    schema_version: u32,
    froc_version: String,
}

impl Report {
    /// Whether the first bytes of a file are those of a report, whole or not.
    pub(crate) fn is(head: &[u8]) -> bool {
        let holds = |key: &[u8]| head.windows(key.len()).any(|part| part == key);
        head.trim_ascii_start().first() == Some(&b'{') && holds(b"\"schema_version\"") && holds(b"\"froc_version\"")
    }

    /// Reads a report in JSON as this program, or one before it, wrote it; keys that are not known are passed over. What an
    /// earlier version had no key for is empty, and `schema_version` becomes [`SCHEMA_VERSION`]; `froc_version` stays.
    ///
    /// # Errors
    /// If it is no whole report, its parts do not fit together, or a later version wrote it.
    ///
    /// ```
    /// let error = froc::Report::read("a.json", b"{\"schema_version\": 2}").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "a.json: it is no whole report (missing field `froc_version` at line 1 column 21); expected a report as \
    ///      froc score --format json or the page writes it; write it anew."
    /// );
    /// ```
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        let wrong = |what: String| Error::new(name, format!("it is no whole report ({what})"), WHOLE);
        let damaged = |error: serde_json::Error| wrong(error.to_string());
        let MadeBy { schema_version, froc_version } = serde_json::from_slice(bytes).map_err(damaged)?;
        if !(1..=SCHEMA_VERSION).contains(&schema_version) {
            let what = format!("it is a report of schema version {schema_version}, which froc {froc_version} wrote");
            let expected = format!("version 1 to {SCHEMA_VERSION}; open it with that froc, or a later one");
            return Err(Error::new(name, what, expected));
        }
        let mut report: Self = match serde_json::from_slice(bytes) {
            Ok(report) => report,
            Err(error) => from_earlier(bytes).map_err(wrong)?.ok_or_else(|| damaged(error))?,
        };
        if schema_version == 1 {
            report.follow_version_1();
        }
        report.schema_version = SCHEMA_VERSION;
        report.options.options().map_err(|error| error.within(name).of_kind(ErrorKind::Data))?;
        fits(&report).map_err(|what| Error::new(name, format!("its parts do not fit together: {what}"), WHOLE))?;
        report.make_printable();
        Ok(report)
    }

    /// Version 1 knew one dataset, one hit criterion and one format, and did not say whether its numbers were official.
    fn follow_version_1(&mut self) {
        let Ok(options) = self.options.options() else { return };
        for run in &mut self.runs {
            let is_read_so = run.reading.is_none();
            run.official.is_official = options.are_official() && is_read_so;
            run.official.name = if run.official.is_official {
                OFFICIAL.to_owned()
            } else {
                by_the_rules(options.hit(), &options, (!is_read_so).then_some(READ_OTHERWISE), true)
            };
        }
    }

    /// Sentences are shown as they are, since this program makes them; those of a file may hold anything. Names are made fit to be
    /// shown wherever they are.
    fn make_printable(&mut self) {
        let shown = |text: &mut String| *text = printable(text, MAX_SENTENCE_CHARS);
        let truth = &mut self.ground_truth;
        [&mut self.froc_version, &mut truth.protocol, &mut truth.sha256].into_iter().for_each(shown);
        if let Some(readers) = &mut truth.readers {
            let choices = readers.choices.iter_mut().map(|choice| &mut choice.readers);
            [&mut readers.chosen, &mut readers.caption].into_iter().chain(choices).for_each(shown);
        }
        if let Some(bootstrap) = &mut self.options.bootstrap {
            [&mut bootstrap.generator, &mut bootstrap.groups.source].into_iter().for_each(shown);
            bootstrap.groups.sha256.iter_mut().for_each(shown);
        }
        if let Some(slices) = &mut self.options.slices {
            slices.by.iter_mut().chain(&mut slices.sha256).for_each(shown);
        }
        if let Some(thresholds) = &mut self.thresholds {
            thresholds.sha256.iter_mut().chain([&mut thresholds.ground_truth_sha256]).for_each(shown);
        }
        if let Some(ranking) = &mut self.ranking {
            ranking.places.iter_mut().flat_map(|place| &mut place.letters).for_each(shown);
        }
        if let Some(hit) = &mut self.options.hit {
            shown(&mut hit.name);
            shown(&mut hit.caption);
        }
        let findings = |all: &mut Vec<FindingReport>| {
            for of in all {
                [&mut of.id, &mut of.code, &mut of.sentence, &mut of.fix].into_iter().for_each(shown);
                of.examples.iter_mut().for_each(shown);
                of.remedy.iter_mut().for_each(|remedy| shown(&mut remedy.label));
            }
        };
        findings(&mut self.findings);
        for run in &mut self.runs {
            findings(&mut run.findings);
            let official = &mut run.official;
            shown(&mut official.name);
            official.none_because.iter_mut().chain(&mut official.printed).for_each(shown);
            official.quirks.iter_mut().flat_map(|quirk| [&mut quirk.name, &mut quirk.sentence]).for_each(shown);
            run.sha256.iter_mut().for_each(shown);
            let rows = run.statistics.iter_mut().flat_map(|statistics| &mut statistics.rows);
            rows.flat_map(|row| &mut row.sizes).flat_map(|of| [&mut of.division, &mut of.size]).for_each(shown);
            run.reading.iter_mut().for_each(|reading| shown(&mut reading.sentence));
            run.formats.iter_mut().for_each(|formats| shown(&mut formats.sentence));
        }
    }

    /// Puts the runs of another report, which `name` is the file of, behind its own, where their numbers can be compared: of the same
    /// ground truth and classes, under the same options. What was computed beside the score stays where it was computed
    /// alike, and else a finding of the run tells that it is left out.
    ///
    /// # Errors
    /// If they cannot be compared; then nothing changes.
    pub(crate) fn add_runs_of(&mut self, name: &str, other: &Self) -> Result<(), Error> {
        self.compare_with(name, other)?;
        let computed = |of: &Self| {
            let options = &of.options;
            let is_any = of.runs.iter().any(|run| run.statistics.is_some());
            let beside = (options.area_up_to, options.max_detections, options.beta);
            is_any.then(|| (beside, options.specificity, options.bootstrap.clone()))
        };
        let is_alike = match (computed(self), computed(other)) {
            // What was written before sensitivity was read at a specificity holds none that could differ.
            (Some((beside, at, drawn)), Some((other, of, others))) => {
                beside == other && drawn == others && (at == of || at.is_none() || of.is_none())
            }
            (None, Some(((area_up_to, max_detections, beta), specificity, bootstrap))) => {
                self.options.area_up_to = area_up_to;
                self.options.max_detections = max_detections;
                self.options.beta = beta;
                self.options.specificity = specificity;
                self.options.bootstrap = self.options.bootstrap.take().or(bootstrap);
                true
            }
            (_, None) => true,
        };
        for run in &other.runs {
            let mut run = run.clone();
            if !is_alike && run.statistics.take().is_some() {
                run.findings.insert(0, left_out(name));
            }
            if self.runs.iter().any(|here| here.name == run.name) {
                run.name = format!("{} ({name})", run.name);
            }
            self.runs.push(run);
        }
        super::findings::same_file_twice(&mut self.runs);
        Ok(())
    }

    fn compare_with(&self, name: &str, other: &Self) -> Result<(), Error> {
        let refused = |what: String, expected: String| Err(Error::new(name, what, expected));
        let (here, there) = (&self.ground_truth, &other.ground_truth);
        if here.sha256 != there.sha256 {
            let file = |of: &super::GroundTruthReport| {
                format!("{}, whose SHA-256 begins with {}", of.name, of.sha256.chars().take(DIGITS).collect::<String>())
            };
            let expected = format!("{}: runs are compared on the same images and lesions alone", file(here));
            return refused(format!("it is a report on {}", file(there)), expected);
        }
        // Before readers could be chosen, all boxes were lesions.
        let chosen = |of: &super::GroundTruthReport| {
            of.readers.as_ref().map_or_else(|| "all".to_owned(), |of| of.chosen.clone())
        };
        if chosen(here) != chosen(there) {
            let told = |of: &super::GroundTruthReport| {
                of.readers.as_ref().map_or_else(|| "all boxes".to_owned(), |readers| readers.caption.clone())
            };
            let expected = format!("the same lesions: {}; score it so, or choose these readers", told(here));
            return refused(format!("it is a report on other lesions: {}", told(there)), expected);
        }
        let classes = |of: &Self| -> Vec<String> {
            of.runs.first().map_or_else(Vec::new, |run| run.classes.iter().map(|class| class.name.clone()).collect())
        };
        if here.protocol != there.protocol || classes(self) != classes(other) {
            let named = |of: &Self| format!("{} of {}", classes(of).join(", "), of.ground_truth.protocol);
            return refused(
                format!("it is a report on {}", named(other)),
                format!("the same classes: {}", named(self)),
            );
        }
        let options = |of: &Self| {
            let rates: Vec<String> = of.options.fp_per_image.iter().map(f64::to_string).collect();
            format!("{} at {} false positives per image", of.options.hit(), rates.join(", "))
        };
        let is_same =
            self.options.hit() == other.options.hit() && self.options.fp_per_image == other.options.fp_per_image;
        if !is_same {
            let expected = format!("{}: score it so, or set these options as there", options(self));
            return refused(format!("its runs are scored by {}", options(other)), expected);
        }
        Ok(())
    }

    /// What the report holds of the exact curve of a row of a run: of the mean all of it, of a class or `pooled` where it lies on the grid
    /// of rates; none without statistics.
    #[must_use]
    pub(crate) fn kept_curve(&self, run: usize, row: &str) -> Option<CurveReport> {
        let StatisticsReport { curves, mean_curve, .. } = self.runs.get(run)?.statistics.as_ref()?;
        if row == MEAN && !mean_curve.recall.is_empty() {
            return Some(mean_curve.clone());
        }
        let curve = curves.iter().find(|curve| curve.name == row)?;
        let points = curve.fp_per_image.iter().zip(&curve.recall);
        let (fp_per_image, recall): (Vec<f64>, Vec<f64>) =
            points.filter_map(|(rate, recall)| Some((*rate, (*recall)?))).unzip();
        Some(CurveReport { score_threshold: vec![None; recall.len()], fp_per_image, recall })
    }
}

fn left_out(name: &str) -> FindingReport {
    FindingReport {
        id: STATISTICS_LEFT_OUT.to_owned(),
        code: STATISTICS_LEFT_OUT.to_owned(),
        count: 1,
        n_images: 0,
        sentence: printable(
            &format!(
                "Intervals and other metrics of {name} are left out: they were computed otherwise than those here."
            ),
            MAX_SENTENCE_CHARS,
        ),
        fix: "Open that report alone, or score with the same resampling, area and number of detections.".to_owned(),
        examples: Vec::new(),
        remedy: None,
        explained_by: None,
    }
}

/// Whether something fits together; else the first thing that does not.
type Fits = Result<(), String>;

/// Lists are as long as there are rates, classes and runs, and what is named is there: whoever shows a report relies on it.
fn fits(report: &Report) -> Fits {
    let n_rates = report.options.fp_per_image.len();
    let first = report.runs.first().ok_or("there is no run")?;
    let names: Vec<&str> = first.classes.iter().map(|class| class.name.as_str()).collect();
    let truth = &report.ground_truth;
    counted("ground_truth", &[truth.n_images, truth.n_lesions, truth.n_ignored])?;
    for (at, run) in report.runs.iter().enumerate() {
        let place = format!("runs[{at}]");
        run_fits(&place, run, &names, n_rates)?;
    }
    for (at, of) in report.comparisons.iter().enumerate() {
        comparison_fits(&format!("comparisons[{at}]"), of, report, &names)?;
    }
    let n_runs = report.runs.len();
    let is_run = |place: &str, run: usize| {
        (run < n_runs).then_some(()).ok_or_else(|| format!("{place} is of run {run}, counted from 0, of {n_runs}"))
    };
    if let Some(ranking) = &report.ranking {
        ranking.places.iter().try_for_each(|place| is_run("a place of ranking", place.run))?;
        let pairs = ranking.pairs.iter().flat_map(|pair| [pair.better, pair.other]);
        pairs.into_iter().try_for_each(|run| is_run("a pair of ranking", run))?;
    }
    if let Some(of) = &report.thresholds {
        for row in &of.rows {
            is_run("a row of thresholds", row.run)?;
            long("thresholds, at_rates", row.at_rates.len(), of.fp_per_image.len())?;
        }
    }
    for row in report.slices.iter().flat_map(|division| &division.slices).flat_map(|slice| &slice.rows) {
        is_run("a row of slices", row.run)?;
        long("slices, at_rates", row.at_rates.len(), n_rates)?;
    }
    Ok(())
}

fn run_fits(place: &str, run: &RunReport, names: &[&str], n_rates: usize) -> Fits {
    let official = &run.official;
    counted(place, &[run.n_files, run.n_detections])?;
    long(&format!("{place}.official.recall"), official.recall.len(), n_rates)?;
    if official.none_because.is_none() {
        long(&format!("{place}.official.printed"), official.printed.len(), n_rates + 1)?;
    }
    for bounds in &official.recall_bounds {
        long(&format!("{place}.official.recall_bounds"), bounds.len(), n_rates)?;
    }
    for quirk in &official.quirks {
        let place = format!("{place}.official.quirks");
        if !QuirkId::ALL.iter().any(|known| known.id() == quirk.id) {
            return Err(format!("{place} holds \"{}\"", quirk.id));
        }
        for cost in quirk.classes.iter().map(|class| &class.cost).chain([&quirk.cost]) {
            long(&format!("{place}, cost"), cost.len(), n_rates)?;
        }
    }
    long(&format!("{place}.exact.recall"), run.exact.recall.len(), n_rates)?;
    named(&format!("{place}.classes"), run.classes.iter().map(|class| class.name.as_str()), names)?;
    for (at, class) in run.classes.iter().enumerate() {
        class_fits(&format!("{place}.classes[{at}]"), class, n_rates)?;
    }
    run.statistics.as_ref().map_or(Ok(()), |of| statistics_fit(&format!("{place}.statistics"), of, names, n_rates))
}

fn class_fits(place: &str, class: &ClassReport, n_rates: usize) -> Fits {
    let ClassReport { official, exact, .. } = class;
    let [worst, best] = &official.recall_bounds;
    let counts = [class.n_lesions, class.n_detections, class.true_positives, class.false_positives, class.n_ignored];
    counted(place, &counts)?;
    for length in [
        official.recall.len(),
        worst.len(),
        best.len(),
        exact.recall.len(),
        exact.score_threshold.len(),
        exact.false_positives.len(),
        exact.budget.len(),
    ] {
        long(place, length, n_rates)?;
    }
    Ok(())
}

fn statistics_fit(place: &str, of: &StatisticsReport, names: &[&str], n_rates: usize) -> Fits {
    let rows: Vec<&str> = names.iter().copied().chain([MEAN, POOLED]).collect();
    named(&format!("{place}.rows"), of.rows.iter().map(|row| row.name.as_str()), &rows)?;
    for RowReport { name, n_lesions, recall, operating, sizes, .. } in &of.rows {
        let place = format!("{place}.rows, {name}");
        counted(&place, &[*n_lesions])?;
        long(&place, recall.len(), n_rates)?;
        sizes.iter().try_for_each(|size| counted(&place, &[size.n_lesions, size.n_found]))?;
        let Some(operating) = operating else { continue };
        long(&place, operating.at_rates.len(), n_rates)?;
        let curve = &operating.precision_recall;
        long(&place, curve.precision.len(), curve.recall.len())?;
        long(&place, curve.score_threshold.len(), curve.recall.len())?;
    }
    if !of.confusion.is_empty() {
        long(&format!("{place}.confusion"), of.confusion.len(), n_rates)?;
    }
    for cell in of.confusion.iter().flat_map(|table| &table.cells) {
        counted(&format!("{place}.confusion"), &[cell.count])?;
    }
    named(&format!("{place}.curves"), of.curves.iter().map(|curve| curve.name.as_str()), &rows)?;
    for curve in &of.curves {
        let place = format!("{place}.curves, {}", curve.name);
        long(&place, curve.recall.len(), curve.fp_per_image.len())?;
        long(&place, curve.interval.len(), curve.fp_per_image.len())?;
    }
    let mean = &of.mean_curve;
    long(&format!("{place}.mean_curve"), mean.recall.len(), mean.fp_per_image.len())?;
    long(&format!("{place}.mean_curve"), mean.score_threshold.len(), mean.fp_per_image.len())?;
    for of in &of.conventions {
        long(&format!("{place}.conventions"), of.official_recall.len(), n_rates)?;
        long(&format!("{place}.conventions"), of.exact_recall.len(), n_rates)?;
    }
    for of in &of.iou_sweep {
        long(&format!("{place}.iou_sweep"), of.recall.len(), n_rates)?;
        long(&format!("{place}.iou_sweep"), of.class_average_recall.len(), names.len())?;
    }
    Ok(())
}

fn comparison_fits(place: &str, of: &ComparisonReport, report: &Report, names: &[&str]) -> Fits {
    let (n_runs, n_rates) = (report.runs.len(), report.options.fp_per_image.len());
    if of.baseline >= n_runs || of.other >= n_runs {
        return Err(format!("{place} is of runs {} and {}, counted from 0, of {n_runs}", of.baseline, of.other));
    }
    let rows: Vec<&str> = names.iter().copied().chain([MEAN, POOLED]).collect();
    named(&format!("{place}.rows"), of.rows.iter().map(|row| row.name.as_str()), &rows)?;
    of.rows.iter().try_for_each(|row| long(&format!("{place}.rows, {}", row.name), row.recall.len(), n_rates))?;
    long(&format!("{place}.changes"), of.changes.len(), n_rates)
}

/// A list that has one entry for each of something.
fn long(place: &str, there: usize, expected: usize) -> Fits {
    (there == expected).then_some(()).ok_or_else(|| format!("{place} has {there} entries in place of {expected}"))
}

/// Counts that can be, so that a sum of them can.
fn counted(place: &str, counts: &[usize]) -> Fits {
    let most = counts.iter().copied().max().unwrap_or_default();
    (most <= MAX_ROWS).then_some(()).ok_or_else(|| format!("{place} counts {most}"))
}

/// Entries with these names, in this order.
fn named<'a>(place: &str, there: impl Iterator<Item = &'a str> + Clone, expected: &[&str]) -> Fits {
    let names: Vec<&str> = there.collect();
    let is_it = names == expected;
    is_it.then_some(()).ok_or_else(|| format!("{place} are {} in place of {}", names.join(", "), expected.join(", ")))
}
