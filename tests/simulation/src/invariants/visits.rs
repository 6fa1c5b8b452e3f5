//! Who may do what on the landing page, with sign-in on: only the people whom Microsoft names see a
//! purchase, and only the person whom it names as the beneficiary changes it.

use std::sync::Arc;

use bytes::Bytes;
use emulator::Person;
use http::{Method, Request, Response};
use shared::domain::{Account, PERSONAL_TENANT};
use uuid::Uuid;

use crate::browser::{Step, Visit};
use crate::io::Io;

/// What an account is to a subscription (F-LP-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Microsoft names this very person.
    NamedBeneficiary,
    /// Microsoft names the tenant alone.
    Beneficiary,
    Purchaser,
    /// Belongs to the beneficiary's tenant.
    Colleague,
    Stranger,
}

fn role(io: &Io, id: Uuid, account: &Account) -> Role {
    let (state, is_nameless) = io
        .world(|world| (world.subscription(id).clone(), world.settings().oddities.null_person_ids));
    let is_company = account.tenant_id != PERSONAL_TENANT;
    let is = |person: &Person| {
        let is_named = is_nameless || account.object_id == Some(person.object_id);
        person.tenant_id == account.tenant_id && is_named && (is_company || !is_nameless)
    };
    match (is(&state.beneficiary), is(&state.purchaser)) {
        (true, _) if is_nameless => Role::Beneficiary,
        (true, _) => Role::NamedBeneficiary,
        (_, true) => Role::Purchaser,
        _ if is_company && state.beneficiary.tenant_id == account.tenant_id => Role::Colleague,
        _ => Role::Stranger,
    }
}

pub(super) fn role_of(io: &Io, visit: &Visit) -> Role {
    visit.account.as_ref().map_or(Role::Stranger, |account| role(io, visit.id, account))
}

/// Whether the visitor may see and confirm the purchase.
pub(crate) fn may_see(io: &Io, visit: &Visit) -> bool {
    matches!(role_of(io, visit), Role::NamedBeneficiary | Role::Beneficiary | Role::Purchaser)
}

/// Whether the visitor may change or cancel the subscription, as far as their role goes.
pub(super) fn may_change(io: &Io, visit: &Visit) -> bool {
    role_of(io, visit) == Role::NamedBeneficiary
}

/// Checks a request to Microsoft or to the product that a visit leads to.
pub(crate) fn check_visit_reaches(io: &Arc<Io>, request: &Request<Bytes>) {
    let Some(visit) = io.visit() else { return };
    let path = request.uri().path();
    let confirmed = match &visit.step {
        Step::Change { wanted, is_confirmed: true } => Some(wanted),
        _ => None,
    };
    let about = path.strip_prefix("/api/saas/subscriptions/");
    let about_this =
        about.is_some_and(|rest| rest.get(..36) == Some(visit.id.to_string().as_str()));
    let may = match (request.uri().host(), request.method()) {
        (Some("entra.sim"), _) => true,
        (Some("product.sim"), _) => confirmed.is_some() && may_change(io, &visit),
        // The answer says who the purchase belongs to.
        _ if about == Some("resolve") => visit.account.is_some() && visit.step != Step::SignOut,
        // A short answer doesn't say it (F-RES-6).
        (_, &Method::GET) if io.world(|world| world.settings().oddities.short_resolve) => {
            about_this && visit.account.is_some()
        }
        // A colleague reads the name of the plan, too.
        (_, &Method::GET) if path.ends_with("/listAvailablePlans") => {
            about_this && (may_see(io, &visit) || role_of(io, &visit) == Role::Colleague)
        }
        (_, &Method::GET) => about_this && may_see(io, &visit),
        (_, &Method::POST) if path.ends_with("/activate") => {
            about_this && may_see(io, &visit) && visit.step == Step::Confirm
        }
        (_, &Method::PATCH | &Method::DELETE) => {
            let change = crate::transport::change_in(request);
            about_this
                && may_change(io, &visit)
                && change.is_some_and(|(_, change)| Some(&change) == confirmed)
        }
        _ => false,
    };
    if !may {
        let role = role_of(io, &visit);
        io.violate(format!("{visit:?} by a {role:?} reached {} {path}", request.method()));
    }
}

/// Checks that a visit may use the table as it does: only a signed-in person reads it, and only a
/// person whom Microsoft names writes to it.
pub(crate) fn check_visit_uses_table(io: &Arc<Io>, name: impl Fn() -> String) {
    let Some(visit) = io.visit() else { return };
    let name = name();
    // What Microsoft refused is remembered for everyone, and shows nobody anything. The settings of offers are
    // the same for everyone, and kept for a minute.
    if ["[REFUSED]", "GetItem [SETTINGS]"].iter().any(|known| name.ends_with(known)) {
        return;
    }
    let is_read = ["table: load", "DynamoDB: GetItem", "DynamoDB: Query"]
        .into_iter()
        .any(|read| name.starts_with(read));
    let is_signed_in = visit.account.is_some() && visit.step != Step::SignOut;
    if !(is_signed_in && (is_read || may_see(io, &visit))) {
        io.violate(format!("{visit:?} by a {:?} reached {name}", role_of(io, &visit)));
    }
}

/// Checks that a page shows the purchase only to those who may see it.
pub(crate) fn check_page(io: &Arc<Io>, visit: &Visit, answer: &Response<Bytes>) {
    let role = role_of(io, visit);
    io.count(match role {
        Role::NamedBeneficiary => "person: the beneficiary",
        Role::Beneficiary => "person: the beneficiary's tenant",
        Role::Purchaser => "person: the purchaser",
        Role::Colleague => "person: a colleague",
        Role::Stranger if visit.account.is_some() => "person: a stranger",
        Role::Stranger => "person: not signed in",
    });
    if role != Role::Stranger {
        return;
    }
    let state = io.world(|world| world.subscription(visit.id).clone());
    let body = String::from_utf8_lossy(answer.body());
    let id = visit.id.to_string();
    for secret in [&state.name, &id, &state.plan_id] {
        // A page has words of its own, such as `basic` and `auto`.
        if secret.len() > 8 && body.contains(secret.as_str()) {
            io.violate(format!("{visit:?} shows a stranger {secret}"));
        }
    }
}
