//! Score thresholds chosen on some images and used on others: against plain loops, and the coverage of their intervals.

use crate::support;
use std::path::Path;

use crate::support::cases::{cases, load};
use crate::support::made_up::Detector;
use froc::bootstrap::{Draws, Interval};
use froc::geometry::Measure;
use froc::matching::Verdict;
use froc::protocol::Class;
use froc::report::thresholds::{ReachedReport, ReachedRowReport};
use froc::{Bootstrap, GroundTruth, Groups, Options, Predictions, Report, Resampling, Run, Thresholds};

fn bootstrap(truth: &GroundTruth, run: &Run, seed: u64, replicates: u32, groups: Groups) -> Bootstrap {
    let resampling = Resampling::new(replicates, seed, 0.95).expect("a resampling");
    Bootstrap::new(truth, &[run], &Options::default(), resampling, groups).expect("groups of these images")
}

fn scored(truth: &GroundTruth, run: &Run, chosen: &Thresholds, bootstrap: Option<&Bootstrap>) -> Report {
    let report = froc::evaluate(truth, &[run], &Options::default());
    report.with_thresholds(truth, &[run], chosen, bootstrap).expect("thresholds that fit")
}

fn rows(report: &Report) -> &[ReachedRowReport] {
    &report.thresholds.as_ref().expect("thresholds").rows
}

/// The same predictions with every third detection left out: another model, whose thresholds are scores of the whole one.
fn weaker(truth: &GroundTruth, all: &Predictions) -> Run {
    let mut detections = froc::dataset::Detections::default();
    let mut files = all.files().to_vec();
    for file in &mut files {
        let first = detections.len() as u32;
        for at in file.detections.clone().expect("a readable file").map(|at| at as usize).filter(|at| at % 3 != 1) {
            let of = all.detections();
            detections.push_named(of.name(at), of.bbox(at), of.score(at));
        }
        file.detections = Ok(first..detections.len() as u32);
    }
    Run::new(truth, &Predictions::new("weaker.zip", files, detections)).expect("a run")
}

/// What a class reaches when each image counts so often: by going through all of its detections.
fn by_loops(truth: &GroundTruth, run: &Run, class: Class, least: Option<f32>, times: &[u32]) -> [u64; 4] {
    let verdicts = run.verdicts(class, truth.n_lesions(class), 0.5, truth.protocol().extent());
    let (scores, image_of) = (run.ranking(class).scores(), run.images(class));
    let [mut images, mut lesions, mut hits, mut misses] = [0; 4];
    for (image, times) in times.iter().enumerate() {
        images += u64::from(*times);
        lesions += u64::from(*times) * truth.lesions(class, image).1.len() as u64;
        for (at, verdict) in verdicts.iter().enumerate() {
            if image_of[at] as usize == image && least.is_some_and(|least| scores[at] >= least) {
                let counter = if verdict == Verdict::TruePositive { &mut hits } else { &mut misses };
                *counter += u64::from(*times);
            }
        }
    }
    [images, lesions, hits, misses]
}

fn ratios([images, lesions, hits, misses]: [u64; 4]) -> [Option<f64>; 3] {
    let ratio = |part, whole| if whole == 0 { None } else { Some(part as f64 / whole as f64) };
    [ratio(hits, lesions), ratio(misses, images), ratio(hits, hits + misses)]
}

/// The mean of one of the three numbers over the classes with lesions.
fn mean_of(classes: &[[Option<f64>; 3]], of: usize) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0_u32);
    for class in classes {
        if let (Some(_), Some(value)) = (class[0], class[of]) {
            sum += value;
            n += 1;
        }
    }
    (n > 0).then(|| sum / f64::from(n))
}

fn of_report(at: &ReachedReport) -> [(Option<f64>, Option<[f64; 2]>); 3] {
    [at.recall, at.fp_per_image, at.precision].map(|estimate| (estimate.value, estimate.interval))
}

