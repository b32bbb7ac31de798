//! Ground truths whose boxes several readers drew, against the definition of section 10 as plain loops on random tables; and how the choice
//! is told, kept and taken back.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::process::Command;

use froc::dataset::{ChosenReaders, Readers, agreed};
use froc::geometry::FileBox;
use froc::render::Format;
use froc::report::Report;
use froc::session::{Session, SessionFile};
use froc::{GroundTruth, Options};

use crate::support::made_up::Uniform;
use crate::support::scratch;

/// One row of a table: image, reader, class, and the box if there is one.
#[derive(Debug, Clone)]
struct Row {
    image: u32,
    reader: u32,
    class: &'static str,
    corners: Option<[f64; 4]>,
}

const CLASSES: [&str; 3] = ["Mass", "Nodule", "No finding"];

/// Readers of a few images draw boxes near a few places, so that some agree, some chain, some tie, and some are the very same.
fn random(uniform: &mut Uniform) -> Vec<Row> {
    let mut rows = Vec::new();
    for image in 0..6 {
        for reader in [8, 9, 10, 11] {
            if uniform.next() < 0.3 {
                continue;
            }
            let n = uniform.count(4);
            if n == 0 {
                rows.push(Row { image, reader, class: CLASSES[2], corners: None });
            }
            for _ in 0..n {
                let [x1, y1] = [f64::from(uniform.count(5)) * 4.0, f64::from(uniform.count(1)) * 100.0];
                let width = 16.0 + f64::from(uniform.count(2)) * 0.1;
                let class = CLASSES[uniform.count(1) as usize];
                rows.push(Row { image, reader, class, corners: Some([x1, y1, x1 + width, y1 + 10.3]) });
            }
        }
    }
    rows
}

fn table(rows: &[Row]) -> String {
    let mut text = "image_id,rad_id,class_name,x_min,y_min,x_max,y_max\n".to_owned();
    for Row { image, reader, class, corners } in rows {
        let corners =
            corners.map_or_else(|| ",,,".to_owned(), |corners| corners.map(|number| number.to_string()).join(","));
        let _ = writeln!(text, "{image},R{reader},{class},{corners}");
    }
    text
}

fn shuffled(rows: &[Row], uniform: &mut Uniform) -> Vec<Row> {
    let mut keyed: Vec<(f64, Row)> = rows.iter().map(|row| (uniform.next(), row.clone())).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    keyed.into_iter().map(|(_, row)| row).collect()
}

/// Lesions of each image and class, sorted; an image without any is there, too.
type Lesions = BTreeMap<(String, String), Vec<[f64; 4]>>;

fn lesions_of(truth: &GroundTruth) -> (Vec<String>, Lesions) {
    let mut images: Vec<String> = truth.images().iter().map(str::to_owned).collect();
    let mut lesions = Lesions::new();
    for (image, name) in truth.images().iter().enumerate() {
        for class in truth.classes() {
            let boxes = truth.lesions_in_file(class, image).iter();
            let mut boxes: Vec<[f64; 4]> = boxes.map(|bbox| [bbox.x1, bbox.y1, bbox.x2, bbox.y2]).collect();
            boxes.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
            if !boxes.is_empty() {
                lesions.insert((name.to_owned(), truth.class_name(class).to_owned()), boxes);
            }
        }
    }
    images.sort();
    (images, lesions)
}

fn iou(a: [f64; 4], b: [f64; 4]) -> f64 {
    let area = |[x1, y1, x2, y2]: [f64; 4]| (x2 - x1) * (y2 - y1);
    let width = f64::max(a[2].min(b[2]) - a[0].max(b[0]), 0.0);
    let height = f64::max(a[3].min(b[3]) - a[1].max(b[1]), 0.0);
    width * height / (area(a) + area(b) - width * height)
}

/// Minus the IoU of a pair, and corners and reader of both boxes: the least is taken first.
type Pair = (f64, [([f64; 4], u32); 2]);

