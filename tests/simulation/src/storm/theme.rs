//! What a seed's storm is about. What is rare in an ordinary storm is common in one with a theme.

use crate::choices::Choices;
use crate::fault::FaultPlan;
use crate::product::Opinion;

use super::happening::Happening;

/// What happens more often than in an ordinary storm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Buyers come again and again, and little answers them.
    Landing,
    /// The publisher activates, and Microsoft's side fails.
    HandOver,
    /// People sign in on the landing page, and buyers change and cancel there.
    People,
    /// Purchases wait for their activation.
    Deadlines,
    /// The publisher rejects changes, and Microsoft reverts them.
    Rejections,
    /// Calls about changes come twice, and the answers to them fail.
    Doubles,
    /// The product decides about changes, and questions to it fail.
    Questions,
    /// Microsoft suspends and reinstates.
    Suspensions,
    /// The publisher changes and cancels, and the calls to Microsoft fail.
    Changes,
    /// The publisher repeats its requests with idempotency keys.
    Keys,
    /// Strangers call the webhook.
    Strangers,
    /// There are two receivers. Each is away at times, and events are sent again.
    Outages,
    /// Endpoints are added and removed, and receivers paused.
    Endpoints,
    /// Subscriptions end, and the publisher asks for the erasure of personal data.
    Erasures,
    /// Pages of the list fail and are mended, while the reconciliation runs.
    Pages,
    /// The table is DynamoDB, with its own troubles.
    DynamoDb,
    /// Microsoft has one of its rare ways, a different one in each seed.
    Ways,
}

/// Happenings that every theme makes more or less frequent. Calls arrive and functions run to their
/// end, so that there is something to disturb, and subscriptions live on.
const ALL_THEMES: &[(Happening, u32)] = &[
    (Happening::Rest, 60),
    (Happening::Turn, 25),
    (Happening::Send, 30),
    (Happening::Arrive, 40),
    (Happening::Seconds, 3),
    (Happening::Minutes, 3),
    (Happening::Unsubscribe, 0),
    (Happening::PublisherCancels, 0),
    (Happening::FaultRate, 0),
];

impl Theme {
    pub const ALL: [Self; 17] = [
        Self::Landing,
        Self::HandOver,
        Self::People,
        Self::Deadlines,
        Self::Rejections,
        Self::Doubles,
        Self::Questions,
        Self::Suspensions,
        Self::Changes,
        Self::Keys,
        Self::Strangers,
        Self::Outages,
        Self::Endpoints,
        Self::Erasures,
        Self::Pages,
        Self::DynamoDb,
        Self::Ways,
    ];

    /// The theme of a seed's storm. Every second seed has none.
    pub fn of(seed: u64) -> Option<Self> {
        let themes = Self::ALL.len() as u64;
        let index = usize::try_from(seed / 2 % themes).expect("there are few themes");
        (!seed.is_multiple_of(2)).then(|| Self::ALL[index])
    }

    /// The number of the rare way that Microsoft is sure to have in a seed of [`Self::Ways`].
    pub(crate) fn way(seed: u64) -> Option<u64> {
        (Self::of(seed) == Some(Self::Ways)).then(|| seed / 2 / Self::ALL.len() as u64)
    }

    /// The seeds that have this theme.
    pub fn seeds(self) -> impl Iterator<Item = u64> {
        (0..).filter(move |seed| Self::of(*seed) == Some(self))
    }

    /// How often each happening occurs.
    pub(super) fn weight(self, happening: Happening, ordinary: u32) -> u32 {
        let own = self.own_weights().iter().chain(ALL_THEMES);
        own.into_iter().find(|(other, _)| *other == happening).map_or(ordinary, |(_, own)| *own)
    }

