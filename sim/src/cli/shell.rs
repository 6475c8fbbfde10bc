//! What a program has for a shell and for `man`: completions and man pages, made from its own command line.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::{Args, Command};
use clap_complete::Shell;

/// Which shell completions are for.
#[derive(Clone, Copy, Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

/// Where man pages go.
#[derive(Clone, Debug, Args)]
pub struct ManArgs {
    /// The folder to write them to, one file for the program and one for each command; it is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl CompletionsArgs {
    /// Prints the completions of a program on stdout.
    ///
    /// # Errors
    /// If stdout does not take them.
    pub fn print(self, mut program: Command) -> io::Result<()> {
        let name = program.get_name().to_owned();
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut program, name, &mut text);
        io::stdout().lock().write_all(&text)
    }
}

impl ManArgs {
    /// The folder that was named.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes the man pages of a program; files of an earlier version are replaced.
    ///
    /// # Errors
    /// If the folder cannot be made or a file cannot be written.
    pub fn write(&self, program: Command) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        clap_mangen::generate_to(program, &self.folder)
    }
}
