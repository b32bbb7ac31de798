//! Every output format of a made-up case against files that were read before they were kept, and by independent readers.
//! `UPDATE_GOLDEN=1` writes the files anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::support::cases::{case, load};
use froc::bootstrap::Uncertainty;
use froc::dataset::FileView;
use froc::protocol::Protocol;
use froc::reading::Layout;
use froc::render::Format;
use froc::report::statistics::Wanted;
use froc::{Groups, Options, Predictions, Reading, Report, Resampling, Row, Run, Thresholds};

/// The report of two runs of the case `quirks`, the second without every other detection, 200 replicates.
fn report() -> Report {
    report_of("quirks", &Options::default())
}

fn report_of(name: &str, options: &Options) -> Report {
    let case = case(name).expect("it is in tests/golden");
    let (truth, all, run) = load(&case);
    let half = half(&all);
    let half_run = Run::new(&truth, &half).expect("a run");
    let resampling = Resampling::new(200, 1, 0.95).expect("a resampling");
    let groups = Groups::images(&truth);
    let mut uncertainty =
        Uncertainty::new(&truth, &[&run, &half_run], (options, 0.9), resampling, groups).expect("groups");
    while !uncertainty.step(64) {}
    assert_eq!(uncertainty.done(), uncertainty.total());
    let wanted = Wanted { uncertainty: Some(&uncertainty), baseline: Some(0), ..Wanted::default() };
    let report = froc::evaluate_with_statistics(&truth, &[(&run, &all), (&half_run, &half)], options, wanted);
    // As the program writes and reads them.
    let chosen = Thresholds::of(&truth, &half_run, options).json().expect("bytes");
    let chosen = Thresholds::read("thresholds <b>&.json", &chosen).expect("a file of thresholds");
    let bootstrap = Some(uncertainty.intervals());
    report.with_thresholds(&truth, &[&run, &half_run], &chosen, bootstrap).expect("thresholds that fit")
}

fn half(all: &Predictions) -> Predictions {
    let mut detections = froc::dataset::Detections::default();
    let mut files = all.files().to_vec();
    for file in &mut files {
        let first = detections.len() as u32;
        for at in file.detections.clone().expect("a readable file").step_by(2).map(|at| at as usize) {
            let of = all.detections();
            detections.push_named(of.name(at), of.bbox(at), of.score(at));
        }
        file.detections = Ok(first..detections.len() as u32);
    }
    // A name with everything that one of the formats would read as markup.
    let predictions = Predictions::new("half & <i>_%$#\"|*.zip", files, detections);
    predictions.sha256().set("0".repeat(64));
    predictions
}

fn text(format: Format, report: &Report) -> String {
    String::from_utf8(format.bytes(report).expect("bytes")).expect("UTF-8")
}

/// The formats that write tables: all but JSON, which is the report itself, and the citation.
fn tables() -> impl Iterator<Item = Format> {
    Format::ALL.into_iter().filter(|format| !matches!(format, Format::Json | Format::Cite))
}

#[test]
fn formats_are_what_was_read_and_kept() {
    let report = report();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rendered");
    for format in tables().chain([Format::Cite]) {
        let path = folder.join(format!("quirks.{}", format.facts().ending));
        let ours = text(format, &report).replace(env!("CARGO_PKG_VERSION"), "VERSION");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(&path, &ours).expect("a file");
        }
        let kept = std::fs::read_to_string(&path).expect("UPDATE_GOLDEN=1 writes it");
        assert!(ours == kept, "{} is not what froc writes; UPDATE_GOLDEN=1 writes it anew", path.display());
    }
}

