//! Microsoft's subscriptions, computed from their numbers: none of them takes memory.

use serde_json::{Value, json};
use shared::domain::SubscriptionId;
use uuid::Uuid;

/// Odd, so that every id has one number.
const SCATTER: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// A publisher's customers, by their numbers from zero.
#[derive(Clone, Copy, Debug)]
pub struct Customers {
    pub seed: u64,
    pub count: u64,
    /// One subscription in so many has changed without a call.
    pub drift_one_in: u64,
    /// One in so many can't be read, neither in the list nor by itself.
    pub unreadable_one_in: u64,
    /// One in so many was bought a moment ago, and has no record.
    pub new_one_in: u64,
    /// Whether this deployment has met them. If not, none has a record.
    pub are_recorded: bool,
    /// One in so many waits for its activation. Only customers that have no record do.
    pub waiting_one_in: u64,
    /// The subscriptions from this number on are bought while the reconciliation runs.
    pub bought_from: u64,
}

/// What the records and Microsoft are compared in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub status: &'static str,
    pub offer: &'static str,
    pub plan: &'static str,
    pub seats: Option<u64>,
    /// The first and the last day, from the activation on.
    pub term: Option<(&'static str, &'static str)>,
}

/// The names of the events that a change leads to, in their order.
pub(crate) type Events = &'static [&'static str];

/// Why an entry can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is no object.
    NoObject,
    /// It has no status, and no other field that a record needs.
    NoFields,
}

const SILVER: State = State {
    status: "Subscribed",
    offer: "flat-rate-1",
    plan: "silver",
    seats: None,
    term: Some(("2025-06-01", "2026-05-31")),
};
const BASIC: State = State { offer: "per-seat-1", plan: "basic", seats: Some(10), ..SILVER };

impl Customers {
    /// One percent have changed, and one in a thousand can't be read.
    pub fn new(seed: u64, count: u64) -> Self {
        Self {
            seed,
            count,
            drift_one_in: 100,
            unreadable_one_in: 1000,
            new_one_in: 2000,
            are_recorded: true,
            waiting_one_in: u64::MAX,
            bought_from: u64::MAX,
        }
    }

    /// Customers from before the deployment's first start: one in fifty waits for its activation.
    pub fn from_before(seed: u64, count: u64) -> Self {
        Self {
            drift_one_in: u64::MAX,
            new_one_in: u64::MAX,
            are_recorded: false,
            waiting_one_in: 50,
            bought_from: count,
            ..Self::new(seed, count)
        }
    }

    pub fn id(&self, number: u64) -> SubscriptionId {
        SubscriptionId(Uuid::from_u128((u128::from(number) + 1).wrapping_mul(SCATTER)))
    }

    /// The number of an id; `None` if Microsoft knows no such subscription.
    pub fn number(&self, id: Uuid) -> Option<u64> {
        let number = id.as_u128().wrapping_mul(inverse(SCATTER)).wrapping_sub(1);
        u64::try_from(number).ok().filter(|number| *number < self.count)
    }

    fn draw(&self, number: u64, what: u64) -> u64 {
        // One step of SplitMix64.
        let mut mixed = (self.seed ^ (number << 8) ^ what).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn has_drifted(&self, number: u64) -> bool {
        self.draw(number, 1).is_multiple_of(self.drift_one_in)
    }

    pub fn unreadable(&self, number: u64) -> Option<Unreadable> {
        let drawn = self.draw(number, 2);
        let forms = [Unreadable::NoObject, Unreadable::NoFields];
        drawn.is_multiple_of(self.unreadable_one_in).then(|| forms[usize::from(drawn >> 63 == 1)])
    }

    /// Whether it was bought a moment ago.
    pub fn is_new(&self, number: u64) -> bool {
        let is_new = !self.has_drifted(number)
            && self.unreadable(number).is_none()
            && self.draw(number, 6).is_multiple_of(self.new_one_in);
        is_new || number >= self.bought_from
    }

    fn is_waiting(&self, number: u64) -> bool {
        !self.is_new(number) && self.draw(number, 7).is_multiple_of(self.waiting_one_in)
    }

    /// The states that a record may hold before the reconciliation.
    pub fn recorded_states() -> [State; 4] {
        [
            SILVER,
            BASIC,
            State { status: "Suspended", ..SILVER },
            State { status: "Unsubscribed", ..BASIC },
        ]
    }

    /// The state that the record holds; `None` if there is no record.
    pub fn before(&self, number: u64) -> Option<State> {
        (self.are_recorded && !self.is_new(number)).then(|| self.known(number))
    }

    /// The state of a subscription that isn't new.
    fn known(&self, number: u64) -> State {
        let [silver, basic, suspended, ended] = Self::recorded_states();
        // An ended subscription doesn't change.
        if !self.has_drifted(number) {
            match self.draw(number, 3) % 100 {
                0 => return suspended,
                1..10 => return ended,
                _ => {}
            }
        }
        if self.draw(number, 4).is_multiple_of(2) { basic } else { silver }
    }

    /// Microsoft's state, and the events that lead to it.
    pub fn now(&self, number: u64) -> (State, Events) {
        if self.is_new(number) {
            return (SILVER, &["Purchased", "Activated"]);
        }
        if self.is_waiting(number) {
            let waiting = State { status: "PendingFulfillmentStart", term: None, ..BASIC };
            return (waiting, &["Purchased"]);
        }
        let before = self.known(number);
        if !self.are_recorded {
            return (before, &["Imported"]);
        }
        if !self.has_drifted(number) {
            return (before, &[]);
        }
        match self.draw(number, 5) % 5 {
            0 => (State { plan: "gold", ..before }, &["PlanChanged"]),
            1 => (State { status: "Suspended", ..before }, &["Suspended"]),
            2 => (State { status: "Unsubscribed", ..before }, &["Unsubscribed"]),
            3 if before.seats.is_some() => {
                (State { seats: Some(11), ..before }, &["QuantityChanged"])
            }
            _ => (State { term: Some(("2026-06-01", "2027-05-31")), ..before }, &["Renewed"]),
        }
    }

    /// When it was bought.
    pub fn created(&self, number: u64) -> &'static str {
        match number {
            number if number >= self.bought_from => "2026-06-15T12:00:01Z",
            number if self.is_new(number) => "2026-06-15T11:30:00Z",
            // Microsoft cancels what waits for a month.
            number if self.is_waiting(number) => "2026-06-14T08:00:00Z",
            _ => "2025-06-01T08:00:00Z",
        }
    }

