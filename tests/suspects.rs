//! Suspects in the ground truth: against section 17 as plain loops, marks, and the corrected ground truth.
#![allow(clippy::float_cmp)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::Path;

use froc::geometry::FileBox;
use froc::render::suspects::SuspectsFormat;
use froc::report::suspects::{SuspectsReport, UnderBothReport};
use froc::session::{Session, SessionFile};
use froc::suspects::{Mark, Suspect};
use froc::{GroundTruth, Options, Report};
use serde_json::{Value, json};

use crate::oracle::reference::{
    Dataset, Image, Undefined, Verdict, detections_of, exact, iou, lesions_of, points, rank, verdicts,
};
use crate::support;
use crate::support::cases::cases;
use crate::support::made_up::Uniform;
use crate::support::{CLASSES, ground_truth_json, score, zip_of};

const KINDS: [&str; 3] = ["missing", "wrong_label", "box_off"];

/// A suspect in numbers: run and rank of each detection, and how many runs find the lesion.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    kind: usize,
    image: usize,
    class: usize,
    /// Its class and its place among those of it.
    lesion: Option<(usize, usize)>,
    n_finding: Option<usize>,
    bbox: [f32; 4],
    seen: Vec<(usize, usize)>,
}

/// A false positive that may mean something.
#[derive(Debug, Clone, Copy)]
struct Seen {
    run: usize,
    rank: usize,
    bbox: [f32; 4],
    /// Image, class, kind and lesion.
    about: (usize, usize, usize, Option<(usize, usize)>),
}

/// Section 17 as plain loops: runs over the same lesions.
fn expected(runs: &[Dataset], iou_threshold: f64, rate: f64) -> Vec<Row> {
    let n_images = runs[0].images.len();
    let lesions: Vec<Vec<Vec<[f32; 4]>>> = (0..CLASSES.len()).map(|class| lesions_of(&runs[0], class)).collect();
    let mut found: Vec<(usize, usize, usize, usize)> = Vec::new();
    let mut wrong: Vec<(usize, usize, usize, usize, [f32; 4])> = Vec::new();
    for (run, dataset) in runs.iter().enumerate() {
        for (class, lesions) in lesions.iter().enumerate() {
            let detections = detections_of(dataset, class);
            let ranking = rank(&detections);
            let verdicts = verdicts(&detections, &ranking, lesions, iou_threshold, 1.0, Undefined::IsZero);
            let scores: Vec<f32> = ranking.iter().map(|at| detections[*at].score).collect();
            let hits: Vec<bool> = verdicts.iter().map(|verdict| verdict.is_true_positive()).collect();
            let Some(threshold) = exact(&points(&scores, &hits), n_images, rate).threshold else { continue };
            for (place, at) in ranking.iter().enumerate().filter(|(place, _)| scores[*place] >= threshold) {
                match verdicts[place] {
                    Verdict::Found(image, lesion) => found.push((run, class, image, lesion)),
                    Verdict::Nothing => {
                        wrong.push((run, class, place + 1, detections[*at].image, detections[*at].bbox));
                    }
                    Verdict::Again(..) | Verdict::Undefined => {}
                }
            }
        }
    }
    let mut all_seen: Vec<Seen> = Vec::new();
    for (run, class, rank, image, bbox) in wrong {
        let (mut own, mut other): ((f32, usize), (f32, usize, usize)) = ((0.0, 0), (0.0, 0, 0));
        for (of, lesions) in lesions.iter().enumerate() {
            for (place, lesion) in lesions[image].iter().enumerate() {
                let overlap = iou(bbox, *lesion, 1.0);
                if of == class && overlap > own.0 {
                    own = (overlap, place);
                }
                if of != class && overlap > other.0 {
                    other = (overlap, of, place);
                }
            }
        }
        let (kind, lesion) = match () {
            () if other.0 >= 0.5 => (1, Some((other.1, other.2))),
            () if own.0 >= 0.1 && found.contains(&(run, class, image, own.1)) => continue,
            () if own.0 >= 0.1 => (2, Some((class, own.1))),
            () if other.0 >= 0.1 => continue,
            () => (0, None),
        };
        all_seen.push(Seen { run, rank, bbox, about: (image, class, kind, lesion) });
    }
    let questions: BTreeSet<_> = all_seen.iter().map(|seen| seen.about).collect();
    let mut rows = Vec::new();
    for about in questions {
        let mut left: Vec<Seen> = all_seen.iter().copied().filter(|seen| seen.about == about).collect();
        left.sort_by(|a, b| {
            a.rank.cmp(&b.rank).then(a.bbox.partial_cmp(&b.bbox).expect("numbers")).then(a.run.cmp(&b.run))
        });
        let mut agreed: Vec<Vec<Seen>> = Vec::new();
        while !left.is_empty() {
            let mut group = vec![left.remove(0)];
            let mut at = 0;
            while at < left.len() {
                if group.iter().all(|one| one.run != left[at].run && iou(one.bbox, left[at].bbox, 1.0) >= 0.5) {
                    group.push(left.remove(at));
                } else {
                    at += 1;
                }
            }
            agreed.push(group);
        }
        agreed.retain(|group| group.len() >= 2);
        agreed.sort_by_key(|group| (usize::MAX - group.len(), group.iter().map(|seen| seen.rank).sum::<usize>()));
        let (image, class, kind, lesion) = about;
        let mut kept: Vec<[f32; 4]> = Vec::new();
        for group in agreed {
            let bbox = group[0].bbox;
            if (lesion.is_some() && !kept.is_empty()) || kept.iter().any(|other| iou(*other, bbox, 1.0) >= 0.5) {
                continue;
            }
            kept.push(bbox);
            let finding = |(of, place)| found.iter().filter(|it| (it.1, it.2, it.3) == (of, image, place)).count();
            let seen = group.iter().map(|seen| (seen.run, seen.rank)).collect();
            rows.push(Row { kind, image, class, lesion, n_finding: lesion.map(finding), bbox, seen });
        }
    }
    rows.sort_by_key(|row| (usize::MAX - row.seen.len(), row.seen.iter().map(|(_, rank)| rank).sum::<usize>()));
    rows
}