/// Every number of a case, with intervals; tells how many intervals there were.
fn compare(case: &Path, groups: impl Fn(&GroundTruth) -> Groups) -> usize {
    const REPLICATES: u32 = 12;
    let (truth, predictions, run) = load(case);
    let chosen = Thresholds::of(&truth, &weaker(&truth, &predictions), &Options::default());
    let groups = groups(&truth);
    let report = scored(&truth, &run, &chosen, Some(&bootstrap(&truth, &run, 5, REPLICATES, groups.clone())));
    assert_eq!(report.options.bootstrap.as_ref().map(|bootstrap| bootstrap.replicates), Some(REPLICATES));
    let (mean, classes) = rows(&report).split_first().expect("the mean first");
    assert_eq!(mean.name, "mean");
    let mut n_intervals = 0;
    for rate in 0..chosen.fp_per_image.len() {
        let counted = |times: &[u32]| -> Vec<[u64; 4]> {
            let least = |class: Class| chosen.classes[class.index()].score_threshold[rate];
            truth.classes().map(|class| by_loops(&truth, &run, class, least(class), times)).collect()
        };
        let with_mean = |counted: &[[u64; 4]]| {
            let mut numbers: Vec<[Option<f64>; 3]> = counted.iter().copied().map(ratios).collect();
            numbers.push([0, 1, 2].map(|of| mean_of(&numbers, of)));
            numbers
        };
        let sample = counted(&vec![1; truth.n_images()]);
        let values = with_mean(&sample);
        let mut draws = Draws::new(5, groups.n_groups());
        let replicates: Vec<Vec<[Option<f64>; 3]>> = (0..REPLICATES)
            .map(|replicate| {
                let weights = draws.replicate(u64::from(replicate)).to_vec();
                let times: Vec<u32> = groups.of_image().iter().map(|group| weights[*group as usize]).collect();
                with_mean(&counted(&times))
            })
            .collect();
        for (place, row) in classes.iter().chain([mean]).enumerate() {
            let at = &row.at_rates[rate];
            for (of, (value, interval)) in of_report(at).into_iter().enumerate() {
                let name = format!("{}, {}, rate {rate}, number {of}", case.display(), row.name);
                assert_eq!(value.map(f64::to_bits), values[place][of].map(f64::to_bits), "{name}");
                let theirs = Interval::new(replicates.iter().map(|numbers| numbers[place][of]), 0.95);
                assert_eq!(interval, theirs.map(|interval| interval.ends), "{name}");
                n_intervals += usize::from(interval.is_some());
            }
            let Some([_, lesions, hits, misses]) = sample.get(place).copied() else { continue };
            let counts = (at.true_positives, at.false_positives, at.missed);
            assert_eq!(counts, (Some(hits), Some(misses), Some(lesions - hits)));
            let exact = report.runs[0].classes[place].exact.recall[rate];
            assert_eq!(
                (at.exact_recall, at.optimism),
                (exact, exact.map(|exact| exact - at.recall.value.expect("lesions")))
            );
        }
        assert_eq!(mean.at_rates[rate].exact_recall, report.runs[0].exact.recall[rate]);
    }
    n_intervals
}

#[test]
fn every_number_is_that_of_plain_loops_over_images_and_detections() {
    let small = cases().into_iter().filter(|case| load(case).0.n_images() < 100);
    let n_intervals: usize = small.map(|case| compare(&case, Groups::images)).sum();
    assert!(n_intervals > 100, "{n_intervals}");
    let pairs = |truth: &GroundTruth| {
        let lines = truth.images().iter().enumerate().map(|(at, image)| format!("{image},{}\n", at / 2));
        let csv = format!("file_name,group\n{}", lines.collect::<String>());
        Groups::csv("groups.csv", csv.as_bytes(), truth).expect("a group for each image")
    };
    assert!(compare(&support::cases::case("synthetic").expect("it is in tests/golden"), pairs) > 20);
}

