//! List, Get, List available plans, and what every call has in common (sections 1, 4.3 to 4.5).

use crate::publisher::{active, call, get, request, send, subscription_path, world};
use ::http::Method;
use emulator::{ApiRequest, EmptyList, LastLink, Person, Purchase, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

const LIST: &str = "/saas/subscriptions";

/// The ids on all pages, and the length of each page.
fn walk(world: &mut World) -> (Vec<String>, Vec<usize>) {
    let (mut ids, mut lengths) = (Vec::new(), Vec::new());
    let mut path = LIST.to_owned();
    loop {
        let body = get(world, &path).body_json();
        let page = body["subscriptions"].as_array().unwrap();
        ids.extend(page.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        lengths.push(page.len());
        let Some(link) = body["@nextLink"].as_str().filter(|link| !link.is_empty()) else {
            return (ids, lengths);
        };
        let link = url::Url::parse(link).unwrap();
        assert_eq!(link.host_str(), Some("main.prod.marketplaceapi.example"));
        let token = link
            .query_pairs()
            .find(|(name, _)| name == "continuationToken")
            .unwrap()
            .1
            .into_owned();
        let parsed: Value =
            serde_json::from_str(&token).expect("the token is JSON after one decoding");
        assert!(parsed[0]["range"]["min"].is_string());
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("continuationToken", &token)
            .finish();
        path = format!("{LIST}/?{query}");
    }
}

#[test]
fn the_pages_list_every_subscription_once() {
    let mut world = world();
    world.settings_mut().behaviour.page_size = 10;
    let bought: Vec<String> =
        (0..25).map(|_| world.purchase(Purchase::flat_rate("silver")).to_string()).collect();
    let (ids, lengths) = walk(&mut world);
    assert_eq!(ids, bought);
    assert_eq!(lengths, [10, 10, 5]);
}

#[test]
fn a_short_page_need_not_be_the_last() {
    let mut world = world();
    world.settings_mut().behaviour.page_size = 10;
    world.settings_mut().behaviour.short_pages = true;
    for _ in 0..40 {
        world.purchase(Purchase::flat_rate("silver"));
    }
    let (ids, lengths) = walk(&mut world);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 40);
    assert!(lengths.iter().collect::<BTreeSet<_>>().len() > 1, "{lengths:?}");
    assert!(lengths[0] < 10, "{lengths:?}");
}

#[test]
fn the_last_page_has_the_chosen_form_of_next_link() {
    let mut world = world();
    world.purchase(Purchase::flat_rate("silver"));
    for (form, link) in [
        (LastLink::Absent, None),
        (LastLink::Empty, Some(json!(""))),
        (LastLink::Null, Some(Value::Null)),
    ] {
        world.settings_mut().behaviour.last_link = form;
        assert_eq!(get(&mut world, LIST).body_json().get("@nextLink"), link.as_ref(), "{form:?}");
    }
}

#[test]
fn an_empty_list_has_four_forms() {
    let mut world = world();
    for (form, body) in [
        (EmptyList::EmptyBody, ""),
        (EmptyList::EmptyObject, "{}"),
        (EmptyList::NullArray, r#"{"subscriptions":null}"#),
        (EmptyList::EmptyArray, r#"{"subscriptions":[]}"#),
    ] {
        world.settings_mut().behaviour.empty_list = form;
        let reply = get(&mut world, LIST);
        assert_eq!((reply.status, reply.body.as_slice()), (200, body.as_bytes()));
    }
}

#[test]
fn a_stale_read_shows_an_earlier_state() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.settings_mut().behaviour.stale_reads = Some(Duration::from_secs(60));
    assert_eq!(
        get(&mut world, &subscription_path(id)).status,
        404,
        "it did not exist a minute ago"
    );
    world.advance(Duration::from_secs(60));
    world.suspend(id).unwrap();
    let read = |world: &mut World| {
        get(world, &subscription_path(id)).body_json()["saasSubscriptionStatus"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(read(&mut world), "Subscribed");
    world.advance(Duration::from_secs(60));
    assert_eq!(read(&mut world), "Suspended");
}

#[test]
fn f_lst_9_the_list_may_be_further_behind_than_a_single_read() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    world.settings_mut().behaviour.stale_list = Some(Duration::from_secs(100));
    world.advance(Duration::from_secs(100));
    world.suspend(id).unwrap();
    let listed = |world: &mut World| {
        get(world, LIST).body_json()["subscriptions"][0]["saasSubscriptionStatus"].clone()
    };
    assert_eq!(listed(&mut world), "Subscribed");
    let read = get(&mut world, &subscription_path(id)).body_json();
    assert_eq!(read["saasSubscriptionStatus"], "Suspended");
    world.advance(Duration::from_secs(100));
    assert_eq!(listed(&mut world), "Suspended");
}

#[test]
fn the_list_has_the_plans_that_the_beneficiary_may_buy() {
    let mut world = world();
    let contoso = world.purchase(Purchase::flat_rate("silver"));
    let northwind =
        world.purchase(Purchase::flat_rate("silver").by(Person::bruno()).private_offer());
    let plans = |world: &mut World, id: Uuid, filter: &str| {
        let body = get(world, &format!("{}/listAvailablePlans{filter}", subscription_path(id)))
            .body_json();
        body["plans"].as_array().unwrap().clone()
    };
    let ids = |plans: &[Value]| {
        plans.iter().map(|plan| plan["planId"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        ids(&plans(&mut world, contoso, "")),
        ["silver", "gold", "platinum", "trial", "auto"]
    );
    assert!(ids(&plans(&mut world, northwind, "")).contains(&"enterprise".to_owned()));
    // Only a filtered answer has the private offer's id (F-PLN-4), and an unknown plan is not an
    // error (F-PLN-5).
    assert!(plans(&mut world, northwind, "").iter().all(|plan| plan.get("sourceOffers").is_none()));
    assert!(
        plans(&mut world, northwind, "?planId=silver")[0]["sourceOffers"][0]["externalId"]
            .is_string()
    );
    assert!(plans(&mut world, contoso, "?planId=nothing").is_empty());
    let reply = get(&mut world, &format!("{}/listAvailablePlans", subscription_path(Uuid::nil())));
    assert_eq!((reply.status, reply.body.len()), (404, 0));
}

#[test]
fn only_per_seat_plans_limit_the_seats() {
    let mut world = world();
    let id = world.purchase(Purchase::per_seat("basic", 10));
    let plans =
        get(&mut world, &format!("{}/listAvailablePlans", subscription_path(id))).body_json();
    assert_eq!(
        (&plans["plans"][1]["minQuantity"], &plans["plans"][1]["maxQuantity"]),
        (&json!(5), &json!(500))
    );
    let id = world.purchase(Purchase::flat_rate("gold"));
    let plans =
        get(&mut world, &format!("{}/listAvailablePlans", subscription_path(id))).body_json();
    assert_eq!(plans["plans"][0].get("maxQuantity"), None);
    let term = &plans["plans"][0]["planComponents"]["recurrentBillingTerms"][0];
    let units = &term["meteredQuantityIncluded"][0]["units"];
    assert!(units.is_string(), "{units}");
}

#[test]
fn every_call_needs_the_one_supported_api_version() {
    let mut world = world();
    let token = world.entra().access_token();
    for (query, code) in
        [("", "ApiVersionUnspecified"), ("?api-version=2018-09-15", "UnsupportedApiVersion")]
    {
        let request = ApiRequest::new(Method::GET, &format!("{LIST}{query}"))
            .with_header("authorization", &format!("Bearer {token}"));
        let reply = send(&mut world, &request);
        assert_eq!(reply.status, 400);
        assert_eq!(reply.body_json()["Error"]["Code"], code);
    }
}

#[test]
fn an_answer_repeats_the_tracking_ids_or_uses_one_guid_for_both() {
    let mut world = world();
    let (one, other) = (Uuid::from_u128(1).to_string(), Uuid::from_u128(2).to_string());
    let sent = request(&mut world, Method::GET, LIST)
        .with_header("x-ms-requestid", &one)
        .with_header("x-ms-correlationid", &other);
    let reply = send(&mut world, &sent);
    assert_eq!(
        (reply.header("x-ms-requestid"), reply.header("x-ms-correlationid")),
        (Some(&*one), Some(&*other))
    );
    let reply = get(&mut world, LIST);
    assert!(reply.header("x-ms-requestid").is_some());
    assert_eq!(reply.header("x-ms-requestid"), reply.header("x-ms-correlationid"));
    let sent = request(&mut world, Method::GET, LIST).with_header("x-ms-requestid", "not a guid");
    assert_eq!(send(&mut world, &sent).status, 400);
}

#[test]
fn a_wrong_method_or_body_is_refused() {
    let mut world = world();
    let id = active(&mut world, Purchase::flat_rate("silver"));
    let path = subscription_path(id);
    let reply = call(&mut world, Method::PUT, &path, Some(json!({})));
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, PATCH, DELETE")));
    assert_eq!(call(&mut world, Method::GET, &format!("{path}/nothing"), None).status, 404);
    assert_eq!(
        call(&mut world, Method::DELETE, &path, Some(json!({}))).status,
        400,
        "a body on DELETE"
    );
    let mut form = request(&mut world, Method::PATCH, &path).with_form(&[("planId", "gold")]);
    assert_eq!(send(&mut world, &form).status, 415, "a form");
    form.body = b"{".to_vec();
    let broken = form.with_header("content-type", "application/json");
    assert_eq!(send(&mut world, &broken).status, 400, "half an object");
    assert_eq!(world.subscription(id).plan_id, "silver");
}