    fn own_weights(self) -> &'static [(Happening, u32)] {
        use Happening as H;
        match self {
            Self::Landing => &[(H::Visit, 15), (H::Confirm, 15)],
            Self::HandOver => &[(H::Confirm, 10), (H::PublisherActivates, 25)],
            Self::People => {
                &[(H::Visit, 10), (H::Confirm, 15), (H::PersonChanges, 30), (H::Lose, 0)]
            }
            Self::Deadlines => &[(H::Confirm, 0), (H::Days, 15), (H::Reconcile, 40)],
            Self::Rejections => &[
                (H::ChangePlan, 8),
                (H::ChangeQuantity, 8),
                (H::Revert, 40),
                (H::Duplicate, 10),
                (H::Suspend, 0),
                (H::Lose, 0),
            ],
            Self::Doubles => &[
                (H::ChangePlan, 15),
                (H::ChangeQuantity, 15),
                (H::Duplicate, 20),
                (H::Turn, 50),
                (H::Rest, 40),
                (H::Suspend, 0),
                (H::Lose, 0),
            ],
            Self::Questions => {
                &[(H::ChangePlan, 15), (H::ChangeQuantity, 15), (H::Suspend, 0), (H::Lose, 0)]
            }
            Self::Suspensions => &[(H::Suspend, 15), (H::Reinstate, 20), (H::Reconcile, 15)],
            Self::Changes => &[(H::PublisherChanges, 30), (H::PublisherCancels, 4)],
            Self::Keys => {
                &[(H::PublisherRepeatsChange, 40), (H::Turn, 50), (H::Suspend, 0), (H::Lose, 0)]
            }
            Self::Strangers => &[(H::Forge, 60)],
            Self::Outages => &[
                (H::ReceiverHealth, 15),
                (H::FailInsideAVersion, 4),
                (H::OvertakeADelivery, 4),
                (H::RotateSigningKeys, 10),
                (H::Redeliver, 10),
                (H::Renew, 10),
            ],
            Self::Endpoints => &[
                (H::ChangeEndpoints, 10),
                (H::PauseReceiver, 10),
                (H::ReceiverHealth, 5),
                (H::Sweep, 20),
                (H::Stream, 30),
                (H::Minutes, 8),
                (H::Redeliver, 5),
                (H::Renew, 10),
                (H::ChangePlan, 12),
            ],
            Self::Erasures => &[
                (H::PublisherErases, 25),
                (H::Unsubscribe, 6),
                (H::Days, 12),
                (H::Sweep, 15),
                (H::Stream, 25),
                (H::PublisherAnnotates, 8),
                (H::Redeliver, 8),
                (H::Confirm, 12),
                (H::Reconcile, 8),
                (H::Lose, 0),
            ],
            Self::Pages => &[
                (H::PageFails, 12),
                (H::PageMends, 8),
                (H::Reconcile, 30),
                (H::ReconcileTwice, 8),
                (H::Confirm, 10),
                (H::ChangePlan, 10),
                (H::Suspend, 6),
                (H::Reinstate, 6),
                (H::Lose, 8),
            ],
            Self::DynamoDb => &[(H::ChangePlan, 10), (H::ChangeQuantity, 10), (H::Reconcile, 10)],
            Self::Ways => &[
                (H::ChangePlan, 10),
                (H::ChangeQuantity, 10),
                (H::Suspend, 8),
                (H::Reinstate, 12),
                (H::Reconcile, 15),
                (H::PublisherChanges, 10),
                (H::Confirm, 10),
                (H::Days, 5),
            ],
        }
    }

    /// Changes the publisher's settings.
    pub(crate) fn choose(self, choices: &mut Choices, opinion: &mut Option<Opinion>) {
        match self {
            Self::HandOver => choices.by_publisher = true,
            Self::People => choices.signs_in = true,
            Self::Questions => {
                choices.asks = true;
                opinion.get_or_insert(Opinion::Differs(0));
            }
            Self::Landing | Self::Rejections | Self::Doubles => {
                choices.rejects = self == Self::Rejections;
                choices.by_publisher = false;
                choices.asks = false;
                choices.signs_in = false;
                *opinion = None;
            }
            Self::Deadlines
            | Self::Suspensions
            | Self::Changes
            | Self::Keys
            | Self::Strangers
            | Self::Outages
            | Self::Endpoints
            | Self::Erasures
            | Self::Pages
            | Self::DynamoDb
            | Self::Ways => {}
        }
    }

    /// What goes wrong from the beginning.
    pub(super) fn faults(self) -> FaultPlan {
        match self {
            Self::Landing => FaultPlan::Aimed(&[
                "POST /subscriptions/resolve",
                "POST /*/oauth2/v2.0/token",
                "POST /subscriptions/*/activate",
                "GET /subscriptions/*",
                "table: load",
            ]),
            Self::HandOver => {
                FaultPlan::Aimed(&["POST /subscriptions/*/activate", "GET /subscriptions/*"])
            }
            Self::Doubles => FaultPlan::Aimed(&[
                "PATCH /subscriptions/*/operations/*",
                "table: load with mark",
                "table: commit",
            ]),
            Self::Questions => FaultPlan::Aimed(&[
                "POST /decisions",
                "GET /subscriptions/*/listAvailablePlans",
                "GET /subscriptions/*/operations/*",
            ]),
            Self::People => {
                FaultPlan::Aimed(&["PATCH /subscriptions/*", "POST /decisions", "table: commit"])
            }
            Self::Suspensions => FaultPlan::Aimed(&[
                "GET /subscriptions/*/operations",
                "GET /subscriptions",
                "table: load many",
                "table: checkpoint",
                "table: save checkpoint",
            ]),
            Self::Changes => {
                FaultPlan::Aimed(&["PATCH /subscriptions/*", "DELETE /subscriptions/*"])
            }
            Self::Keys => FaultPlan::Aimed(&[
                "PATCH /subscriptions/*",
                "table: begin request",
                "table: complete request",
                "table: abandon request",
            ]),
            Self::Strangers => FaultPlan::Aimed(&["GET /*/discovery/v2.0/keys"]),
            Self::Outages => FaultPlan::Aimed(&[
                "POST /events",
                "POST /",
                "table: cursor",
                "table: save cursor",
                "table: backlog",
                "table: settle",
                "table: due",
            ]),
            Self::Endpoints => FaultPlan::Aimed(&[
                "POST /events",
                "POST /events/crm",
                "POST /events/billing",
                "table: receivers",
                "table: save receiver",
                "table: delete receiver",
                "table: delete cursor",
                "table: cursor",
                "table: save cursor",
                "table: settle",
            ]),
            Self::Erasures => FaultPlan::Aimed(&[
                "table: commit",
                "table: list an erasure",
                "table: pending events",
                "table: erase events",
                "table: save annotations",
            ]),
            Self::Pages => FaultPlan::Aimed(&[
                "GET /subscriptions",
                "GET /subscriptions/*",
                "table: save checkpoint",
                "table: list",
                "table: note compared",
                "table: compared",
            ]),
            Self::Deadlines | Self::Rejections | Self::Ways => FaultPlan::Calm,
            // DynamoDB has no trouble of its own while it is calm.
            Self::DynamoDb => FaultPlan::Storm(60),
        }
    }
}
