//! Is the ground truth right? Lesions that may be missing, of another class, or boxed wrongly, since several runs agree on it
//! ([section 17](crate::metric)); and what a person makes of them.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use crate::convert::ground_truth::Correction;
use crate::dataset::{GroundTruth, map_all};
use crate::diagnosis::{BADLY_PLACED, operating_thresholds};
use crate::error::Error;
use crate::geometry::{BBox, Extent, FileBox, iou};
use crate::input::sha256;
use crate::input::table::Table;
use crate::matching::Verdict;
use crate::options::Options;
use crate::protocol::{Class, PerClass};
use crate::run::Prepared;

/// The least IoU of boxes that mean the same: of detections of two runs, and of one with a lesion of another class.
pub const AGREEMENT: f32 = 0.5;

/// So many digits tell one suspect from another.
const ID_DIGITS: usize = 16;

/// What may be wrong with the ground truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
#[serde(rename_all = "snake_case")]
pub enum SuspectKind {
    /// There is no lesion where the runs see one.
    Missing,
    /// There is a lesion of another class.
    WrongLabel,
    /// There is a lesion of the class, whose box is another.
    BoxOff,
}

impl SuspectKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Missing, Self::WrongLabel, Self::BoxOff];

    /// Its name in files.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::WrongLabel => "wrong_label",
            Self::BoxOff => "box_off",
        }
    }
}

/// What a person says of a suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// The ground truth is right, and stays.
    Right,
    /// The ground truth is wrong, and is to be corrected as the runs have it.
    Wrong,
}

impl Mark {
    /// Its name in tables.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
        }
    }
}

/// Something that several runs agree on against the ground truth. Boxes are `x1`, `y1`, `x2`, `y2` in pixels, as their files have them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct Suspect {
    /// The same whenever the same correction is proposed, in whatever order runs are given: its kind, and a digest of image, class, lesion and
    /// box, so that who lacks the files can at most confirm what is guessed.
    pub id: String,
    /// What may be wrong.
    pub kind: SuspectKind,
    /// What the person says of it.
    pub mark: Option<Mark>,
    /// Place of the image in the ground truth, from 0.
    pub image: u32,
    /// File name of the image.
    pub name: String,
    /// The class that the runs see.
    pub class: String,
    /// The box of the detection of the highest rank: one that a run drew, which a mean would not be.
    pub bbox: [f64; 4],
    /// The lesion that it is about; `None` where one is missing.
    pub lesion: Option<SuspectLesion>,
    /// One detection of each run that agrees, at least two, by rank.
    pub detections: Vec<SuspectDetection>,
}

/// The lesion that a suspect is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct SuspectLesion {
    /// Its class.
    pub class: String,
    /// Place among the lesions of its class in its image, from 0, in the order of the file.
    pub place: u32,
    /// Where it is.
    pub bbox: [f64; 4],
    /// Intersection over union with the box of the suspect.
    pub iou: f32,
    /// How many of all runs find it as what it is, at their score thresholds.
    pub n_finding: usize,
}

/// A detection of a suspect.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct SuspectDetection {
    /// Place of its run.
    pub run: usize,
    /// Its place among the detections of its class in the run by falling score, from 1: scores of runs are on scales of their own.
    pub rank: u32,
    /// Its score.
    pub score: f32,
    /// Where it is.
    pub bbox: [f64; 4],
}

/// The rate at whose score thresholds detections are looked at: the lowest of the options, in false positives per image.
#[must_use]
pub fn rate(options: &Options) -> f64 {
    options.fp_per_image().first().copied().unwrap_or_default()
}

/// The suspects in a ground truth, none of them marked: by falling number of runs, then by mean rank. The order of the runs decides nothing.
#[must_use]
pub fn suspects(ground_truth: &GroundTruth, runs: &[&Prepared], options: &Options) -> Vec<Suspect> {
    let all_shown = map_all(runs.to_vec(), |run| Shown::new(ground_truth, run, options));
    let mut found = Vec::new();
    for image in 0..ground_truth.n_images() {
        let of_run = |(at, shown): (usize, &Shown<'_>)| shown.candidates(ground_truth, image, at);
        let mut candidates: Vec<Candidate> = all_shown.iter().enumerate().flat_map(of_run).collect();
        candidates.sort_unstable_by(Candidate::by_group_and_rank);
        for group in candidates.chunk_by(|a, b| a.group() == b.group()) {
            for agree in agreed(group, ground_truth.protocol().extent()) {
                let place = (place(&agree), found.len());
                found.extend(Suspect::new(ground_truth, image, &agree, &all_shown).map(|suspect| (place, suspect)));
            }
        }
    }
    found.sort_unstable_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, suspect)| suspect).collect()
}