#[test]
fn a_citation_tells_both_numbers_by_name_and_no_name_of_a_file_begins_an_entry() {
    let mut report = under(&Options::default(), &Reading::default());
    report.runs[0].name = "@misc{mine,.zip".to_owned();
    let cited = text(Format::Cite, &report);
    let run = &report.runs[0];
    let percent = |value: Option<f64>| format!("{:.2} %", 100.0 * value.expect("a number"));
    let of_run = format!(
        "(at)misc{{mine,.zip: avg recall {} (official), {} (exact).",
        percent(run.official.average_recall),
        percent(run.exact.average_recall)
    );
    assert!(cited.contains(&of_run), "{of_run}\n{cited}");
    let entries = |text: &str| text.lines().filter(|line| line.contains('@')).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(entries(&cited), ["@software{froc,", "@misc{chestxdet10,"]);
    let other = under(&Options::new(0.3, vec![0.05, 0.1, 0.2]).expect("options"), &Reading::default());
    let cited = text(Format::Cite, &other);
    assert!(cited.contains("(the script's rules at IoU 0.3)") && !cited.contains("official"), "{cited}");
}

#[test]
fn every_format_names_version_inputs_options_and_seed() {
    let report = report();
    for format in Format::ALL {
        let text = text(format, &report);
        let hashes = report.runs.iter().map(|run| run.sha256.as_deref().expect("a digest"));
        for needed in
            hashes.chain([report.ground_truth.sha256.as_str()]).chain([env!("CARGO_PKG_VERSION"), "200", "0.05", "0.5"])
        {
            assert!(text.contains(needed), "{}: {needed}", format.name());
        }
    }
}

/// The report of the case `quirks` under other options, with its files read as asked.
fn under(options: &Options, reading: &Reading) -> Report {
    let (truth, predictions, _) = load(&case("quirks").expect("it is in tests/golden"));
    let prepared = froc::prepare(&truth, &Arc::new(predictions), reading).expect("files that can be read");
    froc::evaluate(&truth, &[&prepared[0].run], options)
}

#[test]
fn only_what_the_script_itself_would_give_is_called_official() {
    let (own, reading) = (Options::default(), Reading::default());
    let as_sizes = Reading { boxes: Layout::Xywh, ..Reading::default() };
    let options = |iou, rates: &[f64]| Options::new(iou, rates.to_vec()).expect("options");
    let report = under(&own, &reading);
    assert!(report.runs[0].official.is_official);
    assert_eq!(
        (report.runs[0].official.name.as_str(), report.ground_truth.protocol.as_str()),
        ("official", "ChestX-Det10")
    );
    for format in Format::ALL {
        assert!(text(format, &report).contains("official"), "{}", format.name());
    }
    let others = [
        (options(0.3, &[0.05, 0.1, 0.2]), &reading, "the script's rules at IoU 0.3"),
        (options(0.5, &froc::score::exact::SEVEN_RATES), &reading, "the script's rules at other rates"),
        (options(0.3, &[0.5]), &reading, "the script's rules at IoU 0.3 and other rates"),
        (own, &as_sizes, "the script's rules, files read otherwise"),
        (options(0.75, &[0.05, 0.1, 0.2]), &as_sizes, "the script's rules at IoU 0.75, files read otherwise"),
    ];
    for (options, reading, name) in others {
        let report = under(&options, reading);
        let official = &report.runs[0].official;
        assert_eq!((official.is_official, official.name.as_str()), (false, name));
        for format in tables() {
            // The script may be named, a number by its rules may not.
            let text = text(format, &report).replace("official script", "script");
            assert!(!text.contains("official"), "{} under {name}:\n{text}", format.name());
        }
        let json: serde_json::Value = serde_json::from_str(&text(Format::Json, &report)).expect("JSON");
        assert_eq!(json["runs"][0]["official"]["is_official"], false);
    }
}

