//! What the storms must reach: if a case never occurs, the simulation proves nothing about it.

use emulator::way;
use simulation::{Theme, simulate};

/// The most seeds of a theme that a case may take. Most cases come in every second seed, and the
/// rarest in one of sixty. Ten times as many don't depend on chance, and are seldom run.
const SEEDS: usize = 600;

/// Cases that are common in the storms without a theme.
const ORDINARY: [&str; 48] = [
    "Purchased",
    "Imported",
    "Activated",
    "PlanChanged",
    "QuantityChanged",
    "Renewed",
    "DetailsChanged",
    "Suspended",
    "Unsubscribed",
    "annotated",
    "confirm: 200",
    "visit: 200",
    "webhook: 200",
    "webhook: 503",
    "webhook, repeated: 200",
    "management: 200",
    "management: 202",
    "management: 404",
    "management: 409",
    "management: 503",
    "mark committed: followed",
    "refused: version conflict",
    "refused: cursor moved",
    "reconciliation: end of the list",
    "reconciliation: more to do",
    "killed: reconciliation",
    "timed out: webhook",
    "timed out: confirm",
    "timed out: reconciliation",
    "fault: refused",
    "fault: lost",
    "fault: timed out before",
    "fault: timed out after",
    "fault: broken",
    "fault: throttled",
    "fault: denied",
    "fault: killed before",
    "fault: killed after",
    "microsoft: unsubscribe",
    "microsoft: toggle renewal",
    "microsoft: repeat notice",
    "storm: keys rotated",
    "storm: late reads",
    "storm: due calls lost",
    "two reconciliations at once",
    "stream: a batch repeated",
    "stream: a batch started twice",
    "stream: batches of several shards at once",
];

