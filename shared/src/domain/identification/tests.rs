use serde_json::json;

use super::super::decision::Decision;
use super::super::event::Cause;
use super::super::observation::Observation;
use super::super::observe::observe;
use super::*;

const CONTOSO: Uuid = uuid!("2c57d204-229b-4536-8d56-8e42fd6862fa");
const RESELLER: Uuid = uuid!("5d3f1b7e-90aa-4f0e-b1c2-3e4a5d6c7f80");
const ADELE: Uuid = uuid!("2f50c2e6-2261-4106-aad6-286e5708e001");
const RITA: Uuid = uuid!("2f50c2e6-2261-4106-aad6-286e5708e004");

fn party(tenant_id: Option<Uuid>, object_id: Option<Uuid>) -> Party {
    // All parties share one e-mail address, which must not matter.
    Party { tenant_id, object_id, email_id: Some("adele@contoso.example".into()), puid: None }
}

fn observed(beneficiary: &Party, purchaser: &Party) -> Observation {
    serde_json::from_value(json!({
        "id": Uuid::from_u128(7), "offerId": "per-seat-1", "planId": "basic",
        "saasSubscriptionStatus": "PendingFulfillmentStart",
        "beneficiary": beneficiary, "purchaser": purchaser,
    }))
    .expect("an observation")
}

fn bought(beneficiary: &Party, purchaser: &Party) -> Subscription {
    observed(beneficiary, purchaser).onto(None).expect("complete")
}

#[test]
fn a_colleague_belongs_to_the_beneficiarys_tenant_unless_it_is_that_of_personal_accounts() {
    let adele = party(Some(CONTOSO), Some(ADELE));
    let rita = party(Some(RESELLER), Some(RITA));
    let personal = party(Some(PERSONAL_TENANT), Some(ADELE));
    let zeros = party(Some(Uuid::nil()), Some(Uuid::nil()));
    let other = Uuid::from_u128(99);
    for (beneficiary, tenant_id, expected) in [
        (&adele, CONTOSO, true),
        // Those who work for the reseller are strangers to the customer's purchase.
        (&adele, RESELLER, false),
        (&personal, PERSONAL_TENANT, false),
        (&zeros, Uuid::nil(), false),
    ] {
        let account = Account { tenant_id, object_id: Some(other) };
        let subscription = bought(beneficiary, &rita);
        assert_eq!(is_colleague(&subscription, &account), expected, "{tenant_id}");
    }
}

#[test]
fn a_person_is_identified_by_tenant_and_object_id_alone() {
    use MatchedBy::{Tenant, TenantAndObject, Unverifiable};
    use Role::{Beneficiary, Purchaser};
    let adele = party(Some(CONTOSO), Some(ADELE));
    let rita = party(Some(RESELLER), Some(RITA));
    let contoso = party(Some(CONTOSO), None);
    let reseller = party(Some(RESELLER), None);
    let unnamed = party(None, None);
    let zeros = party(Some(Uuid::nil()), Some(Uuid::nil()));
    let no_person = party(Some(CONTOSO), Some(Uuid::nil()));
    let no_tenant = party(None, Some(ADELE));
    let personal = party(Some(PERSONAL_TENANT), Some(ADELE));
    let any_personal = party(Some(PERSONAL_TENANT), None);
    let is = |tenant_id, object_id| Account { tenant_id, object_id };
    let colleague = Uuid::from_u128(99);
    let stranger = Uuid::from_u128(98);
    for (beneficiary, purchaser, account, expected) in [
        (&adele, &adele, is(CONTOSO, Some(ADELE)), Some((Beneficiary, TenantAndObject))),
        (&adele, &rita, is(CONTOSO, Some(ADELE)), Some((Beneficiary, TenantAndObject))),
        (&adele, &rita, is(RESELLER, Some(RITA)), Some((Purchaser, TenantAndObject))),
        (&adele, &rita, is(CONTOSO, Some(colleague)), None),
        (&adele, &rita, is(CONTOSO, None), None),
        // The same object id in another tenant is another person.
        (&adele, &rita, is(stranger, Some(ADELE)), None),
        (&adele, &rita, is(RESELLER, Some(ADELE)), None),
        (&contoso, &reseller, is(CONTOSO, Some(colleague)), Some((Beneficiary, Tenant))),
        (&contoso, &reseller, is(CONTOSO, None), Some((Beneficiary, Tenant))),
        (&contoso, &reseller, is(RESELLER, Some(RITA)), Some((Purchaser, Tenant))),
        (&contoso, &reseller, is(stranger, Some(RITA)), None),
        (&unnamed, &reseller, is(CONTOSO, Some(ADELE)), None),
        (&contoso, &unnamed, is(stranger, Some(ADELE)), None),
        (&unnamed, &unnamed, is(stranger, Some(ADELE)), Some((Beneficiary, Unverifiable))),
        (&no_tenant, &no_tenant, is(CONTOSO, None), Some((Beneficiary, Unverifiable))),
        // A GUID of zeros names nothing.
        (&zeros, &zeros, is(CONTOSO, Some(Uuid::nil())), Some((Beneficiary, Unverifiable))),
        (&zeros, &adele, is(stranger, Some(Uuid::nil())), None),
        (&no_person, &no_person, is(CONTOSO, Some(Uuid::nil())), Some((Beneficiary, Tenant))),
        // All personal accounts share one tenant, so the tenant alone proves nothing.
        (&unnamed, &unnamed, is(PERSONAL_TENANT, Some(ADELE)), None),
        (&any_personal, &any_personal, is(PERSONAL_TENANT, Some(ADELE)), None),
        (
            &personal,
            &personal,
            is(PERSONAL_TENANT, Some(ADELE)),
            Some((Beneficiary, TenantAndObject)),
        ),
        (&personal, &personal, is(PERSONAL_TENANT, Some(RITA)), None),
    ] {
        assert_eq!(
            identify(&bought(beneficiary, purchaser), &account),
            expected.map(|(role, matched_by)| Identification { role, matched_by }),
            "{beneficiary:?} {purchaser:?} {account:?}"
        );
    }
}

