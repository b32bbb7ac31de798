//! Which images belong together: all images of a patient are drawn together when images are resampled.

use std::collections::HashMap;

use super::table::{Lines, Table};
use crate::dataset::GroundTruth;
use crate::error::Error;

/// Where groups come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Each image is a group of its own.
    Images,
    /// File names as the NIH gives them: `00000013_005.png` is patient 13.
    NihNames,
    /// A table with a column of images and one of groups.
    Csv {
        /// Base name of the file.
        name: String,
        /// SHA-256 of its bytes, in hexadecimal digits.
        sha256: String,
    },
}

/// A group for each image of a ground truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    source: Source,
    of_image: Vec<u32>,
    count: usize,
}

/// Usual names of the column that names an image.
pub(super) const IMAGE: &[&str] =
    &["filename", "file", "imageindex", "imageid", "imagename", "imgname", "image", "img", "imagepath", "path", "name"];
/// Usual names of the column that tells what belongs together.
pub(super) const GROUP: &[&str] =
    &["group", "groupid", "patientid", "patient", "subjectid", "subject", "caseid", "studyid"];
/// What a file of groups looks like.
const EXPECTED: &str = "a column that names the image (file_name) and one that names its group (group, or Patient ID)";

impl Groups {
    /// Each image by itself.
    #[must_use]
    pub fn images(ground_truth: &GroundTruth) -> Self {
        let count = ground_truth.n_images();
        Self { source: Source::Images, of_image: (0..count as u32).collect(), count }
    }

    /// Patients by the file names of the NIH, such as `00000013_005.png`: the digits before the underscore.
    ///
    /// # Errors
    /// If an image is named otherwise.
    pub fn nih_names(ground_truth: &GroundTruth) -> Result<Self, Error> {
        let patients = ground_truth.images().iter().map(|image| {
            nih_patient(image).ok_or_else(|| {
                let place = format!("{}, \"{image}\"", ground_truth.name());
                let expected = "a name such as 00000013_005.png, or a file file_name,group";
                Error::new(place, "the file name does not tell the patient", expected)
            })
        });
        Ok(Self::numbered(Source::NihNames, &patients.collect::<Result<Vec<&str>, Error>>()?))
    }

    /// Reads a table with a column of image names and one of groups or patients, under any usual names, NIH's `Image Index` and
    /// `Patient ID` among them; groups are any text. Image names may lack their ending. Lines for other images are passed
    /// over. `name` is the file's base name.
    ///
    /// # Errors
    /// If it is not such a file, an image is in two groups or in none.
    pub fn csv(name: &str, bytes: &[u8], ground_truth: &GroundTruth) -> Result<Self, Error> {
        let table = Table::new(bytes);
        let Some((image_at, group_at)) = columns(&table) else {
            let header = table.header().iter().collect::<Vec<_>>().join(", ");
            return Err(Error::new(name, format!("its columns are {header}"), EXPECTED));
        };
        let lines = Lines::new(table, name, image_at, ground_truth)?;
        let groups = lines.values(group_at).map(|group| {
            group.map_err(|twice| {
                let [before, after] = twice.values;
                let what = format!("\"{}\" is in group \"{after}\", and in \"{before}\" further up", twice.image);
                Error::new(twice.place, what, "one group for each image")
            })
        });
        let source = Source::Csv { name: name.to_owned(), sha256: super::sha256(bytes) };
        Ok(Self::numbered(source, &groups.collect::<Result<Vec<&str>, Error>>()?))
    }

    /// Groups numbered in the order in which the images first name them.
    fn numbered(source: Source, group_of_image: &[&str]) -> Self {
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let of_image = group_of_image.iter().map(|group| {
            let next = numbers.len() as u32;
            *numbers.entry(group).or_insert(next)
        });
        let of_image = of_image.collect();
        Self { source, of_image, count: numbers.len() }
    }

    /// Where they come from.
    #[must_use]
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// The group of each image, numbered from 0.
    #[must_use]
    pub fn of_image(&self) -> &[u32] {
        &self.of_image
    }

    /// How many groups there are.
    #[must_use]
    pub const fn n_groups(&self) -> usize {
        self.count
    }

    /// Images in each group.
    #[must_use]
    pub fn sizes(&self) -> Vec<u32> {
        let mut sizes = vec![0; self.count];
        for group in &self.of_image {
            sizes[*group as usize] += 1;
        }
        sizes
    }
}

