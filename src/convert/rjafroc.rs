//! A class of several runs as a workbook for RJafroc ([section 14](crate::metric)), the R package of observer studies: each run a
//! modality, read by one reader.
//!
//! The rating of a lesion is the score of the detection that found it, and every other detection that counts is a false positive, so that
//! RJafroc's figures of merit `AFROC` and `wAFROC` are those of [`score::afroc`](crate::score::afroc); its `AFROC1` and `wAFROC1` also
//! count false positives in images with lesions, which are in the workbook, too. `DfReadDataFile(.., newExcelFileFormat = TRUE)` reads it;
//! with one reader `St(.., method = "DBM", analysisOption = "FRRC")` compares the modalities.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, Worksheet, XlsxError};

use crate::dataset::GroundTruth;
use crate::error::{Error, ErrorKind};
use crate::matching::Verdict;
use crate::options::Options;
use crate::printable::printable;
use crate::protocol::Class;
use crate::run::{Prepared, Run};

/// The rows of a sheet behind its header.
const MAX_ROWS: usize = 1_048_575;
/// The characters of a cell.
const MAX_CHARS: usize = 32_767;
/// The only reader.
const READER: u32 = 1;
/// RJafroc's own rating of what is not marked.
const NO_MARK: &str = "-Inf";

/// A workbook.
#[derive(Debug, Clone)]
pub struct Study {
    /// The bytes of an .xlsx file; the same runs give the same bytes.
    pub workbook: Vec<u8>,
    /// One sentence for each thing that is to be known.
    pub notes: Vec<String>,
}

/// The class of that name, or the only one with lesions.
///
/// # Errors
/// If there is none, or if there are several.
pub fn class(ground_truth: &GroundTruth, name: Option<&str>) -> Result<Class, Error> {
    let is_meant = |class: &Class| match name {
        Some(name) => ground_truth.class_name(*class) == name,
        None => ground_truth.n_lesions(*class) > 0,
    };
    let meant: Vec<Class> = ground_truth.classes().filter(is_meant).collect();
    if let [class] = meant[..] {
        return Ok(class);
    }
    let what = match name {
        Some(name) if meant.is_empty() => format!("there is \"{name}\""),
        Some(name) => format!("{} classes are called \"{name}\"", meant.len()),
        None => format!("none is named, and {} have lesions", meant.len()),
    };
    let names: Vec<&str> = ground_truth.classes().map(|class| ground_truth.class_name(class)).collect();
    Err(Error::option("Class", what, format!("one of {}", names.join(", "))))
}

/// An image of which it is known whether it has a lesion of the class.
struct Case {
    image: usize,
    first_lesion: usize,
    n_lesions: usize,
}

/// A row of the sheets `FP` and `TP`.
struct Mark {
    modality: u32,
    image: usize,
    /// From 1 in its image; 0 of a false positive.
    lesion: usize,
    /// `None` in the only row of a run that has no mark there.
    rating: Option<f32>,
}

impl Case {
    /// How RJafroc knows an image.
    const fn id(image: usize) -> u32 {
        image as u32 + 1
    }

    fn all(ground_truth: &GroundTruth, class: Class) -> Vec<Self> {
        let case = |image| {
            let (first, lesions) = ground_truth.lesions(class, image);
            let case = Self { image, first_lesion: first as usize, n_lesions: lesions.len() };
            ground_truth.label(class, image).map(|_| case)
        };
        (0..ground_truth.n_images()).filter_map(case).collect()
    }

    /// The numbers of its lesions; 0 alone where it has none.
    fn lesions(&self) -> impl Iterator<Item = u32> + use<> {
        let n = self.n_lesions as u32;
        n.min(1)..=n
    }
}

/// False positives and lesions found, run by run, and image by image as RJafroc wants them.
#[derive(Default)]
struct Marks {
    false_positives: Vec<Mark>,
    found: Vec<Mark>,
}

