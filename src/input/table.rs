//! A table as people save it: CSV with commas, semicolons or tabs, a mark of UTF-8 or a line `sep=;` before it, and columns under
//! names of many kinds.

use std::collections::HashMap;
use std::fmt;
use std::ops::Index;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::json::BOM;
use crate::dataset::GroundTruth;
use crate::error::Error;
use crate::limits::MAX_HEADER_BYTES;

/// A table and its header.
pub struct Table<'a> {
    rows: csv::Reader<&'a [u8]>,
    header: StringRecord,
}

impl<'a> Table<'a> {
    /// A table; its columns are set apart by what its first line says, or by the sign that occurs most often in its header.
    /// Without a header if the first line is not UTF-8, and empty if it has more than [`MAX_HEADER_BYTES`].
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
        let is_line = bytes.len() <= MAX_HEADER_BYTES || bytes[..MAX_HEADER_BYTES].contains(&b'\n');
        let bytes = if is_line { bytes } else { &[] };
        // Excel's own way to tell, which it does not show.
        let said = bytes.strip_prefix(b"sep=").and_then(|rest| rest.split_first());
        let (delimiter, bytes) = match said {
            Some((delimiter, rest)) => (*delimiter, rest.trim_ascii_start()),
            None => (usual(bytes), bytes),
        };
        let mut rows = ReaderBuilder::new().delimiter(delimiter).trim(Trim::Headers).flexible(false).from_reader(bytes);
        let header = rows.headers().cloned().unwrap_or_default();
        Self { rows, header }
    }

    /// The place of the first column that has one of these names, which are in lower case and without blanks, dots, lines and
    /// the like: `Image Index` is `imageindex`.
    #[must_use]
    pub fn column(&self, names: &[&str]) -> Option<usize> {
        let plain: Vec<String> = self.header.iter().map(plain).collect();
        names.iter().find_map(|name| plain.iter().position(|column| column == name))
    }

    /// The names of the columns, as they are written.
    #[must_use]
    pub const fn header(&self) -> &StringRecord {
        &self.header
    }

    /// The rows, with the place of each for sentences: `groups.csv, line 3`.
    pub fn rows(self, name: &str) -> impl Iterator<Item = (Place<'_>, Result<Row, Error>)> {
        self.rows.into_records().zip(1..).map(move |(row, number)| {
            let place = Place { name, number };
            let row = row.map(Row).map_err(|error| {
                Error::new(place.to_string(), what(&error), "a line with as many fields as the header has columns")
            });
            (place, row)
        })
    }
}

/// The fields of a row, by their places; without the blanks around them, which people type.
// The reader itself would copy each row to take them away.
pub struct Row(StringRecord);

impl Index<usize> for Row {
    type Output = str;

    fn index(&self, at: usize) -> &str {
        self.0[at].trim()
    }
}

/// Where a row stands: written when a sentence wants it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    name: &'a str,
    /// After the header, from 1.
    number: u64,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let comma = if self.name.is_empty() { "" } else { ", " };
        write!(f, "{}{comma}line {} after the header", self.name, self.number)
    }
}

impl From<Place<'_>> for String {
    fn from(place: Place<'_>) -> Self {
        place.to_string()
    }
}

/// The lines of a table for the images of a ground truth.
pub struct Lines {
    /// Place, for sentences, and fields.
    lines: Vec<(String, Row)>,
    /// Name of each image, and its lines, at least one.
    of_image: Vec<(String, Vec<u32>)>,
}

/// A column says two things of an image.
pub struct Twice<'a> {
    /// Where the second is said.
    pub place: &'a str,
    /// Of which image.
    pub image: &'a str,
    /// What is said first, and then.
    pub values: [&'a str; 2],
}

