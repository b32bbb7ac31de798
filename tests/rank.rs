//! Many runs: ranks, pairs and letters against plain loops, and in the terminal.

use crate::support::made_up::{Detector, Uniform};
use froc::bootstrap::{Row, Statistic};
use froc::dataset::{Detections, PredictionFile};
use froc::rank::{Ranking, least_replicates};
use froc::{Bootstrap, GroundTruth, Groups, Options, Predictions, Resampling, Run};

const BEST: (Row, Statistic) = (Row::Mean, Statistic::Average);

/// A run that finds each lesion with a chance and shows no false positive, so that its true recall is that chance.
fn finder(truth: &GroundTruth, chance: f64, uniform: &mut Uniform) -> Run {
    let mut detections = Detections::default();
    let mut files = Vec::new();
    for image in 0..truth.n_images() {
        let first = detections.len() as u32;
        for class in truth.classes() {
            for bbox in truth.lesions(class, image).1 {
                if uniform.next() < chance {
                    detections.push_named(truth.class_name(class), *bbox, uniform.next() as f32);
                }
            }
        }
        let name = truth.images().iter().nth(image).expect("an image").replace(".png", ".json");
        files.push(PredictionFile::new(name, first..detections.len() as u32));
    }
    Run::new(truth, &Predictions::new("p.zip", files, detections)).expect("a run")
}

fn truth(n_images: u32, number: u64) -> GroundTruth {
    Detector { n_images, ..Detector::default() }.dataset(number).0
}

fn bootstrap(truth: &GroundTruth, runs: &[Run], replicates: u32) -> Bootstrap {
    let resampling = Resampling::new(replicates, 5, 0.95).expect("a resampling");
    let runs: Vec<&Run> = runs.iter().collect();
    let groups = Groups::images(truth);
    let mut bootstrap = Bootstrap::new(truth, &runs, &Options::default(), resampling, groups).expect("groups");
    while !bootstrap.step(1000) {}
    bootstrap
}

fn ranking(bootstrap: &Bootstrap) -> Ranking {
    Ranking::new(bootstrap, BEST.0, BEST.1).expect("lesions")
}

