//! What is reached in slices of the images: against plain loops, how images are divided, and the coverage of the intervals.

use crate::support;
use std::path::Path;

use crate::support::cases::{cases, load};
use crate::support::made_up::{Detector, Uniform};
use froc::bootstrap::{Draws, Interval};
use froc::compare::{holm, two_sided_p};
use froc::dataset::{Detections, Lesion, PredictionFile};
use froc::geometry::{BBox, Extent};
use froc::input::attributes::Attributes;
use froc::matching::Verdict;
use froc::protocol::{Class, Protocol};
use froc::report::slices::{DivisionReport, SliceAtRateReport, SliceDifferenceReport};
use froc::slices::{By, Division};
use froc::{Bootstrap, GroundTruth, Groups, Options, Predictions, Report, Resampling, Run};

fn bootstrap(truth: &GroundTruth, run: &Run, seed: u64, replicates: u32, groups: Groups) -> Bootstrap {
    let resampling = Resampling::new(replicates, seed, 0.95).expect("a resampling");
    Bootstrap::new(truth, &[run], &Options::default(), resampling, groups).expect("groups of these images")
}

/// A table that says of each image whether its number is even, a number with a few gaps, and one of three letters.
fn table(truth: &GroundTruth) -> Attributes {
    let line = |(at, image): (usize, &str)| {
        let number = if at % 9 == 4 { String::new() } else { format!("{}", (at * 37 % 101) as f64 / 4.0) };
        format!("{image},{},{number},{}\n", ["odd", "even"][usize::from(at % 2 == 0)], ["a", "b", "c"][at * at % 3])
    };
    let lines: String = truth.images().iter().enumerate().map(line).collect();
    let csv = format!("file_name,parity,number,letter\n{lines}");
    Attributes::csv("meta.csv", csv.as_bytes(), truth).expect("a table of the images")
}

fn divided(by: &str, truth: &GroundTruth, attributes: Option<&Attributes>) -> Result<Division, String> {
    let by = By::parse(by).map_err(|error| error.to_string())?;
    Division::new(&by[0], truth, attributes).map_err(|error| error.to_string())
}

fn sliced(truth: &GroundTruth, run: &Run, options: &Options, by: &str, bootstrap: Option<&Bootstrap>) -> Report {
    let attributes = table(truth);
    let by = By::parse(by).expect("columns");
    let divisions: Vec<Division> =
        by.iter().map(|by| Division::new(by, truth, Some(&attributes)).expect("a division")).collect();
    froc::evaluate(truth, &[run], options).with_slices(truth, &[run], (&by, Some(&attributes), &divisions), bootstrap)
}

/// The third of its class that a lesion is of: by its place in the sorted list of their areas, equal ones in the last.
fn third(truth: &GroundTruth, class: Class, bbox: BBox) -> usize {
    let area = |bbox: &BBox| bbox.area(Extent::Plain);
    let mut areas: Vec<f32> =
        (0..truth.n_images()).flat_map(|image| truth.lesions(class, image).1.iter().map(area)).collect();
    areas.sort_by(f32::total_cmp);
    [1, 2].into_iter().filter(|third| area(&bbox) >= areas[third * areas.len() / 3]).count()
}

/// Images, lesions, true and false positives of a class where `is_in` says so of an image and, of a lesion, its third; each image
/// counts so often.
fn by_loops(
    truth: &GroundTruth,
    run: &Run,
    class: Class,
    least: Option<f32>,
    times: &[u32],
    is_in: &dyn Fn(usize, Option<usize>) -> bool,
) -> [u64; 4] {
    let verdicts = run.verdicts(class, truth.n_lesions(class), 0.5, truth.protocol().extent());
    let (scores, image_of) = (run.ranking(class).scores(), run.images(class));
    let [mut images, mut lesions, mut hits, mut misses] = [0; 4];
    for (image, times) in times.iter().enumerate() {
        let times = u64::from(*times);
        images += times * u64::from(is_in(image, None));
        let (first, boxes) = truth.lesions(class, image);
        for (number, bbox) in (first..).zip(boxes) {
            let is_in = is_in(image, Some(third(truth, class, *bbox)));
            lesions += times * u64::from(is_in);
            let found = verdicts.claims().iter().find(|claim| claim.lesion == number && !claim.is_duplicate);
            let is_shown = |rank: u32| least.is_some_and(|least| scores[rank as usize] >= least);
            hits += times * u64::from(is_in && found.is_some_and(|claim| is_shown(claim.rank)));
        }
        for (at, verdict) in verdicts.iter().enumerate() {
            let is_shown = image_of[at] as usize == image && least.is_some_and(|least| scores[at] >= least);
            misses += times * u64::from(is_shown && verdict != Verdict::TruePositive && is_in(image, None));
        }
    }
    [images, lesions, hits, misses]
}

