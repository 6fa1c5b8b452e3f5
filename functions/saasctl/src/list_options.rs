//! Which subscriptions are listed, in which order and form.

use clap::{Args, ValueEnum};
use shared::store::Sort;

use crate::value::number;

#[derive(Debug, Args)]
pub(crate) struct ListFilter {
    /// Only with this status: PendingFulfillmentStart,
    /// Subscribed, Suspended or Unsubscribed
    #[arg(long, verbatim_doc_comment)]
    pub(crate) status: Option<String>,
    /// Only of this offer.
    #[arg(long)]
    pub(crate) offer: Option<String>,
    /// Only test purchases.
    #[arg(long, conflicts_with = "no_test")]
    pub(crate) test: bool,
    /// No test purchases.
    #[arg(long)]
    pub(crate) no_test: bool,
    /// Only what Microsoft activated by itself and no
    /// person has claimed.
    #[arg(long, verbatim_doc_comment)]
    pub(crate) unclaimed: bool,
    /// At most so many [default: all].
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    pub(crate) limit: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListOrder {
    /// The latest change first.
    LastChange,
    /// The term that ends next first.
    TermEnd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OpenDelivery {
    /// Events are sent by themselves.
    Waiting,
    /// Events are sent only on request.
    Parked,
}

impl OpenDelivery {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Parked => "parked",
        }
    }
}

impl From<ListOrder> for Sort {
    fn from(order: ListOrder) -> Self {
        match order {
            ListOrder::LastChange => Self::LastChange,
            ListOrder::TermEnd => Self::TermEnd,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// A table with commas (RFC 4180), with the columns of an export.
    Csv,
    /// The API's JSON.
    Json,
}