/// The definition step by step: among all pairs of boxes in two groups that may become one, the best is looked for anew each time.
fn agreed_by_loops(boxes: &[(u32, [f64; 4])]) -> Vec<[f64; 4]> {
    let mut groups: Vec<Vec<(u32, [f64; 4])>> = boxes.iter().map(|of| vec![*of]).collect();
    loop {
        let mut best: Option<(Pair, usize, usize)> = None;
        for a in 0..groups.len() {
            for b in 0..groups.len() {
                let fits = |one: &(u32, [f64; 4])| {
                    groups[b].iter().all(|other| one.0 != other.0 && iou(one.1, other.1) >= 0.5)
                };
                if a == b || !groups[a].iter().all(fits) {
                    continue;
                }
                for one in &groups[a] {
                    for other in &groups[b] {
                        let pair: Pair = (-iou(one.1, other.1), [(one.1, one.0), (other.1, other.0)]);
                        let least = best.as_ref().map(|(least, ..)| least);
                        if least.is_none_or(|least| pair.partial_cmp(least).expect("numbers").is_lt()) {
                            best = Some((pair, a, b));
                        }
                    }
                }
            }
        }
        let Some((_, a, b)) = best else { break };
        let moved = std::mem::take(&mut groups[b]);
        groups[a].extend(moved);
        groups.remove(b);
    }
    groups.retain(|group| group.len() > 1);
    let mean = |mut group: Vec<(u32, [f64; 4])>| {
        group.sort_by_key(|(reader, _)| *reader);
        [0, 1, 2, 3].map(|at| group.iter().map(|(_, corners)| corners[at]).sum::<f64>() / group.len() as f64)
    };
    groups.into_iter().map(mean).collect()
}

/// Images and lesions under a choice, by plain loops over the rows.
fn by_loops(rows: &[Row], choice: &str) -> (Vec<String>, Lesions) {
    let mut images = Vec::new();
    let mut lesions = Lesions::new();
    for image in 0..6 {
        let of_image: Vec<&Row> = rows.iter().filter(|row| row.image == image).collect();
        let mut readers: Vec<u32> = of_image.iter().map(|row| row.reader).collect();
        readers.sort_unstable();
        readers.dedup();
        let is_in = match choice {
            "agreed" => readers.len() > 1,
            "all" => !readers.is_empty(),
            reader => readers.iter().any(|other| format!("R{other}") == reader),
        };
        if !is_in {
            continue;
        }
        images.push(image.to_string());
        for class in CLASSES {
            let boxes = of_image.iter().filter(|row| row.class == class);
            let boxes: Vec<(u32, [f64; 4])> = boxes.filter_map(|row| Some((row.reader, row.corners?))).collect();
            let mut found: Vec<[f64; 4]> = match choice {
                "agreed" => agreed_by_loops(&boxes),
                "all" => boxes.iter().map(|of| of.1).collect(),
                reader => boxes.iter().filter(|of| format!("R{}", of.0) == reader).map(|of| of.1).collect(),
            };
            found.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
            if !found.is_empty() {
                lesions.insert((image.to_string(), class.to_owned()), found);
            }
        }
    }
    (images, lesions)
}

/// Every choice of random tables is what plain loops make of their rows, in whatever order these stand.
#[test]
fn every_choice_is_what_plain_loops_make_of_the_rows() {
    let mut uniform = Uniform(7);
    let (mut n_chains, mut n_agreed) = (0, 0);
    for _ in 0..300 {
        let rows = random(&mut uniform);
        let shuffled = shuffled(&rows, &mut uniform);
        let [one, other] = [&rows, &shuffled].map(|rows| {
            froc::read_ground_truth("annotations.csv", table(rows).as_bytes()).unwrap_or_else(|error| panic!("{error}"))
        });
        for choice in ["agreed", "all", "R8", "R9", "R10", "R11"] {
            let readers = Readers::named(choice);
            let expected = by_loops(&rows, choice);
            let of = |truth: &GroundTruth| truth.of_readers(Some(&readers)).map(|truth| lesions_of(&truth));
            match of(&one) {
                Ok(found) => {
                    assert_eq!(found, expected, "{choice}: {}", table(&rows));
                    assert_eq!(of(&other), Ok(found), "{choice}");
                }
                Err(_) if choice == "agreed" => assert_eq!(expected.1, Lesions::new()),
                Err(error) => assert!(!rows.iter().any(|row| format!("R{}", row.reader) == choice), "{error}"),
            }
            let chosen = one.of_readers(Some(&readers)).ok();
            let choices = chosen.as_ref().and_then(GroundTruth::readers).map(ChosenReaders::choices);
            for of in choices.iter().flatten().filter(|of| of.readers == readers) {
                let n_lesions = expected.1.values().map(Vec::len).sum::<usize>();
                assert_eq!((of.n_images, of.n_lesions), (expected.0.len(), n_lesions));
            }
            n_agreed += if choice == "agreed" { expected.1.values().map(Vec::len).sum() } else { 0 };
        }
        // Without a choice: what they agree on where most images have two readers.
        let [n_read, n_twice] = ["all", "agreed"].map(|choice| by_loops(&rows, choice).0.len());
        let is_agreed = 2 * n_twice > n_read && !by_loops(&rows, "agreed").1.is_empty();
        let without = one.readers().map(|readers| (readers.readers().name().to_owned(), readers.is_default()));
        assert_eq!(without, Some((if is_agreed { "agreed" } else { "all" }.to_owned(), true)));
        n_chains += usize::from(has_chain(&rows));
    }
    // The tables hold what the definition is about.
    assert!(n_chains > 50 && n_agreed > 500, "{n_chains} {n_agreed}");
}