fn f32s(bbox: [f64; 4]) -> [f32; 4] {
    bbox.map(|corner| corner as f32)
}

fn class_of(name: &str) -> usize {
    CLASSES.iter().position(|class| *class == name).expect("one of the ten")
}

fn row(suspect: &Suspect) -> Row {
    let lesion = suspect.lesion.as_ref();
    Row {
        kind: KINDS.iter().position(|kind| *kind == suspect.kind.id()).expect("a kind"),
        image: suspect.image as usize,
        class: class_of(&suspect.class),
        lesion: lesion.map(|lesion| (class_of(&lesion.class), lesion.place as usize)),
        n_finding: lesion.map(|lesion| lesion.n_finding),
        bbox: f32s(suspect.bbox),
        seen: suspect.detections.iter().map(|seen| (seen.run, seen.rank as usize)).collect(),
    }
}

/// Two to four runs over the same few images. What they detect lies on lesions, some of which all of them see elsewhere or as another class,
/// and on two other places.
fn made_up(number: u64) -> Vec<Dataset> {
    const USED: [usize; 3] = [0, 3, 9];
    let mut uniform = Uniform(number.wrapping_mul(0x0001_0000_0001_b3a5) + 7);
    let mut places: Vec<Vec<(usize, [f64; 4])>> = Vec::new();
    let mut images: Vec<Image> = Vec::new();
    for _ in 0..=uniform.count(5) {
        let (mut lesions, mut seen) = (Vec::new(), Vec::new());
        for _ in 0..uniform.count(3) + 2 {
            let [x, y] = [(); 2].map(|()| f64::from(uniform.count(6) * 12));
            let [width, height] = [(); 2].map(|()| f64::from(15 + uniform.count(2) * 6));
            let lesion = (USED[uniform.count(2) as usize], [x, y, x + width, y + height]);
            let other = USED[uniform.count(2) as usize];
            let moved = f64::from(uniform.count(14));
            seen.push(match uniform.count(3) {
                0 => (other, lesion.1),
                1 => (lesion.0, lesion.1.map(|corner| corner + moved)),
                _ => lesion,
            });
            lesions.push(lesion);
        }
        lesions.truncate(seen.len() - 2);
        images.push(Image { lesions, file: None });
        places.push(seen);
    }
    let n_runs = 2 + uniform.count(2);
    let run = |uniform: &mut Uniform| {
        let mut dataset = Dataset { images: images.clone() };
        for (image, places) in dataset.images.iter_mut().zip(&places) {
            let detections = (0..uniform.count(6)).map(|_| {
                let (class, bbox) = places[uniform.count(places.len() as u32 - 1) as usize];
                let class = if uniform.next() < 0.9 { class } else { USED[uniform.count(2) as usize] };
                let reach = [0, 2, 6][uniform.count(2) as usize];
                let [x1, y1, x2, y2] = bbox.map(|corner| corner + f64::from(uniform.count(reach)));
                // A corner swapped now and then.
                let [x1, x2] = if uniform.next() < 0.03 { [x2, x1] } else { [x1, x2] };
                let score = f64::from(1 + uniform.count(8)) / 10.0;
                vec![(CLASSES[class].to_owned(), [x1, y1, x2, y2, score])]
            });
            image.file = Some(detections.collect());
        }
        dataset
    };
    (0..n_runs).map(|_| run(&mut uniform)).collect()
}

/// A session with these files: the ground truth and runs that are called by their numbers.
fn session_of(truth: (&str, &[u8]), runs: &[Vec<u8>]) -> Session {
    let mut session = Session::default();
    let mut add = |name: &str, bytes: &[u8]| {
        session.add(name, name, Cursor::new(bytes.to_vec()), &mut |_| ControlFlow::Continue(())).expect("a sound file");
    };
    add(truth.0, truth.1);
    for (at, run) in runs.iter().enumerate() {
        add(&format!("{at}.zip"), run);
    }
    session
}

fn files_of(runs: &[Dataset]) -> (Vec<u8>, Vec<Vec<u8>>) {
    (runs[0].ground_truth(), runs.iter().map(Dataset::predictions).collect())
}

/// What each of the made-up datasets is looked at with.
fn options_of(number: u64) -> Options {
    let mut uniform = Uniform(number + 1);
    let lowest = [0.3, 0.6, 1.0, 2.0][uniform.count(3) as usize];
    let iou_threshold = [0.5, 0.5, 0.3, 0.7][uniform.count(3) as usize];
    Options::new(iou_threshold, vec![lowest, 4.0]).expect("options")
}