/// Cases that are rare without a theme.
fn cases(theme: Theme) -> &'static [&'static str] {
    match theme {
        Theme::Landing => &[
            "visit: 503",
            "confirm: 503",
            "killed: visit",
            "killed: confirm",
            "struck: POST /subscriptions/resolve",
            "struck: POST /*/oauth2/v2.0/token",
            "struck: table: load",
        ],
        Theme::HandOver => &[
            "ActivationRequested",
            "purchase: declined",
            "event: of an approved purchase",
            "event: of a declined purchase",
            "activation: 200",
            "activation: 202",
            "activation: 409",
            "activation: 503",
            "killed: activation",
            "timed out: activation",
            "struck: POST /subscriptions/*/activate",
            "struck: GET /subscriptions/*",
        ],
        Theme::People => &[
            "person: the beneficiary",
            "person: the beneficiary's tenant",
            "person: the purchaser",
            "person: a colleague",
            "person: a stranger",
            "person: not signed in",
            "buyer: changes",
            "buyer: cancels",
            "buyer: declined",
            "Claimed",
            "SignedUp",
            "event: by a buyer",
            "event: by a buyer, known by its values",
        ],
        Theme::Deadlines => &["ActivationDeadlineApproaching"],
        Theme::Rejections => &[
            "ChangeRejected",
            "mark committed: rejected",
            "microsoft: revert",
            "webhook: 400",
            "way: an operation that ended in Conflict",
        ],
        Theme::Doubles => &[
            "storm: call doubled",
            "mark committed: accepted",
            "mark struck: accepted",
            "refused: marked already",
            "killed: webhook",
            "webhook, repeated: 503",
            "struck: PATCH /subscriptions/*/operations/*",
            "struck: table: load with mark",
            "struck: table: commit",
        ],
        Theme::Questions => &[
            "ChangeRejected",
            "struck: POST /decisions",
            "struck: GET /subscriptions/*/listAvailablePlans",
            "struck: GET /subscriptions/*/operations/*",
        ],
        Theme::Suspensions => &[
            "microsoft: reinstate",
            "Reinstated",
            "struck: GET /subscriptions",
            "struck: GET /subscriptions/*/operations",
            "struck: table: load many",
            "struck: table: checkpoint",
            "struck: table: save checkpoint",
        ],
        Theme::Changes => &[
            "killed: management",
            "timed out: management",
            "struck: PATCH /subscriptions/*",
            "struck: DELETE /subscriptions/*",
        ],
        Theme::Keys => &[
            "keyed request: 202",
            "keyed request: 409",
            "keyed request: 503",
            "keyed request: 504",
            "killed: keyed request",
            "refused: idempotency key taken",
            "key: replayed",
            "key: refused for another request",
            "if-match: refused",
            "if-match: accepted",
            "struck: table: begin request",
            "struck: table: complete request",
        ],
        Theme::Strangers => &[
            "forged call: 401",
            "stolen token: 200",
            "killed: forged call",
            "struck: GET /*/discovery/v2.0/keys",
            "forgery: wrong audience",
            "forgery: wrong caller beside right",
            "forgery: foreign tenant issuer",
            "forgery: bad signature",
            "forgery: alg none",
            "forgery: hs256 with public key",
            "forgery: expired",
            "forgery: unknown kid",
            "forgery: not a token",
        ],
        Theme::Outages => &[
            "product: broken",
            "product: overloaded",
            "product: gone",
            "product: confused",
            "stream: failures",
            "stream: a part of a batch failed",
            "the bus: accepted",
            "the bus: 200 with a failed entry",
            "the bus: broken",
            "the bus: throttled",
            "parked in the middle of a version",
            "sent again from the middle of a version",
            "a delivery overtaken by a host whose clock is behind",
            "a step of replacing the signing keys",
            "a secret that could not be read",
            "killed: stream",
            "killed: sweep",
            "struck: POST /events",
            "struck: POST /",
            "struck: table: backlog",
            "struck: table: cursor",
            "struck: table: save cursor",
            "struck: table: settle",
            "struck: table: due",
        ],
        Theme::Endpoints => &[
            "an endpoint added",
            "an endpoint added from a time",
            "an endpoint removed",
            "a filter widened",
            "functions with different filters",
            "a paused receiver written",
            "struck: table: receivers",
            "struck: table: save receiver",
            "struck: table: delete receiver",
            "a cursor of a removed endpoint deleted",
            "struck: POST /events/crm",
        ],
        Theme::Erasures => &[
            "PersonalDataErased",
            "erasure: 200",
            "erasure: 409",
            "erasure: 503",
            "killed: erasure",
            "struck: table: list an erasure",
            "struck: table: pending events",
            "struck: table: erase events",
            "struck: table: save annotations",
        ],
        Theme::Pages => &[
            "way: a failing page",
            "storm: a page fails",
            "storm: a failing page is mended",
            "reconciliation: end of the list",
            "reconciliation: end of the run",
            "reconciliation: more to do",
            "two reconciliations at once",
            "refused: checkpoint moved",
            "struck: GET /subscriptions",
            "struck: table: save checkpoint",
            "struck: table: list",
            "struck: table: note compared",
            "struck: table: compared",
        ],
        Theme::DynamoDb => &[
            "store: DynamoDB",
            "DynamoDB: keys are left unprocessed",
            "DynamoDB: throttled",
            "DynamoDB: throughput exceeded",
            "DynamoDB: fails before the effect",
            "DynamoDB: fails after the effect",
            "DynamoDB: transactions conflict",
        ],
        Theme::Ways => &[],
    }
}

fn assert_reaches(theme: Option<Theme>, cases: &[&str], seeds: impl Iterator<Item = u64>) {
    let mut missing = cases.to_vec();
    for seed in seeds.take(SEEDS) {
        let Ok(reached) = simulate(seed, false) else {
            panic!("seed {seed} violates an invariant");
        };
        missing.retain(|case| reached.times(case) == 0);
        if missing.is_empty() {
            println!("{theme:?}: all cases within seed {seed}");
            return;
        }
    }
    panic!("with {theme:?}, no storm reached {missing:?}");
}

/// Ways that no storm leads to: the functions send no `Failure` to a reinstatement, and a record can't
/// keep up with a status that is always unknown. Rejections lead to the third.
const NOT_AMONG_WAYS: [&str; 3] = [way::REFUSED_REINSTATEMENT, way::UNKNOWN_STATUS, way::CONFLICT];

#[test]
fn storms_reach_every_way_of_microsofts() {
    let ways = way::ALL.iter().filter(|way| !NOT_AMONG_WAYS.contains(way));
    let cases: Vec<String> = ways.map(|way| format!("way: {way}")).collect();
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    assert_reaches(Some(Theme::Ways), &cases, Theme::Ways.seeds());
}

#[test]
fn ordinary_storms_reach_the_common_cases() {
    let ordinary = (0..).filter(|seed| Theme::of(*seed).is_none());
    assert_reaches(None, &ORDINARY, ordinary);
}

#[test]
fn storms_with_a_theme_reach_its_rare_cases() {
    for theme in Theme::ALL {
        assert_reaches(Some(theme), cases(theme), theme.seeds());
    }
}
