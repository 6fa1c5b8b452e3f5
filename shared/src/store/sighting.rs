//! What the functions saw last, and when, for an operator who asks why something doesn't work.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;

/// Something that a function sees and that another function is asked about. Its name is a sort key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sighting {
    /// A webhook call with a valid token of Microsoft's.
    Webhook {
        /// The host that it was called by; empty where neither the gateway nor the call says.
        host: String,
    },
    /// A sweep of the delivery that ended.
    Sweep,
}

const WEBHOOK: &str = "WEBHOOK#";
const SWEEP: &str = "SWEEP";

impl Sighting {
    /// As in the table.
    pub fn name(&self) -> String {
        match self {
            Self::Webhook { host } => format!("{WEBHOOK}{host}"),
            Self::Sweep => SWEEP.to_owned(),
        }
    }

    /// `None` for a name that another version wrote.
    pub fn of_name(name: &str) -> Option<Self> {
        match name.strip_prefix(WEBHOOK) {
            Some(host) => Some(Self::Webhook { host: host.to_owned() }),
            None => (name == SWEEP).then_some(Self::Sweep),
        }
    }
}

/// The table, as those see it who note what they saw, and the one who asks.
#[async_trait]
pub trait Sightings: Send + Sync {
    /// Replaces the time at which this was last seen.
    async fn note(&self, sighting: &Sighting, at: Timestamp) -> Result<(), StoreError>;

    /// Everything that was seen within a year, and when last. MUST be consistent.
    async fn sightings(&self) -> Result<Vec<(Sighting, Timestamp)>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sighting_is_read_by_its_name_and_a_later_versions_is_left_out() {
        let webhook = |host: &str| Sighting::Webhook { host: host.to_owned() };
        for sighting in [webhook("signup.example.com"), webhook(""), Sighting::Sweep] {
            assert_eq!(Sighting::of_name(&sighting.name()), Some(sighting));
        }
        for name in ["", "SWEEP#1", "LANDING#signup.example.com"] {
            assert_eq!(Sighting::of_name(name), None, "{name}");
        }
    }
}