/// The same numbers in one file for all images, which the script does not read: nothing calls them official.
#[test]
fn files_that_the_script_does_not_read_give_no_official_number() {
    let (truth, predictions, _) = load(&case("quirks").expect("it is in tests/golden"));
    let own = under(&Options::default(), &Reading::default());
    let entry = |file: FileView<'_>| {
        let detections = predictions.detections();
        let rows = file.detections.expect("a readable file").map(|at| at as usize);
        let entries = rows.map(|at| {
            let (bbox, score) = (detections.box_in_file(at), detections.score_in_file(at));
            serde_json::json!({ detections.name(at): [bbox.x1, bbox.y1, bbox.x2, bbox.y2, score] })
        });
        (file.path.to_owned(), entries.collect())
    };
    let all: serde_json::Map<String, serde_json::Value> = predictions.files().iter().map(entry).collect();
    let bytes = serde_json::to_vec(&all).expect("JSON");
    let read = froc::input::read_predictions_of_all("all.json", &bytes).expect("predictions");
    let prepared = froc::prepare(&truth, &Arc::new(read), &Reading::default()).expect("a run");
    let report = froc::evaluate(&truth, &[&prepared[0].run], &Options::default());
    let (official, formats) = (&report.runs[0].official, report.runs[0].formats.as_ref().expect("formats"));
    assert_eq!((official.is_official, official.name.as_str()), (false, "the script's rules, files read otherwise"));
    assert_eq!(official.recall, own.runs[0].official.recall);
    assert_eq!(formats.sentence, "Read from one JSON file for all images, which the official script does not read.");
    for format in tables() {
        let text = text(format, &report);
        // A row of CSV holds numbers and what they are called alone.
        assert!(format == Format::Csv || text.contains(&formats.sentence), "{} says how it was read", format.name());
        let text = text.replace("official script", "script");
        assert!(!text.contains("official"), "{}:\n{text}", format.name());
    }
    let json: serde_json::Value = serde_json::from_str(&text(Format::Json, &report)).expect("JSON");
    assert_eq!(json["runs"][0]["official"]["is_official"], false);
    assert_eq!(json["runs"][0]["formats"]["names"][0], "one JSON file for all images");
}

/// Where a number of the means stands in a format: in CSV after its metric.
fn place(format: Format, text: &str, metric: &str, number: &str, from: usize) -> usize {
    let needle = if format == Format::Csv { metric } else { number };
    let found = text[from..].find(needle).map(|at| from + at);
    found.unwrap_or_else(|| panic!("{}: no {needle}", format.name()))
}

#[test]
fn every_format_leads_with_the_official_numbers_and_says_what_they_rest_on() {
    // Here official and exact differ.
    let report = under(&Options::default(), &Reading::default());
    let run = &report.runs[0];
    let exact = format!("{:.2}", 100.0 * run.exact.average_recall.expect("lesions"));
    let official = run.official.printed.last().expect("an average").trim_end_matches('%').to_owned();
    assert_ne!(official, exact);
    for format in tables() {
        let text = text(format, &report);
        // Behind the facts that formats begin with.
        let from = text.find("official").expect("the word");
        let first = place(format, &text, "official_average_recall", &official, from);
        let second = place(format, &text, "exact_average_recall", &exact, from);
        assert!(first < second, "{}: {official} at {first}, {exact} at {second}", format.name());
        let thresholds = ["score_threshold", "score at least"].iter().filter_map(|words| text.find(words)).min();
        assert!(second < thresholds.expect("operating points"), "{}: under other tables", format.name());
        if format != Format::Csv {
            let truth = &report.ground_truth;
            let caption = format!("{} images, {} lesions", truth.n_images, truth.n_lesions);
            for needed in
                ["IoU threshold 0.5", "0.05, 0.1, 0.2", "ChestX-Det10", &caption, "exact: recall at the lowest"]
            {
                assert!(text.contains(needed), "{}: {needed}", format.name());
            }
        }
    }
}

#[test]
fn every_number_of_a_table_has_a_column() {
    let report = report();
    for sheet in froc::sheet::sheets(&report) {
        assert!(!sheet.rows.is_empty(), "{}", sheet.title);
        for row in &sheet.rows {
            let widths = (row.names.len(), row.cells.len());
            assert_eq!(widths, (sheet.names.len(), sheet.columns.len()), "{}: {:?}", sheet.title, row.names);
        }
    }
}