impl Lines {
    /// Reads all lines; an image is named in column `image_at`, with its ending or without. Lines for other images are passed
    /// over. `name` is the file's base name.
    ///
    /// # Errors
    /// If a line is not as long as the header, or an image has none.
    pub fn new(table: Table<'_>, name: &str, image_at: usize, ground_truth: &GroundTruth) -> Result<Self, Error> {
        let images = ground_truth.images();
        let mut lines_of: HashMap<&str, Vec<u32>> =
            images.iter().flat_map(|image| [image, without_ending(image)]).map(|name| (name, Vec::new())).collect();
        let mut lines = Vec::new();
        for (place, line) in table.rows(name) {
            let line = line?;
            if let Some(of) = lines_of.get_mut(&line[image_at]) {
                of.push(lines.len() as u32);
                lines.push((place.to_string(), line));
            }
        }
        let of_image = images.iter().map(|image| {
            let mut found = [image, without_ending(image)].into_iter().filter_map(|name| lines_of.get(name));
            let found = found.find(|lines| !lines.is_empty());
            let none = || Error::new(name, format!("it has no line for image \"{image}\""), "a line for each image");
            Ok((image.to_owned(), found.ok_or_else(none)?.clone()))
        });
        let of_image = of_image.collect::<Result<Vec<_>, Error>>()?;
        Ok(Self { lines, of_image })
    }

    /// What a column says of each image, in their order.
    pub fn values(&self, column: usize) -> impl Iterator<Item = Result<&str, Twice<'_>>> {
        self.of_image.iter().map(move |(image, lines)| {
            let mut said = lines.iter().map(|line| &self.lines[*line as usize]);
            let first = said.next().map_or("", |(_, fields)| &fields[column]);
            match said.find(|(_, fields)| &fields[column] != first) {
                None => Ok(first),
                Some((place, fields)) => Err(Twice { place, image, values: [first, &fields[column]] }),
            }
        })
    }
}

fn without_ending(image: &str) -> &str {
    image.rsplit_once('.').map_or(image, |(stem, _)| stem)
}

/// The sign of the usual three that occurs most often in the first line.
fn usual(bytes: &[u8]) -> u8 {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |sign: &u8| line.split(|byte| byte == sign).count();
    b"\t;,".iter().copied().max_by_key(count).unwrap_or(b',')
}

/// A name in lower case, its letters and digits alone.
fn plain(name: &str) -> String {
    name.to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// What the CSV reader found, without the place, which is said already.
fn what(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!("it has {len} fields, not {expected_len}"),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_under_usual_names_whatever_sets_them_apart() {
        for text in [
            "\u{feff}Image Index,Patient ID\n1.png,7",
            "sep=;\r\nimage_index;patientId\n1.png;7",
            "IMAGE-INDEX\tPatient_ID\n1.png\t7",
        ] {
            let table = Table::new(text.as_bytes());
            assert_eq!(table.column(&["filename", "imageindex"]), Some(0), "{text}");
            assert_eq!(table.column(&["patientid"]), Some(1));
            assert_eq!(table.column(&["group"]), None);
            let rows: Vec<_> = table.rows("t.csv").collect();
            assert_eq!(rows.len(), 1);
            assert_eq!(rows[0].0.to_string(), "t.csv, line 1 after the header");
            assert_eq!(rows[0].1.as_ref().map(|row| row[1].to_owned()), Ok("7".to_owned()));
        }
        // Blanks around fields are none of theirs, in quotation marks or not.
        let table = Table::new(b" image , x\n\t1 a.png ,\" 7 \"\n");
        assert_eq!(table.header(), ["image", "x"].as_slice());
        let row = table.rows("").next().expect("a row").1.expect("fields");
        assert_eq!([&row[0], &row[1]], ["1 a.png", "7"]);
        assert_eq!(Table::new(b"").header().len(), 0);
        let wide = |n: usize| format!("{}b\n", "a,".repeat(n));
        assert_eq!(Table::new(wide(1000).as_bytes()).header().len(), 1001);
        assert_eq!(Table::new(wide(MAX_HEADER_BYTES).as_bytes()).header().len(), 0);
    }
}
