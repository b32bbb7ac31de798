//! What a table tells of images beside their groups: sex, age, view, anything that images are divided by.

use std::collections::HashMap;

use super::csv;
use super::groups::{GROUP, IMAGE};
use super::table::{Lines, Table};
use crate::dataset::GroundTruth;
use crate::error::Error;

/// A column with more values than this is no text to divide by: names of patients, findings in words.
pub const MAX_VALUES: usize = 20;

/// What a table tells of the images of a ground truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    name: String,
    sha256: String,
    columns: Vec<Attribute>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    name: String,
    is_of_groups: bool,
    values: Result<Values, Error>,
}

/// What a column says of each image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    /// Every text that occurs, in the order in which the images first have it.
    pub distinct: Vec<String>,
    /// Place of that of each image.
    pub of_image: Vec<u32>,
}

impl Attributes {
    /// Reads a table with a column of image names, under any usual name, and any further columns. Image names may lack their
    /// ending. Lines for other images are passed over. `name` is the file's base name.
    ///
    /// # Errors
    /// If it is not such a file, or an image has no line.
    pub fn csv(name: &str, bytes: &[u8], ground_truth: &GroundTruth) -> Result<Self, Error> {
        let table = Table::new(bytes);
        let header: Vec<String> = table.header().iter().map(str::to_owned).collect();
        let Some(image_at) = table.column(IMAGE).filter(|_| header.len() > 1) else {
            let expected = "a column that names the image (file_name) and further ones, such as sex or age";
            return Err(Error::new(name, format!("its columns are {}", header.join(", ")), expected));
        };
        let group_at = table.column(GROUP);
        let lines = Lines::new(table, name, image_at, ground_truth)?;
        let further = header.into_iter().enumerate().filter(|(at, column)| *at != image_at && !column.is_empty());
        let columns = further.map(|(at, name)| {
            let values = values(&lines, at, &name, ground_truth);
            Attribute { name, is_of_groups: group_at == Some(at), values }
        });
        Ok(Self { name: name.to_owned(), sha256: super::sha256(bytes), columns: columns.collect() })
    }

    /// Base name of the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of its bytes, in hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// All columns but that of the images and those without a name, in their order.
    #[must_use]
    pub fn columns(&self) -> &[Attribute] {
        &self.columns
    }
}

impl Attribute {
    /// As it is written.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it tells which images belong together, such as the patient: few would divide by that.
    #[must_use]
    pub const fn is_of_groups(&self) -> bool {
        self.is_of_groups
    }

    /// What it says of each image.
    ///
    /// # Errors
    /// If it says two things of one image.
    pub fn values(&self) -> Result<&Values, Error> {
        self.values.as_ref().map_err(Clone::clone)
    }
}

fn values(lines: &Lines, column: usize, name: &str, ground_truth: &GroundTruth) -> Result<Values, Error> {
    let mut places: HashMap<&str, u32> = HashMap::new();
    let mut values = Values { distinct: Vec::new(), of_image: Vec::with_capacity(ground_truth.n_images()) };
    for value in lines.values(column) {
        let value = value.map_err(|twice| {
            let [before, after] = twice.values;
            let what = format!("\"{name}\" of \"{}\" is \"{after}\", and \"{before}\" further up", twice.image);
            Error::new(twice.place, what, "one value for each image")
        })?;
        let next = values.distinct.len() as u32;
        let place = *places.entry(value).or_insert(next);
        if place == next {
            values.distinct.push(value.to_owned());
        }
        values.of_image.push(place);
    }
    Ok(values)
}

/// Whether a file starts like a table of images: with a line that names a column of images, a further one, and none of boxes,
/// classes or scores.
#[must_use]
pub fn is_of_images(head: &[u8]) -> bool {
    let table = Table::new(head);
    table.column(IMAGE).is_some() && table.header().len() > 1 && !csv::tells_boxes(&table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(images: &[&str]) -> GroundTruth {
        let images: Vec<String> = images.iter().map(|&image| image.to_owned()).collect();
        GroundTruth::new("test.json", String::new(), crate::protocol::Protocol::default(), images, &[], Vec::new())
            .expect("images")
    }

    /// A header as NIH's `Data_Entry_2017.csv` has it: two of its names hold a comma, and the last column has none.
    const NIH: &str = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],
00000001_000.png,Cardiomegaly,0,1,058Y,M,PA,2682,2749,0.143,0.143,
00000002_000.png,No Finding,0,2,081Y,F,AP,2500,2048,0.171,0.171,
";

    #[test]
    fn a_table_of_the_nih_is_read_as_it_comes() {
        assert!(is_of_images(NIH.as_bytes()));
        let truth = truth(&["00000002_000.png", "00000001_000.png"]);
        let read = Attributes::csv("Data_Entry_2017.csv", NIH.as_bytes(), &truth).expect("a table of images");
        let names: Vec<&str> = read.columns().iter().map(Attribute::name).collect();
        assert_eq!(
            names[..6],
            ["Finding Labels", "Follow-up #", "Patient ID", "Patient Age", "Patient Gender", "View Position"]
        );
        assert_eq!(names.len(), 10);
        let values = read.columns()[4].values().expect("one value for each image");
        assert_eq!(
            (values.distinct.as_slice(), values.of_image.as_slice()),
            (["F", "M"].map(str::to_owned).as_slice(), [0, 1].as_slice())
        );
    }

    #[test]
    fn a_column_that_says_two_things_of_an_image_is_refused_alone() {
        let truth = truth(&["1.png"]);
        let read = Attributes::csv("m.csv", b"image;sex;site\n1;f;a\n2;m;a\n1;f;b", &truth).expect("a table of images");
        assert!(read.columns()[0].values().is_ok());
        assert_eq!(
            read.columns()[1].values().expect_err("two sites").to_string(),
            "m.csv, line 3 after the header: \"site\" of \"1.png\" is \"b\", and \"a\" further up; expected one value for each image."
        );
    }

    #[test]
    fn a_bad_file_ends_as_a_sentence() {
        let truth = truth(&["a.png"]);
        let sentence = |text: &str| Attributes::csv("m.csv", text.as_bytes(), &truth).expect_err("bad").to_string();
        assert_eq!(
            sentence("file_name\na.png"),
            "m.csv: its columns are file_name; expected a column that names the image (file_name) and further ones, such as sex or age."
        );
        assert_eq!(
            sentence("file_name,sex\nb.png,f"),
            "m.csv: it has no line for image \"a.png\"; expected a line for each image."
        );
        assert!(sentence("file_name,sex\na.png").contains("1 fields, not 2"));
    }

    #[test]
    fn tables_of_boxes_are_none_of_images() {
        assert!(!is_of_images(b"file_name,label,xmin,ymin,xmax,ymax\n"));
        assert!(!is_of_images(b"file_name,label,a\n"));
        assert!(!is_of_images(b"file_name\n"));
        assert!(!is_of_images(b"[{\"file_name\": \"1.png\", \"sex\": 1}]"));
    }
}
