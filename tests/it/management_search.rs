//! The management API: searches, limits, and what it refuses in a query.

use emulator::{Person, Purchase};
use http::{Method, StatusCode};
use local::Options;
use serde_json::Value;
use uuid::Uuid;

use crate::browser::{Browser, submit_token};
use crate::test_env::{TestEnv, is_problem};

fn ids(page: &Value) -> Vec<Uuid> {
    let subscriptions = page["subscriptions"].as_array().expect("a list").iter();
    let id = |record: &Value| record["subscription"]["id"].as_str()?.parse().ok();
    subscriptions.filter_map(id).collect()
}

async fn found(env: &TestEnv, query: &str) -> Vec<Uuid> {
    let page = env.get(&format!("/subscriptions?{query}")).await;
    assert_eq!(page.status, StatusCode::OK, "{query}: {}", page.body);
    assert_eq!(page.json()["next"], Value::Null, "{query}");
    ids(&page.json())
}

#[tokio::test]
async fn a_subscription_is_found_by_what_support_knows_of_it() {
    let env = TestEnv::new().await;
    let bruno = Purchase::flat_rate("silver").named("Northwind CRM").by(Person::bruno());
    let bruno = env.active(bruno).await;
    let adele = env.active(Purchase::per_seat("basic", 7).named("Åbo payroll")).await;
    env.world(|world| world.suspend(adele)).expect("a suspension");
    env.deliver_statuses().await;
    for (query, expected) in [
        ("search=northwind%20crm", vec![bruno]),
        ("search=NORTH", vec![bruno]),
        ("search=bruno%40northwind.example", vec![bruno]),
        ("search=%C3%85BO", vec![adele]),
        ("search=adele", vec![adele]),
        ("search=+adele%09", vec![adele]),
        ("search=contoso.example", vec![adele]),
        (&format!("search={adele}"), vec![adele]),
        (&format!("search={}", &adele.to_string()[..10]), vec![adele]),
        ("search=payroll", vec![]),
        ("search=nobody", vec![]),
        ("search=adele&status=Suspended", vec![adele]),
        ("search=adele&status=Subscribed", vec![]),
        ("search=adele&offer=per-seat-1&status=", vec![adele]),
        ("search=adele&offer=flat-rate-1", vec![]),
    ] {
        assert_eq!(found(&env, query).await, expected, "{query}");
    }
    assert_eq!(found(&env, "").await.len(), 2);
}

#[tokio::test]
async fn a_purchase_is_found_by_the_buyers_answers_on_the_landing_page() {
    let fields =
        r#"[{ "name": "companyName", "label": "Company" }, { "name": "vat", "label": "VAT" }]"#;
    let options =
        Options::default().with("LANDING_SIGN_IN", "entra").with("LANDING_FIELDS", fields);
    let env = TestEnv::with(options).await;
    let id = env.purchase(Purchase::flat_rate("silver"));
    let mut browser = Browser::new(&env);
    browser.sign_in(id, "adele@contoso.example").await;
    let submit = submit_token(&browser.page().await);
    browser
        .submit(&[
            ("submit", submit.as_str()),
            ("contact", "invoices@helpdesk.example"),
            ("companyName", "Kontoso AB"),
            ("vat", "SE4711"),
        ])
        .await;
    for query in ["search=kontoso", "search=invoices%40", "search=helpdesk.example"] {
        assert_eq!(found(&env, query).await, [id], "{query}");
    }
    let by_number = found(&env, "search=SE4711").await;
    assert!(by_number.is_empty(), "only names and addresses are searched: {by_number:?}");
}

#[tokio::test]
async fn a_page_has_at_most_as_many_subscriptions_as_its_limit() {
    let env = TestEnv::new().await;
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(env.active(Purchase::flat_rate("silver").named("Contoso")).await);
    }
    all.sort();
    for query in ["", "status=Subscribed&", "sort=lastChange&", "search=contoso&"] {
        for limit in [1, 2, 5, 100] {
            let (mut listed, mut next) = (Vec::new(), String::new());
            loop {
                let page = env.get(&format!("/subscriptions?{query}limit={limit}{next}")).await;
                assert_eq!(page.status, StatusCode::OK, "{}", page.body);
                let page = page.json();
                assert!(ids(&page).len() <= limit, "{query}{limit}");
                listed.extend(ids(&page));
                let Some(more) = page["next"].as_str() else { break };
                next = format!("&next={more}");
            }
            listed.sort();
            assert_eq!(listed, all, "{query}{limit}");
        }
    }
}

