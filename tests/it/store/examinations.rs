//! The last examination, in every store.

use shared::store::{Check, CheckOutcome, Examination, Examinations};

use super::*;

/// An examination with every member, whose first check is this one.
pub(super) fn examination(outcome: CheckOutcome) -> Examination {
    let check = |check: &str, outcome, place: Option<&str>| Check {
        check: check.to_owned(),
        outcome,
        says: "Microsoft lists the subscriptions.".to_owned(),
        place: place.map(str::to_owned),
    };
    Examination {
        examined_at: noon(),
        version: "0.2.0".to_owned(),
        host: Some("signup.example.com".to_owned()),
        checks: vec![
            check("list", outcome, Some("Partner Center > Technical configuration")),
            check("other-secrets", CheckOutcome::Unknown, None),
        ],
    }
}

async fn the_last_examination_replaces_the_one_before(table: &dyn Examinations) {
    let last = async || table.last_examination().await.expect("a read");
    assert_eq!(last().await, None);
    for outcome in [CheckOutcome::Failed, CheckOutcome::Warning, CheckOutcome::Ok] {
        let examination = examination(outcome);
        table.save_examination(&examination).await.expect("saved");
        assert_eq!(last().await, Some(examination));
    }
    let bare = Examination { host: None, checks: Vec::new(), ..examination(CheckOutcome::Ok) };
    table.save_examination(&bare).await.expect("saved");
    assert_eq!(last().await, Some(bare));
}

#[tokio::test]
async fn the_last_examination_is_kept_on_dynamodb() {
    the_last_examination_replaces_the_one_before(&*Table::new().await.examinations).await;
}

#[tokio::test]
async fn the_last_examination_is_kept_on_the_wire() {
    the_last_examination_replaces_the_one_before(&*wire::store()).await;
}

#[tokio::test]
async fn the_last_examination_is_kept_in_memory() {
    the_last_examination_replaces_the_one_before(&memory_store::MemoryStore::default()).await;
}

#[tokio::test]
async fn an_outcome_and_a_member_of_a_later_version_are_read() {
    let table = Table::new().await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let map = |members: &[(&str, AttributeValue)]| {
        let members = members.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        AttributeValue::M(members.collect())
    };
    let check = map(&[
        ("check", text("list")),
        ("outcome", text("doubtful")),
        ("says", text("Perhaps.")),
        ("since", text("today")),
    ]);
    let body = map(&[
        ("examinedAt", text(&noon().to_string())),
        ("version", text("9.0.0")),
        ("later", AttributeValue::Bool(true)),
        ("checks", AttributeValue::L(vec![check])),
    ]);
    let put = table.raw.put_item().table_name(TABLE).item("pk", text("EXAMINATION"));
    let put = put.item("sk", text("LAST")).item("body", body);
    put.send().await.expect("the item is stored");
    let read = table.examinations.last_examination().await.expect("a read").expect("it is there");
    assert_eq!(read.checks[0].outcome, CheckOutcome::Unknown);
    assert_eq!((read.examined_at, read.checks[0].check.as_str()), (noon(), "list"));
}
