//! `froc convert`: a run as files in another format.

use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use froc::convert::{Conversion, Target};
use froc::session::Session;

/// What a run is written as, and where.
#[derive(clap::Args)]
pub struct Convert {
    #[command(flatten)]
    pub files: super::Files,
    #[command(flatten)]
    fusing: super::Fusing,
    /// The format.
    #[arg(long, value_name = "FORMAT", value_parser = target())]
    to: Target,
    /// A file that does not exist yet [default: standard output].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The targets of the library, by name.
fn target() -> impl TypedValueParser<Value = Target> {
    let facts = Target::ALL.map(Target::facts);
    let values = facts.map(|target| PossibleValue::new(target.name).help(target.about));
    PossibleValuesParser::new(values).try_map(|name| Target::named(&name))
}

/// Writes the one run that there is, or what all are fused to; gives what is to be known about it.
///
/// # Errors
/// A sentence for each thing that is wrong: if there are several runs, they cannot be fused, the format does not hold them, or the file
/// cannot be made.
pub fn convert(mut session: Session, arguments: &Convert) -> Result<Vec<String>, Vec<String>> {
    let fused = arguments.fusing.work(&mut session)?;
    written(&session, fused, arguments).map_err(|sentence| vec![sentence])
}

fn written(session: &Session, fused: Option<String>, arguments: &Convert) -> Result<Vec<String>, String> {
    let runs = fused.map_or_else(|| session.run_ids(), |fused| vec![fused]);
    let [run] = &runs[..] else {
        return Err(format!(
            "--predictions: there are {} runs; expected one, since it becomes one file, or --fuse.",
            runs.len()
        ));
    };
    let target = arguments.to;
    let written = match &arguments.output {
        Some(path) => into_file(session, run, target, path)?,
        None if target.facts().ending == "zip" && io::stdout().is_terminal() => {
            return Err("standard output: it is a terminal; expected --output FILE, since a zip is no text.".to_owned());
        }
        None => {
            let out = BufWriter::new(io::stdout().lock());
            let written = session.convert(run, target, out).map_err(|error| error.to_string())?;
            match written {
                // `froc convert .. | head` is no mistake.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Conversion::default(),
                written => written.map_err(|error| format!("standard output: {error}"))?,
            }
        }
    };
    Ok(written.notes)
}

/// Writes a file; what is begun and not ended is removed again.
fn into_file(session: &Session, run: &str, target: Target, path: &Path) -> Result<Conversion, String> {
    let place = path.display();
    let mut file = super::new_file(path)?;
    let written = match session.convert(run, target, BufWriter::new(&mut file)) {
        Ok(written) => written
            .and_then(|conversion| file.flush().map(|()| conversion))
            .map_err(|error| format!("{place}: it cannot be written to the end ({error}); expected room for it.")),
        Err(error) => Err(error.to_string()),
    };
    if written.is_err() {
        // What stays behind is no whole file, and there is no more to be done about it.
        let _ = std::fs::remove_file(path);
    }
    written
}
