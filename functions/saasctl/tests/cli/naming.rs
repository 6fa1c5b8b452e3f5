//! Subscriptions that are named by the beginning of an id, a name or a reference.

use emulator::Purchase;
use local::test_env::TestEnv;
use uuid::Uuid;

use crate::test_env::Saasctl as _;

/// A recorded purchase with this name.
async fn purchased(env: &TestEnv, name: &str) -> Uuid {
    let id = env.purchase(Purchase::flat_rate("silver").named(name));
    env.run(&["observe", &id.to_string()]).await.done();
    id
}

#[tokio::test]
async fn the_beginning_of_an_id_a_name_or_a_reference_names_a_subscription() {
    let env = TestEnv::new().await;
    let id = purchased(&env, "Contoso Ltd").await;
    purchased(&env, "Fabrikam").await;
    env.run(&["set-reference", &id.to_string(), "C-4711"]).await.done();
    let whole = id.to_string();
    for name in [&whole[..], &whole[..13], "contoso", "C-4711", "c-47"] {
        let ran = env.run(&["show", name]).await;
        assert_eq!(ran.stderr.contains("Contoso Ltd"), name != whole, "{name}: {ran:?}");
        assert!(ran.done().contains(&whole), "{name}");
    }
    let json = env.run(&["show", "contoso", "--json"]).await;
    assert_eq!(json.stderr, "", "a program gets JSON alone");
    assert_eq!(json.json()["subscription"]["id"], whole);
}

#[tokio::test]
async fn a_name_that_fits_several_names_them_and_does_nothing() {
    let env = TestEnv::new().await;
    let ids = [purchased(&env, "Contoso One").await, purchased(&env, "Contoso Two").await];
    let said = env.run(&["change-plan", "contoso", "gold"]).await.failed(1, "ambiguous");
    for id in ids {
        assert!(said.contains(&id.to_string()), "{said}");
        assert_eq!(env.recorded(id).await.pending_operation, None);
    }
    let one = env.run(&["show", "contoso one"]).await.done();
    assert!(one.contains(&ids[0].to_string()), "{one}");
    env.run(&["show", "nobody at all"]).await.failed(1, "not_found");
    let said = env.run(&["show", "ab"]).await.failed(2, "too_short");
    assert!(said.contains("3 characters"), "{said}");
}

#[tokio::test]
async fn nothing_is_cancelled_without_a_question_unless_its_whole_id_is_given() {
    let env = TestEnv::new().await;
    let id = purchased(&env, "Contoso").await;
    let version = env.recorded(id).await.version;
    env.run(&["cancel", "contoso", "--yes"]).await.failed(2, "id_needed");
    let declined = env.type_in(&["cancel", "contoso"], "no\n").await.failed(1, "declined");
    assert!(declined.contains(&id.to_string()), "{declined}");
    assert_eq!(env.recorded(id).await.version, version);
}