/// Recall and false positives per image of a slice, and of all others, with what the sample has of lesions in both.
fn numbers(inside: [u64; 4], outside: [u64; 4], lesions: [u64; 2], by_size: bool) -> [Option<f64>; 4] {
    let ratio = |part: u64, whole: u64| if whole == 0 { None } else { Some(part as f64 / whole as f64) };
    let minus = |a: Option<f64>, b: Option<f64>| Some(a? - b?);
    let recall = |of: [u64; 4], lesions: u64| ratio(of[2], of[1]).filter(|_| lesions >= 5);
    let fp = |of: [u64; 4]| ratio(of[3], of[0]).filter(|_| !by_size);
    let (here, there) = (recall(inside, lesions[0]), recall(outside, lesions[1]));
    [here, fp(inside), minus(here, there), minus(fp(inside), fp(outside))]
}

/// The mean of a number over the classes that have it: of recall, those that are in the mean; of false positives, those with
/// lesions.
fn mean_of(classes: &[([Option<f64>; 4], u64, bool)], of: usize) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0_u32);
    for (class, lesions, is_in) in classes {
        if let Some(value) = class[of].filter(|_| if [0, 2].contains(&of) { *is_in } else { *lesions > 0 }) {
            sum += value;
            n += 1;
        }
    }
    (n > 0).then(|| sum / f64::from(n))
}

/// What is counted in a slice, and in all others.
type Sides = [[u64; 4]; 2];
type Shown = (Option<f64>, Option<[f64; 2]>, Option<f64>);

fn of_report(at: &SliceAtRateReport) -> [Shown; 4] {
    let difference = |of: Option<SliceDifferenceReport>| {
        (of.map(|of| of.value), of.and_then(|of| of.interval), of.and_then(|of| of.p))
    };
    [
        (at.recall.value, at.recall.interval, None),
        (at.fp_per_image.value, at.fp_per_image.interval, None),
        difference(at.recall_difference),
        difference(at.fp_per_image_difference),
    ]
}