/// Whether three readers' boxes of an image and class are a chain whose ends do not overlap enough.
fn has_chain(rows: &[Row]) -> bool {
    let agree = |a: &Row, b: &Row| {
        let corners =
            a.corners.zip(b.corners).filter(|_| (a.image, a.class) == (b.image, b.class) && a.reader != b.reader);
        corners.map(|(a, b)| iou(a, b) >= 0.5)
    };
    rows.iter().any(|a| {
        rows.iter().any(|b| {
            let ends = |c: &Row| agree(b, c) == Some(true) && agree(a, c) == Some(false);
            agree(a, b) == Some(true) && rows.iter().any(ends)
        })
    })
}

/// A chain and a tie of pairs: the lesser corners come first, whatever the order of the boxes.
#[test]
fn of_a_chain_the_first_pair_is_a_lesion() {
    let at = |x1: f64| FileBox { x1, y1: 0.0, x2: x1 + 100.0, y2: 50.0 };
    let boxes = [(0, at(0.0)), (1, at(20.0)), (2, at(40.0))];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert_eq!(agreed(&order.map(|place: usize| boxes[place])), [at(10.0)], "{order:?}");
    }
    // Boxes that touch nothing, and boxes of no area, agree with none.
    assert_eq!(agreed(&[(0, at(0.0)), (1, at(100.0))]), []);
    let point = FileBox { x1: 1.0, y1: 1.0, x2: 1.0, y2: 1.0 };
    assert_eq!(agreed(&[(0, point), (1, point)]), []);
}

/// Three readers of two images, of which one is read by one of them alone; the predictions are what R8 drew.
const TRUTH: &str = "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max
1,Nodule,8,R8,100,100,200,200
1,Nodule,8,R9,110,100,210,200
1,Mass,9,R9,500,500,600,600
2,No finding,14,R8,,,,
2,No finding,14,R9,,,,
3,Nodule,8,R10,10,10,50,50
";
const RUN: &str =
    "image_id,PredictionString\n1,8 0.9 105 100 205 200 9 0.8 500 500 600 600\n2,14 1 0 0 1 1\n3,8 0.7 10 10 50 50\n";

fn loaded() -> Session {
    let mut session = Session::default();
    for (id, name, text) in [("g", "train.csv", TRUTH), ("r", "submission.csv", RUN)] {
        session
            .add(id, name, Cursor::new(text), &mut |_| ControlFlow::Continue(()))
            .unwrap_or_else(|error| panic!("{error}"));
    }
    session
}

fn report(session: &mut Session) -> Report {
    session.evaluate(&Options::default()).report.clone().expect("a report")
}

/// Class by class, the lesions and how many are found.
fn found(report: &Report) -> Vec<(&str, usize, usize)> {
    let classes = report.runs[0].classes.iter();
    classes.map(|class| (class.name.as_str(), class.n_lesions, class.true_positives)).collect()
}

