//! The things that the publisher's side does.

use clap::ValueEnum;

use crate::product::Opinion;
use crate::publisher::Choices;

/// One thing the publisher's side does from beginning to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Flow {
    /// A buyer opens the landing page.
    Visit,
    /// A buyer confirms, and we activate.
    Confirm,
    /// A buyer confirms, and the publisher's product is to activate.
    HandOver,
    /// The publisher's product activates.
    Activate,
    /// A plan change that is accepted.
    ChangePlan,
    /// A plan change that is rejected.
    RejectPlan,
    /// A plan change that is rejected by the answer alone: the acknowledgement never arrives.
    RejectByAnswer,
    /// A seat change that is accepted.
    ChangeQuantity,
    /// A seat change that is rejected.
    RejectQuantity,
    /// A rejected change is taken back.
    Revert,
    /// A plan change, and before its webhook one by a stranger who has caught a token of Microsoft's.
    EditedPlan,
    /// A plan change of a subscription nobody has seen before.
    ChangeOfUnknown,
    /// A new term.
    Renew,
    /// Payment fails.
    Suspend,
    /// Payment is back.
    Reinstate,
    /// Payment is back before we know that it had failed, and both webhooks arrive at once.
    ReinstateOvertaken,
    /// Payment is back for a subscription nobody has seen before.
    ReinstateOfUnknown,
    /// It ends.
    Unsubscribe,
    /// A purchase that activates itself.
    Subscribe,
    /// The publisher asks for another plan, and the webhook brings it.
    PublisherPlan,
    /// The publisher asks for other seats, and the webhook brings them.
    PublisherQuantity,
    /// The publisher asks for other seats, and once more, with the key of the first time.
    PublisherAsksTwice,
    /// The publisher has Microsoft's copy read, whose webhook was lost.
    PublisherLooks,
    /// The publisher cancels, and the webhook ends it.
    PublisherCancel,
    /// The reconciliation repairs what a lost webhook left undone.
    Reconcile,
    /// The reconciliation has read the list when a webhook tells of a subscription nobody has seen
    /// before, and works it off afterwards.
    ReconcileOvertaken,
    /// The reconciliation reads a list that doesn't show yet what was just accepted.
    ReconcileLate,
    /// The reconciliation answers a reinstatement whose webhook was lost.
    Sweep,
    /// A plan change that the publisher's product accepts.
    AskedPlan,
    /// A seat change that the publisher's product rejects.
    AskedQuantity,
    /// The stream tells of events, and they are carried to the product.
    Tell,
    /// The stream has lost them, and a sweep carries them.
    TellLater,
    /// Somebody asks for events again.
    TellAgain,
}

impl Flow {
    /// Whether it goes by what has happened.
    pub(super) fn reads_history(self) -> bool {
        matches!(self, Self::ReconcileOvertaken | Self::ReinstateOvertaken)
    }

    pub(super) fn choices(self) -> Choices {
        Choices {
            rejects: matches!(
                self,
                Self::RejectPlan
                    | Self::RejectByAnswer
                    | Self::RejectQuantity
                    | Self::Revert
                    | Self::AskedPlan
            ),
            by_publisher: matches!(self, Self::HandOver | Self::Activate),
            asks: self.opinion().is_some(),
        }
    }

    pub(super) fn opinion(self) -> Option<Opinion> {
        match self {
            Self::AskedPlan => Some(Opinion::Accepts),
            Self::AskedQuantity => Some(Opinion::Rejects),
            _ => None,
        }
    }
}
