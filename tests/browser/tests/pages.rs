//! Every page of the landing page, for everybody: axe-core, light and dark, at a desk and on a phone.

use browser::{ADELE, Page, STRANGER, Shop, browse};
use emulator::{Call, ErrorForm, FaultKind, Purchase};
use fantoccini::Locator;
use local::Options;
use uuid::Uuid;

/// Follows Microsoft's link, and signs in.
async fn arrives(page: &Page, shop: &Shop, id: Uuid, who: &str) {
    page.open(&shop.link(id)).await;
    page.picks(who).await;
}

/// Somebody signed in, with an active subscription.
async fn customer(page: &Page, shop: &Shop, purchase: Purchase) -> Uuid {
    let id = shop.purchase(purchase);
    arrives(page, shop, id, ADELE).await;
    page.confirms().await;
    page.is_headed("Your subscription is active").await;
    id
}

fn team() -> Purchase {
    Purchase::per_seat("team", 12).named("Fleet of twelve")
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn without_a_purchase() {
    let (plain, branded) = (Shop::plain().await, Shop::branded("on-confirm").await);
    browse(|page| async move {
        for (shop, name) in [(&plain, "welcome-plain"), (&branded, "welcome")] {
            page.open(&shop.url("/landing")).await;
            page.is_headed("Welcome").await;
            page.is_for_everybody(name).await;
        }
        page.open(&branded.url("/landing/nothing-here")).await;
        page.is_headed("There is no such page").await;
        page.is_for_everybody("not-found").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_new_purchase() {
    let (plain, branded) = (Shop::plain().await, Shop::branded("on-confirm").await);
    browse(|page| async move {
        arrives(&page, &plain, plain.purchase(team()), ADELE).await;
        page.is_headed("Set up your subscription").await;
        page.is_for_everybody("pending-plain").await;
        page.forgets().await;
        arrives(&page, &branded, branded.purchase(team()), ADELE).await;
        page.is_headed("Set up your subscription").await;
        page.is_for_everybody("pending").await;
        page.types("contact", "adele@contoso").await;
        page.types("company", "  ").await;
        page.confirms().await;
        page.sees(Locator::Css(".errors")).await;
        let focused = page.tells("return document.activeElement.className").await;
        assert_eq!(focused, "errors", "what is wrong is read out first");
        page.is_for_everybody("pending-errors").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_new_purchase_in_other_languages() {
    let shop = Shop::branded("on-confirm").await;
    browse(|page| async move {
        page.reads("de-DE").await;
        let trial = Purchase::per_seat("basic", 5).free_trial().by_reseller();
        arrives(&page, &shop, shop.purchase(trial), ADELE).await;
        page.is_headed("Richten Sie Ihr Abonnement ein").await;
        page.is_for_everybody("pending-german").await;
        page.reads("sv-SE,sv;q=0.9").await;
        let id = shop.purchase(Purchase::flat_rate("silver").named("Åkeriets abonnemang"));
        arrives(&page, &shop, id, ADELE).await;
        page.is_headed("Kom igång med din prenumeration").await;
        page.is_for_everybody("pending-swedish").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn whatever_colour_the_publisher_has() {
    for (accent, name) in [("#ffd400", "yellow"), ("#101010", "black"), ("#fafafa", "white")] {
        let shop = Shop::with(Options::default().with("LANDING_ACCENT", accent)).await;
        browse(move |page| async move {
            customer(&page, &shop, Purchase::flat_rate("silver")).await;
            page.presses(Locator::Css("a[href='/landing/manage']")).await;
            page.is_headed("Change your subscription").await;
            page.is_for_everybody(&format!("manage-{name}")).await;
            arrives(&page, &shop, shop.purchase(team()), ADELE).await;
            page.is_for_everybody(&format!("pending-{name}")).await;
        })
        .await;
    }
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_purchase_under_way() {
    for (activation, heading, name) in [
        ("on-confirm", "Your account is being set up", "activating"),
        ("by-publisher", "Your account is being prepared", "preparing"),
    ] {
        let shop = Shop::branded(activation).await;
        browse(move |page| async move {
            arrives(&page, &shop, shop.purchase(team()), ADELE).await;
            page.types("company", "Contoso").await;
            page.confirms().await;
            page.is_headed(heading).await;
            page.is_for_everybody(name).await;
        })
        .await;
    }
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn an_active_subscription_and_a_change_of_it() {
    let (plain, branded) = (Shop::plain().await, Shop::branded("by-publisher").await);
    browse(|page| async move {
        let id = branded.purchase(team());
        arrives(&page, &branded, id, ADELE).await;
        page.types("company", "Contoso").await;
        page.confirms().await;
        branded.activates(id).await;
        branded.advances(11);
        page.is_headed("Your subscription is active").await;
        page.is_for_everybody("active").await;

        page.forgets().await;
        customer(&page, &plain, team()).await;
        page.is_for_everybody("active-plain").await;
        page.presses(Locator::Css("a[href='/landing/manage']")).await;
        page.is_headed("Change your subscription").await;
        page.is_for_everybody("manage").await;
        page.presses(Locator::Css("#plan ~ button")).await;
        page.is_headed("Please confirm").await;
        page.is_for_everybody("change-plan").await;
        page.presses(Locator::Css("main a.button")).await;
        page.presses(Locator::Css("button.grave")).await;
        page.is_headed("Please confirm").await;
        page.is_for_everybody("change-cancel").await;
        plain.fault(Call::DeleteSubscription, FaultKind::Status(409, ErrorForm::Object));
        page.confirms().await;
        page.is_headed("Microsoft did not take the change").await;
        page.is_for_everybody("change-refused").await;
        plain.recovers();

        page.open(&plain.url("/landing/manage")).await;
        page.types("seats", "15").await;
        page.presses(Locator::Css("#seats ~ button")).await;
        page.is_headed("Please confirm").await;
        page.confirms().await;
        page.is_headed("Microsoft has your change").await;
        page.is_for_everybody("change-requested").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_resellers_purchase() {
    let shop = Shop::plain().await;
    browse(|page| async move {
        let id = customer(&page, &shop, team().by_reseller()).await;
        page.is_for_everybody("active-reseller").await;
        shop.world(|world| world.suspend(id)).expect("a suspension");
        page.open(&shop.url("/landing")).await;
        page.is_headed("Payment is due").await;
        page.is_for_everybody("suspended-reseller").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn the_end_of_a_subscription() {
    let shop = Shop::plain().await;
    browse(|page| async move {
        let id = customer(&page, &shop, team()).await;
        shop.world(|world| world.suspend(id)).expect("a suspension");
        page.open(&shop.url("/landing")).await;
        page.is_headed("Payment is due").await;
        page.is_for_everybody("suspended").await;
        shop.world(|world| world.unsubscribe(id)).expect("an end");
        page.open(&shop.url("/landing")).await;
        page.is_headed("This subscription has ended").await;
        page.is_for_everybody("unsubscribed").await;
        shop.world(|world| {
            world.settings_mut().oddities.subscription_status = Some("NotStarted".to_owned());
        });
        arrives(&page, &shop, shop.purchase(team()), ADELE).await;
        page.is_headed("Your subscription").await;
        page.is_for_everybody("unknown").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn somebody_who_can_not_be_let_in() {
    let shop = Shop::branded("on-confirm").await;
    browse(|page| async move {
        arrives(&page, &shop, shop.purchase(team()), STRANGER).await;
        page.is_headed("This purchase belongs to another account").await;
        page.is_for_everybody("stranger").await;
        page.presses(Locator::Css("main a.button")).await;
        page.presses(Locator::Css("a.cancel")).await;
        page.is_headed("You are not signed in").await;
        page.is_for_everybody("declined").await;
        page.open(&shop.url("/landing/signed-in?code=x&state=y")).await;
        page.is_headed("The sign-in could not be completed").await;
        page.is_for_everybody("sign-in-failed").await;
        let link = shop.link(shop.purchase(team()));
        shop.advances(25 * 60);
        page.open(&link).await;
        page.picks(ADELE).await;
        page.is_headed("We could not identify your purchase").await;
        page.is_for_everybody("expired").await;
        arrives(&page, &shop, shop.purchase(team()), ADELE).await;
        shop.advances(61);
        page.types("company", "Contoso").await;
        page.confirms().await;
        page.is_headed("This page is too old").await;
        page.is_for_everybody("session-over").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn microsoft_when_it_does_not_answer_or_says_no() {
    let shop = Shop::plain().await;
    browse(|page| async move {
        let id = shop.purchase(team());
        shop.fault(Call::Resolve, FaultKind::Status(500, ErrorForm::Nested));
        arrives(&page, &shop, id, ADELE).await;
        page.is_headed("We can't reach Microsoft at the moment").await;
        page.is_for_everybody("unavailable").await;
        shop.recovers();
        page.presses(Locator::Css("main a.button")).await;
        page.is_headed("Set up your subscription").await;
        shop.fault(Call::Activate, FaultKind::Status(400, ErrorForm::Object));
        page.confirms().await;
        page.is_headed("Microsoft did not accept the activation").await;
        page.is_for_everybody("refused").await;
    })
    .await;
}