#[test]
fn on_the_images_they_were_chosen_on_they_reach_the_exact_score_and_no_more_than_the_rate() {
    let mut reached = 0;
    for case in cases() {
        let (truth, _, run) = load(&case);
        let chosen = Thresholds::of(&truth, &run, &Options::default());
        let report = scored(&truth, &run, &chosen, None);
        let thresholds = report.thresholds.as_ref().expect("thresholds");
        assert!(thresholds.is_own_ground_truth);
        for row in &thresholds.rows {
            for (at, rate) in row.at_rates.iter().zip(&thresholds.fp_per_image) {
                assert_eq!(at.recall.value, at.exact_recall, "{}, {}", case.display(), row.name);
                assert!(at.fp_per_image.value.is_none_or(|there| there <= *rate) && at.recall.interval.is_none());
                reached += usize::from(at.true_positives.is_some_and(|n| n > 0));
            }
        }
        let classes = &report.runs[0].classes;
        for (class, of) in classes.iter().zip(&chosen.classes).filter(|(class, _)| class.n_lesions > 0) {
            assert_eq!(class.exact.score_threshold, of.score_threshold, "{}", class.name);
        }
    }
    assert!(reached > 20, "{reached}");
}

#[test]
fn a_file_holds_all_of_it_to_the_bit() {
    for case in cases() {
        let (truth, _, run) = load(&case);
        let chosen = Thresholds::of(&truth, &run, &Options::new(0.3, vec![0.07, 1.0 / 3.0]).expect("options"));
        let bytes = chosen.json().expect("bytes");
        let read = Thresholds::read("t.json", &bytes).expect("a file of thresholds");
        assert_eq!(read.file, Some(("t.json".to_owned(), froc::input::sha256(&bytes))));
        assert_eq!(Thresholds { file: None, ..read }, chosen, "{}", case.display());
    }
}

/// As a table, and saved again by a spreadsheet with semicolons: all of it to the bit, names that look like formulas too.
#[test]
fn a_table_holds_all_of_it_to_the_bit() {
    for case in cases() {
        let (truth, _, run) = load(&case);
        let mut chosen = Thresholds::of(&truth, &run, &Options::new(0.3, vec![0.07, 1.0 / 3.0]).expect("options"));
        for (protocol, measure, ignored) in [
            (Some("=1+1"), Measure::Iou, vec!["'quoted'", "a, \"b\""]),
            (None, Measure::Iobb, vec![]),
            (Some("VinDr"), Measure::Distance, vec!["-x"]),
        ] {
            chosen.protocol = protocol.map(str::to_owned);
            chosen.measure = measure;
            chosen.ignored_classes = ignored.into_iter().map(str::to_owned).collect();
            let bytes = chosen.csv().expect("bytes");
            let text = String::from_utf8(bytes.clone()).expect("UTF-8");
            assert_eq!(text.lines().count(), 1 + 10 * 2 + chosen.ignored_classes.len());
            let is_number = |field: &str| field.parse::<f64>().is_ok();
            assert!(
                !text.split([',', '\n']).any(|field| field.starts_with(['=', '-', '+', '@']) && !is_number(field)),
                "{text}"
            );
            for bytes in [bytes, with_semicolons(&text)] {
                let read = Thresholds::read("t.csv", &bytes).expect("a table of thresholds");
                assert_eq!(read.file, Some(("t.csv".to_owned(), froc::input::sha256(&bytes))));
                assert_eq!(Thresholds { file: None, ..read }, chosen, "{}", case.display());
            }
        }
    }
}

/// What is changed in the lines of a table.
type Change<'a> = &'a dyn Fn(&mut Vec<String>);

/// The same table as a spreadsheet in German saves it.
fn with_semicolons(text: &str) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(b"\xef\xbb\xbf".to_vec());
    let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    rows.records().for_each(|row| writer.write_record(&row.expect("a row")).expect("memory"));
    writer.into_inner().expect("memory")
}