/// Every number of a division of a case, with intervals and p; tells how many intervals there were.
fn compare(case: &Path, by: &str, groups: &dyn Fn(&GroundTruth) -> Groups) -> usize {
    const REPLICATES: u32 = 9;
    let (truth, _, run) = load(case);
    let (groups, options) = (groups(&truth), Options::default());
    let of = bootstrap(&truth, &run, 5, REPLICATES, groups.clone());
    let report = sliced(&truth, &run, &options, by, Some(&of));
    let division = divided(by, &truth, Some(&table(&truth))).expect("a division");
    let reported = &report.slices[0];
    assert_eq!((reported.name.as_str(), reported.is_by_size), (division.name(), division.is_by_size()));
    let mut draws = Draws::new(5, groups.n_groups());
    let of_replicates = (0..REPLICATES).map(|replicate| {
        let weights = draws.replicate(u64::from(replicate)).to_vec();
        groups.of_image().iter().map(|group| weights[*group as usize]).collect::<Vec<u32>>()
    });
    let weights: Vec<Vec<u32>> = [vec![1; truth.n_images()]].into_iter().chain(of_replicates).collect();
    // Five lesions in every slice, but for those in which no class has any.
    let with_lesions = || reported.slices.iter().filter(|slice| slice.rows[0].n_lesions > 0);
    let is_in_mean = |at: usize| with_lesions().all(|slice| slice.rows[1 + at].n_lesions >= 5);
    let in_mean: Vec<&str> =
        truth.classes().filter(|class| is_in_mean(class.index())).map(|class| truth.class_name(class)).collect();
    assert_eq!(reported.classes_in_mean, in_mean);
    let mut n_intervals = 0;
    for (place, slice) in reported.slices.iter().enumerate() {
        assert_eq!(slice.name, division.slices()[place]);
        let is_in = |image: usize, size: Option<usize>| {
            let of_size = division.size(place).zip(size).is_none_or(|(wanted, size)| wanted as usize == size);
            division.holds(place, image) && of_size
        };
        let is_out = |image: usize, size: Option<usize>| !is_in(image, size);
        for rate in 0..options.fp_per_image().len() {
            let counted = |times: &Vec<u32>| -> Vec<Sides> {
                let of = |class: Class| {
                    let least = slice.rows[1 + class.index()].at_rates[rate].score_threshold;
                    [&is_in as &dyn Fn(usize, Option<usize>) -> bool, &is_out]
                        .map(|is_in| by_loops(&truth, &run, class, least, times, is_in))
                };
                truth.classes().map(of).collect()
            };
            let all: Vec<Vec<Sides>> = weights.iter().map(counted).collect();
            let with_mean = |replicate: &Vec<Sides>| -> Vec<[Option<f64>; 4]> {
                let of = |(at, (now, sample)): (usize, (&Sides, &Sides))| {
                    let lesions = sample.map(|part| part[1]);
                    (numbers(now[0], now[1], lesions, division.is_by_size()), lesions[0] + lesions[1], is_in_mean(at))
                };
                let classes: Vec<_> = replicate.iter().zip(&all[0]).enumerate().map(of).collect();
                let mean = [0, 1, 2, 3].map(|of| mean_of(&classes, of));
                [mean].into_iter().chain(classes.into_iter().map(|(numbers, ..)| numbers)).collect()
            };
            let values: Vec<Vec<[Option<f64>; 4]>> = all.iter().map(with_mean).collect();
            for (at_row, row) in slice.rows.iter().enumerate() {
                let at = &row.at_rates[rate];
                let name = format!("{}, {by}, {}, {}, rate {rate}", case.display(), slice.name, row.name);
                for (of, (value, interval, p)) in of_report(at).into_iter().enumerate() {
                    let theirs = values[0][at_row][of];
                    assert_eq!(value.map(f64::to_bits), theirs.map(f64::to_bits), "{name}, number {of}");
                    let replicates = || values[1..].iter().map(|replicate| replicate[at_row][of]);
                    let ends = theirs.and_then(|_| Interval::new(replicates(), 0.95)).map(|of| of.ends);
                    assert_eq!(interval, ends, "{name}, number {of}");
                    let has_p = of > 1 && interval.is_some();
                    assert_eq!(p, has_p.then(|| two_sided_p(replicates().flatten())), "{name}, number {of}");
                    n_intervals += usize::from(interval.is_some());
                }
                if at_row > 0 {
                    let [images, lesions, hits, misses] = all[0][at_row - 1][0];
                    let false_positives = (!division.is_by_size()).then_some(misses as u32);
                    let counts = (at.true_positives, at.false_positives);
                    assert_eq!(counts, (Some(hits as u32), false_positives), "{name}");
                    assert_eq!(u64::from(row.n_lesions), lesions, "{name}");
                    assert!(division.is_by_size() || u64::from(row.n_images) == images, "{name}");
                }
            }
        }
    }
    adjusted_as_said(reported);
    n_intervals
}

/// Holm's p over the classes of all slices, of two slices of the first one.
fn adjusted_as_said(division: &DivisionReport) {
    let n_rates = division.slices[0].rows[0].at_rates.len();
    for rate in 0..n_rates {
        for of in [|at: &SliceAtRateReport| at.recall_difference, |at: &SliceAtRateReport| at.fp_per_image_difference] {
            let all: Vec<Vec<SliceDifferenceReport>> = division
                .slices
                .iter()
                .map(|slice| slice.rows[1..].iter().filter_map(|row| of(&row.at_rates[rate])).collect())
                .collect();
            let counted = if all.len() == 2 { &all[..1] } else { &all[..] };
            let p: Vec<f64> = counted.iter().flatten().map(|of| of.p.expect("a bootstrap")).collect();
            let mut adjusted = holm(&p);
            if all.len() == 2 {
                adjusted.extend(adjusted.clone());
            }
            let ours: Vec<f64> = all.iter().flatten().map(|of| of.p_holm.expect("of a class")).collect();
            assert_eq!(ours, adjusted);
            assert!(
                division
                    .slices
                    .iter()
                    .all(|slice| of(&slice.rows[0].at_rates[rate]).is_none_or(|of| of.p_holm.is_none()))
            );
        }
    }
}

