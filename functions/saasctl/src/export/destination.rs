//! Where an export goes: to standard output, or to a file that appears under its name once it is
//! complete.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use crate::command_error::CommandError;
use crate::printable::printable;

/// Why an export ended early.
pub(super) enum Stopped {
    /// The reader of standard output has closed the pipe. That is no failure.
    ReaderGone,
    Failed(CommandError),
}

impl From<CommandError> for Stopped {
    fn from(failure: CommandError) -> Self {
        Self::Failed(failure)
    }
}

pub(super) enum Destination {
    Terminal,
    Pipe(BufWriter<io::Stdout>),
    File(Unfinished),
}

impl Destination {
    /// Standard output, or a file.
    pub(super) fn open(file: Option<&Path>) -> Result<Self, CommandError> {
        Ok(match file {
            Some(path) => Self::File(Unfinished::create(path)?),
            None if io::stdout().is_terminal() => Self::Terminal,
            None => Self::Pipe(BufWriter::new(io::stdout())),
        })
    }

    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Self::Terminal)
    }

    /// Writes a line, its end included.
    pub(super) fn write(&mut self, line: &[u8]) -> Result<(), Stopped> {
        match self {
            // Customers choose names, and a name must not control the terminal.
            Self::Terminal => {
                let line = printable(&String::from_utf8_lossy(line));
                writeln!(io::stdout(), "{line}").map_err(pipe_failure)
            }
            Self::Pipe(pipe) => pipe.write_all(line).map_err(pipe_failure),
            Self::File(file) => file.write(|writer| writer.write_all(line)),
        }
    }

    pub(super) fn flush(&mut self) -> Result<(), Stopped> {
        match self {
            Self::Terminal => Ok(()),
            Self::Pipe(pipe) => pipe.flush().map_err(pipe_failure),
            Self::File(file) => file.write(Write::flush),
        }
    }

    /// Gives a file its name.
    pub(super) fn complete(mut self) -> Result<(), Stopped> {
        self.flush()?;
        match self {
            Self::Terminal | Self::Pipe(_) => Ok(()),
            Self::File(file) => Ok(file.complete()?),
        }
    }
}

fn pipe_failure(error: io::Error) -> Stopped {
    match error.kind() {
        ErrorKind::BrokenPipe => Stopped::ReaderGone,
        _ => Stopped::Failed(unwritable(Path::new("standard output"), &error)),
    }
}

fn unwritable(path: &Path, problem: &dyn std::fmt::Display) -> CommandError {
    CommandError::Refused {
        code: "unwritable_file".to_owned(),
        detail: format!("{} can't be written: {problem}", path.display()),
    }
}

/// A file with `.partial` at the end of its name. It is deleted unless it is completed.
pub(super) struct Unfinished {
    writer: BufWriter<File>,
    partial: PathBuf,
    path: PathBuf,
    is_complete: bool,
}

impl Unfinished {
    fn create(path: &Path) -> Result<Self, CommandError> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        // It holds names and addresses of persons.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&partial).map_err(|error| unwritable(&partial, &error))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => unwritable(&partial, &"another export is writing it"),
            TryLockError::Error(error) => unwritable(&partial, &error),
        })?;
        // An export that was killed has left it behind.
        file.set_len(0).map_err(|error| unwritable(&partial, &error))?;
        let writer = BufWriter::new(file);
        Ok(Self { writer, partial, path: path.to_owned(), is_complete: false })
    }

    fn write(
        &mut self,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), Stopped> {
        write(&mut self.writer).map_err(|error| unwritable(&self.partial, &error).into())
    }

    fn complete(mut self) -> Result<(), CommandError> {
        let file = self.writer.get_ref();
        file.sync_all().map_err(|error| unwritable(&self.partial, &error))?;
        fs::rename(&self.partial, &self.path).map_err(|error| unwritable(&self.path, &error))?;
        self.is_complete = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_complete {
            // If it can't be deleted, its name still says that it isn't complete.
            let _ = fs::remove_file(&self.partial);
        }
    }
}