/// What a run shows at its score thresholds.
struct Shown<'a> {
    prepared: &'a Prepared,
    /// False positives that claim no lesion: number in the run, rising, class and rank.
    false_positives: Vec<(u32, Class, u32)>,
    /// Of each class, whether each lesion is found.
    is_found: PerClass<Vec<bool>>,
}

impl<'a> Shown<'a> {
    fn new(ground_truth: &GroundTruth, prepared: &'a Prepared, options: &Options) -> Self {
        let (run, iou_threshold) = (&prepared.run, options.iou_threshold());
        let thresholds = operating_thresholds(ground_truth, run, iou_threshold, rate(options));
        let mut false_positives = Vec::new();
        let is_found = ground_truth.per_class(|class| {
            let mut is_found = vec![false; ground_truth.n_lesions(class)];
            let ranking = run.ranking(class);
            let verdicts = run.verdicts(class, is_found.len(), iou_threshold, ground_truth.protocol().extent());
            let is_shown = |score: &f32| thresholds[class].is_some_and(|least| *score >= least);
            let n_shown = ranking.scores().partition_point(is_shown);
            for claim in verdicts.claims().iter().take_while(|claim| (claim.rank as usize) < n_shown) {
                is_found[claim.lesion as usize] = true;
            }
            let shown = ranking.detections().iter().zip(1..).zip(verdicts.iter()).take(n_shown);
            let wrong = shown.filter(|(_, verdict)| *verdict == Verdict::FalsePositive);
            false_positives.extend(wrong.map(|((at, rank), _)| (*at, class, rank)));
            is_found
        });
        false_positives.sort_unstable_by_key(|(at, ..)| *at);
        Self { prepared, false_positives, is_found }
    }

    fn finds(&self, class: Class, lesion: u32) -> bool {
        self.is_found[class].get(lesion as usize) == Some(&true)
    }

    /// Those of an image that something of the ground truth may explain; `run` is the place of the run.
    fn candidates(&self, ground_truth: &GroundTruth, image: usize, run: usize) -> Vec<Candidate> {
        let range = self.prepared.run.detections(image);
        let from = |at: u32| self.false_positives.partition_point(|(other, ..)| *other < at);
        let here = self.false_positives.get(from(range.start)..from(range.end)).unwrap_or_default();
        let detections = self.prepared.predictions.detections();
        let candidate = |&(at, class, rank): &(u32, Class, u32)| {
            let at = at as usize;
            let (kind, lesion) = self.meaning(ground_truth, image, class, detections.bbox(at))?;
            let (score, bbox) = (detections.score(at), detections.box_in_file(at));
            Some(Candidate { class, kind, lesion, bbox, run, rank, score })
        };
        here.iter().filter_map(candidate).collect()
    }

    /// What a false positive says of the ground truth, and of which lesion, by its class and its number among all of that.
    fn meaning(
        &self,
        ground_truth: &GroundTruth,
        image: usize,
        class: Class,
        bbox: BBox,
    ) -> Option<(SuspectKind, Option<(Class, u32)>)> {
        let overlap = |there| iou(bbox, there, ground_truth.protocol().extent());
        // The first of those with the greatest overlap; one of 0/0 is none.
        let most = |is_own: bool| {
            let of = ground_truth.lesions_in(image).filter(|(of, ..)| (*of == class) == is_own);
            of.fold((0.0, None), |best, (of, lesion, there)| {
                let overlap = overlap(there);
                if overlap > best.0 { (overlap, Some((of, lesion))) } else { best }
            })
        };
        let ((own, own_lesion), (other, other_lesion)) = (most(true), most(false));
        let is_ignored = || ground_truth.ignored_in(image).iter().any(|of| overlap(of.bbox.rounded()) >= BADLY_PLACED);
        if other >= AGREEMENT {
            Some((SuspectKind::WrongLabel, other_lesion))
        } else if own >= BADLY_PLACED {
            let missed = own_lesion.filter(|(of, lesion)| !self.finds(*of, *lesion));
            missed.map(|lesion| (SuspectKind::BoxOff, Some(lesion)))
        } else {
            (other < BADLY_PLACED && !is_ignored()).then_some((SuspectKind::Missing, None))
        }
    }
}