#[test]
fn every_number_is_that_of_plain_loops_over_images_lesions_and_detections() {
    let small: Vec<_> = cases().into_iter().filter(|case| load(case).0.n_images() < 100).collect();
    let mut n_intervals = 0;
    for case in &small {
        for by in ["parity", "letter", "number:5:15", "lesion-free", "lesion size", "letter*lesion size"] {
            n_intervals += compare(case, by, &Groups::images);
        }
    }
    assert!(n_intervals > 1000, "{n_intervals}");
    let pairs = |truth: &GroundTruth| {
        let lines = truth.images().iter().enumerate().map(|(at, image)| format!("{image},{}\n", at / 3));
        let csv = format!("file_name,group\n{}", lines.collect::<String>());
        Groups::csv("groups.csv", csv.as_bytes(), truth).expect("a group for each image")
    };
    let synthetic = support::cases::case("synthetic").expect("it is in tests/golden");
    assert!(compare(&synthetic, "number of lesions*parity", &pairs) > 500);
}

#[test]
fn slices_of_all_images_make_up_the_whole() {
    for case in cases() {
        let (truth, _, run) = load(&case);
        let report = sliced(&truth, &run, &Options::default(), "letter*parity,lesion size", None);
        for (place, class) in report.runs[0].classes.iter().enumerate() {
            for division in &report.slices {
                let rows = || division.slices.iter().map(|slice| &slice.rows[1 + place]);
                assert_eq!(rows().map(|row| row.n_lesions as usize).sum::<usize>(), class.n_lesions);
                for (rate, recall) in class.exact.recall.iter().enumerate() {
                    let found: u32 = rows().filter_map(|row| row.at_rates[rate].true_positives).sum();
                    let whole = recall.map(|recall| (recall * class.n_lesions as f64).round());
                    assert!(whole.is_none_or(|whole| (whole - f64::from(found)).abs() < 0.1), "{}", class.name);
                    let spent: Option<u32> = rows().map(|row| row.at_rates[rate].false_positives).sum();
                    let expected = class.exact.false_positives[rate].filter(|_| !division.is_by_size);
                    assert!(expected.is_none() || spent == expected, "{}", class.name);
                }
            }
        }
    }
}

/// Eight images of which the first four have a lesion, two in the first.
fn eight() -> GroundTruth {
    let one = |at: usize| {
        let boxes = [&[[0, 0, 9, 9], [20, 0, 39, 9]][..], &[[0, 0, 9, 9]], &[]][[0, 1, 1, 1, 2, 2, 2, 2][at]].to_vec();
        serde_json::json!({"file_name": format!("{at}.png"), "syms": vec!["Nodule"; boxes.len()], "boxes": boxes})
    };
    let text = serde_json::to_vec(&(0..8).map(one).collect::<Vec<_>>()).expect("plain values");
    froc::read_ground_truth("test.json", &text).expect("a ground truth")
}