#[test]
fn readers_are_chosen_told_and_taken_back() {
    let mut session = loaded();
    let told = report(&mut session);
    let readers = told.ground_truth.readers.clone().expect("readers");
    assert_eq!((readers.chosen.as_str(), readers.is_default, readers.n_readers), ("agreed", true, 3));
    let choices: Vec<(&str, usize, usize)> =
        readers.choices.iter().map(|of| (of.readers.as_str(), of.n_images, of.n_lesions)).collect();
    assert_eq!(choices, [("agreed", 2, 1), ("all", 3, 4), ("R8", 2, 1), ("R9", 2, 2), ("R10", 1, 1)]);
    assert_eq!(told.ground_truth.n_images, 2);
    assert_eq!(found(&told), [("Nodule", 1, 1), ("Mass", 0, 0)]);
    let finding = &told.findings[0];
    assert_eq!(finding.code, "several_readers");
    assert_eq!(
        finding.sentence,
        "3 readers drew 4 boxes; scored is the 1 lesion that at least two of an image agree on, in 2 of 3 images."
    );
    assert_eq!(finding.examples[0], "all: 4 lesions in 3 images");
    // The image on whose Mass nobody agrees with R9.
    assert_eq!(finding.n_images, 1);
    // The file for the image that one reader alone read is no mistake.
    let codes: Vec<&str> = told.runs[0].findings.iter().map(|finding| finding.code.as_str()).collect();
    assert!(!codes.contains(&"file_without_image"), "{codes:?}");

    for (choice, caption, expected) in [
        ("agreed", "those on which at least two of 3 readers agree", vec![("Nodule", 1, 1), ("Mass", 0, 0)]),
        ("all", "all boxes of 3 readers", vec![("Nodule", 3, 2), ("Mass", 1, 1)]),
        ("R9", "those of R9 alone, one of 3 readers", vec![("Nodule", 1, 1), ("Mass", 1, 1)]),
    ] {
        session.choose_readers(Some(choice)).expect("a choice");
        let chosen = report(&mut session);
        assert_eq!(found(&chosen), expected, "{choice}");
        for format in Format::ALL {
            let text = String::from_utf8(format.bytes(&chosen).expect("bytes")).expect("UTF-8");
            let is_told = match format.name() {
                "json" => text.contains(&format!("\"chosen\": \"{choice}\"")),
                "csv" => {
                    text.lines().next().is_some_and(|line| line.ends_with(",readers"))
                        && text.contains(&format!(",{choice}\n"))
                }
                _ => text.contains(&format!("lesions, {caption}")),
            };
            assert!(is_told, "{choice}, {}: {text}", format.name());
        }
        // What is chosen beside it stays, and does not change it.
        session.choose_protocol(Some("chestx-det10")).expect("it is built in");
        session.ignore_classes(&["Mass".to_owned()]).expect("a class");
        let beside = report(&mut session);
        let of = |report: &Report| report.ground_truth.readers.as_ref().map(|of| of.chosen.clone());
        assert_eq!(of(&beside), Some(choice.to_owned()));
        let n_nodules = found(&beside).iter().find(|class| class.0 == "Nodule").map(|class| class.1);
        assert_eq!(n_nodules, Some(expected[0].1), "{choice}");
        assert!(beside.findings.iter().any(|finding| finding.code == "several_readers"), "{choice}");
        session.ignore_classes(&[]).expect("all are scored");
        session.choose_protocol(None).expect("what the file tells");
        assert_eq!(report(&mut session), chosen, "{choice}");
    }
    session.choose_readers(None).expect("those of the file");
    assert_eq!(report(&mut session), told);
    let error = session.choose_readers(Some("R7")).expect_err("nobody");
    assert_eq!(error.to_string(), "Readers: there is R7; expected all, agreed, or one of the readers R8, R9, R10.");
    assert_eq!(report(&mut session), told);
}

/// A report on other lesions of the same file is not put beside this one.
#[test]
fn reports_on_other_readers_are_not_compared() {
    let mut session = loaded();
    session.choose_readers(Some("all")).expect("a choice");
    report(&mut session);
    let bytes = session.export(Format::Json).expect("a report");
    session.choose_readers(None).expect("those of the file");
    session.add("k", "report.json", Cursor::new(bytes), &mut |_| ControlFlow::Continue(())).expect("a report");
    let outcome = session.evaluate(&Options::default());
    assert_eq!(outcome.report.as_ref().map(|report| report.runs.len()), Some(1));
    assert_eq!(
        outcome.failures[0].errors[0].sentence,
        "report.json: it is a report on other lesions: all boxes of 3 readers; expected the same lesions: those on which at least two of 3 readers agree; \
         score it so, or choose these readers."
    );
}

