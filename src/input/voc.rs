//! Pascal VOC's XML: a file for each image, with an `object` for each lesion
//! (<http://host.robots.ox.ac.uk/pascal/VOC/voc2012/devkit_doc.pdf>, section 4.1).
//!
//! Coordinates are taken as they stand, whether they count from 0 or, as VOC's own, from 1. An object that is `difficult` counts
//! neither as found nor against a detection (section 4.4).

use roxmltree::{Document, Node, ParsingOptions};

use super::labels::{LabelFormat, Labels};
use crate::error::Error;
use crate::geometry::{FileBox, ImageSize};

/// The format.
pub const FORMAT: LabelFormat = LabelFormat { name: "Pascal VOC", endings: &[".xml"], sniff: is_it, read };

const EXPECTED: &str = "an <annotation> of Pascal VOC with an <object> for each lesion";
const OBJECT: &str = "an <object> with <name> and <bndbox>";
const BOX: &str = "a <bndbox> with the numbers <xmin>, <ymin>, <xmax>, <ymax>";
/// More elements than the file of any image has: parsing takes some 50 bytes for each.
const MAX_NODES: u32 = 5_000_000;

fn is_it(bytes: &[u8]) -> bool {
    const START: usize = 1024;
    let head = &bytes[..bytes.len().min(START)];
    head.windows(b"<annotation".len()).any(|there| there == b"<annotation")
}

fn read(path: &str, bytes: &[u8], into: &mut Labels) -> Result<(), Error> {
    let bytes = bytes.strip_prefix(super::json::BOM).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Error::new("", "it is not UTF-8 text", format!("{EXPECTED} as UTF-8; save it again as UTF-8")))?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let xml = Document::parse_with_options(text, options)
        .map_err(|error| Error::new("", format!("it is not XML ({error})"), EXPECTED))?;
    let root = xml.root_element();
    if !root.has_tag_name("annotation") {
        return Err(Error::new("", format!("there is <{}>", root.tag_name().name()), EXPECTED));
    }
    let base = path.rsplit('/').next().unwrap_or(path);
    let stem = base.rsplit_once('.').map_or(base, |(stem, _)| stem);
    match text_of(root, "filename") {
        // Some tools write the whole path.
        Some(name) => into.push_image(name.rsplit(['/', '\\']).next().unwrap_or(name))?,
        None => into.push_image(&format!("{stem}.png"))?,
    }
    into.size_of_image(size(root));
    for (object, n) in root.children().filter(|node| node.has_tag_name("object")).zip(1..) {
        let wrong = |error: Error| error.within(&format!("object {n}"));
        let name = text_of(object, "name").ok_or_else(|| wrong(Error::new("", "it has no <name>", OBJECT)))?;
        let bbox = bbox(object).map_err(wrong)?;
        // Also `True`, as Python writes it; `Unspecified` says nothing.
        let is_yes =
            |text: &str| text.eq_ignore_ascii_case("true") || text.parse().is_ok_and(|number: f64| number > 0.0);
        let is_difficult = text_of(object, "difficult").is_some_and(is_yes);
        into.push_lesion(n, name, bbox, is_difficult).map_err(wrong)?;
    }
    Ok(())
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// What `<size>` tells, if it does.
fn size(root: Node<'_, '_>) -> Option<ImageSize> {
    let size = child(root, "size")?;
    let number = |name: &str| text_of(size, name)?.parse().ok();
    ImageSize::new(number("width")?, number("height")?)
}

/// What stands in a child, without the blanks around it; none if that is nothing.
fn text_of<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    child(node, name)?.text().map(str::trim).filter(|text| !text.is_empty())
}

fn bbox(object: Node<'_, '_>) -> Result<FileBox, Error> {
    let bndbox = child(object, "bndbox").ok_or_else(|| Error::new("", "it has no <bndbox>", OBJECT))?;
    let number = |name: &str| {
        let text = text_of(bndbox, name).ok_or_else(|| Error::new("", format!("its box has no <{name}>"), BOX))?;
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        number.ok_or_else(|| Error::new("", format!("<{name}> is \"{}\"", super::json::shorten(text)), BOX))
    };
    Ok(FileBox { x1: number("xmin")?, y1: number("ymin")?, x2: number("xmax")?, y2: number("ymax")? })
}
