//! The flows: everything that the publisher's side does, one task at a time.

use clap::ValueEnum;

use crate::choices::Choices;
use crate::product::Opinion;

/// One task of the publisher's side, from beginning to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Flow {
    /// A buyer opens the landing page.
    Visit,
    /// A buyer confirms, and we activate.
    Confirm,
    /// A buyer signs in and confirms.
    SignInAndConfirm,
    /// A signed-in buyer changes the plan, which the rules and the product allow.
    BuyerPlan,
    /// A signed-in buyer changes the seats, which the product rejects.
    BuyerRejected,
    /// A signed-in buyer cancels.
    BuyerCancel,
    /// A buyer confirms, and the event asks the publisher's product to activate.
    HandOver,
    /// The publisher's product activates.
    Activate,
    /// The publisher's product activates twice, while reads are late.
    ActivateAgain,
    /// The customer changes the plan, and we accept.
    ChangePlan,
    /// The customer of a per-seat plan changes to another, and Microsoft's operation names no seats.
    ChangePlanOfSeats,
    /// The customer changes to a plan with another term, which begins on that day.
    ChangeTerm,
    /// Microsoft's call about a change comes long after the change was requested, and arrives once
    /// Microsoft has accepted the change itself. Reads are late.
    ChangeCalledLate,
    /// Get Operation doesn't know the customer's change yet.
    ChangeNotShown,
    /// The customer changes the plan, and we reject.
    RejectPlan,
    /// We reject a plan change, and only the HTTP status reaches Microsoft, not the
    /// acknowledgement.
    RejectByAnswer,
    /// We reject a seat change by the HTTP status alone, and the publisher requests other seats.
    RejectThenChange,
    /// The customer changes the seats, and we accept.
    ChangeQuantity,
    /// The customer changes the seats, and we reject.
    RejectQuantity,
    /// Microsoft reverts a rejected change.
    Revert,
    /// A plan change is overtaken by a stranger's call about it with a stolen token.
    EditedPlan,
    /// The publisher requests other seats, the webhook call is lost, and a stranger's notice with a
    /// stolen token names that operation.
    EditedNotice,
    /// The plan of a subscription without a record changes.
    ChangeOfUnknown,
    /// The subscription renews.
    Renew,
    /// The subscription renews at the end of its term, and reads are late.
    RenewLate,
    /// Microsoft suspends the subscription.
    Suspend,
    /// Microsoft suspends the subscription and keeps no operation for it. Reads are late.
    SuspendLate,
    /// Microsoft reinstates the subscription.
    Reinstate,
    /// Microsoft reinstates the subscription, and the next read is late.
    ReinstateReadLate,
    /// Microsoft gives up a reinstatement that we could not handle, and a stranger with a stolen
    /// token repeats its call.
    ReinstateGivenUp,
    /// Microsoft reinstates before we know of the suspension, and both calls arrive at once.
    ReinstateOvertaken,
    /// Microsoft reinstates a subscription without a record.
    ReinstateOfUnknown,
    /// The subscription ends.
    Unsubscribe,
    /// Microsoft activates the purchase itself.
    Subscribe,
    /// Microsoft activates the purchase itself, and its reads don't know the purchase yet.
    SubscribeTooYoung,
    /// The publisher requests another plan, and the webhook reports it.
    PublisherPlan,
    /// The publisher requests other seats, and the webhook reports them.
    PublisherQuantity,
    /// The publisher sends the same request twice with one idempotency key.
    PublisherRepeatsRequest,
    /// The publisher requests other seats, and then the customer requests the same at Microsoft.
    CustomerWantsTheSame,
    /// The publisher requests other seats for the record's present version.
    PublisherForVersion,
    /// A webhook call is lost, and the publisher asks us to read Microsoft's copy.
    PublisherObserves,
    /// The publisher cancels, and the webhook reports the end.
    PublisherCancel,
    /// A webhook call is lost, and the reconciliation repairs the record.
    Reconcile,
    /// The reconciliation has read the list and not yet worked through it, when a webhook call
    /// reports a subscription without a record. It goes on once a late read would be news.
    ReconcileOvertaken,
    /// The reconciliation reads a list that does not yet show an accepted change.
    ReconcileLate,
    /// The reconciliation reads a list that is minutes behind, and does not show a suspension.
    ReconcileBehind,
    /// The call for a reinstatement is lost, and the reconciliation acknowledges it.
    ReconcileReinstatement,
    /// The publisher's product accepts a plan change.
    ProductAcceptsPlan,
    /// The publisher's product rejects a seat change.
    ProductRejectsQuantity,
    /// The stream delivers new events to the product.
    DeliverFromStream,
    /// The stream lost the events, and a sweep delivers them.
    DeliverFromSweep,
    /// An operator requests a redelivery.
    Redeliver,
}

impl Flow {
    /// Whether the script waits for lines of the history.
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
                    | Self::RejectThenChange
                    | Self::Revert
                    | Self::ProductAcceptsPlan
            ),
            by_publisher: matches!(self, Self::HandOver | Self::Activate | Self::ActivateAgain),
            asks: self.opinion().is_some(),
            rules: self == Self::BuyerPlan,
            signs_in: matches!(
                self,
                Self::SignInAndConfirm | Self::BuyerPlan | Self::BuyerRejected | Self::BuyerCancel
            ),
            ..Choices::default()
        }
    }

    pub(super) fn opinion(self) -> Option<Opinion> {
        match self {
            Self::ProductAcceptsPlan | Self::BuyerPlan => Some(Opinion::Accepts),
            Self::ProductRejectsQuantity | Self::BuyerRejected => Some(Opinion::Rejects),
            _ => None,
        }
    }
}