    /// Whether the publisher's product must be told of it.
    pub fn is_told(&self, number: u64) -> bool {
        let (_, events) = self.expected(number);
        !events.is_empty() && events != ["Imported"]
    }

    /// The state and the events that a record must have in the end. A subscription that can't be read
    /// stays as it was.
    pub fn expected(&self, number: u64) -> (Option<State>, Events) {
        if self.unreadable(number).is_some() {
            return (self.before(number), &[]);
        }
        let (state, events) = self.now(number);
        (Some(state), events)
    }
}

/// A subscription as the API writes it (F-OBJ).
pub(crate) fn wire(id: SubscriptionId, state: &State, created: &str) -> Value {
    let day = |day: Option<&str>| day.map(|day| format!("{day}T00:00:00Z"));
    let (start, end) = state.term.unzip();
    let party = |email: &str, object: &str| {
        json!({
            "emailId": email, "objectId": object, "tenantId": "8d3c1a54-0f6e-4c0f-b7a5-2f6f0f7a9d11",
            "puid": "10032001",
        })
    };
    json!({
        "id": id, "publisherId": "fabrikam", "offerId": state.offer, "name": "Fabrikam Cloud",
        "saasSubscriptionStatus": state.status, "planId": state.plan, "quantity": state.seats,
        "beneficiary": party("person@contoso.example", "51c1b0a7-9bb5-4a3a-8c19-6c9a8d8e1f01"),
        "purchaser": party("buyer@contoso.example", "51c1b0a7-9bb5-4a3a-8c19-6c9a8d8e1f02"),
        "term": {
            "termUnit": "P1Y", "chargeDuration": null,
            "startDate": day(start), "endDate": day(end),
        },
        "autoRenew": true, "isTest": false, "isFreeTrial": false,
        "allowedCustomerOperations": ["Delete", "Update", "Read"],
        "sandboxType": "None", "sessionMode": "None", "created": created,
    })
}

/// The inverse of an odd number modulo 2^128, by Newton's method.
const fn inverse(odd: u128) -> u128 {
    let mut inverse: u128 = 1;
    let mut step = 0;
    // Each step doubles the number of right bits.
    while step < 7 {
        inverse = inverse.wrapping_mul(2_u128.wrapping_sub(odd.wrapping_mul(inverse)));
        step += 1;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_number_and_another_to_none() {
        let customers = Customers::new(7, 1000);
        for number in [0, 1, 84, 999] {
            assert_eq!(customers.number(customers.id(number).0), Some(number));
        }
        assert_eq!(customers.number(customers.id(1000).0), None);
        assert_eq!(customers.number(Uuid::nil()), None);
    }

    #[test]
    fn as_many_differ_as_the_shares_say() {
        let customers = Customers::new(7, 100_000);
        let share = |is: &dyn Fn(u64) -> bool| (0..customers.count).filter(|n| is(*n)).count();
        let drifted = share(&|number| customers.has_drifted(number));
        let unreadable = share(&|number| customers.unreadable(number).is_some());
        let new = share(&|number| customers.is_new(number));
        assert!((850..1150).contains(&drifted), "{drifted}");
        assert!((60..140).contains(&unreadable), "{unreadable}");
        assert!((20..80).contains(&new), "{new}");
        let behind =
            share(&|number| customers.before(number).as_ref() != Some(&customers.now(number).0));
        assert_eq!(behind, drifted + new, "only these differ from their records");
    }
}
