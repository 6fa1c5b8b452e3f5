//! What the staff can do at the console, who may do it, and where.

use shared::sign_in::StaffRole;

/// What an act is about. Its page leads to the act, and shows what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    Subscription,
    Deliveries,
    Reconciliation,
}

/// Something that changes the deployment, a subscription or what is known about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Tells Microsoft that the account is set up.
    Approve,
    /// Cancels a purchase that isn't active, with a reason for the buyer.
    Decline,
    ChangePlan,
    ChangeSeats,
    Cancel,
    /// Reads Microsoft's copy now.
    Refresh,
    Redeliver,
    Erase,
    /// The publisher's own reference.
    Reference,
    /// Writes something down, for the history.
    AddNote,
    RecoverParked,
    RecoverSince,
    PauseReceiver,
    ResumeReceiver,
    TestEvent,
    Reconcile,
    DryRun,
    PauseRuns,
    ResumeRuns,
}

impl Act {
    /// In the order in which a page shows them: the main one first, and those that end something last.
    pub(crate) const ALL: [Self; 19] = [
        Self::Approve,
        Self::ChangePlan,
        Self::ChangeSeats,
        Self::Refresh,
        Self::Redeliver,
        Self::AddNote,
        Self::Reference,
        Self::Decline,
        Self::Cancel,
        Self::Erase,
        Self::RecoverParked,
        Self::RecoverSince,
        Self::PauseReceiver,
        Self::ResumeReceiver,
        Self::TestEvent,
        Self::Reconcile,
        Self::DryRun,
        Self::PauseRuns,
        Self::ResumeRuns,
    ];

    /// The last segment of its address.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Decline => "decline",
            Self::ChangePlan => "change-plan",
            Self::ChangeSeats => "change-seats",
            Self::Cancel => "cancel",
            Self::Refresh => "refresh",
            Self::Redeliver => "redeliver",
            Self::Erase => "erase",
            Self::Reference => "reference",
            Self::AddNote => "note",
            Self::RecoverParked => "recover-parked",
            Self::RecoverSince => "recover-since",
            Self::PauseReceiver => "pause",
            Self::ResumeReceiver => "resume",
            Self::TestEvent => "test-event",
            Self::Reconcile => "run",
            Self::DryRun => "dry-run",
            Self::PauseRuns => "pause",
            Self::ResumeRuns => "resume",
        }
    }

    pub(crate) fn area(self) -> Area {
        match self {
            Self::Approve
            | Self::Decline
            | Self::ChangePlan
            | Self::ChangeSeats
            | Self::Cancel
            | Self::Refresh
            | Self::Redeliver
            | Self::Erase
            | Self::Reference
            | Self::AddNote => Area::Subscription,
            Self::RecoverParked
            | Self::RecoverSince
            | Self::PauseReceiver
            | Self::ResumeReceiver
            | Self::TestEvent => Area::Deliveries,
            Self::Reconcile | Self::DryRun | Self::PauseRuns | Self::ResumeRuns => {
                Area::Reconciliation
            }
        }
    }

    /// The act with this name in this area.
    pub(crate) fn named(area: Area, name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.area() == area && act.name() == name)
    }

    /// Who may do it: as the template's policies for callers of the API have it.
    pub(crate) fn role(self) -> StaffRole {
        match self {
            Self::Cancel | Self::Erase => StaffRole::Admin,
            Self::Approve
            | Self::Decline
            | Self::ChangePlan
            | Self::ChangeSeats
            | Self::Refresh
            | Self::Redeliver
            | Self::Reference
            | Self::AddNote
            | Self::RecoverParked
            | Self::RecoverSince
            | Self::PauseReceiver
            | Self::ResumeReceiver
            | Self::TestEvent
            | Self::Reconcile
            | Self::DryRun
            | Self::PauseRuns
            | Self::ResumeRuns => StaffRole::Operator,
        }
    }
}

impl Act {
    /// The link to it, and the heading of its page.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Approve => "Approve the purchase",
            Self::Decline => "Decline the purchase",
            Self::ChangePlan => "Change the plan",
            Self::ChangeSeats => "Change the seats",
            Self::Cancel => "Cancel the subscription",
            Self::Refresh => "Refresh from Microsoft",
            Self::Redeliver => "Send the events again",
            Self::Erase => "Erase personal data",
            Self::Reference => "Edit your reference",
            Self::AddNote => "Add a note",
            Self::RecoverParked => "Send all parked events",
            Self::RecoverSince => "Resend events since a time",
            Self::PauseReceiver => "Pause the receiver",
            Self::ResumeReceiver => "Resume the receiver",
            Self::TestEvent => "Send a test event",
            Self::Reconcile => "Start a run now",
            Self::DryRun => "Start a dry run",
            Self::PauseRuns => "Pause the reconciliation",
            Self::ResumeRuns => "Resume the reconciliation",
        }
    }

    /// The sentence on the page after it.
    pub(crate) fn done(self) -> &'static str {
        match self {
            Self::Approve => "Approved. Waiting for Microsoft to activate it.",
            Self::Decline => "Declined. Waiting for Microsoft to cancel the purchase.",
            Self::ChangePlan | Self::ChangeSeats => "Change requested.",
            Self::Cancel => {
                "Cancellation requested. The subscription ends once Microsoft confirms it."
            }
            Self::Refresh => "The record now agrees with Microsoft's copy.",
            Self::Redeliver | Self::RecoverParked | Self::RecoverSince => {
                "The events will be sent again within a minute."
            }
            Self::Erase => "The personal data was erased.",
            Self::Reference => "Your reference was saved.",
            Self::AddNote => "Your note was added to the history.",
            Self::PauseReceiver => "The receiver is paused. Its events wait until it is resumed.",
            Self::ResumeReceiver => "The receiver is resumed.",
            Self::TestEvent => "The test event is on its way. Reload the page to see the answer.",
            Self::Reconcile | Self::DryRun => "The run has started.",
            Self::PauseRuns => "The reconciliation is paused.",
            Self::ResumeRuns => "The reconciliation is resumed.",
        }
    }

    /// The link that leaves its page without doing it.
    pub(crate) fn refrain(self) -> &'static str {
        if self == Self::Cancel { "Keep the subscription" } else { "Go back" }
    }

    /// Whether it can't be undone.
    pub(crate) fn is_grave(self) -> bool {
        matches!(self, Self::Decline | Self::Cancel | Self::Erase)
    }

    /// Whether it is refused once the record has changed since the person looked. A note is true all the same.
    pub(crate) fn needs_version(self) -> bool {
        self != Self::AddNote
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_is_found_in_its_own_area_alone() {
        for act in Act::ALL {
            assert_eq!(Act::named(act.area(), act.name()), Some(act));
        }
        assert_eq!(Act::named(Area::Subscription, "run"), None);
        assert_eq!(Act::named(Area::Deliveries, "cancel"), None);
    }
}
