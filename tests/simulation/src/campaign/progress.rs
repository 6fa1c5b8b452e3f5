//! How far a campaign has come, and the file that keeps it.

use std::fmt;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use thiserror::Error;

use crate::reached::Totals;

/// How far a campaign has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The campaign's first seed.
    pub from: u64,
    /// The first seed that has not run yet.
    pub next: u64,
    /// How long the seeds took, in all runs of the campaign together.
    pub elapsed: Duration,
    pub reached: Totals,
}

impl Progress {
    pub(super) fn none(from: u64) -> Self {
        Self { from, next: from, elapsed: Duration::ZERO, reached: Totals::default() }
    }
}

/// A line with the number of seeds and the rate.
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seeds, seconds) = (self.next - self.from, self.elapsed.as_secs_f64());
        let rate = seeds as f64 / seconds.max(f64::EPSILON);
        write!(f, "{seeds} seeds in {seconds:.0} s, {rate:.0} a second")
    }
}

/// Why a campaign can't go on from its state, or can't save it.
#[derive(Debug, Error)]
pub enum StateError {
    #[error("could not read or write the state {file}")]
    File { file: PathBuf, source: io::Error },
    #[error("{0} is not a state of the simulation")]
    Unreadable(PathBuf),
    #[error("{0} is the state of another build or of another first seed; delete it to begin anew")]
    Another(PathBuf),
}

/// The file of a campaign's state.
pub(super) struct StateFile {
    file: PathBuf,
    /// What the state must agree with. The same seed is the same run only in the same program, so it
    /// holds a hash of the executable.
    campaign: Value,
}

impl StateFile {
    pub(super) fn new(file: &Path, from: u64) -> Result<Self, StateError> {
        let failed = |source| StateError::File { file: file.to_owned(), source };
        let executable = std::env::current_exe().and_then(fs::read).map_err(failed)?;
        let mut hasher = DefaultHasher::new();
        executable.hash(&mut hasher);
        let campaign = json!({ "build": format!("{:016x}", hasher.finish()), "from": from });
        Ok(Self { file: file.to_owned(), campaign })
    }

    /// `None`: there is no file yet.
    pub(super) fn load(&self) -> Result<Option<Progress>, StateError> {
        let text = match fs::read_to_string(&self.file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed(error)),
        };
        let unreadable = || StateError::Unreadable(self.file.clone());
        let state: Value = serde_json::from_str(&text).map_err(|_| unreadable())?;
        if state["campaign"] != self.campaign {
            return Err(StateError::Another(self.file.clone()));
        }
        let number = |name: &str| state[name].as_u64().ok_or_else(unreadable);
        Ok(Some(Progress {
            from: self.campaign["from"].as_u64().ok_or_else(unreadable)?,
            next: number("next")?,
            elapsed: Duration::from_millis(number("milliseconds")?),
            reached: Totals::from_json(&state["reached"]).ok_or_else(unreadable)?,
        }))
    }

    /// Replaces the file at once, so that a campaign that is killed leaves the old state or the new
    /// one.
    pub(super) fn save(&self, progress: &Progress) -> Result<(), StateError> {
        let state = json!({
            "campaign": self.campaign,
            "next": progress.next,
            "milliseconds": u64::try_from(progress.elapsed.as_millis()).unwrap_or(u64::MAX),
            "reached": progress.reached.to_json(),
        });
        let written = self.file.with_added_extension("new");
        let write = || {
            let mut file = File::create(&written)?;
            file.write_all(format!("{state:#}\n").as_bytes())?;
            file.sync_all()?;
            fs::rename(&written, &self.file)
        };
        write().map_err(|error| self.failed(error))
    }

    fn failed(&self, source: io::Error) -> StateError {
        StateError::File { file: self.file.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state file of its own in the system's folder for temporary files.
    fn state_file(name: &str, from: u64) -> StateFile {
        let name = format!("simulation-{}-{name}.json", std::process::id());
        StateFile::new(&std::env::temp_dir().join(name), from).expect("an executable")
    }

    fn progress() -> Progress {
        let elapsed = Duration::from_millis(1500);
        Progress { from: 7, next: 1007, elapsed, reached: Totals::default() }
    }

    #[test]
    fn a_campaign_goes_on_from_what_it_saved() {
        let state = state_file("saved", 7);
        assert!(state.load().expect("no file is no error").is_none());
        state.save(&progress()).expect("a writable folder");
        state.save(&progress()).expect("a state is replaced");
        assert_eq!(state.load().expect("a state"), Some(progress()));
        fs::remove_file(&state.file).expect("it was saved");
    }

    #[test]
    fn another_builds_or_campaigns_state_is_refused() {
        let state = state_file("refused", 7);
        state.save(&progress()).expect("a writable folder");
        let other = StateFile::new(&state.file, 8).expect("an executable");
        assert!(matches!(other.load(), Err(StateError::Another(_))));
        let mut rebuilt = StateFile::new(&state.file, 7).expect("an executable");
        rebuilt.campaign["build"] = json!("of yesterday");
        assert!(matches!(rebuilt.load(), Err(StateError::Another(_))));
        fs::write(&state.file, "{").expect("a writable folder");
        assert!(matches!(state.load(), Err(StateError::Unreadable(_))));
        fs::remove_file(&state.file).expect("it was written");
    }
}
