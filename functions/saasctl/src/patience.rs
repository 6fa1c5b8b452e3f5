//! Repeats a request while the API is unavailable.

use std::time::Duration;

use crate::command_error::CommandError;

/// How often a request is sent.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// In total.
    pub(crate) attempts: u32,
    /// The pause after the first failure. It doubles with each one.
    pub(crate) first_pause: Duration,
}

impl Patience {
    /// Repeats a request that does no harm if it arrives twice. `wait` learns of each failure that
    /// a pause follows.
    pub(crate) async fn repeat<T>(
        self,
        mut wait: impl FnMut(&CommandError),
        mut attempt: impl AsyncFnMut() -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let mut pause = self.first_pause;
        for _ in 1..self.attempts {
            match attempt().await {
                Err(failure) if failure.may_be_retried() => {
                    wait(&failure);
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                ended => return ended,
            }
        }
        attempt().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Patience = Patience { attempts: 3, first_pause: Duration::ZERO };

    fn unavailable() -> CommandError {
        CommandError::Unavailable("busy".to_owned())
    }

    /// Runs scripted attempts. Returns the result, and how many were used and reported.
    async fn run(script: Vec<Result<u8, CommandError>>) -> (Result<u8, String>, usize, usize) {
        let (mut script, mut used, mut reported) = (script.into_iter(), 0, 0);
        let ended = AT_ONCE
            .repeat(
                |_| reported += 1,
                async || {
                    used += 1;
                    script.next().expect("a further attempt")
                },
            )
            .await;
        (ended.map_err(|failure| failure.code().to_owned()), used, reported)
    }

    #[tokio::test]
    async fn only_an_unavailable_api_is_asked_again_and_not_for_ever() {
        let refused = || CommandError::Refused { code: "no".to_owned(), detail: String::new() };
        assert_eq!(run(vec![Ok(1)]).await, (Ok(1), 1, 0));
        assert_eq!(run(vec![Err(unavailable()), Ok(2)]).await, (Ok(2), 2, 1));
        assert_eq!(run(vec![Err(refused())]).await, (Err("no".to_owned()), 1, 0));
        let always = (0..3).map(|_| Err(unavailable())).collect();
        assert_eq!(run(always).await, (Err("unavailable".to_owned()), 3, 2));
    }
}
