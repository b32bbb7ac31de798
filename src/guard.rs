//! The work of the program, done in a process of its own, so that it ends in a sentence whatever ends it: where memory is
//! short, an allocation aborts the process or the system kills it, and neither can be caught from within.

use std::env;
use std::io::Write as _;
use std::process::{Command, ExitCode, Stdio};

use froc::printable::visible;

/// Set for the process that does the work; what it says is the process that started it.
const STARTED_BY: &str = "FROC_STARTED_BY";

/// What a program ends with that has said what is wrong.
const REFUSED: u8 = 2;

/// Does the work in a process of its own, or right here where there is no other to be had.
pub fn run(work: impl FnOnce() -> ExitCode + Send) -> ExitCode {
    if let Ok(parent) = env::var(STARTED_BY) {
        end_with(parent);
        return on_threads(work);
    }
    let worker = env::current_exe().and_then(|program| {
        let mut command = Command::new(program);
        command.args(env::args_os().skip(1)).env(STARTED_BY, std::process::id().to_string());
        // Held back until it is known how the work ended: an abort writes there, too.
        command.stderr(Stdio::piped()).spawn()?.wait_with_output()
    });
    let Ok(worker) = worker else { return on_threads(work) };
    if let Some(code) = worker.status.code().and_then(|code| u8::try_from(code).ok()).filter(|code| *code <= REFUSED) {
        // There is nowhere to say that standard error is closed or full.
        let _ = std::io::stderr().write_all(&worker.stderr);
        return ExitCode::from(code);
    }
    say(&format!(
        "froc: it was ended while it worked ({}), most likely for want of memory; expected more memory, or fewer images \
         and boxes; close other programs.",
        worker.status
    ));
    ExitCode::from(REFUSED)
}

/// Writes a sentence to standard error, if that is open.
pub fn say(sentence: &str) {
    // Its parts may be names of files.
    let _ = writeln!(std::io::stderr(), "{}", visible(sentence));
}

/// Does the work on as many threads as there are cores, or fewer where there is no room for their stacks.
fn on_threads(work: impl FnOnce() -> ExitCode + Send) -> ExitCode {
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    let asked = env::var("RAYON_NUM_THREADS").ok().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
    // More threads than cores would only take memory.
    let mut n = asked.map_or(cores, |asked: usize| asked.min(cores));
    loop {
        // One needs no thread but this.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n);
        match if n == 1 { pool.use_current_thread() } else { pool }.build() {
            Ok(pool) => return pool.install(work),
            Err(_) if n > 1 => n /= 2,
            Err(error) => {
                say(&format!("froc: it cannot start ({error}); expected memory for one thread; close other programs."));
                return ExitCode::from(REFUSED);
            }
        }
    }
}

/// Ends this process soon after the one that started it: who stops that one means both.
fn end_with(parent: String) {
    #[cfg(unix)]
    {
        use std::time::Duration;

        let watch = move || {
            while std::os::unix::process::parent_id().to_string() == parent {
                std::thread::sleep(Duration::from_millis(100));
            }
            std::process::exit(REFUSED.into());
        };
        // Where there is no room for this thread, there is hardly any for the work.
        let _ = std::thread::Builder::new().stack_size(1 << 16).spawn(watch);
    }
    #[cfg(not(unix))]
    drop(parent);
}