/// What section 17 forbids, straight from its words.
fn check(suspect: &Suspect, truth: &Dataset) {
    let (row, lesions) = (row(suspect), &truth.images[suspect.image as usize].lesions);
    let boxes: Vec<[f32; 4]> = suspect.detections.iter().map(|seen| f32s(seen.bbox)).collect();
    let runs: BTreeSet<usize> = suspect.detections.iter().map(|seen| seen.run).collect();
    assert!(boxes.len() >= 2 && runs.len() == boxes.len() && boxes[0] == row.bbox, "{suspect:?}");
    for (at, one) in boxes.iter().enumerate() {
        assert!(boxes[at + 1..].iter().all(|other| iou(*one, *other, 1.0) >= 0.5), "{suspect:?}");
        match row.lesion {
            None => assert!(lesions.iter().all(|(_, lesion)| iou(*one, f32s(*lesion), 1.0) < 0.1), "{suspect:?}"),
            Some((class, place)) => {
                let of_class = lesions.iter().filter(|(of, _)| *of == class);
                let overlap = iou(*one, f32s(of_class.map(|(_, bbox)| *bbox).nth(place).expect("a lesion")), 1.0);
                let least = if row.kind == 1 { 0.5 } else { 0.1 };
                assert!(overlap >= least && (class == row.class) == (row.kind == 2), "{suspect:?}");
            }
        }
    }
}

#[test]
fn plain_loops_find_the_same_suspects_in_any_order_of_runs() {
    let mut n_of_kind = [0; 3];
    let mut n_several = 0;
    for number in 0..400 {
        let (mut runs, options) = (made_up(number), options_of(number));
        let find = |runs: &[Dataset]| {
            let (truth, zips) = files_of(runs);
            session_of(("test.json", &truth), &zips).suspects(&options).expect("runs").suspects
        };
        let found = find(&runs);
        let rows: Vec<Row> = found.iter().map(row).collect();
        assert_eq!(rows, expected(&runs, options.iou_threshold(), options.fp_per_image()[0]), "dataset {number}");
        for suspect in &found {
            check(suspect, &runs[0]);
            n_of_kind[row(suspect).kind] += 1;
            n_several += usize::from(suspect.detections.len() > 2);
        }
        let ids: Vec<&str> = found.iter().map(|suspect| suspect.id.as_str()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "dataset {number}");
        runs.reverse();
        let again = find(&runs);
        assert_eq!(again.iter().map(|suspect| suspect.id.as_str()).collect::<Vec<_>>(), ids, "dataset {number}");
    }
    assert!(n_of_kind.iter().chain([&n_several]).all(|n| *n >= 50), "{n_of_kind:?}, {n_several} of three runs or more");
}

/// A golden case as the plain loops take it.
fn golden(case: &Path) -> Dataset {
    let json = |bytes: &[u8]| -> Value { serde_json::from_slice(bytes).expect("JSON") };
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let numbers =
        |value: &Value| list(value).iter().map(|number| number.as_f64().expect("a number")).collect::<Vec<_>>();
    let mut zip =
        zip::ZipArchive::new(std::fs::File::open(case.join("predictions.zip")).expect("a zip")).expect("a zip");
    let names: Vec<String> = zip.file_names().map(|name| name.expect("a name").into_owned()).collect();
    let image = |record: &Value| {
        let boxes =
            list(&record["boxes"]).iter().map(|bbox| numbers(bbox).try_into().expect("corners")).collect::<Vec<_>>();
        let syms = list(&record["syms"]);
        // The script leaves out other spellings.
        let class = |sym: &Value| CLASSES.iter().position(|class| sym == class);
        let lesions = syms.iter().zip(boxes).filter_map(|(sym, bbox)| Some((class(sym)?, bbox)));
        let file = record["file_name"].as_str().expect("a name").replace(".png", ".json");
        let path = names.iter().find(|name| name.rsplit('/').next() == Some(&file));
        let entries = path.map(|path| {
            let mut bytes = Vec::new();
            std::io::copy(&mut zip.by_name(path).expect("a file"), &mut bytes).expect("memory");
            if bytes.is_empty() { Value::Array(Vec::new()) } else { json(&bytes) }
        });
        let entry = |entry: &Value| {
            let object = entry.as_object().expect("an object").iter();
            let read = object.filter_map(|(key, value)| {
                let is_read = CLASSES.iter().any(|class| class == key || class.to_ascii_lowercase() == *key);
                is_read.then(|| (key.clone(), numbers(value).try_into().expect("a box")))
            });
            read.collect()
        };
        Image { lesions: lesions.collect(), file: entries.map(|entries| list(&entries).iter().map(entry).collect()) }
    };
    Dataset {
        images: list(&json(&std::fs::read(case.join("test.json")).expect("a ground truth")))
            .iter()
            .map(image)
            .collect(),
    }
}

/// All golden cases with one ground truth, as runs of one session.
#[test]
fn golden_cases_with_one_ground_truth_have_the_suspects_of_the_plain_loops() {
    let mut of_truth: BTreeMap<Vec<u8>, Vec<std::path::PathBuf>> = BTreeMap::new();
    for case in cases() {
        let truth = std::fs::read(case.join("test.json")).expect("a ground truth");
        of_truth.entry(truth).or_default().push(case);
    }
    let mut n_found = 0;
    for (truth, cases) in of_truth.iter().filter(|(_, cases)| cases.len() > 1) {
        let zips: Vec<Vec<u8>> =
            cases.iter().map(|case| std::fs::read(case.join("predictions.zip")).expect("a zip")).collect();
        let options = Options::new(0.5, vec![0.2]).expect("options");
        let runs: Vec<Dataset> = cases.iter().map(|case| golden(case)).collect();
        let found = session_of(("test.json", truth), &zips).suspects(&options).expect("runs").suspects;
        assert_eq!(found.iter().map(row).collect::<Vec<_>>(), expected(&runs, 0.5, 0.2), "{cases:?}");
        n_found += found.len();
    }
    assert!(n_found > 0, "tests/golden holds two cases with one ground truth");
}