#[test]
fn ranks_pairs_and_letters_are_those_of_plain_loops() {
    let chances = [0.5, 0.52, 0.9, 0.55, 0.86, 0.6, 0.5];
    let mut n_sets = 0;
    for number in 0..4 {
        let truth = truth(80, number);
        let mut uniform = Uniform(number);
        let mut runs: Vec<Run> = chances.iter().map(|chance| finder(&truth, *chance, &mut uniform)).collect();
        runs.push(runs[0].clone());
        let n = runs.len();
        let bootstrap = bootstrap(&truth, &runs, 1500);
        let ranking = ranking(&bootstrap);
        let value = |run: usize| bootstrap.estimate(run, BEST.0, BEST.1).expect("lesions");
        let replicates: Vec<Vec<f64>> =
            (0..n).map(|run| bootstrap.replicates(run, BEST.0, BEST.1).flatten().collect()).collect();
        assert_eq!(replicates[0].len(), 1500);
        assert_eq!(ranking.places.len(), n);
        assert!(ranking.places.windows(2).all(|two| two[0].estimate >= two[1].estimate));
        for place in &ranking.places {
            assert_eq!(place.estimate.to_bits(), value(place.run).to_bits());
            assert_eq!(place.rank, 1 + (0..n).filter(|other| value(*other) > value(place.run)).count());
            let mut ranks: Vec<usize> = (0..1500)
                .map(|at| 1 + (0..n).filter(|run| replicates[*run][at] > replicates[place.run][at]).count())
                .collect();
            ranks.sort_unstable();
            // 2.5 % of the 1499 steps between 1500 ranks are 37.5 of them.
            assert_eq!(place.rank_interval, [ranks[37], ranks[1462]], "run {}", place.run);
        }
        assert_eq!(ranking.pairs.len(), n * (n - 1) / 2);
        for pair in &ranking.pairs {
            let [a, b] = pair.runs;
            assert!((pair.difference.estimate - (value(a) - value(b))).abs() < 1e-15);
            let count =
                |is: fn(f64) -> bool| (0..1500).filter(|at| is(replicates[a][*at] - replicates[b][*at])).count();
            let tail = 1 + count(|d| d <= 0.0).min(count(|d| d >= 0.0));
            let p = (2.0 * tail as f64 / 1501.0).min(1.0);
            assert!((pair.difference.p - p).abs() < 1e-15);
            // Holm by its definition: at every smaller or equal p, it times the number of pairs whose p is not smaller.
            let of = |q: f64| q * ranking.pairs.iter().filter(|other| other.difference.p >= q).count() as f64;
            let smaller = ranking.pairs.iter().map(|other| other.difference.p).filter(|q| *q <= p + 1e-15);
            let p_holm = smaller.map(|q| of(q).min(1.0)).fold(0.0, f64::max);
            assert!((pair.p_holm - p_holm).abs() < 1e-12, "{} {p_holm}", pair.p_holm);
            assert_eq!(pair.is_told_apart(), p_holm < 0.05);
        }
        // Of all subsets, those in which no two are told apart and to which none can be added.
        let is_apart = |a: usize, b: usize| {
            ranking.pairs.iter().any(|pair| pair.is_told_apart() && (pair.runs == [a, b] || pair.runs == [b, a]))
        };
        let holds = |set: u32, run: usize| set & 1 << run != 0;
        let is_free = |set: u32, run: usize| (0..n).all(|other| !holds(set, other) || !is_apart(run, other));
        let is_maximal = |set: &u32| (0..n).all(|run| holds(*set, run) == is_free(*set, run));
        let mut expected: Vec<u32> = (1..1 << n).filter(is_maximal).collect();
        let mut letters: Vec<&String> = ranking.places.iter().flat_map(|place| &place.letters).collect();
        letters.sort();
        letters.dedup();
        let set = |letter: &String| -> u32 {
            ranking.places.iter().filter(|place| place.letters.contains(letter)).map(|place| 1 << place.run).sum()
        };
        let mut sets: Vec<u32> = letters.iter().map(|letter| set(letter)).collect();
        n_sets += sets.len();
        sets.sort_unstable();
        expected.sort_unstable();
        assert_eq!(sets, expected);
        assert!(ranking.places[0].letters.contains(&"a".to_owned()), "letters begin with the best run");
    }
    assert!(n_sets > 8, "{n_sets} sets: the runs are told apart too rarely to try letters");
}

#[test]
fn equal_runs_share_rank_and_letter() {
    let truth = truth(60, 1);
    let run = finder(&truth, 0.6, &mut Uniform(3));
    let ranking = ranking(&bootstrap(&truth, &[run.clone(), run], 200));
    for place in &ranking.places {
        assert_eq!((place.rank, place.rank_interval, &place.letters[..]), (1, [1, 1], &["a".to_owned()][..]));
    }
    assert!((ranking.pairs[0].p_holm - 1.0).abs() < f64::EPSILON);
}

#[test]
fn the_least_replicates_are_just_enough() {
    let truth = truth(100, 2);
    let mut uniform = Uniform(9);
    // Steps so wide that every replicate has the same order.
    let runs: Vec<Run> = [0.1, 0.4, 0.7, 1.0].map(|chance| finder(&truth, chance, &mut uniform)).into();
    let n_told_apart = |replicates| {
        let ranking = ranking(&bootstrap(&truth, &runs, replicates));
        ranking.pairs.iter().filter(|pair| pair.is_told_apart()).count()
    };
    let least = least_replicates(runs.len());
    assert_eq!((n_told_apart(least), n_told_apart(least - 1)), (6, 0));
}