impl Marks {
    fn add(&mut self, cases: &[Case], ground_truth: &GroundTruth, run: &Run, class: Class, options: &Options) {
        let n_lesions = ground_truth.n_lesions(class);
        let verdicts = run.verdicts(class, n_lesions, options.iou_threshold(), ground_truth.protocol().extent());
        let scores = run.ranking(class).scores();
        let mut of_lesion = vec![None; n_lesions];
        for claim in verdicts.claims().iter().filter(|claim| !claim.is_duplicate) {
            of_lesion[claim.lesion as usize] = Some(scores[claim.rank as usize]);
        }
        let mut of_image = vec![Vec::new(); ground_truth.n_images()];
        for ((image, score), verdict) in run.images(class).into_iter().zip(scores).zip(verdicts.iter()) {
            if matches!(verdict, Verdict::FalsePositive | Verdict::Duplicate) {
                of_image[image as usize].push(*score);
            }
        }
        let modality = self.found.last().map_or(1, |mark| mark.modality + 1);
        let mark = |image, lesion, rating| Mark { modality, image, lesion, rating };
        let before = (self.false_positives.len(), self.found.len());
        for Case { image, first_lesion, n_lesions } in cases {
            self.false_positives.extend(of_image[*image].iter().map(|score| mark(*image, 0, Some(*score))));
            let lesions = (1..).zip(&of_lesion[*first_lesion..][..*n_lesions]);
            self.found.extend(lesions.filter(|(_, score)| score.is_some()).map(|(at, score)| mark(*image, at, *score)));
        }
        // Whatever is not in both sheets RJafroc takes for no modality, or names wrongly.
        if self.false_positives.len() == before.0 {
            self.false_positives.extend(cases.first().map(|case| mark(case.image, 0, None)));
        }
        if self.found.len() == before.1 {
            let lesion = cases.iter().find(|case| case.n_lesions > 0);
            self.found.extend(lesion.map(|case| mark(case.image, 1, None)));
        }
    }
}

impl Study {
    /// The workbook of a class, each run a modality, in order.
    ///
    /// # Errors
    /// If RJafroc can make nothing of it: no lesion of the class, or one image alone; or more rows than a sheet has.
    pub fn new(ground_truth: &GroundTruth, runs: &[&Prepared], class: Class, options: &Options) -> Result<Self, Error> {
        let cases = Case::all(ground_truth, class);
        let name = ground_truth.class_name(class);
        let n_diseased = cases.iter().filter(|case| case.n_lesions > 0).count();
        if n_diseased == 0 || cases.len() < 2 {
            let what = format!("{n_diseased} of {} images have lesions of the class \"{name}\"", cases.len());
            return Err(Error::new(
                ground_truth.name(),
                what,
                "at least two images, and a lesion, since RJafroc reads no less",
            ));
        }
        let mut marks = Marks::default();
        for run in runs {
            marks.add(&cases, ground_truth, &run.run, class, options);
        }
        let n_truth = cases.iter().map(|case| case.lesions().count()).sum();
        for (rows, sheet) in [(n_truth, "Truth"), (marks.false_positives.len(), "FP"), (marks.found.len(), "TP")] {
            if rows > MAX_ROWS {
                let expected = format!("at most {MAX_ROWS}, which a sheet holds: fewer runs, or fewer detections");
                let what = format!("the sheet {sheet} would have {rows} rows");
                return Err(Error::new("workbook", what, expected).of_kind(ErrorKind::TooLarge));
            }
        }
        let workbook = Sheets { ground_truth, runs, class, options, cases: &cases, marks: &marks }.bytes();
        let workbook = workbook.map_err(|error| {
            Error::new("workbook", format!("it cannot be made ({error})"), "names and numbers that a sheet holds")
        })?;
        Ok(Self { workbook, notes: notes(ground_truth, runs, name, &cases, n_diseased, &marks) })
    }
}

fn notes(
    ground_truth: &GroundTruth,
    runs: &[&Prepared],
    class: &str,
    cases: &[Case],
    n_diseased: usize,
    marks: &Marks,
) -> Vec<String> {
    let mut notes = Vec::new();
    let n_left_out = ground_truth.n_images() - cases.len();
    if n_left_out > 0 {
        let images = if n_left_out == 1 { "1 image has" } else { &format!("{n_left_out} images have") };
        notes.push(format!("Left out: {images} ignored lesions that may be of the class \"{class}\", and none other."));
    }
    if n_diseased == cases.len() {
        notes.push(format!(
            "Every image has a lesion of the class \"{class}\": of this RJafroc computes AFROC1 and wAFROC1, and neither AFROC nor wAFROC."
        ));
    }
    for (marks, what) in [(&marks.false_positives, "has no false positive"), (&marks.found, "found no lesion")] {
        for Mark { modality, .. } in marks.iter().filter(|mark| mark.rating.is_none()) {
            let run = runs[*modality as usize - 1].run.name();
            notes.push(format!(
                "Modality {modality}, \"{run}\", {what}: a row with the rating {NO_MARK}, which is no mark in RJafroc, says so."
            ));
        }
    }
    notes.iter().map(|note| printable(note, MAX_CHARS)).collect()
}

/// What the sheets are made of.
struct Sheets<'a> {
    ground_truth: &'a GroundTruth,
    runs: &'a [&'a Prepared],
    class: Class,
    options: &'a Options,
    cases: &'a [Case],
    marks: &'a Marks,
}