#[test]
fn columns_are_divided_by_text_by_quartiles_or_at_bounds() {
    let truth = eight();
    let csv = "Image Index,Patient Age,Patient Gender,View Position,Score,Patient ID
0,058Y,M,PA,1,1\n1,006M,F,AP,2,2\n2,020Y,F,AP,1,3\n3,020Y,M,,3,4
4,030Y,F,PA,10,5\n5,040Y,M,PA,1,6\n6,040Y,F,AP,1,7\n7,050Y,,PA,2,8\n";
    let attributes = Attributes::csv("meta.csv", csv.as_bytes(), &truth).expect("a table");
    let slices = |by: &str| {
        let division = divided(by, &truth, Some(&attributes))?;
        let images = |slice: usize| (0..8).filter(|image| division.holds(slice, *image)).collect::<Vec<_>>();
        let named = division.slices().iter().enumerate().map(|(at, name)| format!("{name}: {:?}", images(at)));
        Ok::<_, String>(named.collect::<Vec<_>>())
    };
    assert_eq!(slices("sex").expect("a division"), ["F: [1, 2, 4, 6]", "M: [0, 3, 5]", "no value: [7]"]);
    assert_eq!(slices("patient gender"), slices("sex"));
    // 0.5 20 20 30 | 40 40 50 58: the quartiles are 20, 40 and 50.
    assert_eq!(
        slices("age").expect("a division"),
        ["below 20: [1]", "20 to below 40: [2, 3, 4]", "40 to below 50: [5, 6]", "50 or more: [0, 7]"]
    );
    assert_eq!(
        slices("age:18:40:99").expect("a division"),
        ["below 18: [1]", "18 to below 40: [2, 3, 4]", "40 to below 99: [0, 5, 6, 7]"]
    );
    assert_eq!(slices("score").expect("a division"), ["1: [0, 2, 5, 6]", "2: [1, 7]", "3: [3]", "10: [4]"]);
    assert_eq!(
        slices("view*sex").expect("a division"),
        ["AP, F: [1, 2, 6]", "PA, F: [4]", "PA, M: [0, 5]", "PA, no value: [7]", "no value, M: [3]"]
    );
    assert_eq!(slices("lesion-free").expect("a division"), ["lesion-free: [4, 5, 6, 7]", "with lesions: [0, 1, 2, 3]"]);
    assert_eq!(
        slices("number of lesions").expect("a division"),
        ["none: [4, 5, 6, 7]", "1 lesion: [1, 2, 3]", "2 lesions: [0]"]
    );
    let choices: Vec<_> =
        Division::choices(&truth, Some(&attributes)).into_iter().map(|of| (of.name, of.n_slices)).collect();
    let expected = [
        ("lesion-free", 2),
        ("number of lesions", 3),
        ("lesion size", 3),
        ("Patient Age", 4),
        ("Patient Gender", 3),
        ("View Position", 3),
        ("Score", 4),
    ];
    assert_eq!(choices, expected.map(|(name, n)| (name.to_owned(), n)), "no patients: they are groups");
    let refused = [
        (
            "site",
            "meta.csv: there is no column \"site\"; expected one of lesion-free, number of lesions, lesion size, Patient Age, Patient Gender, View Position, Score.",
        ),
        (
            "patient",
            "meta.csv: there is no column \"patient\"; expected one of lesion-free, number of lesions, lesion size, Patient Age, Patient Gender, View Position, Score.",
        ),
        ("sex:1", "meta.csv: \"Patient Gender\" is to be cut at 1, and holds texts; expected numbers, or no bounds."),
        ("lesion-size:1", "Slices: lesion size is to be cut at 1; expected no bounds: it is divided by itself."),
        ("lesion size*lesion size", "Slices: lesion size is crossed with lesion size; expected lesion size once."),
        (
            "age:40:40",
            "Slices: there is \"age:40:40\"; expected columns such as sex, age:40:65 with rising bounds, or sex*view.",
        ),
        ("", "Slices: there is \"\"; expected columns such as sex, age:40:65 with rising bounds, or sex*view."),
    ];
    for (by, sentence) in refused {
        assert_eq!(slices(by), Err(sentence.to_owned()), "{by}");
    }
    assert_eq!(
        divided("sex", &truth, None).expect_err("no table"),
        "Slices: there is no column \"sex\"; expected one of lesion-free, number of lesions, lesion size, or a table of the images \
         with further columns."
    );
    let texts: Vec<String> = (0..truth.n_images()).map(|at| format!("{at},x{at}")).collect();
    let texts = texts.join("\n");
    let one_each = Attributes::csv("m.csv", format!("image,words\n{texts}").as_bytes(), &truth).expect("a table");
    assert_eq!(divided("words", &truth, Some(&one_each)).expect("eight slices").slices().len(), 8);
}

/// Fewer than five lesions on one side give no recall, and no difference of it.
#[test]
fn few_lesions_give_no_recall() {
    let case = support::cases::case("synthetic").expect("it is in tests/golden");
    let (truth, _, run) = load(&case);
    let report = sliced(&truth, &run, &Options::default(), "parity,letter*lesion size", None);
    let mut seen = [0, 0];
    for row in report.slices.iter().flat_map(|division| &division.slices).flat_map(|slice| &slice.rows[1..]) {
        for at in &row.at_rates {
            assert_eq!(at.recall.value.is_none(), row.n_lesions < 5);
            assert!(at.recall_difference.is_none() || row.n_lesions >= 5);
            seen[usize::from(row.n_lesions < 5)] += 1;
        }
    }
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
    let text = String::from_utf8(froc::render::Format::Text.bytes(&report).expect("bytes")).expect("UTF-8");
    assert!(text.contains("too few: fewer than 5 lesions") && text.matches("too few").count() > 10, "{text}");
}