/// The true rank lies within the interval in at least 92 % of made-up datasets. Above 97 % is no fault here: ranks are whole
/// numbers, so an interval holds more than its level.
#[test]
fn rank_intervals_cover_the_true_rank() {
    let chances = [0.6, 0.65, 0.7, 0.75];
    let (mut covered, mut width, mut n) = (0_u32, 0, 0_u32);
    for number in 0..250 {
        let truth = truth(100, 1000 + number);
        let mut uniform = Uniform(77 + number);
        let runs: Vec<Run> = chances.iter().map(|chance| finder(&truth, *chance, &mut uniform)).collect();
        for place in ranking(&bootstrap(&truth, &runs, 400)).places {
            let [low, high] = place.rank_interval;
            covered += u32::from((low..=high).contains(&(chances.len() - place.run)));
            width += high - low;
            n += 1;
        }
    }
    let coverage = f64::from(covered) / f64::from(n);
    assert!(coverage >= 0.92, "{coverage}");
    // An interval of all ranks would cover, too.
    assert!(width < 3 * n as usize * 9 / 10, "mean width {}", width as f64 / f64::from(n));
}

#[cfg(feature = "cli")]
mod terminal {
    use std::process::{Command, Output};

    use serde_json::Value;

    fn rank(arguments: &[&str]) -> Output {
        let case = crate::support::cases::case("synthetic").expect("it is in tests/golden");
        let path = |name: &str| case.join(name).to_string_lossy().into_owned();
        let (truth, run) = (path("test.json"), path("predictions.zip"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_froc"));
        command.args(["rank", "--ground-truth", &truth]).args(arguments);
        command.args([&run, &run]).output().expect("the program runs")
    }

    #[test]
    fn rank_prints_places_and_pairs_in_every_format() {
        let json: Value =
            serde_json::from_slice(&rank(&["--bootstrap", "60", "--format", "json"]).stdout).expect("JSON");
        let places = json["ranking"]["places"].as_array().expect("places");
        assert_eq!(places.len(), 2);
        let average = &json["runs"][0]["exact"]["average_recall"];
        assert!(average.is_f64());
        for place in places {
            assert_eq!(&place["average_recall"]["value"], average);
            assert_eq!((&place["rank"], &place["letters"]), (&1.into(), &serde_json::json!(["a"])));
        }
        assert_eq!(json["options"]["bootstrap"]["replicates"], 60);
        let shown = format!("{:.2}", 100.0 * average.as_f64().expect("a number"));
        for format in froc::render::Format::ALL {
            let output = rank(&["--bootstrap", "60", "--format", format.name()]);
            assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
            let text = String::from_utf8(output.stdout).expect("UTF-8");
            match format.name() {
                // The citation has the runs, not their order.
                "json" => {}
                "cite" => assert!(!text.contains("Intervals are percentiles"), "{text}"),
                "csv" => {
                    let pairs: Vec<&str> =
                        text.lines().filter(|line| line.contains(",exact_pair_average_recall_")).collect();
                    assert_eq!(pairs.len(), 4, "{text}");
                    assert!(text.contains(",exact_rank,,0.5,1,1,1,"), "{text}");
                }
                name => {
                    assert!(text.contains("Runs by exact average recall") && text.contains(&shown), "{name}: {text}");
                    assert!(text.contains("Each run minus each other"), "{name}: {text}");
                    // They stand in the ranking, not in the table of recall.
                    assert!(!text.contains("intervals of exact recall"), "{name}: {text}");
                }
            }
        }
    }

    #[test]
    fn too_few_replicates_are_told_and_the_default_is_enough() {
        let text = |arguments: &[&str]| String::from_utf8(rank(arguments).stdout).expect("UTF-8");
        let told =
            "replicates are too few to tell all pairs of 2 runs apart, whatever their scores; expected at least 40.";
        assert!(text(&["--bootstrap", "39"]).contains(told));
        assert!(!text(&["--bootstrap", "40"]).contains("too few"));
        assert!(!text(&[]).contains("too few"));
    }

    #[test]
    fn one_run_cannot_be_ranked() {
        let case = crate::support::cases::case("synthetic").expect("it is in tests/golden");
        let mut session = froc::session::Session::default();
        for name in ["test.json", "predictions.zip"] {
            session.add_path(name, &case.join(name)).expect("a file");
        }
        let error = session
            .evaluate_with_ranking(&froc::Options::default(), &froc::session::ResamplingOptions::default())
            .expect_err("one run");
        assert_eq!(error.to_string(), "Ranking: there is 1 run to rank; expected at least two.");
    }
}
