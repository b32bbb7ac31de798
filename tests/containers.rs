//! Zips and folders as people have them, which other programs open: each is scored, or named for what it is.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use crate::support::{ground_truth_json, scratch, stored_zip_of, zip_of, zip_with};

/// As many images, one nodule in each, and every box right.
const N: u32 = 12;

/// The ground truth of images with such names.
fn truth(name: impl Fn(u32) -> String) -> Vec<u8> {
    let names: Vec<String> = (1..=N).map(name).collect();
    ground_truth_json(names.iter().map(|name| (name.as_str(), &[(3, [10.0, 10.0, 29.0, 29.0])][..])))
}

fn plain_truth() -> Vec<u8> {
    truth(|n| format!("{n}.png"))
}

/// The prediction files for them, under such names.
fn files(name: impl Fn(u32) -> String) -> Vec<(String, String)> {
    (1..=N).map(|n| (name(n), format!(r#"[{{"Nodule": [10, 10, 29, 29, 0.{:02}]}}]"#, 50 + n))).collect()
}

fn plain_files() -> Vec<(String, String)> {
    files(|n| format!("{n}.json"))
}

/// What the program says of files: the recall of Nodule at the first rate of each run, or what is wrong.
fn score(test: &str, truth: &[u8], zips: &[(&str, &[u8])], flags: &[&str]) -> Result<Vec<f64>, String> {
    let folder = scratch(test);
    fs::write(folder.join("test.json"), truth).expect("a scratch file");
    for (name, bytes) in zips {
        fs::write(folder.join(name), bytes).expect("a scratch file");
    }
    run(&folder, &zips.iter().map(|(name, _)| *name).collect::<Vec<_>>(), flags)
}

fn run(folder: &Path, predictions: &[&str], flags: &[&str]) -> Result<Vec<f64>, String> {
    let report = report(folder, "test.json", predictions, flags)?;
    let recall = |run: &Value| run["classes"][3]["official"]["recall"][0].as_f64().expect("a recall");
    Ok(report["runs"].as_array().expect("runs").iter().map(recall).collect())
}

/// What the program says of files in a folder.
fn report(folder: &Path, truth: &str, predictions: &[&str], flags: &[&str]) -> Result<Value, String> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_froc"));
    program.current_dir(folder).args(["score", "--ground-truth", truth, "--format", "json"]).args(flags);
    let output = predictions.iter().fold(&mut program, |program, path| program.args(["--predictions", path])).output();
    let output = output.expect("the program starts");
    if output.status.code() != Some(0) {
        assert_eq!(output.status.code(), Some(2));
        return Err(String::from_utf8(output.stderr).expect("UTF-8").trim_end().to_owned());
    }
    Ok(serde_json::from_slice(&output.stdout).expect("JSON"))
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn places(zip: &[u8], signature: &[u8]) -> Vec<usize> {
    (0..zip.len()).filter(|at| zip[*at..].starts_with(signature)).collect()
}

/// A zip behind other bytes, its places told anew as by `zip -A`.
fn moved(zip: &[u8], before: &[u8]) -> Vec<u8> {
    let mut zip = zip.to_vec();
    let fields = places(&zip, b"PK\x01\x02").into_iter().map(|at| at + 42);
    for at in fields.chain(places(&zip, b"PK\x05\x06").into_iter().map(|at| at + 16)).collect::<Vec<_>>() {
        let place = number(&zip, at) + before.len() as u32;
        zip[at..at + 4].copy_from_slice(&place.to_le_bytes());
    }
    [before, &zip].concat()
}

#[test]
fn bytes_before_a_zip_do_no_harm() {
    let zip = zip_of(&plain_files());
    let program = [b"MZ".as_slice(), &[0; 5000]].concat();
    for (name, bytes) in [
        ("pk00", moved(&zip, b"PK00")),
        ("pk0708", moved(&zip, b"PK\x07\x08")),
        ("bom", [b"\xef\xbb\xbf", zip.as_slice()].concat()),
        ("newline", [b"\r\n", zip.as_slice()].concat()),
        ("sfx", moved(&zip, &program)),
        ("sfx, places as before", [program.as_slice(), &zip].concat()),
    ] {
        assert_eq!(score("before", &plain_truth(), &[("model.zip", &bytes)], &[]), Ok(vec![1.0]), "{name}");
    }
}

#[test]
fn a_part_of_a_split_zip_is_named() {
    let zip = moved(&zip_of(&plain_files()), b"PK\x07\x08");
    assert_eq!(
        score("split", &plain_truth(), &[("model.zip", &zip[..zip.len() / 2])], &[]).expect_err("a part"),
        "model.zip: it is a part of a split zip; expected a whole zip; join its parts, or pack the folder as .zip."
    );
}

#[test]
fn the_longest_comment_of_a_zip() {
    let mut zip = zip_of(&plain_files());
    let n = zip.len();
    zip[n - 2..].copy_from_slice(&u16::MAX.to_le_bytes());
    // What looks like an end record in a comment is none.
    zip.extend([b"PK\x05\x06".as_slice(), &vec![b'x'; 65_531]].concat());
    assert_eq!(score("comment", &plain_truth(), &[("model.zip", &zip)], &[]), Ok(vec![1.0]));
}

/// As the Finder writes it: no Zip64, the count modulo 65,536.
fn finders(entries: &[(String, String)]) -> Vec<u8> {
    let zip = stored_zip_of(entries);
    let Some(end64) = places(&zip, b"PK\x06\x06").pop() else { return zip };
    let at = |at: usize| number(&zip, end64 + at);
    let mut bytes = zip[..end64].to_vec();
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    let n = (entries.len() as u16).to_le_bytes();
    bytes.extend([n, n].concat());
    bytes.extend(at(40).to_le_bytes());
    bytes.extend(at(48).to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

#[test]
fn a_zip_of_the_finder_with_more_than_65_535_entries() {
    let mut entries = plain_files();
    entries.extend((0..65_536).map(|n| (format!("__MACOSX/._{n}.json"), String::new())));
    let zip = finders(&entries);
    assert!(places(&zip, b"PK\x06\x06").is_empty());
    assert_eq!(score("finder", &plain_truth(), &[("model.zip", &zip)], &[]), Ok(vec![1.0]));
    // A count that is wrong otherwise is refused: files would be passed over in silence.
    let mut zip = zip_of(&plain_files());
    let end = places(&zip, b"PK\x05\x06")[0];
    zip[end + 8] = 11;
    zip[end + 10] = 11;
    let sentence = score("finder", &plain_truth(), &[("model.zip", &zip)], &[]).expect_err("a wrong count");
    assert!(sentence.starts_with("model.zip: its list of entries is damaged (it has more than the 11 it says)"));
}

/// 4 GiB of nothing take no room on the disk.
#[cfg(unix)]
#[test]
fn a_zip_of_the_finder_above_4_gib() {
    use std::os::unix::fs::FileExt;

    /// The last places are smaller than those before them, as after files of less than 4 GiB each.
    const GAP: u64 = (1 << 32) - 100;
    let zip = stored_zip_of(&plain_files());
    let header = places(&zip, b"PK\x03\x04")[6];
    let list = places(&zip, b"PK\x01\x02");
    let end = places(&zip, b"PK\x05\x06")[0];
    let folder = scratch("above-4-gib");
    fs::write(folder.join("test.json"), plain_truth()).expect("a scratch file");
    let file = fs::File::create(folder.join("model.zip")).expect("a scratch file");
    // The gap lies before the seventh entry; places behind it are told modulo 2^32.
    let mut tail = zip.clone();
    for at in list[6..].iter().map(|at| at + 42).chain([end + 16]) {
        let place = number(&zip, at).wrapping_add(GAP as u32);
        tail[at..at + 4].copy_from_slice(&place.to_le_bytes());
    }
    file.write_all_at(&zip[..header], 0).expect("room");
    file.write_all_at(&tail[header..], header as u64 + GAP).expect("room");
    assert_eq!(run(&folder, &["model.zip"], &[]), Ok(vec![1.0]));
    fs::remove_file(folder.join("model.zip")).expect("a scratch file");
}

/// Puts other bytes of the same length in the place of a name, and takes away the mark of UTF-8.
fn renamed(zip: &[u8], from: &str, to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut zip = zip.to_vec();
    for at in places(&zip, from.as_bytes()) {
        zip[at..at + to.len()].copy_from_slice(to);
    }
    zip
}

#[test]
fn names_in_other_letters() {
    // The two characters in GBK.
    let gbk = b"\xd0\xd8\xc6\xac";
    let chinese = truth(|n| format!("胸片{n}.png"));
    let zip = renamed(&stored_zip_of(&files(|n| format!("####{n}.json"))), "####", gbk);
    assert_eq!(score("names", &chinese, &[("gbk.zip", &zip)], &[]), Ok(vec![1.0]));
    // In the code page of the format where it is not Chinese: é is 0x82 there.
    let french = truth(|n| format!("poumon-é{n}.png"));
    let zip = renamed(&stored_zip_of(&files(|n| format!("poumon-#{n}.json"))), "poumon-#", b"poumon-\x82");
    assert_eq!(score("names", &french, &[("437.zip", &zip)], &[]), Ok(vec![1.0]));
    // With an accent of its own, in the zip or in the ground truth.
    let zip = zip_of(&files(|n| format!("poumon-e\u{301}{n}.json")));
    assert_eq!(score("names", &french, &[("nfd.zip", &zip)], &[]), Ok(vec![1.0]));
    let decomposed = truth(|n| format!("poumon-e\u{301}{n}.png"));
    let zip = zip_of(&files(|n| format!("poumon-é{n}.json")));
    assert_eq!(score("names", &decomposed, &[("nfc.zip", &zip)], &[]), Ok(vec![1.0]));
}

/// The name in UTF-8 stands in an extra field (APPNOTE.TXT, section 4.6.9).
#[test]
fn names_in_an_extra_field() {
    let mut zip = Vec::new();
    let mut list = Vec::new();
    let entries = files(|n| format!("胸片{n}.json"));
    for (n, (name, text)) in entries.iter().enumerate() {
        let raw = [b"\xd0\xd8\xc6\xac".as_slice(), format!("{}.json", n + 1).as_bytes()].concat();
        let sum = |bytes: &[u8]| {
            let mut sum = flate2::Crc::new();
            sum.update(bytes);
            sum.sum().to_le_bytes()
        };
        let field = [&[1], sum(&raw).as_slice(), name.as_bytes()].concat();
        let extra = [&[0x75, 0x70], (field.len() as u16).to_le_bytes().as_slice(), &field].concat();
        let size = (text.len() as u32).to_le_bytes();
        let both = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0],
            sum(text.as_bytes()).as_slice(),
            &size,
            &size,
            &(raw.len() as u16).to_le_bytes(),
            &(extra.len() as u16).to_le_bytes(),
        ]
        .concat();
        let place = (zip.len() as u32).to_le_bytes();
        list.extend([b"PK\x01\x02\x14\0", both.as_slice(), &[0; 10], &place, &raw, &extra].concat());
        zip.extend([b"PK\x03\x04", both.as_slice(), &raw, &extra, text.as_bytes()].concat());
    }
    let n = [N as u8, 0];
    let (place, length) = ((zip.len() as u32).to_le_bytes(), (list.len() as u32).to_le_bytes());
    zip.extend([list.as_slice(), b"PK\x05\x06\0\0\0\0", &n, &n, &length, &place, &[0, 0]].concat());
    let chinese = truth(|n| format!("胸片{n}.png"));
    assert_eq!(score("extra", &chinese, &[("unicode_path.zip", &zip)], &[]), Ok(vec![1.0]));
}

/// A zip with a symbolic link at `path`.
fn with_link(entries: &[(String, String)], path: &str, target: &str) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut writer = zip::ZipWriter::new_append(std::io::Cursor::new(zip_with(entries, options))).expect("a zip");
    writer.add_symlink(path, target, SimpleFileOptions::default()).expect("a link");
    writer.finish().expect("memory").into_inner()
}

#[test]
fn a_symbolic_link_is_followed_or_named() {
    let but_last = |mut files: Vec<(String, String)>| {
        files.pop();
        files
    };
    let lost = with_link(&but_last(plain_files()), "12.json", "../run1/12.json");
    assert_eq!(
        score("link", &plain_truth(), &[("model.zip", &lost)], &[]).expect_err("a link that leads out"),
        "model.zip, 12.json: it is a symbolic link to \"../run1/12.json\", which the zip does not hold; expected the file \
         itself; pack the files that links lead to (zip does, without -y).\n\
         Score without this file: --leave-out-unreadable"
    );
    assert_eq!(
        score("link", &plain_truth(), &[("model.zip", &lost)], &["--leave-out-unreadable"]),
        Ok(vec![f64::from(N - 1) / f64::from(N)])
    );
    let mut entries = but_last(files(|n| format!("run 2/{n}.json")));
    entries.push(("run 1/best.txt".to_owned(), plain_files()[11].1.clone()));
    let led = with_link(&entries, "run 2/12.json", "../run 1/./best.txt");
    assert_eq!(score("link", &plain_truth(), &[("model.zip", &led)], &[]), Ok(vec![1.0]));
    let circle = with_link(&but_last(plain_files()), "12.json", "12.json");
    assert!(score("link", &plain_truth(), &[("model.zip", &circle)], &[]).is_err());
}

#[test]
fn a_folder_in_the_folder_is_a_choice() {
    let mut entries = files(|n| format!("preds/{n}.json"));
    entries.extend(files(|n| format!("preds/old/{n}.json")).into_iter().skip(3));
    let zip = zip_of(&entries);
    let sentences = score("nested", &plain_truth(), &[("model.zip", &zip)], &[]).expect_err("two files an image");
    assert!(sentences.ends_with("\nScore each of the 2 folders as a run: --folders-apart"), "{sentences}");
    let apart = score("nested", &plain_truth(), &[("model.zip", &zip)], &["--folders-apart"]);
    assert_eq!(apart, Ok(vec![1.0, f64::from(N - 3) / f64::from(N)]));
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_costs_that_file_alone() {
    let folder = scratch("dangling");
    fs::write(folder.join("test.json"), plain_truth()).expect("a scratch file");
    let model = folder.join("model");
    fs::create_dir(&model).expect("a scratch folder");
    for (name, text) in plain_files() {
        fs::write(model.join(name), text).expect("a scratch file");
    }
    std::os::unix::fs::symlink("nowhere.json", model.join("99.json")).expect("a link");
    std::os::unix::fs::symlink("nowhere", model.join("notes.txt")).expect("a link");
    assert_eq!(run(&folder, &["model"], &[]), Ok(vec![1.0]), "it belongs to no image");
    fs::remove_file(model.join("12.json")).expect("a scratch file");
    std::os::unix::fs::symlink("nowhere.json", model.join("12.json")).expect("a link");
    let sentences = run(&folder, &["model"], &[]).expect_err("it belongs to an image");
    assert!(
        sentences.starts_with("model, 12.json: it is a symbolic link to \"nowhere.json\", which cannot be read ("),
        "{sentences}"
    );
    assert_eq!(run(&folder, &["model"], &["--leave-out-unreadable"]), Ok(vec![f64::from(N - 1) / f64::from(N)]));
}

/// The digest in a report is of the bytes that were scored.
#[test]
fn a_zip_that_grows_while_it_is_read_is_refused() {
    use std::ops::ControlFlow;
    use std::sync::atomic::{AtomicBool, Ordering};

    let path = scratch("grows").join("model.zip");
    fs::write(&path, zip_of(&plain_files())).expect("a scratch file");
    let file = fs::File::open(&path).expect("a scratch file");
    assert!(froc::read_predictions_file("model.zip", &file, &|_| ControlFlow::Continue(())).is_ok());
    let has_grown = AtomicBool::new(false);
    let grow = |_| {
        if !has_grown.swap(true, Ordering::Relaxed) {
            let mut file = fs::OpenOptions::new().append(true).open(&path).expect("a scratch file");
            std::io::Write::write_all(&mut file, b"more").expect("room");
        }
        ControlFlow::Continue(())
    };
    assert_eq!(
        froc::read_predictions_file("model.zip", &file, &grow).map(|_| ()).expect_err("it grew").to_string(),
        "model.zip: it was changed while it was read; expected a zip that stays as it is; wait until it is written to its \
         end, and score it again."
    );
}

/// What gzip makes of bytes.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packer, bytes).expect("memory");
    packer.finish().expect("memory")
}

/// The file itself is named in the report, with its own digest: it is what a person has.
#[test]
fn a_packed_file_is_read_as_what_it_holds() {
    use std::io::Cursor;
    use std::ops::ControlFlow::Continue;

    let (truth, predictions) = (plain_truth(), zip_of(&plain_files()));
    let repository = |truth: &[u8]| {
        zip_of(&[
            ("ChestX-Det10-Dataset-master/README.md", b"# ChestX-Det10".as_slice()),
            ("ChestX-Det10-Dataset-master/eval.py", b"import json"),
            ("ChestX-Det10-Dataset-master/1.png", b"\x89PNG"),
            ("ChestX-Det10-Dataset-master/test.json", truth),
        ])
    };
    let all = format!(
        "{{{}}}",
        (1..=N).map(|n| format!(r#""{n}.png": [{{"Nodule": [10, 10, 29, 29, 0.5]}}]"#)).collect::<Vec<_>>().join(",")
    );
    let truths = [
        ("test.json", truth.clone()),
        ("test.json.gz", gzip(&truth)),
        ("test.json.GZ", gzip(&truth)),
        // Two packed texts are one, as `cat a.gz b.gz` has it.
        ("two.json.gz", [gzip(&truth[..50]), gzip(&truth[50..])].concat()),
        ("ChestX-Det10-Dataset-master.zip", repository(&truth)),
        ("again.zip", zip_of(&[("master.zip", repository(&truth))])),
    ];
    let runs = [
        ("model.zip.gz", gzip(&predictions)),
        (
            "outer.zip",
            zip_of(&[
                ("__MACOSX/._inner.zip", b"".as_slice()),
                ("runs/inner.zip", &predictions),
                ("runs/.DS_Store", b""),
            ]),
        ),
        ("all.json.gz", gzip(all.as_bytes())),
    ];
    let folder = scratch("packed");
    for (name, bytes) in truths.iter().chain(&runs) {
        fs::write(folder.join(name), bytes).expect("a scratch file");
    }
    let digest = |bytes: &[u8]| froc::input::sha256(bytes);
    for (truth, truth_bytes) in &truths {
        for (run, run_bytes) in &runs {
            let report =
                report(&folder, truth, &[run], &[]).unwrap_or_else(|sentences| panic!("{truth}, {run}: {sentences}"));
            assert_eq!(report["runs"][0]["classes"][3]["exact"]["recall"][0], 1.0, "{truth}, {run}");
            assert_eq!(report["ground_truth"]["name"], *truth);
            assert_eq!(report["ground_truth"]["sha256"], digest(truth_bytes));
            assert_eq!(report["runs"][0]["name"], *run);
            assert_eq!(report["runs"][0]["sha256"], digest(run_bytes));
        }
    }
    // The page hands over bytes, and reads the same.
    for (name, bytes) in truths.iter().chain(&runs) {
        let mut session = froc::session::Session::default();
        let summary = session.add("a", name, Cursor::new(bytes), &mut |_| Continue(())).expect("a file in order");
        assert_eq!((summary.name.as_str(), summary.n_images.or(summary.n_files)), (*name, Some(N as usize)), "{name}");
        assert_eq!(summary.sha256, Some(digest(bytes)), "{name}");
    }
}

#[test]
fn a_packed_file_that_is_not_what_it_should_be_is_named() {
    let folder = scratch("packed-wrongly");
    let truth = plain_truth();
    let predictions = zip_of(&plain_files());
    let both = zip_of(&[("a/train.json", truth.as_slice()), ("a/test.json", &truth)]);
    let nested = (0..6).fold(predictions.clone(), |zip, _| zip_of(&[("inner.zip", zip)]));
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 79457\n";
    let packed = gzip(&truth);
    let mut damaged = packed.clone();
    let n = damaged.len();
    damaged[n - 6] ^= 1;
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("a scratch file");
    write("test.json", &truth);
    let mut wrong = Vec::new();
    for (name, bytes, expected) in [
        (
            "truth.zip",
            zip_of(&[("test.json", &truth)]),
            "truth.zip: it holds a ground truth; expected a zip or folder of prediction files, or one file for all images, after --predictions.",
        ),
        (
            "both.zip",
            both,
            "both.zip: it holds several ground truths (\"a/train.json\", \"a/test.json\"); expected one; unpack the zip and take the one for these predictions, such as test.json.",
        ),
        (
            "deep.zip",
            nested,
            "deep.zip, inner.zip, inner.zip, inner.zip, inner.zip: too many files are packed into one another; expected a file packed once; unpack it.",
        ),
        (
            "two.zip",
            zip_of(&[("a.zip", predictions.as_slice()), ("b.zip", &predictions)]),
            "two.zip: it holds a zip (\"a.zip\") and no .json file; expected one .json file an image; unpack it once and take the zip inside.",
        ),
        (
            "lfs.json",
            pointer.into(),
            "lfs.json: it is a pointer of Git LFS, which stands for the file; expected the file itself; fetch it with git lfs pull, or download it from the page of its repository.",
        ),
        (
            "lfs.zip",
            pointer.into(),
            "lfs.zip: it is a pointer of Git LFS, which stands for the file; expected the file itself; fetch it with git lfs pull, or download it from the page of its repository.",
        ),
        (
            "run.tar.gz",
            gzip(&[vec![0; 257], b"ustar\x0000".to_vec(), vec![0; 249]].concat()),
            "run.tar.gz, run.tar: it is a tar archive; expected a zip of prediction files; pack the folder as .zip.",
        ),
        (
            "short.json.gz",
            packed[..n - 12].to_vec(),
            "short.json.gz: it is cut short (the end of the gzip file is missing); expected a whole file; copy or download it again.",
        ),
        (
            "damaged.json.gz",
            damaged,
            "damaged.json.gz: it is damaged (corrupt gzip stream does not have a matching checksum); expected a sound gzip file; copy or download it again.",
        ),
        (
            "bomb.json.gz",
            gzip(&vec![b' '; (16 << 20) + 1]),
            "bomb.json.gz: it inflates to more than 16777216 bytes, from BOMB; expected a ground truth or predictions, packed whole; unpack it.",
        ),
    ] {
        write(name, &bytes);
        let expected = expected.replace("BOMB", &bytes.len().to_string());
        let said = report(&folder, "test.json", &[name], &[]).expect_err(name);
        if said != expected {
            wrong.push((said, expected));
        }
    }
    assert_eq!(wrong, []);
    // Of files in a zip, too.
    let mut entries = plain_files();
    entries[3].1 = pointer.to_owned();
    write("pointers.zip", &zip_of(&entries));
    assert_eq!(
        report(&folder, "test.json", &["pointers.zip"], &[]).expect_err("a pointer").lines().next(),
        Some(
            "pointers.zip, 4.json: it is a pointer of Git LFS, which stands for the file; expected the file itself; fetch it with git lfs pull, or download it from the page of its repository."
        )
    );
}

/// A run with few images keeps its predictions, whatever lies beside them.
#[test]
fn a_ground_truth_beside_predictions_changes_nothing() {
    let mut entries = plain_files();
    entries.push(("test.json".to_owned(), String::from_utf8(plain_truth()).expect("UTF-8")));
    assert_eq!(score("beside", &plain_truth(), &[("model.zip", &zip_of(&entries))], &[]), Ok(vec![1.0]));
}