/// Three images: the first has a Nodule that both runs draw lower, the second a Mass that both call a Nodule, the third nothing where
/// three see an Effusion. Another box of one run alone stands in each, and the third run sees the Mass.
fn by_hand() -> (Vec<u8>, Vec<Vec<u8>>) {
    let truth = ground_truth_json([
        ("1.png", &[(3, [10.0, 10.0, 49.0, 49.0])][..]),
        ("2.png", &[(0, [0.0, 0.0, 9.0, 9.0]), (4, [100.0, 100.0, 149.0, 149.0])][..]),
        ("3.png", &[][..]),
    ]);
    let one = [
        ("1.json", r#"[{"Nodule": [10, 30, 49, 69, 0.9]}, {"Fracture": [500, 500, 599, 599, 0.9]}]"#),
        ("2.json", r#"[{"Nodule": [100, 100, 149, 149, 0.8]}]"#),
        ("3.json", r#"[{"Effusion": [200, 200, 299, 299, 0.7]}]"#),
    ];
    let two = [
        ("1.json", r#"[{"Nodule": [10, 32, 49, 71, 90]}]"#),
        ("2.json", r#"[{"Nodule": [100, 104, 149, 153, 95]}, {"Fracture": [0, 200, 99, 299, 10]}]"#),
        ("3.json", r#"[{"Effusion": [200, 210, 299, 309, 70.5]}]"#),
    ];
    let three = [
        ("2.json", r#"[{"Mass": [100, 100, 149, 149, 0.6]}]"#),
        ("3.json", r#"[{"Effusion": [190, 200, 289, 299, 0.5]}, {"Fracture": [0, 0, 99, 99, 0.4]}]"#),
    ];
    (truth, vec![zip_of(&one), zip_of(&two), zip_of(&three)])
}

fn by_hand_options() -> Options {
    Options::new(0.5, vec![1.0, 2.0]).expect("options")
}

fn csv_of(session: &mut Session, options: &Options) -> String {
    let bytes = session.export_suspects(SuspectsFormat::Csv, options).expect("a list");
    String::from_utf8(bytes).expect("UTF-8")
}

/// The ids in the order of the list.
fn ids(csv: &str) -> Vec<String> {
    csv.lines().skip(1).map(|line| line.rsplit(',').next().expect("a field").to_owned()).collect()
}

#[test]
fn a_table_by_hand() {
    let (truth, zips) = by_hand();
    let csv = csv_of(&mut session_of(("test.json", &truth), &zips), &by_hand_options());
    // Of the Nodule: 40 columns and 20 rows of both, of 40 * 60 in all; 20 / 60. The second run's box has rank 2, since that on the Mass scores 95.
    let third = 1.0_f32 / 3.0;
    let expected = [
        "mark,kind,image,class,box,lesion,lesion_box,iou,n_finding,runs,ranks,scores,id".to_owned(),
        ",missing,3.png,Effusion,190 200 289 299,,,,,2.zip; 0.zip; 1.zip,1; 1; 1,0.5; 0.7; 70.5,".to_owned(),
        ",box_off,1.png,Nodule,10 30 49 69,Nodule,10 10 49 49,ID"
            .replace("ID", &format!("{third},0,0.zip; 1.zip,1; 2,0.9; 90,")),
        ",wrong_label,2.png,Nodule,100 104 149 153,Mass,100 100 149 149,IOU,1,1.zip; 0.zip,1; 2,95; 0.8,"
            .replace("IOU", &(46.0_f32 * 50.0 / (54.0 * 50.0)).to_string()),
    ];
    let without_ids: Vec<&str> =
        csv.lines().map(|line| line.split_at(line.rfind(',').expect("fields") + 1).0).collect();
    assert_eq!(without_ids[1..], expected[1..]);
    assert_eq!(csv.lines().next(), Some(expected[0].as_str()));
    for (id, kind) in ids(&csv).iter().zip(["missing", "box_off", "wrong_label"]) {
        let digits = id.strip_prefix(kind).and_then(|rest| rest.strip_prefix('-')).expect("the kind");
        assert!(digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    }
}

#[test]
fn one_run_alone_and_a_rate_below_one_false_positive_give_none_and_say_why() {
    let (truth, zips) = by_hand();
    let because = |zips: &[Vec<u8>], options: &Options| {
        let report = session_of(("test.json", &truth), zips).suspects(options).expect("a run");
        assert_eq!(report.suspects, []);
        report.none_because.expect("a sentence")
    };
    assert_eq!(because(&zips[..1], &by_hand_options()), "There is one run: a suspect is what at least two agree on.");
    let rare = because(&zips, &Options::default());
    assert_eq!(
        rare,
        "0.05 false positives per image are less than one in 3 images, so none is looked at: let the lowest rate be higher."
    );
    let none = session_of(("test.json", &truth), &[]).suspects(&Options::default()).expect_err("no run");
    assert_eq!(none.place(), "runs");
}

#[test]
fn marks_survive_another_order_of_runs_and_the_session_file_and_count_where_their_suspects_are() {
    let ((truth, zips), options) = (by_hand(), by_hand_options());
    let mut session = session_of(("test.json", &truth), &zips);
    let ids = ids(&csv_of(&mut session, &options));
    session.mark_suspect(&ids[0], Some(Mark::Wrong));
    session.mark_suspect(&ids[1], Some(Mark::Right));
    session.mark_suspect(&ids[2], Some(Mark::Right));
    session.mark_suspect(&ids[2], None);
    session.mark_suspect("missing-0123456789abcdef", Some(Mark::Wrong));
    let report = session.suspects(&options).expect("runs");
    assert_eq!(
        report.suspects.iter().map(|one| one.mark).collect::<Vec<_>>(),
        [Some(Mark::Wrong), Some(Mark::Right), None]
    );
    let counts: Vec<_> = report.counts.iter().map(|of| (of.kind.id(), of.n, of.n_right, of.n_wrong)).collect();
    assert_eq!(counts, [("missing", 1, 0, 1), ("wrong_label", 1, 0, 0), ("box_off", 1, 1, 0)]);
    assert_eq!((report.n_marks_elsewhere, report.corrections.as_ref().map(|of| of.n_corrections)), (1, Some(1)));

    session.evaluate(&options);
    let bytes = session.save("", None).expect("a score").bytes().expect("bytes");
    let saved = SessionFile::read("s.froc.json", &bytes).expect("a session");
    assert!(!String::from_utf8_lossy(&bytes).contains(".png"), "{}", String::from_utf8_lossy(&bytes));
    let mut again = Session::default();
    for (name, bytes) in [("2.zip", &zips[2]), ("0.zip", &zips[0]), ("test.json", &truth), ("1.zip", &zips[1])] {
        again.add(name, name, Cursor::new(bytes.clone()), &mut |_| ControlFlow::Continue(())).expect("a sound file");
    }
    again.suspects(&options).expect("runs");
    again.restore(&saved).expect("the same files");
    assert_eq!(again.suspects(&options).expect("runs"), report);
    assert_eq!(again.save("", None).expect_err("no score yet").place(), "session");
    again.evaluate(&options);
    assert_eq!(again.save("", None).expect("a score").bytes().expect("bytes"), bytes);

    // Of other options the suspects are others; back again, they are marked.
    let strict = again.suspects(&Options::default()).expect("runs");
    assert_eq!((strict.suspects.len(), strict.n_marks_elsewhere), (0, 3));
    assert_eq!(again.suspects(&options).expect("runs"), report);
    // A session without marks says nothing of them, and takes those that there are away.
    let mut unmarked = session_of(("test.json", &truth), &zips);
    unmarked.evaluate(&options);
    let unmarked = unmarked.save("", None).expect("a score");
    assert!(!String::from_utf8(unmarked.bytes().expect("bytes")).expect("UTF-8").contains("marks"));
    again.restore(&unmarked).expect("the same files");
    assert_eq!(again.suspects(&options).expect("runs").n_marks_elsewhere, 0);
}

#[test]
fn a_table_that_a_person_filled_in_is_read_back_and_a_bad_one_ends_as_a_sentence() {
    let ((truth, zips), options) = (by_hand(), by_hand_options());
    let mut session = session_of(("test.json", &truth), &zips);
    let csv = csv_of(&mut session, &options);
    let ids = ids(&csv);
    let filled = csv.lines().zip(["", "wrong", "", "right"]).map(|(line, mark)| [mark, line, "\n"].concat());
    let filled = filled.collect::<Vec<_>>().concat();
    session.read_marks("marks.csv", filled.as_bytes(), &options).expect("marks");
    assert_eq!(csv_of(&mut session, &options), filled);
    // As spreadsheets save it, with other columns and lines.
    let other = format!("sep=;\r\nId;note;Mark\r\n{};no;Wrong\r\n{};;RIGHT\r\nmissing-0;;\r\n", ids[1], ids[0]);
    session.read_marks("marks.csv", other.as_bytes(), &options).expect("marks");
    let marks: Vec<_> = session.suspects(&options).expect("runs").suspects.iter().map(|one| one.mark).collect();
    assert_eq!(marks, [Some(Mark::Right), Some(Mark::Wrong), Some(Mark::Right)]);

    let [first, second, _] = &ids[..] else { panic!("three suspects") };
    let bad = [
        (format!("id,mark\n{first},right\nmissing-0,wrong\n"), "line 2 after the header: \"missing-0\" is marked, and is no suspect; expected the id of a suspect in these files under these options; list them anew.".to_owned()),
        (format!("mark,id\nperhaps,{second}\n"), format!("line 1 after the header: the mark of \"{second}\" is \"perhaps\"; expected right or wrong, as the ground truth is, or nothing.")),
        (format!("mark,id\nright,{first}\n,{second}\n,{first}\n"), format!("line 3 after the header: \"{first}\" stands further up, too; expected each suspect once.")),
    ];
    for (table, sentence) in bad {
        let error = session.read_marks("marks.csv", table.as_bytes(), &options).expect_err("a bad table");
        assert_eq!(error.to_string(), format!("marks.csv, {sentence}"));
    }
    let error = session.read_marks("marks.csv", b"image,mark\n1.png,right\n", &options).expect_err("no ids");
    assert_eq!(
        error.to_string(),
        "marks.csv: its columns are image, mark; expected those that froc suspects --format csv writes, id and mark among them."
    );
    let unchanged: Vec<_> = session.suspects(&options).expect("runs").suspects.iter().map(|one| one.mark).collect();
    assert_eq!(unchanged, marks);
    // The list is no ground truth, whatever it is taken for.
    let taken = session.add("x", "marks.csv", Cursor::new(filled.into_bytes()), &mut |_| ControlFlow::Continue(()));
    assert!(taken.is_err(), "{taken:?}");
}

/// The lesions of each class in each image, in order.
fn rows_of(truth: &GroundTruth) -> Vec<(String, String, Vec<FileBox>)> {
    let names = truth.images().iter().enumerate();
    names
        .flat_map(|(image, name)| truth.classes().map(move |class| (image, name, class)))
        .map(|(image, name, class)| {
            (name.to_owned(), truth.class_name(class).to_owned(), truth.lesions_in_file(class, image).to_vec())
        })
        .filter(|(.., boxes)| !boxes.is_empty())
        .collect()
}

/// The lesions after what is marked as wrong is corrected, and how many corrections that were.
fn corrected_by_hand(truth: &Dataset, suspects: &[Suspect]) -> (Dataset, usize) {
    let mut images: Vec<Vec<(usize, [f64; 4])>> = truth.images.iter().map(|image| image.lesions.clone()).collect();
    for lesions in &mut images {
        lesions.sort_by_key(|(class, _)| *class);
    }
    let originals = images.clone();
    let mut relabelled = BTreeSet::new();
    let mut n = 0;
    for suspect in suspects.iter().filter(|suspect| suspect.mark == Some(Mark::Wrong)) {
        let image = suspect.image as usize;
        let at = suspect.lesion.as_ref().map(|lesion| {
            let of_class =
                originals[image].iter().enumerate().filter(|(_, (class, _))| *class == class_of(&lesion.class));
            of_class.map(|(at, _)| at).nth(lesion.place as usize).expect("a lesion")
        });
        match (suspect.kind.id(), at) {
            ("wrong_label", Some(at)) if relabelled.insert((image, at)) => {
                images[image][at].0 = class_of(&suspect.class);
            }
            ("wrong_label", _) => continue,
            ("box_off", Some(at)) => images[image][at].1 = suspect.bbox,
            _ => images[image].push((class_of(&suspect.class), suspect.bbox)),
        }
        n += 1;
    }
    (Dataset { images: images.into_iter().map(|lesions| Image { lesions, file: None }).collect() }, n)
}

fn same(ours: Option<f64>, theirs: Option<f64>) -> bool {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => support::same(ours, theirs),
        (ours, theirs) => ours == theirs,
    }
}

#[test]
fn a_corrected_ground_truth_holds_what_was_marked_and_scores_as_its_file_does_when_it_is_read() {
    let mut n_scored = 0;
    for number in 0..200 {
        let (runs, options) = (made_up(number), options_of(number));
        let (truth, zips) = files_of(&runs);
        let mut session = session_of(("test.json", &truth), &zips);
        let mut uniform = Uniform(number + 99);
        for suspect in session.suspects(&options).expect("runs").suspects {
            let mark = [Some(Mark::Wrong), Some(Mark::Wrong), Some(Mark::Right), None][uniform.count(3) as usize];
            session.mark_suspect(&suspect.id, mark);
        }
        let report = session.suspects(&options).expect("runs");
        let (by_hand, n_corrections) = corrected_by_hand(&runs[0], &report.suspects);
        let Some(of) = &report.corrections else {
            assert_eq!(n_corrections, 0);
            let error = session.corrected_ground_truth(&options).expect_err("nothing is wrong");
            assert_eq!(
                error.to_string(),
                "Marks: no suspect in the list is marked as wrong; expected one at least, whose lesion is to be corrected."
            );
            continue;
        };
        let file = session.corrected_ground_truth(&options).expect("corrections");
        let read = froc::read_ground_truth(&file.name, &file.bytes).expect("a ground truth");
        let plain = froc::read_ground_truth("test.json", &by_hand.ground_truth()).expect("a ground truth");
        assert_eq!(rows_of(&read), rows_of(&plain), "dataset {number}");
        assert!(read.images().iter().eq(plain.images().iter()));
        assert_eq!(
            (read.n_corrections(), of.n_corrections, of.ground_truth.sha256.as_str()),
            (n_corrections, n_corrections, read.sha256())
        );
        assert_eq!(file.name, "test.corrected.json");
        for (at, zip) in zips.iter().enumerate() {
            let original = score(&truth, zip, &options).expect("a score");
            let on_file = score(&file.bytes, zip, &options).expect("a score");
            let both: Vec<&UnderBothReport> = of.scores.iter().filter(|of| of.run == at).collect();
            let averages =
                |report: &Report| [report.runs[0].official.average_recall, report.runs[0].exact.average_recall];
            assert_eq!(both.len(), 2);
            for (of, (a, b)) in both.iter().zip(averages(&original).into_iter().zip(averages(&on_file))) {
                assert!(same(of.original, a) && same(of.corrected, b), "dataset {number}: {of:?}, {a:?}, {b:?}");
                assert_eq!(of.difference, a.zip(b).map(|(a, b)| b - a));
                let by = format!(
                    "by {n_corrections} correction{} of the ground truth",
                    if n_corrections == 1 { "" } else { "s" }
                );
                assert!(of.corrected_name.ends_with(&by) && !of.corrected_name.contains("official"), "{of:?}");
                n_scored += usize::from(a != b);
            }
        }
    }
    assert!(n_scored > 50, "{n_scored} scores differ");
}

/// Another class and another box go together; of two other classes the first in the list counts, and the other is told.
#[test]
fn several_corrections_of_one_lesion_go_together_as_far_as_they_can() {
    let truth = ground_truth_json([("1.png", &[(4, [0.0, 0.0, 49.0, 49.0])][..])]);
    let run = zip_of(&[(
        "1.json",
        r#"[{"Nodule": [1, 0, 50, 49, 0.8]}, {"Fracture": [0, 0, 49, 49, 0.7]}, {"Mass": [0, 20, 49, 89, 0.9]}]"#,
    )]);
    let mut session = session_of(("test.json", &truth), &[run.clone(), run]);
    let options = Options::new(0.5, vec![1.0]).expect("options");
    let suspects = session.suspects(&options).expect("runs").suspects;
    let kinds: Vec<_> = suspects.iter().map(|one| (one.kind.id(), one.class.as_str())).collect();
    // All ranks are 1: in the order of classes.
    assert_eq!(kinds, [("wrong_label", "Nodule"), ("box_off", "Mass"), ("wrong_label", "Fracture")]);
    for suspect in &suspects {
        session.mark_suspect(&suspect.id, Some(Mark::Wrong));
    }
    let file = session.corrected_ground_truth(&options).expect("corrections");
    let read = froc::read_ground_truth(&file.name, &file.bytes).expect("a ground truth");
    let bbox = FileBox { x1: 0.0, y1: 20.0, x2: 49.0, y2: 89.0 };
    assert_eq!(rows_of(&read), [("1.png".to_owned(), "Nodule".to_owned(), vec![bbox])]);
    assert_eq!(read.n_corrections(), 2);
    let id = &suspects[2].id;
    let passed_over =
        format!("Passed over: the mark of \"{id}\", since its lesion in 1.png gets another class already.");
    assert_eq!(
        file.notes,
        ["Kept of each image: file_name, syms and boxes, which stand class by class.", &passed_over]
    );
}

/// Whoever scores the file later is told, and is given no official number.
#[test]
fn a_corrected_file_is_never_official_and_counts_further_corrections() {
    let (truth, zips) = by_hand();
    let options = by_hand_options();
    let mut session = session_of(("test.json", &truth), &zips);
    let csv = csv_of(&mut session, &options);
    for id in ids(&csv) {
        session.mark_suspect(&id, Some(Mark::Wrong));
    }
    let file = session.corrected_ground_truth(&options).expect("corrections");
    let default = Options::default();
    let name = |bytes: &[u8]| score(bytes, &zips[0], &default).expect("a score").runs[0].official.clone();
    assert_eq!((name(&truth).is_official, name(&truth).name.as_str()), (true, "official"));
    let by_3 = name(&file.bytes);
    assert_eq!(
        (by_3.is_official, by_3.name.as_str()),
        (false, "the script's rules, by 3 corrections of the ground truth")
    );
    let told = froc::read_ground_truth("test.json", &file.bytes).expect("a ground truth");
    let finding = told.findings().iter().find(|finding| finding.code == "corrections").expect("it is told");
    assert_eq!((finding.count, finding.images.as_slice()), (3, [0, 1, 2].as_slice()));
    // Also where classes are ignored or another protocol is chosen.
    let ignoring = told.ignoring(&["Mass".to_owned()]).expect("a class");
    assert_eq!(
        (ignoring.n_corrections(), ignoring.findings().iter().filter(|it| it.code == "corrections").count()),
        (3, 1)
    );

    // What was corrected is no suspect any more, and another correction adds to the others.
    let mut again = session_of((&file.name, &file.bytes), &zips);
    assert_eq!(again.suspects(&options).expect("runs").suspects, []);
    let looser = Options::new(0.95, vec![3.0]).expect("options");
    let id = again.suspects(&looser).expect("runs").suspects.first().expect("a box that is off by 0.95").id.clone();
    again.mark_suspect(&id, Some(Mark::Wrong));
    let twice = again.corrected_ground_truth(&looser).expect("a correction");
    assert_eq!(froc::read_ground_truth("test.json", &twice.bytes).expect("a ground truth").n_corrections(), 4);
    assert_eq!(twice.name, "test.corrected.corrected.json");
}

/// COCO's ids, sizes, crowds and categories stay, and so do classes that are ignored or not of the protocol.
#[test]
fn a_ground_truth_in_another_format_is_corrected_as_coco_with_all_that_it_holds() {
    let instances = json!({
        "images": [
            {"id": 70, "file_name": "b.png", "width": 640, "height": 480},
            {"id": 7, "file_name": "a.png", "width": 512, "height": 500},
        ],
        "categories": [{"id": 9, "name": "Cyst"}, {"id": 4, "name": "Nodule"}, {"id": 2, "name": "Mass"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 9, "bbox": [10.5, 10, 40, 40]},
            {"id": 2, "image_id": 70, "category_id": 4, "bbox": [100, 100, 50, 50], "iscrowd": 1},
            {"id": 3, "image_id": 70, "category_id": 2, "bbox": [300, 300, 20, 20]},
        ],
    });
    let truth = serde_json::to_vec(&instances).expect("JSON");
    let run = |score: f64| {
        let results = json!([
            {"image_id": 7, "category_id": 4, "bbox": [10.5, 12, 40, 40], "score": score},
            {"image_id": 70, "category_id": 9, "bbox": [400.1, 100.7, 60, 61], "score": score},
            // On the crowd, if not of its class, and so not missing.
            {"image_id": 70, "category_id": 2, "bbox": [100, 100, 90, 90], "score": score},
        ]);
        serde_json::to_vec(&results).expect("JSON")
    };
    let mut session = Session::default();
    for (name, bytes) in [("instances.json", truth.clone()), ("a.json", run(0.5)), ("b.json", run(0.25))] {
        session.add(name, name, Cursor::new(bytes), &mut |_| ControlFlow::Continue(())).expect("a sound file");
    }
    let options = Options::new(0.5, vec![1.0]).expect("options");
    let mark_all = |session: &mut Session| -> SuspectsReport {
        for suspect in session.suspects(&options).expect("runs").suspects {
            session.mark_suspect(&suspect.id, Some(Mark::Wrong));
        }
        session.suspects(&options).expect("runs")
    };
    let report = mark_all(&mut session);
    let found: Vec<_> =
        report.suspects.iter().map(|one| (one.kind.id(), one.name.as_str(), one.class.as_str())).collect();
    assert_eq!(found, [("missing", "b.png", "Cyst"), ("wrong_label", "a.png", "Nodule")]);
    let of = report.corrections.expect("corrections");
    assert_eq!(of.scores.iter().map(|of| of.original_name.as_str()).collect::<Vec<_>>(), ["exact", "exact"]);
    assert_eq!(of.scores[0].corrected_name, "exact, by 2 corrections of the ground truth");
    let file = session.corrected_ground_truth(&options).expect("corrections");
    assert_eq!(file.name, "instances.corrected.json");
    let written: Value = serde_json::from_slice(&file.bytes).expect("JSON");
    let mut images = instances["images"].clone();
    for image in images.as_array_mut().expect("a list") {
        image["corrections"] = 1.into();
    }
    assert_eq!((&written["images"], &written["categories"]), (&images, &instances["categories"]));
    let read = froc::read_ground_truth(&file.name, &file.bytes).expect("a ground truth");
    let cyst = FileBox { x1: 400.1, y1: 100.7, x2: 400.1 + 60.0, y2: 100.7 + 61.0 };
    let mass = FileBox { x1: 300.0, y1: 300.0, x2: 320.0, y2: 320.0 };
    let nodule = FileBox { x1: 10.5, y1: 10.0, x2: 50.5, y2: 50.0 };
    let row = |image: &str, class: &str, bbox| (image.to_owned(), class.to_owned(), vec![bbox]);
    assert_eq!(
        rows_of(&read),
        [row("b.png", "Cyst", cyst), row("b.png", "Mass", mass), row("a.png", "Nodule", nodule)]
    );
    assert_eq!((read.ignored().len(), read.n_corrections()), (1, 2));
    let exact = score_of(&read, &run(0.5), &options);
    assert_eq!(of.scores[0].corrected, exact.runs[0].exact.average_recall);

    // A class that is ignored, or that the protocol has not, is in the file all the same.
    session.ignore_classes(&["Mass".to_owned()]).expect("a class");
    mark_all(&mut session);
    let ignoring = session.corrected_ground_truth(&options).expect("corrections");
    assert_eq!(ignoring.bytes, file.bytes);
    session.ignore_classes(&[]).expect("no class");
    session.choose_protocol(Some("chestx-det10")).expect("a protocol");
    let chosen = mark_all(&mut session);
    let found: Vec<_> = chosen.suspects.iter().map(|one| (one.kind.id(), one.class.as_str())).collect();
    // The Cyst is no lesion there, and so a Nodule is missing.
    assert_eq!(found, [("missing", "Nodule")]);
    let file = session.corrected_ground_truth(&options).expect("corrections");
    let read = froc::read_ground_truth(&file.name, &file.bytes).expect("a ground truth");
    let added = FileBox { x1: 10.5, y1: 12.0, x2: 50.5, y2: 52.0 };
    assert_eq!(
        rows_of(&read),
        [row("b.png", "Mass", mass), row("a.png", "Cyst", nodule), row("a.png", "Nodule", added)]
    );
    let of = chosen.corrections.expect("corrections");
    assert_eq!(of.ground_truth.protocol, "ChestX-Det10");
    assert_eq!(
        of.scores[0].corrected_name,
        "the script's rules at other rates, files read otherwise, some lesions ignored, by 1 correction of the ground truth"
    );
}

fn score_of(truth: &GroundTruth, predictions: &[u8], options: &Options) -> Report {
    let predictions = froc::input::read_predictions_of_all("a.json", predictions).expect("predictions");
    let run = froc::Run::new(truth, &predictions).expect("a run");
    froc::evaluate(truth, &[&run], options)
}

/// Names that are numbers stay what calls images by numbers means, whatever their order.
#[test]
fn a_table_of_lesions_whose_images_are_numbers_is_corrected_and_joined_as_before() {
    let truth = "file_name,label,xmin,ymin,xmax,ymax\n2.png,Nodule,10,10,50,50\n1.png,,,,,\n";
    let run = |score: f64| {
        serde_json::to_vec(&json!([
            {"image_id": 1, "category_id": "Nodule", "bbox": [100, 100, 50, 50], "score": score},
            {"image_id": 2, "category_id": "Nodule", "bbox": [10, 10, 40, 40], "score": score - 0.1},
        ]))
        .expect("JSON")
    };
    let mut session = Session::default();
    for (name, bytes) in [("lesions.csv", truth.as_bytes().to_vec()), ("a.json", run(0.9)), ("b.json", run(0.8))] {
        session.add(name, name, Cursor::new(bytes), &mut |_| ControlFlow::Continue(())).expect("a sound file");
    }
    let options = Options::new(0.5, vec![0.5]).expect("options");
    let id = session.suspects(&options).expect("runs").suspects.first().expect("a missing lesion").id.clone();
    session.mark_suspect(&id, Some(Mark::Wrong));
    let of = session.suspects(&options).expect("runs").corrections.expect("a correction");
    assert_eq!(of.scores.iter().map(|of| of.corrected).collect::<Vec<_>>(), [Some(1.0); 2]);
    let file = session.corrected_ground_truth(&options).expect("a correction");
    let read = froc::read_ground_truth(&file.name, &file.bytes).expect("a ground truth");
    assert_eq!(score_of(&read, &run(0.9), &options).runs[0].exact.average_recall, Some(1.0));
}