#[test]
fn latex_compiles() {
    let folder = std::env::temp_dir().join(format!("froc-latex-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let tables = text(Format::Latex, &report());
    let document = format!(
        "\\documentclass{{article}}\n\\usepackage[T1]{{fontenc}}\n\\usepackage{{booktabs}}\n\\begin{{document}}\n{tables}\\end{{document}}\n"
    );
    std::fs::write(folder.join("report.tex"), document).expect("a file");
    let mut latex = std::process::Command::new("pdflatex");
    let output = latex.args(["-halt-on-error", "-interaction=nonstopmode", "report.tex"]).current_dir(&folder).output();
    match output {
        Err(error) => eprintln!("LaTeX is not tried: pdflatex: {error}"),
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
    }
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

#[test]
fn names_are_text_in_every_format() {
    let report = report();
    assert!(!text(Format::Html, &report).contains("<i>"));
    assert!(text(Format::Html, &report).contains("half &amp; &lt;i&gt;_%$#&quot;|*.zip"));
    assert!(text(Format::Latex, &report).contains("half \\& <i>\\_\\%\\$\\#\"|*.zip"));
    assert!(text(Format::Markdown, &report).contains("half \\& \\<i\\>\\_%$\\#\"\\|\\*.zip"));
}

#[test]
fn the_csv_is_tidy_and_holds_the_numbers_of_the_report() {
    let report = report();
    let bytes = Format::Csv.bytes(&report).expect("bytes");
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(|row| row.expect("a full row")).collect();
    let key = |row: &BTreeMap<String, String>| {
        ["run", "baseline", "class", "metric", "fp_per_image", "iou_threshold"].map(|column| row[column].clone())
    };
    let keys: BTreeSet<[String; 6]> = rows.iter().map(key).collect();
    assert_eq!(keys.len(), rows.len(), "two rows say the same thing");
    let mut compared = 0;
    for run in &report.runs {
        let statistics = run.statistics.as_ref().expect("statistics");
        for row in &statistics.rows {
            for (rate, estimate) in report.options.fp_per_image.iter().zip(&row.recall) {
                let is_it = |found: &&BTreeMap<String, String>| {
                    found["run"] == run.name
                        && found["class"] == row.name
                        && found["metric"] == "exact_recall"
                        && found["fp_per_image"] == rate.to_string()
                };
                let found = rows.iter().find(is_it).expect("a row");
                assert_eq!(found["value"].parse().ok(), estimate.value);
                assert_eq!(found["low"].parse().ok(), estimate.interval.map(|ends| ends[0]));
                assert_eq!(found["high"].parse().ok(), estimate.interval.map(|ends| ends[1]));
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 2 * 12 * 3);
}

#[test]
fn the_plots_of_the_html_hold_a_series_for_each_run_and_nothing_from_elsewhere() {
    let report = report();
    let page = text(Format::Html, &report);
    assert_eq!(page.matches("<polyline").count(), 2, "a curve for each run");
    assert_eq!(page.matches("<polygon").count(), 2, "a band for each run");
    assert!(!page.contains("<script") && !page.contains(" src=") && !page.contains("url("));
    assert!(!page.contains("NaN") && !page.contains("inf,"));
    let elsewhere = page.matches("http").count() - page.matches("http://www.w3.org/2000/svg").count();
    assert_eq!(elsewhere, page.matches("http-equiv").count());
}

#[test]
fn every_table_with_recall_says_whose_recall_it_is() {
    let report = report();
    let mut with_recall = 0;
    for sheet in froc::sheet::sheets(&report) {
        let columns: String = sheet.columns.iter().map(|column| column.metric.as_ref()).collect();
        if !columns.contains("recall") {
            continue;
        }
        with_recall += 1;
        let by_row = |row: &froc::sheet::Row| {
            row.names.iter().any(|name| ["exact", "official"].contains(&name.as_str()) || name.starts_with("script"))
        };
        let told =
            ["exact", "at any score", "chosen elsewhere"].iter().any(|word| sheet.title.to_lowercase().contains(word));
        assert!(told || sheet.rows.iter().all(by_row), "{}", sheet.title);
    }
    assert_eq!(with_recall, 7);
}

/// A hundred rates all over the axis, and left and right of it, the same every time.
fn hundred_rates() -> Vec<f64> {
    let mut rates: Vec<f64> = (0..100).map(|at| 0.003 * 1.093_f64.powi(at)).collect();
    rates.sort_by(f64::total_cmp);
    rates
}

#[test]
fn curves_bands_and_plots_agree_with_the_table_at_a_hundred_rates() {
    let rates = hundred_rates();
    let options = Options::new(0.5, rates.clone()).expect("rising rates");
    let report = report_of("synthetic", &options);
    let case = case("synthetic").expect("it is in tests/golden");
    let (truth, _, run) = load(&case);
    let at = |x: &[f64], y: &[f64], rate: f64| y[x.partition_point(|point| *point <= rate) - 1];
    let statistics = report.runs[0].statistics.as_ref().expect("statistics");
    let mean = &statistics.mean_curve;
    assert_eq!(mean, &froc::curve(&truth, &run, Row::Mean, &options));
    let pooled = froc::curve(&truth, &run, Row::Pooled, &options);
    let mut bands = 0;
    for (place, rate) in rates.iter().enumerate() {
        let of_row = |row: usize| statistics.rows[row].recall[place];
        assert_eq!(report.runs[0].exact.recall[place], Some(at(&mean.fp_per_image, &mean.recall, *rate)), "at {rate}");
        assert_eq!(of_row(10).value, report.runs[0].exact.recall[place]);
        assert_eq!(of_row(11).value, Some(at(&pooled.fp_per_image, &pooled.recall, *rate)), "at {rate}");
        for (row, band) in statistics.rows.iter().zip(&statistics.curves) {
            let there = band.fp_per_image.iter().position(|other| other.total_cmp(rate).is_eq()).expect("it is there");
            assert_eq!(
                (band.recall[there], band.interval[there]),
                (row.recall[place].value, row.recall[place].interval)
            );
            bands += usize::from(band.interval[there].is_some());
        }
    }
    assert_eq!(bands, 1200);

    // What the report in HTML draws, read off as a person does: from the lines of the grid.
    let page = text(Format::Html, &report);
    let lines: Vec<(f64, f64)> = numbers_of(page.split("<polyline points=\"").nth(1).expect("a curve"));
    let (right, top, bottom) = (625.0, 15.0, 330.0);
    let drawn = |x: f64| lines.iter().rfind(|point| point.0 <= x).map(|point| (bottom - point.1) / (bottom - top));
    let mut read = 0;
    for (place, rate) in rates.iter().enumerate().filter(|(_, rate)| (0.01..=10.0).contains(*rate)) {
        // Within a decade the axis is drawn by straight pieces between the rates of the grid.
        let grid: Vec<f64> = froc::bootstrap::grid().collect();
        let after = grid.partition_point(|other| other < rate).max(1);
        let part = (rate - grid[after - 1]) / (grid[after] - grid[after - 1]);
        let x = 110.0 + (after as f64 - 1.0 + part) / 60.0 * (right - 110.0);
        let expected = report.runs[0].exact.recall[place].expect("lesions");
        let nearest = [x - 0.1, x + 0.1].into_iter().filter_map(drawn).map(|drawn| (drawn - expected).abs());
        assert!(nearest.fold(1.0, f64::min) < 3e-4, "at {rate}");
        read += 1;
    }
    assert!(read > 70, "{read} rates");
    assert_eq!(lines.last().map(|point| point.0), Some(right));
}

/// The points of a line in SVG.
fn numbers_of(line: &str) -> Vec<(f64, f64)> {
    let points = line.split('"').next().unwrap_or_default().split(' ');
    points
        .filter_map(|point| point.split_once(','))
        .map(|(x, y)| (x.parse().expect("x"), y.parse().expect("y")))
        .collect()
}

#[test]
fn rows_agree_with_the_score_and_with_each_other() {
    let report = report();
    for run in &report.runs {
        let statistics = run.statistics.as_ref().expect("statistics");
        for (class, row) in run.classes.iter().zip(&statistics.rows) {
            assert_eq!((&class.name, class.n_lesions), (&row.name, row.n_lesions));
            assert_eq!(class.exact.recall, row.recall.iter().map(|estimate| estimate.value).collect::<Vec<_>>());
            for division in row.sizes.chunks(3) {
                assert_eq!(division.iter().map(|size| size.n_lesions).sum::<usize>(), class.n_lesions);
                assert_eq!(division.iter().map(|size| size.n_found).sum::<usize>(), class.true_positives);
            }
        }
        let mean = &statistics.rows[10];
        assert_eq!(mean.average_recall.value, run.exact.average_recall);
        assert_eq!(run.exact.recall, mean.recall.iter().map(|estimate| estimate.value).collect::<Vec<_>>());
        // The first convention is that of the official script, and the sweep passes the IoU threshold of the options.
        assert_eq!(statistics.conventions[0].exact_average_recall, run.exact.average_recall);
        assert_eq!(statistics.conventions[0].official_recall, run.official.recall);
        let at_half = statistics.iou_sweep.iter().find(|at| (at.iou_threshold - 0.5).abs() < 1e-12).expect("0.5");
        assert_eq!(at_half.recall, run.exact.recall);
        assert_eq!(statistics.iou_sweep.len(), 14);
        // The bands hold the rates of the options, with the numbers of the rows.
        for (row, curve) in statistics.rows.iter().zip(&statistics.curves) {
            for (rate, estimate) in report.options.fp_per_image.iter().zip(&row.recall) {
                let at = curve.fp_per_image.iter().position(|other| other.to_bits() == rate.to_bits());
                let at = at.expect("an official rate");
                assert_eq!((&curve.name, curve.recall[at]), (&row.name, estimate.value));
                assert_eq!(curve.interval[at], estimate.interval);
            }
        }
    }
}

#[test]
fn nothing_is_added_unless_asked_for() {
    let case = case("quirks").expect("it is in tests/golden");
    let (truth, predictions, run) = load(&case);
    let plain = froc::evaluate(&truth, &[&run], &Options::default());
    let json = text(Format::Json, &plain);
    for key in ["statistics", "comparisons", "bootstrap", "area_up_to", "max_detections", "beta", "specificity"] {
        assert!(!json.contains(key), "{key}");
    }
    let wanted = Wanted::default();
    let mut report = froc::evaluate_with_statistics(&truth, &[(&run, &predictions)], &Options::default(), wanted);
    assert!(report.runs[0].statistics.take().is_some());
    report.options.area_up_to = None;
    report.options.max_detections = None;
    report.options.beta = None;
    report.options.specificity = None;
    assert_eq!(report, plain);
}

#[test]
fn the_grid_holds_the_usual_rates_and_areas_are_means_of_fine_steps() {
    let grid: Vec<f64> = froc::bootstrap::grid().collect();
    assert!(grid.is_sorted_by(|a, b| a < b) && grid.len() == 61);
    for rate in [0.05, 0.1, 0.2].into_iter().chain(froc::score::exact::SEVEN_RATES) {
        assert!(grid.iter().any(|other| other.to_bits() == f64::to_bits(rate)), "{rate}");
    }
    // The area up to 1 is the mean recall over many rates up to 1.
    let case = case("synthetic").expect("it is in tests/golden");
    let (truth, predictions, run) = load(&case);
    let wanted = Wanted::default();
    let fine: Vec<f64> = (0..20_000).map(|step| (f64::from(step) + 0.5) / 20_000.0).collect();
    let options = Options::new(0.5, fine).expect("rising rates");
    let report = froc::evaluate_with_statistics(&truth, &[(&run, &predictions)], &Options::default(), wanted);
    for (class, row) in Protocol::default().classes().zip(&report.runs[0].statistics.as_ref().expect("statistics").rows)
    {
        let mut recalls = froc::evaluate(&truth, &[&run], &options).runs[0].classes[class.index()].exact.recall.clone();
        let sum: f64 = recalls.drain(..).map(|recall| recall.expect("lesions")).sum();
        let area = row.area.expect("lesions");
        assert!((area - sum / 20_000.0).abs() < 1e-3, "{}: {area}", row.name);
        if class.index() == 1 {
            break;
        }
    }
}
