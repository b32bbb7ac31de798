//! Which images belong together: all images of a patient are drawn together when images are resampled.

use std::collections::HashMap;

use serde::Deserialize;

use crate::dataset::GroundTruth;
use crate::error::Error;

/// Where groups come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Each image is a group of its own.
    Images,
    /// File names as the NIH gives them: `00000013_005.png` is patient 13.
    NihNames,
    /// A file `file_name,group`.
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

/// One line of the file.
#[derive(Deserialize)]
struct Line {
    file_name: String,
    group: String,
}

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

    /// Reads a CSV file with the header `file_name,group` and a line for each image; groups are any text. Lines for other
    /// images are passed over. `name` is the file's base name.
    ///
    /// # Errors
    /// If it is not such a file, an image is in two groups or in none.
    pub fn csv(name: &str, bytes: &[u8], ground_truth: &GroundTruth) -> Result<Self, Error> {
        let bytes = bytes.strip_prefix(super::json::BOM).unwrap_or(bytes);
        let mut group_of: HashMap<String, String> = HashMap::new();
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
        for (line, number) in reader.deserialize::<Line>().zip(1..) {
            let place = || format!("{name}, line {number} after the header");
            let Line { file_name, group } = line.map_err(|error| {
                Error::new(place(), what(&error), "the header file_name,group and one line for each image")
            })?;
            let before = group_of.get(&file_name);
            if let Some(before) = before.filter(|before| **before != group) {
                let what = format!("\"{file_name}\" is in group \"{group}\", and in \"{before}\" further up");
                return Err(Error::new(place(), what, "one group for each image"));
            }
            group_of.insert(file_name, group);
        }
        let groups = ground_truth.images().iter().map(|image| {
            group_of.get(image).map(String::as_str).ok_or_else(|| {
                Error::new(name, format!("it has no line for image \"{image}\""), "a line for each image")
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

/// Whether a file starts like groups: with a line that names the columns `file_name` and `group`.
#[must_use]
pub fn is_groups(head: &[u8]) -> bool {
    let head = head.strip_prefix(super::json::BOM).unwrap_or(head);
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(line);
    let names = |header: &csv::StringRecord, name: &str| header.iter().any(|field| field == name);
    reader.headers().is_ok_and(|header| names(header, "file_name") && names(header, "group"))
}

/// The eight digits before the underscore of `00000013_005.png`.
fn nih_patient(file_name: &str) -> Option<&str> {
    let base = file_name.rsplit('/').next()?;
    let (patient, rest) = base.split_once('_')?;
    let (image, _) = rest.split_once('.')?;
    let is_number = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(patient, 8) && is_number(image, 3)).then_some(patient)
}

/// What the CSV reader found, without the place, which is said already.
fn what(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!("it has {len} fields, not {expected_len}"),
        csv::ErrorKind::Deserialize { err, .. } => err.kind().to_string(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::Notices;

    fn truth(images: &[&str]) -> GroundTruth {
        let images: Vec<String> = images.iter().map(|&image| image.to_owned()).collect();
        GroundTruth::new(
            "test.json",
            String::new(),
            crate::protocol::Protocol::default(),
            images,
            &[],
            Notices::default(),
        )
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
            sentence("file_name,patient\na.png,1"),
            "g.csv, line 1 after the header: missing field `group`; expected the header file_name,group and one line for each image."
        );
        assert!(sentence("file_name,group\na.png").contains("1 fields, not 2"));
    }
}
