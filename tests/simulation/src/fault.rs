//! What can go wrong with an effect, and when.

use clap::ValueEnum;

/// What goes wrong with one effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fault {
    /// The connection is refused, so the effect does not happen.
    Refused,
    /// The effect happens, but its result is lost.
    Lost,
    /// The request times out before the effect happens.
    TimedOutBefore,
    /// The effect happens, but the answer times out.
    TimedOutAfter,
    /// The other side answers with a server error.
    Broken,
    /// The other side answers that it is throttling us.
    Throttled,
    /// The other side refuses our credentials.
    Denied,
    /// The function is killed before the effect.
    KilledBefore,
    /// The function is killed right after the effect.
    KilledAfter,
}

/// Which effects go wrong.
#[derive(Clone, Debug)]
pub enum FaultPlan {
    Calm,
    /// One effect in this many, at random.
    Storm(u32),
    /// One in three effects that are one of these calls, at random.
    Aimed(&'static [&'static str]),
    /// Only the effect with this number, counted from zero.
    At(usize, Fault),
    /// No effect, but all other actors run before the one with this number.
    Overtaken(usize),
}