/// A false positive that something of the ground truth may explain.
struct Candidate {
    class: Class,
    kind: SuspectKind,
    lesion: Option<(Class, u32)>,
    bbox: FileBox,
    run: usize,
    rank: u32,
    score: f32,
}

impl Candidate {
    const fn group(&self) -> (Class, SuspectKind, Option<(Class, u32)>) {
        (self.class, self.kind, self.lesion)
    }

    /// Equal ranks by their boxes, so that the order of the runs decides nothing.
    fn by_group_and_rank(&self, other: &Self) -> Ordering {
        let corners = corners(self.bbox).into_iter().zip(corners(other.bbox)).map(|(a, b)| a.total_cmp(&b));
        self.group()
            .cmp(&other.group())
            .then(self.rank.cmp(&other.rank))
            .then_with(|| corners.fold(Ordering::Equal, Ordering::then))
            .then(self.run.cmp(&other.run))
    }

    fn lies_on(&self, other: &Self, extent: Extent) -> bool {
        iou(self.bbox.rounded(), other.bbox.rounded(), extent) >= AGREEMENT
    }
}

/// Where those that agree stand in the list: by how many they are, then by the sum of their ranks.
fn place(agree: &[&Candidate]) -> (Reverse<usize>, u64) {
    (Reverse(agree.len()), agree.iter().map(|one| u64::from(one.rank)).sum())
}

/// Parts candidates of one kind, by rank, into those that agree, at least two: each goes with the highest one that is left, if it agrees
/// with all that do. Of several that are about one lesion, or lie on each other, the one counts that comes first in the list.
fn agreed(candidates: &[Candidate], extent: Extent) -> Vec<Vec<&Candidate>> {
    let mut clusters: Vec<Vec<&Candidate>> = Vec::new();
    let mut left: Vec<&Candidate> = candidates.iter().collect();
    while !left.is_empty() {
        let mut agree: Vec<&Candidate> = Vec::new();
        left.retain(|next| {
            let goes_with = agree.iter().all(|with| with.run != next.run && with.lies_on(next, extent));
            agree.extend(goes_with.then_some(*next));
            !goes_with
        });
        clusters.extend((agree.len() > 1).then_some(agree));
    }
    let mut agreed: Vec<Vec<&Candidate>> = Vec::new();
    while let Some((first, _)) = clusters.iter().enumerate().min_by_key(|(_, agree)| place(agree)) {
        let agree = clusters.remove(first);
        clusters.retain(|other| other[0].lesion.is_none() && !agree[0].lies_on(other[0], extent));
        agreed.push(agree);
    }
    agreed
}