/// A dataset of [`Detector`]s: its images with odd numbers are those of `harder`.
fn mixed(number: u64, easy: Detector, harder: Detector) -> (GroundTruth, Run, Attributes) {
    let class = Protocol::default().class_named("Nodule").expect("a class");
    let (mut images, mut lesions, mut files) = (Vec::new(), Vec::new(), Vec::new());
    let mut detections = Detections::default();
    let mut lines = String::from("image,kind\n");
    for (kind, detector) in [("easy", easy), ("harder", harder)] {
        let (truth, predictions) = detector.dataset(2 * number + u64::from(kind == "easy"));
        let files_of = predictions.files().to_vec();
        for (image, file) in files_of.iter().enumerate() {
            let name = format!("{kind}-{image}");
            lines.extend([name.as_str(), ",", kind, "\n"]);
            let boxes = truth.lesions(class, image).1;
            let place = images.len() as u32;
            lesions.extend(boxes.iter().map(|bbox| Lesion { image: place, class, bbox: (*bbox).into() }));
            let first = detections.len() as u32;
            let of = predictions.detections();
            for at in file.detections.clone().expect("a readable file").map(|at| at as usize) {
                detections.push(class, of.bbox(at), of.score(at));
            }
            files.push(PredictionFile::new(format!("{name}.json"), first..detections.len() as u32));
            images.push(format!("{name}.png"));
        }
    }
    let truth = GroundTruth::new("test.json", String::new(), Protocol::default(), images, &lesions, Vec::new());
    let truth = truth.expect("images");
    let run = Run::new(&truth, &Predictions::new("p.zip", files, detections)).expect("a run");
    let attributes = Attributes::csv("meta.csv", lines.as_bytes(), &truth).expect("a table");
    (truth, run, attributes)
}

/// What each number would be on infinitely many images, at the threshold that a dataset happens to have; then the share of
/// datasets whose interval holds it.
fn coverage(easy: Detector, harder: Detector) -> ([f64; 4], f64) {
    let options = Options::new(0.5, vec![1.0]).expect("a rate");
    let by = By::parse("kind").expect("a column");
    let (n_datasets, mut covered, mut told_apart) = (400_u32, [0_u32; 4], 0_u32);
    let mut seeds = Uniform(7);
    for dataset in 0..n_datasets {
        let (truth, run, attributes) = mixed(u64::from(dataset), easy, harder);
        let division = Division::new(&by[0], &truth, Some(&attributes)).expect("a division");
        let seed = u64::from(seeds.count(u32::MAX - 1));
        let bootstrap = bootstrap(&truth, &run, seed, 250, Groups::images(&truth));
        let report = froc::evaluate(&truth, &[&run], &options);
        let report = report.with_slices(&truth, &[&run], (&by, Some(&attributes), &[division]), Some(&bootstrap));
        let slice = &report.slices[0].slices[1];
        assert_eq!(slice.name, "harder");
        let row = slice.rows.iter().find(|row| row.name == "Nodule").expect("the class of the detector");
        let at = &row.at_rates[0];
        // False positives are uniform in 0..1 in both, so that the threshold tells their number.
        let fp_per_image = 2.0 * (1.0 - f64::from(at.score_threshold.expect("a threshold")));
        let recall = harder.recall(fp_per_image);
        let truths = [recall, fp_per_image, recall - easy.recall(fp_per_image), 0.0];
        for (of, (_, interval, p)) in of_report(at).into_iter().enumerate() {
            let [low, high] = interval.expect("lesions and detections");
            covered[of] += u32::from(low <= truths[of] && truths[of] <= high);
            told_apart += u32::from(of == 2 && p.is_some_and(|p| p < 0.05));
        }
    }
    let share = |n: u32| f64::from(n) / f64::from(n_datasets);
    (covered.map(share), share(told_apart))
}

#[test]
fn intervals_cover_the_truth_as_often_as_they_say_and_p_errs_no_more_often() {
    let detector = Detector { n_images: 120, ..Detector::default() };
    let (alike, wrongly) = coverage(detector, detector);
    let (apart, rightly) = coverage(detector, Detector { found: 0.6, ..detector });
    eprintln!("coverage of the 95 % intervals: {alike:?} and {apart:?}; told apart: {wrongly} and {rightly}");
    for coverage in alike.into_iter().chain(apart) {
        assert!((0.92..=0.975).contains(&coverage), "{coverage}");
    }
    assert!((0.02..=0.08).contains(&wrongly) && rightly > 0.6, "{wrongly} and {rightly}");
}
