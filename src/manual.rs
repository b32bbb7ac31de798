//! Manual pages and shell completions, made of the program's own arguments.

use std::fs;
use std::io;
use std::path::Path;

use clap::Command;
use clap_complete::aot::{Shell, generate_to};

/// Writes a manual page for the program and for each of its commands, and completions for each usual shell, into a folder,
/// which is made if it does not exist.
///
/// # Errors
/// One sentence if the folder cannot be written.
pub fn write(mut program: Command, folder: &Path) -> Result<(), String> {
    let mut make = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        clap_mangen::generate_to(program.clone(), folder)?;
        for shell in [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh] {
            generate_to(shell, &mut program, "froc", folder)?;
        }
        Ok(())
    };
    make().map_err(|error| {
        format!("{}: it cannot be written ({error}); expected a folder in which files can be made.", folder.display())
    })
}