#[test]
fn a_stranger_may_be_a_guest_only_in_the_directory_that_the_purchase_names() {
    let adele = party(Some(CONTOSO), Some(ADELE));
    let rita = party(Some(RESELLER), Some(RITA));
    let unnamed = party(None, None);
    let zeros = party(Some(Uuid::nil()), Some(Uuid::nil()));
    let personal = party(Some(PERSONAL_TENANT), Some(ADELE));
    let elsewhere = Uuid::from_u128(98);
    for (beneficiary, purchaser, tenant_id, expected) in [
        (&adele, &rita, elsewhere, Some(CONTOSO)),
        (&adele, &rita, PERSONAL_TENANT, Some(CONTOSO)),
        (&adele, &rita, RESELLER, Some(CONTOSO)),
        (&personal, &personal, elsewhere, Some(PERSONAL_TENANT)),
        (&unnamed, &rita, elsewhere, Some(RESELLER)),
        (&zeros, &rita, elsewhere, Some(RESELLER)),
        // The account was used in that directory already.
        (&adele, &rita, CONTOSO, None),
        (&personal, &personal, PERSONAL_TENANT, None),
        (&unnamed, &unnamed, PERSONAL_TENANT, None),
        (&zeros, &zeros, PERSONAL_TENANT, None),
    ] {
        let account = Account { tenant_id, object_id: Some(Uuid::from_u128(99)) };
        let tenant = tenant_for_guest(&bought(beneficiary, purchaser), &account);
        assert_eq!(tenant, expected, "{beneficiary:?} {purchaser:?} {tenant_id}");
    }
}

#[test]
fn the_identified_person_is_recorded_once_and_without_an_event() {
    let now = "2026-03-04T09:00:00Z".parse::<Timestamp>().expect("a time");
    let later = "2026-03-04T10:00:00Z".parse::<Timestamp>().expect("a time");
    let adele = party(Some(CONTOSO), Some(ADELE));
    let observed = observed(&adele, &adele);
    let found = Identification { role: Role::Beneficiary, matched_by: MatchedBy::TenantAndObject };
    let decided = observe(None, &observed, &Cause::Landing, now).expect("complete");
    let Decision::Commit(change) = decided.identifying(found, None, now) else {
        panic!("a purchase")
    };
    assert_eq!(
        change.record.identified_as,
        Some(IdentifiedAs { role: found.role, matched_by: found.matched_by, at: now })
    );
    let again = observe(Some(&change.record), &observed, &Cause::Landing, later).expect("complete");
    assert_eq!(again.identifying(found, Some(&change.record), later), Decision::Unchanged);

    // A change of the subscription keeps the first time; another person gets their own time.
    let purchaser = Identification { role: Role::Purchaser, matched_by: MatchedBy::Tenant };
    for (by, at) in [(found, now), (purchaser, later)] {
        let active: Observation = serde_json::from_value(json!({
            "id": Uuid::from_u128(7), "saasSubscriptionStatus": "Subscribed",
        }))
        .expect("an observation");
        let record = Some(&change.record);
        let decided = observe(record, &active, &Cause::Landing, later).expect("complete");
        let Decision::Commit(both) = decided.identifying(by, record, later) else {
            panic!("active")
        };
        let expected = IdentifiedAs { role: by.role, matched_by: by.matched_by, at };
        assert_eq!(both.record.identified_as, Some(expected));
    }

    let again = observe(Some(&change.record), &observed, &Cause::Landing, later).expect("complete");
    let Decision::Commit(other) = again.identifying(purchaser, Some(&change.record), later) else {
        panic!("another person is recorded")
    };
    assert_eq!(other.events, Vec::new(), "no event: nothing happened to the subscription");
    assert_eq!(other.record.version, 2);
    assert_eq!(
        other.record.identified_as.map(|known| (known.role, known.at)),
        Some((Role::Purchaser, later))
    );
}