impl Sheets<'_> {
    /// RJafroc looks for the first three by the alphabet, so that the names of all others begin with W.
    fn bytes(&self) -> Result<Vec<u8>, XlsxError> {
        let mut workbook = Workbook::new();
        // The same runs give the same bytes.
        let created = ExcelDateTime::from_ymd(2000, 1, 1)?;
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&created));
        self.truth(workbook.add_worksheet().set_name("Truth")?)?;
        marks(workbook.add_worksheet().set_name("FP")?, &self.marks.false_positives, false)?;
        marks(workbook.add_worksheet().set_name("TP")?, &self.marks.found, true)?;
        self.images(workbook.add_worksheet().set_name("Which image")?)?;
        self.which_runs(workbook.add_worksheet().set_name("Which run")?)?;
        self.written_from(workbook.add_worksheet().set_name("Written from")?)?;
        workbook.save_to_buffer()
    }

    fn truth(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        sheet.write_row(0, 0, ["CaseID", "LesionID", "Weight", "ReaderID", "ModalityID", "Paradigm"])?;
        let modalities: Vec<String> = (1..=self.runs.len()).map(|modality| modality.to_string()).collect();
        let modalities = modalities.join(",");
        let rows = || self.cases.iter().flat_map(|case| case.lesions().map(|lesion| (Case::id(case.image), lesion)));
        sheet.write_column(1, 0, rows().map(|(case, _)| case))?;
        sheet.write_column(1, 1, rows().map(|(_, lesion)| lesion))?;
        // The lesions of an image weigh alike.
        sheet.write_column(1, 2, rows().map(|_| 0))?;
        sheet.write_column(1, 3, rows().map(|_| READER.to_string()))?;
        sheet.write_column(1, 4, rows().map(|_| modalities.as_str()))?;
        sheet.write_column(1, 5, ["FROC", "FCTRL"])?;
        Ok(())
    }

    fn images(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        sheet.write_row(0, 0, ["CaseID", "file_name"])?;
        sheet.write_column(1, 0, self.cases.iter().map(|case| Case::id(case.image)))?;
        let names: Vec<&str> = self.ground_truth.images().iter().collect();
        sheet.write_column(1, 1, self.cases.iter().map(|case| printable(names[case.image], MAX_CHARS)))?;
        Ok(())
    }

    fn which_runs(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        sheet.write_row(0, 0, ["ModalityID", "run", "SHA-256", "reading"])?;
        for (at, Prepared { run, .. }) in (1..).zip(self.runs) {
            let texts = [run.name(), run.sha256().unwrap_or_default(), &run.reading().sentence().unwrap_or_default()]
                .map(|text| printable(text, MAX_CHARS));
            sheet.write(at, 0, at)?.write_row(at, 1, texts)?;
        }
        Ok(())
    }

    fn written_from(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        let facts = [
            ("Class", self.ground_truth.class_name(self.class)),
            ("A detection finds a lesion by", &self.options.hit().to_string()),
            ("Ground truth", self.ground_truth.name()),
            ("SHA-256", self.ground_truth.sha256()),
            ("Written by", concat!("froc ", env!("CARGO_PKG_VERSION"))),
        ];
        sheet.write_column(0, 0, facts.map(|(fact, _)| fact))?;
        sheet.write_column(0, 1, facts.map(|(_, text)| printable(text, MAX_CHARS)))?;
        Ok(())
    }
}

/// The sheet of false positives, or of lesions found.
fn marks(sheet: &mut Worksheet, marks: &[Mark], of_lesions: bool) -> Result<(), XlsxError> {
    let lesion_and_rating: &[&str] = if of_lesions { &["LesionID", "TP_Rating"] } else { &["FP_Rating"] };
    sheet.write_row(0, 0, ["ReaderID", "ModalityID", "CaseID"])?.write_row(0, 3, lesion_and_rating.iter().copied())?;
    sheet.write_column(1, 0, marks.iter().map(|_| READER))?;
    sheet.write_column(1, 1, marks.iter().map(|mark| mark.modality))?;
    sheet.write_column(1, 2, marks.iter().map(|mark| Case::id(mark.image)))?;
    if of_lesions {
        sheet.write_column(1, 3, marks.iter().map(|mark| mark.lesion as u32))?;
    }
    let column = if of_lesions { 4 } else { 3 };
    for (row, mark) in (1..).zip(marks) {
        match mark.rating {
            Some(rating) => sheet.write(row, column, decimal(rating))?,
            None => sheet.write(row, column, NO_MARK)?,
        };
    }
    Ok(())
}

/// The shortest decimal that is nearest to this score and no other. Of two scores those are in the same order, and survive the 15 digits that
/// a column is read with where it holds text, too.
fn decimal(score: f32) -> f64 {
    // -0 is equal to 0.
    (score + 0.0).to_string().parse().unwrap_or(f64::from(score))
}