#[test]
fn a_table_that_is_not_in_order_is_refused_in_one_sentence() {
    let (truth, _, run) = load(&support::cases::case("synthetic").expect("it is in tests/golden"));
    let text =
        String::from_utf8(Thresholds::of(&truth, &run, &Options::default()).csv().expect("bytes")).expect("UTF-8");
    let lines: Vec<&str> = text.lines().collect();
    let sentence = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = lines.iter().map(|line| (*line).to_owned()).collect();
        change(&mut lines);
        Thresholds::read("t.csv", lines.join("\n").as_bytes())
            .map(|read| read.classes.len())
            .map_err(|error| error.to_string())
    };
    assert_eq!(sentence(&|_| {}), Ok(10));
    let refused: [(Change<'_>, &str); 6] = [
        (&|lines| lines.truncate(1), "t.csv: it has no line; expected"),
        (
            &|lines| lines.swap(1, 2),
            "t.csv, line 4 after the header: its fp_per_image is \"0.05\"; expected the rates of all classes",
        ),
        (
            &|lines| drop(lines.remove(5)),
            "t.csv, line 5 after the header: its fp_per_image is \"0.2\"; expected the rates of all classes",
        ),
        (&|lines| drop(lines.pop()), "t.csv: class Pneumothorax has 2 score thresholds for 3 rates; expected"),
        (
            &|lines| lines[2] = lines[2].replace("iou:0.5", "iou:0.4"),
            "t.csv, line 2 after the header: its hit is \"iou:0.4\"; expected \"iou:0.5\", as in the lines above.",
        ),
        (
            &|lines| lines[1] = lines[1].replace("false", "no"),
            "t.csv, line 1 after the header: its is_ignored is \"no\"; expected true or false.",
        ),
    ];
    for (change, start) in refused {
        let said = sentence(change).expect_err("a table that is not in order");
        assert!(said.starts_with(start), "{said}");
    }
}

/// A file of thresholds that says something else in one place.
fn otherwise(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let (truth, _, run) = load(&support::cases::case("synthetic").expect("it is in tests/golden"));
    let bytes = Thresholds::of(&truth, &run, &Options::default()).json().expect("bytes");
    let mut value = serde_json::from_slice(&bytes).expect("JSON");
    change(&mut value);
    serde_json::to_vec(&value).expect("plain values")
}

#[test]
fn what_does_not_fit_is_refused_in_one_sentence() {
    let (truth, _, run) = load(&support::cases::case("synthetic").expect("it is in tests/golden"));
    let sentence = |bytes: &[u8]| {
        let report = froc::evaluate(&truth, &[&run], &Options::default());
        let read = Thresholds::read("t.json", bytes);
        let added = read.and_then(|chosen| report.with_thresholds(&truth, &[&run], &chosen, None));
        added.map(|report| rows(&report).len()).map_err(|error| error.to_string())
    };
    assert_eq!(sentence(&otherwise(|_| {})), Ok(11));
    let refused = [
        (
            otherwise(|file| file["protocol"] = "VinDr".into()),
            "t.json: its score thresholds are for VinDr; expected those for ChestX-Det10: choose them on images of that.",
        ),
        (
            otherwise(|file| file["protocol"] = serde_json::Value::Null),
            "t.json: its score thresholds are for the dataset of test.json; expected those for ChestX-Det10: choose them on \
             images of that.",
        ),
        (
            otherwise(|file| file["iou_threshold"] = 0.3.into()),
            "t.json: its score thresholds are for IoU threshold 0.3; expected 0.5: score with --iou 0.3, or choose them at 0.5.",
        ),
        (
            otherwise(|file| file["classes"][3]["name"] = "Polyp".into()),
            "t.json: there is no score threshold of class Nodule; expected one of each class of test.json: choose them with \
             all of them.",
        ),
        (
            otherwise(|file| drop(file["classes"][3]["score_threshold"].as_array_mut().map(Vec::pop))),
            "t.json: class Nodule has 2 score thresholds for 3 rates; expected score thresholds as froc score \
             --save-thresholds writes them.",
        ),
        (
            otherwise(|file| file["fp_per_image"] = serde_json::json!([0.2, 0.1, 0.05])),
            "t.json, False positives per image: there is 0.2, 0.1, 0.05; expected rising numbers above 0, such as 0.05, 0.1, \
             0.2.",
        ),
    ];
    for (bytes, expected) in refused {
        assert_eq!(sentence(&bytes), Err(expected.to_owned()));
    }
    let other = sentence(br#"{"a": 1}"#).expect_err("no file of thresholds");
    assert!(other.starts_with("t.json: it holds none (unknown field `a`"), "{other}");
}

/// A dataset that has no name but that of its file is told apart by its classes alone, in whatever order they stand.
#[test]
fn datasets_without_a_name_need_the_same_classes() {
    let truth = |name: &str, classes: [&str; 2]| {
        let [first, second] = classes;
        let text = format!(
            r#"[{{"file_name": "1.png", "syms": ["{first}", "{first}", "{second}"], "boxes": [[0, 0, 9, 9], [50, 50, 59, 59], [20, 20, 29, 29]]}}]"#
        );
        froc::read_ground_truth(name, text.as_bytes()).expect("a ground truth")
    };
    let chosen_on = |truth: &GroundTruth| {
        // Where the first class lies and, with a lower score, where the second does.
        let found = r#"[{"Polyp": [0, 0, 9, 9, 0.9]}, {"Polyp": [20, 20, 29, 29, 0.8]}]"#;
        let predictions = support::read_predictions(&support::zip_of(&[("1.json", found)]));
        let run = Run::new(truth, &predictions.expect("predictions")).expect("a run");
        (Thresholds::of(truth, &run, &Options::default()), run)
    };
    let (chosen, _) = chosen_on(&truth("val.json", ["Polyp", "Ulcer"]));
    assert_eq!(chosen.protocol, None);
    assert_eq!(chosen.classes[0].score_threshold[0], Some(0.9));
    let test = truth("test.json", ["Ulcer", "Polyp"]);
    let (_, run) = chosen_on(&test);
    let report = scored(&test, &run, &chosen, None);
    let names: Vec<&str> = rows(&report).iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["mean", "Ulcer", "Polyp"]);
    let polyp = rows(&report)[2].at_rates[0];
    assert_eq!(polyp.score_threshold, Some(0.9));
    assert_eq!((polyp.true_positives, polyp.false_positives, polyp.missed), (Some(0), Some(1), Some(1)));
    let (_, run) = chosen_on(&truth("test.json", ["Ulcer", "Cyst"]));
    let other = truth("test.json", ["Ulcer", "Cyst"]);
    let report = froc::evaluate(&other, &[&run], &Options::default());
    let error = report.with_thresholds(&other, &[&run], &chosen, None).expect_err("another class");
    assert!(error.to_string().contains("no score threshold of class Cyst"), "{error}");
}