#[tokio::test]
async fn a_bad_value_or_an_unknown_parameter_is_refused_and_the_answer_says_what_is_allowed() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    for (query, hint) in [
        ("search=", "at least 3 characters"),
        ("search=ab", "at least 3 characters"),
        ("search=%20a%20b%20", ""),
        ("search=a%20%20", "at least 3 characters"),
        ("search=contoso&sort=termEnd", "can't be used with `sort`"),
        ("search=one&search=two", "`search` is given twice"),
        ("status=Subscribed&status=Subscribed", "`status` is given twice"),
        ("limit=0", "from 1 to 100"),
        ("limit=101", "from 1 to 100"),
        ("limit=-1", "from 1 to 100"),
        ("limit=ten", "from 1 to 100"),
        ("limit=", "from 1 to 100"),
        ("sort=", "neither `lastChange` nor `termEnd`"),
        ("test=", "neither `true` nor `false`"),
        ("test=maybe", "neither `true` nor `false`"),
        ("unclaimed=1", "`unclaimed` is neither `true` nor `false`"),
        (
            "colour=blue",
            "`status`, `offer`, `test`, `unclaimed`, `delivery`, `search`, `sort`, `limit`, `next`",
        ),
        ("Search=contoso", "`search`"),
        ("after=3", "`status`"),
    ] {
        let answer = env.get(&format!("/subscriptions?{query}")).await;
        if hint.is_empty() {
            assert_eq!(answer.status, StatusCode::OK, "{query}");
            continue;
        }
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
        let detail = answer.json()["detail"].as_str().map(str::to_owned).unwrap_or_default();
        assert!(detail.contains(hint), "{query}: {detail}");
    }
    let long = format!("/subscriptions?search={}", "w".repeat(101));
    is_problem(&env.get(&long).await, StatusCode::BAD_REQUEST, "malformed_request");

    for (method, path) in [
        (Method::GET, "/subscriptions/openapi.json".to_owned()),
        (Method::GET, format!("/subscriptions/{id}")),
        (Method::PATCH, format!("/subscriptions/{id}")),
        (Method::DELETE, format!("/subscriptions/{id}")),
        (Method::GET, format!("/subscriptions/{id}/events")),
        (Method::GET, format!("/subscriptions/{id}/plans")),
        (Method::GET, format!("/subscriptions/{id}/operations")),
        (Method::GET, format!("/subscriptions/{id}/operations/{id}")),
        (Method::POST, format!("/subscriptions/{id}/observe")),
        (Method::POST, format!("/subscriptions/{id}/redeliver")),
        (Method::GET, format!("/subscriptions/{id}/deliveries")),
        (Method::POST, "/deliveries/recover".to_owned()),
        (Method::POST, format!("/subscriptions/{id}/activate")),
    ] {
        let calls = env.world(|world| world.calls().len());
        let url = env.url(&format!("{path}?dryRun=true"));
        let body = if method == Method::PATCH { r#"{"planId":"gold"}"# } else { "" };
        let answer = env.send(env.http.request(method, url).body(body)).await;
        is_problem(&answer, StatusCode::BAD_REQUEST, "malformed_request");
        assert_eq!(env.world(|world| world.calls().len()), calls, "{path}: Microsoft isn't asked");
    }
}

/// Azure takes a function key as a parameter, too, and AWS a signature.
#[tokio::test]
async fn the_parameters_of_the_host_are_no_parameters_of_a_call() {
    let env = TestEnv::new().await;
    let id = env.active(Purchase::flat_rate("silver")).await;
    for query in ["code=KEY", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00"] {
        for path in ["/subscriptions".to_owned(), format!("/subscriptions/{id}")] {
            let answer = env.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{path} {query}: {}", answer.body);
        }
    }
}
