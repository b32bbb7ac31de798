//! What lesions are found as, with what is found nowhere and what is found on nothing ([section 16](crate::metric)).

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::dataset::{Detections, GroundTruth};
use crate::geometry::BBox;
use crate::protocol::{Class, PerClass};
use crate::run::Run;

/// What a lesion or a detection of a [`Cell`] comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// A lesion, with the detection that it is found as, if there is one.
    Lesion,
    /// A false positive that hits lesions, of its class or another, each of which is another detection's.
    TakenLesion,
    /// A false positive that hits no lesion of any class.
    Background,
}

/// A cell of the table: what it is on, the class of the lesion, and that of the detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// What the lesion or the detection comes to.
    pub on: On,
    /// The class of the lesion; `None` but for [`On::Lesion`].
    pub lesions_of: Option<Class>,
    /// The class of the detection; `None` of a lesion that nothing found.
    pub found_as: Option<Class>,
}

/// A false positive on a missed lesion of another class: places among those of the image.
struct Pair {
    measure: f32,
    score: f32,
    detection: usize,
    lesion: usize,
}

/// Gives every lesion and every detection that counts its cell, once, image by image.
///
/// True positives are those of each class by itself (section 3), so that they, the false positives and the missed lesions are
/// the counts that are told of the class. Then missed lesions are given false positives of other classes, the pair of the
/// greatest measure first, one detection a lesion, as Ultralytics' and supervision's `ConfusionMatrix` do it with all pairs; of
/// equal measures the detection of the higher score, then the class that comes first, then what is listed first. Ignored
/// lesions, and detections on such alone, have no cell.
///
/// `detections` are those that the run was made of.
pub fn each_cell(
    ground_truth: &GroundTruth,
    (run, detections): (&Run, &Detections),
    iou_threshold: f64,
    thresholds: &PerClass<Option<f32>>,
    mut see: impl FnMut(usize, Cell),
) {
    let protocol = ground_truth.protocol();
    let (measure, extent, least) = (protocol.measure(), protocol.extent(), protocol.measure().least(iou_threshold));
    let mut is_false_positive = vec![false; detections.len()];
    let mut is_found = ground_truth.per_class(|class| vec![false; ground_truth.n_lesions(class)]);
    for class in ground_truth.classes() {
        let ranking = run.ranking(class);
        let n_shown = thresholds[class].map_or(0, |least| ranking.scores().partition_point(|score| *score >= least));
        let shown = &ranking.detections()[..n_shown];
        let verdicts = run.verdicts(class, ground_truth.n_lesions(class), iou_threshold, extent);
        for at in shown {
            is_false_positive[*at as usize] = true;
        }
        for claim in verdicts.claims().iter().filter(|claim| !claim.is_duplicate) {
            if let Some(at) = shown.get(claim.rank as usize) {
                is_false_positive[*at as usize] = false;
                is_found[class][claim.lesion as usize] = true;
            }
        }
        for at in verdicts.ignored().iter().filter_map(|rank| shown.get(*rank as usize)) {
            is_false_positive[*at as usize] = false;
        }
    }
    for image in 0..ground_truth.n_images() {
        let lesions: Vec<(Class, u32, BBox)> = ground_truth.lesions_in(image).collect();
        // What each is found as.
        let mut found_as: Vec<Option<Class>> =
            lesions.iter().map(|(class, lesion, _)| is_found[*class][*lesion as usize].then_some(*class)).collect();
        let column = |at: u32| {
            let at = at as usize;
            let class = if is_false_positive[at] { run.class(detections, at) } else { None };
            class.map(|class| (class, at))
        };
        let mut left: Vec<(Class, usize)> = run.detections(image).filter_map(column).collect();
        left.sort_unstable();
        let mut on = vec![On::Background; left.len()];
        let mut pairs = Vec::new();
        for (detection, &(class, at)) in left.iter().enumerate() {
            for (lesion, &(of, _, there)) in lesions.iter().enumerate() {
                let measure = measure.of(detections.bbox(at), there, extent);
                if measure >= least {
                    on[detection] = On::TakenLesion;
                    if of != class && found_as[lesion].is_none() {
                        pairs.push(Pair { measure, score: detections.score(at), detection, lesion });
                    }
                }
            }
        }
        // No number here is NaN, and 0 is equal to -0; a stable sort keeps the order of listing.
        let falling = |a: f32, b: f32| b.partial_cmp(&a).unwrap_or(Ordering::Equal);
        pairs.sort_by(|a, b| falling(a.measure, b.measure).then(falling(a.score, b.score)));
        for pair in pairs {
            if on[pair.detection] == On::TakenLesion && found_as[pair.lesion].is_none() {
                on[pair.detection] = On::Lesion;
                found_as[pair.lesion] = Some(left[pair.detection].0);
            }
        }
        for ((class, ..), found_as) in lesions.into_iter().zip(found_as) {
            see(image, Cell { on: On::Lesion, lesions_of: Some(class), found_as });
        }
        // One that found a lesion has been seen with it.
        for (on, (class, _)) in on.into_iter().zip(left).filter(|(on, _)| *on != On::Lesion) {
            see(image, Cell { on, lesions_of: None, found_as: Some(class) });
        }
    }
}

/// How many lesions and detections each cell holds: lesions by class and what they are found as, in the order of the classes,
/// what nothing found last; then false positives. Cells without any are left out.
#[must_use]
pub fn confusion(
    ground_truth: &GroundTruth,
    of_run: (&Run, &Detections),
    iou_threshold: f64,
    thresholds: &PerClass<Option<f32>>,
) -> Vec<(Cell, usize)> {
    // Few classes are taken for each other: a row for each class of lesions holds those that were seen, of thousands.
    let mut lesions = ground_truth.per_class(|_| Vec::<(Option<Class>, usize)>::new());
    let mut others = [On::TakenLesion, On::Background].map(|on| (on, ground_truth.per_class(|_| 0_usize)));
    each_cell(ground_truth, of_run, iou_threshold, thresholds, |_, Cell { on, lesions_of, found_as }| {
        if let Some(of) = lesions_of {
            match lesions[of].iter_mut().find(|(class, _)| *class == found_as) {
                Some((_, count)) => *count += 1,
                None => lesions[of].push((found_as, 1)),
            }
        } else if let (Some(class), Some((_, counts))) = (found_as, others.iter_mut().find(|(of, _)| *of == on)) {
            counts[class] += 1;
        }
    });
    let mut all = Vec::new();
    for class in ground_truth.classes() {
        lesions[class].sort_unstable_by_key(|(found_as, _)| (found_as.is_none(), *found_as));
        let cell = |&(found_as, count)| (Cell { on: On::Lesion, lesions_of: Some(class), found_as }, count);
        all.extend(lesions[class].iter().map(cell));
    }
    for (on, counts) in others {
        let cell = |class| (Cell { on, lesions_of: None, found_as: Some(class) }, counts[class]);
        all.extend(ground_truth.classes().map(cell).filter(|(_, count)| *count > 0));
    }
    all
}