/// The thresholds are chosen once, on images of the same kind; each dataset after that is a fresh test set.
#[test]
fn intervals_cover_the_truth_as_often_as_they_say() {
    let detector = Detector { n_images: 150, ..Detector::default() };
    let of = |number: u64| {
        let (truth, predictions) = detector.dataset(number);
        let run = Run::new(&truth, &predictions).expect("a run");
        (truth, run)
    };
    let (truth, run) = of(1_000_000);
    let chosen = Thresholds::of(&truth, &run, &Options::new(0.5, vec![1.0]).expect("a rate"));
    let nodule = chosen.classes.iter().find(|class| class.name == "Nodule").expect("the class of the detector");
    let least = f64::from(nodule.score_threshold[0].expect("a threshold"));
    // False positives are uniform in 0..1, so that the threshold tells their number, and that tells the recall.
    let fp_per_image = 2.0 * (1.0 - least);
    let recall = detector.recall(fp_per_image);
    // One lesion an image on average.
    let truths = [recall, fp_per_image, recall / (recall + fp_per_image)];
    let (n_datasets, mut covered) = (400_u32, [0_u32; 3]);
    for dataset in 0..n_datasets {
        let (truth, run) = of(u64::from(dataset));
        let bootstrap = bootstrap(&truth, &run, u64::from(dataset), 250, Groups::images(&truth));
        let report = scored(&truth, &run, &chosen, Some(&bootstrap));
        let row = rows(&report).iter().find(|row| row.name == "Nodule").expect("the class of the detector");
        for (at, (_, interval)) in of_report(&row.at_rates[0]).into_iter().enumerate() {
            let [low, high] = interval.expect("lesions and detections");
            covered[at] += u32::from(low <= truths[at] && truths[at] <= high);
        }
    }
    let coverage = covered.map(|covered| f64::from(covered) / f64::from(n_datasets));
    eprintln!("coverage of the 95 % intervals over {n_datasets} datasets: {coverage:?}");
    for coverage in coverage {
        assert!((0.92..=0.97).contains(&coverage), "{coverage}");
    }
}