/// Whether a file starts like groups: with a line that names a column of images, one of groups, and none of boxes or scores.
#[must_use]
pub fn is_groups(head: &[u8]) -> bool {
    const BOXES: &[&str] = &["x", "xmin", "x1", "score", "confidence", "predictionstring", "bboxxywh", "bboxxywh1"];
    let table = Table::new(head);
    columns(&table).is_some() && table.column(BOXES).is_none()
}

/// The places of the column of images and of the column of groups.
fn columns(table: &Table<'_>) -> Option<(usize, usize)> {
    Some((table.column(IMAGE)?, table.column(GROUP)?))
}

/// The eight digits before the underscore of `00000013_005.png`.
fn nih_patient(file_name: &str) -> Option<&str> {
    let base = file_name.rsplit('/').next()?;
    let (patient, rest) = base.split_once('_')?;
    let (image, _) = rest.split_once('.')?;
    let is_number = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(patient, 8) && is_number(image, 3)).then_some(patient)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(images: &[&str]) -> GroundTruth {
        let images: Vec<String> = images.iter().map(|&image| image.to_owned()).collect();
        GroundTruth::new("test.json", String::new(), crate::protocol::Protocol::default(), images, &[], Vec::new())
            .expect("images")
    }

    #[test]
    fn patients_are_read_from_names() {
        let groups = Groups::nih_names(&truth(&["00000013_005.png", "00000014_000.png", "00000013_006.png"]));
        let groups = groups.expect("names of the NIH");
        assert_eq!((groups.of_image(), groups.n_groups()), ([0, 1, 0].as_slice(), 2));
        assert_eq!(groups.sizes(), [2, 1]);
        assert_eq!(
            Groups::nih_names(&truth(&["36199.png"])).expect_err("another name").to_string(),
            "test.json, \"36199.png\": the file name does not tell the patient; expected a name such as 00000013_005.png, or a file file_name,group."
        );
    }

    #[test]
    fn a_file_names_groups_in_any_order_and_every_column() {
        let truth = truth(&["a.png", "b, c.png"]);
        let groups = Groups::csv(
            "groups.csv",
            "\u{feff}group,file_name\r\nx,\"b, c.png\"\r\ny,a.png\r\nz,other.png".as_bytes(),
            &truth,
        );
        assert_eq!(groups.expect("groups").of_image(), [0, 1]);
    }

    #[test]
    fn groups_are_told_from_ground_truth() {
        assert!(is_groups(b"file_name,group\n1.png,2"));
        assert!(is_groups("\u{feff}\"group\", file_name, age\r\n".as_bytes()));
        assert!(!is_groups(b"[{\"file_name\": \"1.png\", \"group\": 1}]"));
        assert!(!is_groups(b""));
        // A table of boxes by patient is none.
        assert!(!is_groups(b"patientId,x,y,width,height,Target\n"));
        assert!(!is_groups(b"image_id,patient_id,x_min,y_min,xmin,y_max\n"));
    }

    #[test]
    fn tables_of_metadata_are_groups_as_they_come() {
        let truth = truth(&["1.png", "2.png", "3.png"]);
        for text in [
            "file_name;group\n1.png;0\n2.png;0\n3.png;1\n",
            "sep=,\nfile_name,group\n1.png,0\n2.png,0\n3.png,1\n",
            "Image Index,Finding Labels,Follow-up #,Patient ID\n1.png,Nodule,0,0\n2.png,Nodule,0,0\n3.png,\"a, b\",0,1\n",
            "image_id\tsubject\n1\ta\n2\ta\n3\tb\n",
        ] {
            assert!(is_groups(text.as_bytes()), "{text}");
            let groups = Groups::csv("g.csv", text.as_bytes(), &truth).expect("groups");
            assert_eq!((groups.of_image(), groups.n_groups()), ([0, 0, 1].as_slice(), 2), "{text}");
        }
    }

    #[test]
    fn a_bad_file_ends_as_a_sentence() {
        let truth = truth(&["a.png"]);
        let sentence = |text: &str| Groups::csv("g.csv", text.as_bytes(), &truth).expect_err("bad").to_string();
        assert_eq!(
            sentence("file_name,group\na.png,1\na.png,2"),
            "g.csv, line 2 after the header: \"a.png\" is in group \"2\", and in \"1\" further up; expected one group for each image."
        );
        assert_eq!(
            sentence("file_name,group"),
            "g.csv: it has no line for image \"a.png\"; expected a line for each image."
        );
        assert_eq!(
            sentence("file_name,age\na.png,1"),
            "g.csv: its columns are file_name, age; expected a column that names the image (file_name) and one that names its group (group, or Patient ID)."
        );
        assert!(sentence("file_name,group\na.png").contains("1 fields, not 2"));
    }
}
