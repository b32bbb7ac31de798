//! Replicates per second: `cargo bench --bench bootstrap`. One item is one replicate of ten classes and the pooled row.
//!
//! The goal, on the golden case `dense` (from `GOLDEN_DIR`, else `../shared/golden`): 2,000 replicates in at most 100 ms.

#[path = "../common/mod.rs"]
mod common;

use common::made_up::Detector;
use common::{case, load};
use froc::bootstrap::{Bootstrap, Row, Statistic};
use froc::protocol::Protocol;
use froc::{GroundTruth, Groups, Options, Resampling, Run};

const REPLICATES: u32 = 2000;

fn main() {
    coverage();
    divan::main();
}

fn bootstrap(truth: &GroundTruth, runs: &[&Run], rates: &[f64]) -> Bootstrap {
    let options = Options::new(0.5, rates.to_vec()).expect("rising rates");
    let resampling = Resampling::new(REPLICATES, 1, 0.95).expect("a resampling");
    Bootstrap::new(truth, runs, &options, resampling, Groups::images(truth)).expect("groups of these images")
}

/// Everything but reading and matching: preparing, drawing, counting, and the intervals of all classes.
fn whole(mut bootstrap: Bootstrap) -> usize {
    while !bootstrap.step(REPLICATES) {}
    let rows = Protocol::default().classes().map(Row::Class).chain([Row::Mean, Row::Pooled]);
    let statistics = || (0..bootstrap.fp_per_image().len()).map(Statistic::Recall).chain([Statistic::Average]);
    rows.flat_map(|row| statistics().map(move |statistic| (row, statistic)))
        .filter(|(row, statistic)| bootstrap.interval(0, *row, *statistic).is_some())
        .count()
}

/// 2,000 replicates, ten classes and all pooled, three rates, intervals included.
#[divan::bench(args = ["dense", "strong", "synthetic"])]
fn replicates(bencher: divan::Bencher, name: &str) {
    let Some(case) = case(name) else { return };
    let (truth, _, run) = load(&case);
    bencher
        .counter(divan::counter::ItemsCount::new(REPLICATES))
        .with_inputs(|| bootstrap(&truth, &[&run], &[0.05, 0.1, 0.2]))
        .bench_local_values(whole);
}

/// The same with preparing, from a run that is matched.
#[divan::bench(args = ["dense"])]
fn prepared_and_replicated(bencher: divan::Bencher, name: &str) {
    let Some(case) = case(name) else { return };
    let (truth, _, run) = load(&case);
    bencher
        .counter(divan::counter::ItemsCount::new(REPLICATES))
        .bench_local(|| whole(bootstrap(&truth, &[&run], &[0.05, 0.1, 0.2])));
}

/// Rates up to 8 an image, where nearly the whole ranking is walked.
#[divan::bench(args = ["dense"])]
fn seven_rates(bencher: divan::Bencher, name: &str) {
    let Some(case) = case(name) else { return };
    let (truth, _, run) = load(&case);
    bencher
        .counter(divan::counter::ItemsCount::new(REPLICATES))
        .with_inputs(|| bootstrap(&truth, &[&run], &[0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0]))
        .bench_local_values(whole);
}

/// Coverage of the 95 % interval of the average over many simulated datasets; `tests/bootstrap.rs` has a smaller one.
fn coverage() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let rates = [0.2, 0.5, 1.0];
    for n_images in [100, 150, 300] {
        let detector = Detector { n_images, ..Detector::default() };
        let value = rates.iter().map(|rate| detector.recall(*rate)).sum::<f64>() / rates.len() as f64;
        let n_datasets = 1000_u32;
        let covers = |dataset: &u32| {
            let (truth, predictions) = detector.dataset(u64::from(*dataset));
            let run = Run::new(&truth, &predictions).expect("a run");
            let mut bootstrap = bootstrap(&truth, &[&run], &rates);
            while !bootstrap.step(REPLICATES) {}
            let interval = bootstrap.interval(0, Row::Mean, Statistic::Average).expect("lesions");
            (interval.ends[0]..=interval.ends[1]).contains(&value)
        };
        let covered = (0..n_datasets).filter(covers).count();
        println!("{n_images} images: {covered} of {n_datasets} intervals hold the true average");
    }
}