/// Another ground truth is read by the same readers as far as it has them; one without readers has no choice.
#[test]
fn a_choice_stays_for_ground_truths_that_have_the_reader() {
    let mut session = loaded();
    session.choose_readers(Some("R10")).expect("a choice");
    let chosen = |session: &mut Session| report(session).ground_truth.readers.map(|of| (of.chosen, of.is_default));
    let add = |session: &mut Session, text: &str| {
        session
            .add("h", "other.csv", Cursor::new(text.to_owned()), &mut |_| ControlFlow::Continue(()))
            .expect("a table");
    };
    add(&mut session, TRUTH);
    assert_eq!(chosen(&mut session), Some(("R10".to_owned(), false)));
    add(&mut session, &TRUTH.replace("R10", "R9"));
    assert_eq!(chosen(&mut session), Some(("agreed".to_owned(), true)));
    // One reader, or a column of none: nothing to choose from.
    for text in
        [TRUTH.replace("R10", "R8").replace("R9", "R8"), "file,class,x1,y1,x2,y2\n1,Nodule,1,1,9,9\n".to_owned()]
    {
        add(&mut session, &text);
        assert_eq!(chosen(&mut session), None);
        let error = session.choose_readers(Some("all")).expect_err("nobody to choose");
        assert_eq!(
            error.to_string(),
            "Readers: there is all; expected a ground truth in which a column such as rad_id names several readers; other.csv has none."
        );
    }
}

/// Readers who shared the images: no lesion counts twice, and nothing is told.
#[test]
fn readers_of_different_images_are_no_finding() {
    for column in ["rad_ID", "reader", "Reader ID", "radiologist", "annotator"] {
        let text =
            format!("image,{column},class,x1,y1,x2,y2\n1,ann,Nodule,1,1,9,9\n2,bo,Nodule,1,1,9,9\n3,,Nodule,1,1,9,9\n");
        let truth = froc::read_ground_truth("t.csv", text.as_bytes()).expect("a table");
        let readers = truth.readers().expect("two readers");
        assert_eq!(
            (readers.names(), readers.readers()),
            (&["ann", "bo", "unnamed"].map(str::to_owned)[..], &Readers::All)
        );
        assert_eq!((truth.n_images(), truth.findings()), (3, &[][..]));
        let one = truth.of_readers(Some(&Readers::named("bo"))).expect("a reader");
        assert_eq!(lesions_of(&one).0, ["2"]);
        let error = truth.of_readers(Some(&Readers::Agreed)).expect_err("nobody agrees");
        assert_eq!(
            error.to_string(),
            "Readers: no two readers of t.csv agree on a box; expected all, or the name of one reader."
        );
    }
}

/// The terminal says it, a session file keeps it, and both give the same bytes.
#[test]
fn the_choice_is_kept_in_a_session_file() {
    let folder = scratch("readers");
    for (name, text) in [("train.csv", TRUTH), ("submission.csv", RUN)] {
        fs::write(folder.join(name), text).expect("a file");
    }
    let froc = |arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_froc")).current_dir(&folder).args(arguments).output().expect("it starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    };
    let files = ["--ground-truth", "train.csv", "--predictions", "submission.csv", "--format", "json"];
    let score = |more: &[&str]| froc(&[&["score"], &files[..], more].concat());
    let all = score(&["--readers", "all", "--save-session", "s.froc.json"]).expect("a report");
    assert!(all.contains("\"chosen\": \"all\""), "{all}");
    let again = ["score", "--session", "s.froc.json", "train.csv", "submission.csv", "--format", "json"];
    assert_eq!(froc(&again), Ok(all.clone()));
    let bytes = fs::read(folder.join("s.froc.json")).expect("a session");
    let saved = SessionFile::read("s.froc.json", &bytes).expect("a session");
    assert_eq!(saved.ground_truth.readers.as_deref(), Some("all"));
    let restored = loaded().restore(&saved).expect("these files");
    assert_eq!(restored.readers.as_deref(), Some("all"));
    // What is so without a choice is no choice.
    assert_eq!(score(&["--readers", "agreed"]), score(&[]));
    assert_ne!(score(&[]), Ok(all));
    assert_eq!(
        score(&["--readers", "R1"]),
        Err("Readers: there is R1; expected all, agreed, or one of the readers R8, R9, R10.\n".to_owned())
    );
}
