//! The page in one file with files inside it: whoever opens it sees what is saved in it, without a network.

use std::io::{self, Read, Write};

use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::error::Error;

/// The id of the element that holds the files.
const ELEMENT: &str = "froc-files";

/// Behind this the element stands: before all that the page runs.
const BODY: &[u8] = b"<body>";

/// What the policy of the page in one file holds, and no other page's.
const POLICY: &[u8] = b"connect-src 'none'";

/// Writes `page`, the bytes of froc.html, with files in it, each by its name: in an element that the browser does not run, as a list of
/// names and, in base64, gzipped bytes, so that nothing in them can end the element. The same files give the same bytes.
///
/// ```
/// let page = br#"<!doctype html><head content="connect-src 'none'"></head><body><p>froc</p></body>"#;
/// let files = [("</script>.json", &b"{}"[..])];
/// let mut out = Vec::new();
/// froc::saved_page::write("froc.html", page, files, &mut out)??;
/// let text = String::from_utf8(out)?;
/// assert!(text.contains(r#"<body><script type="application/json" id="froc-files">[{"name":"\u003c/script>.json","gzip":"H4sI"#));
/// assert!(text.ends_with(r#"]</script><p>froc</p></body>"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If `page`, which `name` is the file of, is not froc.html; within, what `out` or a file gives.
pub fn write<'a, R: Read>(
    name: &str,
    page: &[u8],
    files: impl IntoIterator<Item = (&'a str, R)>,
    out: impl Write,
) -> Result<io::Result<()>, Error> {
    let at = page.windows(BODY.len()).position(|part| part == BODY);
    let has_policy = page.windows(POLICY.len()).any(|part| part == POLICY);
    let Some(at) = at.filter(|_| has_policy) else {
        let expected = "froc.html of a release, or as cargo xtask build writes it";
        return Err(Error::new(name, "it is not the page in one file", expected));
    };
    let (before, after) = page.split_at(at + BODY.len());
    if after.starts_with(opening().as_bytes()) {
        return Err(Error::new(name, "it holds files already", "froc.html without any"));
    }
    Ok(write_parts(before, after, files, out))
}

fn opening() -> String {
    format!("<script type=\"application/json\" id=\"{ELEMENT}\">")
}

fn write_parts<'a, R: Read>(
    before: &[u8],
    after: &[u8],
    files: impl IntoIterator<Item = (&'a str, R)>,
    mut out: impl Write,
) -> io::Result<()> {
    out.write_all(before)?;
    out.write_all(opening().as_bytes())?;
    out.write_all(b"[")?;
    for (at, (name, mut file)) in files.into_iter().enumerate() {
        let name = serde_json::to_string(name)?.replace('<', "\\u003c");
        write!(out, "{}{{\"name\":{name},\"gzip\":\"", if at > 0 { "," } else { "" })?;
        let mut packed = GzEncoder::new(EncoderWriter::new(&mut out, &STANDARD), Compression::default());
        io::copy(&mut file, &mut packed)?;
        packed.finish()?.finish()?;
        out.write_all(b"\"}")?;
    }
    out.write_all(b"]</script>")?;
    out.write_all(after)?;
    out.flush()
}