impl Suspect {
    /// Of candidates that agree, by rank.
    fn new(ground_truth: &GroundTruth, image: usize, agree: &[&Candidate], shown: &[Shown<'_>]) -> Option<Self> {
        let first = *agree.first()?;
        let (name, class) = (&ground_truth.images()[image], ground_truth.class_name(first.class));
        let lesion = first.lesion.and_then(|(of, number)| {
            let (first_number, boxes) = ground_truth.lesions(of, image);
            let place = number - first_number;
            Some(SuspectLesion {
                class: ground_truth.class_name(of).to_owned(),
                place,
                bbox: corners(*ground_truth.lesions_in_file(of, image).get(place as usize)?),
                iou: iou(first.bbox.rounded(), *boxes.get(place as usize)?, ground_truth.protocol().extent()),
                n_finding: shown.iter().filter(|shown| shown.finds(of, number)).count(),
            })
        });
        // A wrong label keeps its box, wherever the runs have it.
        let bbox = Some(corners(first.bbox)).filter(|_| first.kind != SuspectKind::WrongLabel);
        let about = lesion.as_ref().map(|lesion| (&lesion.class, lesion.place));
        let digits = sha256(format!("{:?}", (name, class, about, bbox)).as_bytes());
        let detection = |&&Candidate { run, rank, score, bbox, .. }: &&Candidate| SuspectDetection {
            run,
            rank,
            score,
            bbox: corners(bbox),
        };
        Some(Self {
            id: format!("{}-{}", first.kind.id(), digits.get(..ID_DIGITS).unwrap_or(&digits)),
            kind: first.kind,
            mark: None,
            image: image as u32,
            name: name.to_owned(),
            class: class.to_owned(),
            bbox: corners(first.bbox),
            lesion,
            detections: agree.iter().map(detection).collect(),
        })
    }

    /// What it proposes.
    fn correction(&self) -> Correction {
        let [x1, y1, x2, y2] = self.bbox;
        Correction {
            image: self.image,
            lesion: self.lesion.as_ref().map(|lesion| (lesion.class.clone(), lesion.place)),
            class: (self.kind != SuspectKind::BoxOff).then(|| self.class.clone()),
            bbox: (self.kind != SuspectKind::WrongLabel).then_some(FileBox { x1, y1, x2, y2 }),
        }
    }
}

/// What the marks make of the ground truth, in the order of the suspects; and those that are passed over, since their lesion is to be of
/// another class already.
#[must_use]
pub fn corrections(suspects: &[Suspect]) -> (Vec<Correction>, Vec<&Suspect>) {
    let (mut corrections, mut passed_over): (Vec<Correction>, _) = (Vec::new(), Vec::new());
    for suspect in suspects.iter().filter(|suspect| suspect.mark == Some(Mark::Wrong)) {
        let correction = suspect.correction();
        let is_same = |other: &Correction| other.image == correction.image && other.lesion == correction.lesion;
        let is_relabelled = |other: &Correction| is_same(other) && other.class.is_some();
        if suspect.kind == SuspectKind::WrongLabel && corrections.iter().any(is_relabelled) {
            passed_over.push(suspect);
        } else {
            corrections.push(correction);
        }
    }
    (corrections, passed_over)
}

/// Reads marks from a table of suspects that a person filled in; `name` is the file's base name. What has no mark there may be no suspect
/// any more.
///
/// # Errors
/// If it has no columns `id` and `mark`, something stands in it twice, or is marked and is no suspect, or is marked otherwise than as
/// `right` or `wrong`.
pub fn read_marks(name: &str, bytes: &[u8], suspects: &[Suspect]) -> Result<Vec<(String, Mark)>, Error> {
    let table = Table::new(bytes);
    let Some((id_at, mark_at)) = table.column(&["id"]).zip(table.column(&["mark"])) else {
        let header = table.header().iter().collect::<Vec<_>>().join(", ");
        let expected = "those that froc suspects --format csv writes, id and mark among them";
        return Err(Error::new(name, format!("its columns are {header}"), expected));
    };
    let known: BTreeSet<&str> = suspects.iter().map(|suspect| suspect.id.as_str()).collect();
    let (mut marks, mut listed) = (Vec::new(), BTreeSet::new());
    for (place, row) in table.rows(name) {
        let row = row?;
        let (id, mark) = (&row[id_at], &row[mark_at]);
        if !listed.insert(id.to_owned()) {
            return Err(Error::new(place, format!("\"{id}\" stands further up, too"), "each suspect once"));
        }
        let mark = match mark.to_lowercase().as_str() {
            "" => continue,
            "right" => Mark::Right,
            "wrong" => Mark::Wrong,
            _ => {
                let expected = "right or wrong, as the ground truth is, or nothing";
                return Err(Error::new(place, format!("the mark of \"{id}\" is \"{mark}\""), expected));
            }
        };
        if !known.contains(id) {
            let expected = "the id of a suspect in these files under these options; list them anew";
            return Err(Error::new(place, format!("\"{id}\" is marked, and is no suspect"), expected));
        }
        marks.push((id.to_owned(), mark));
    }
    Ok(marks)
}

const fn corners(bbox: FileBox) -> [f64; 4] {
    [bbox.x1, bbox.y1, bbox.x2, bbox.y2]
}
