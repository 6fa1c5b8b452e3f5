//! Audits every page of the landing page with axe-core: light and dark, on a desktop and on a
//! phone.

use browser::{ADELE, COLLEAGUE, Page, STRANGER, Shop, browse};
use emulator::{Call, ErrorForm, FaultKind, Person, Purchase};
use fantoccini::Locator;
use local::Options;
use uuid::Uuid;

/// Follows Microsoft's link and signs in.
async fn sign_in(page: &Page, shop: &Shop, id: Uuid, email: &str) {
    page.open(&shop.link(id)).await;
    page.pick_account(email).await;
}

/// Signs in and activates a purchase.
async fn customer(page: &Page, shop: &Shop, purchase: Purchase) -> Uuid {
    let id = shop.purchase(purchase);
    sign_in(page, shop, id, ADELE).await;
    page.submit().await;
    page.wait_for_heading("Your subscription is active").await;
    id
}

fn team() -> Purchase {
    Purchase::per_seat("team", 12).named("Fleet of twelve")
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn the_welcome_page_and_an_unknown_page_pass_the_audit() {
    let (plain, branded) = (Shop::plain().await, Shop::branded("on-confirm").await);
    browse(|page| async move {
        for (shop, name) in [(&plain, "welcome-plain"), (&branded, "welcome")] {
            page.open(&shop.url("/landing")).await;
            page.wait_for_heading("Welcome").await;
            page.audit(name).await;
        }
        page.open(&branded.url("/landing/nothing-here")).await;
        page.wait_for_heading("This page doesn’t exist").await;
        page.audit("not-found").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_new_purchase_passes_the_audit() {
    let (plain, branded) = (Shop::plain().await, Shop::branded("on-confirm").await);
    browse(|page| async move {
        sign_in(&page, &plain, plain.purchase(team()), ADELE).await;
        page.wait_for_heading("Set up your subscription").await;
        page.audit("pending-plain").await;
        page.clear_cookies().await;
        sign_in(&page, &branded, branded.purchase(team()), ADELE).await;
        page.wait_for_heading("Set up your subscription").await;
        page.audit("pending").await;
        page.fill("contact", "adele@contoso").await;
        page.fill("company", "  ").await;
        page.submit().await;
        page.wait_for(Locator::Css(".errors")).await;
        let focused = page.eval("return document.activeElement.className").await;
        assert_eq!(focused, "errors", "screen readers read the errors first");
        page.audit("pending-errors").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_new_purchase_in_other_languages_passes_the_audit() {
    let shop = Shop::branded("on-confirm").await;
    browse(|page| async move {
        page.set_language("de-DE").await;
        let trial = Purchase::per_seat("basic", 5).free_trial().by_reseller();
        sign_in(&page, &shop, shop.purchase(trial), ADELE).await;
        page.wait_for_heading("Richten Sie Ihr Abonnement ein").await;
        page.audit("pending-german").await;
        page.set_language("sv-SE,sv;q=0.9").await;
        let id = shop.purchase(Purchase::flat_rate("silver").named("Åkeriets abonnemang"));
        sign_in(&page, &shop, id, ADELE).await;
        page.wait_for_heading("Kom igång med din prenumeration").await;
        page.audit("pending-swedish").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn pages_with_extreme_accent_colours_pass_the_audit() {
    for (accent, name) in [("#ffd400", "yellow"), ("#101010", "black"), ("#fafafa", "white")] {
        let shop = Shop::with(Options::default().with("LANDING_ACCENT", accent)).await;
        browse(move |page| async move {
            customer(&page, &shop, Purchase::flat_rate("silver")).await;
            page.click(Locator::Css("a[href='/landing/manage']")).await;
            page.wait_for_heading("Change your subscription").await;
            page.audit(&format!("manage-{name}")).await;
            sign_in(&page, &shop, shop.purchase(team()), ADELE).await;
            page.audit(&format!("pending-{name}")).await;
        })
        .await;
    }
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn two_offers_with_looks_of_their_own_pass_the_audit() {
    let shop = Shop::with_two_offers().await;
    browse(|page| async move {
        sign_in(&page, &shop, shop.purchase(team()), ADELE).await;
        page.wait_for_heading("Set up your subscription").await;
        page.wait_for(Locator::XPath("//dd[.='Fabrikam Fleet']")).await;
        page.wait_for(Locator::Css("#company")).await;
        page.audit("offer-fleet").await;
        sign_in(&page, &shop, shop.purchase(Purchase::flat_rate("silver")), ADELE).await;
        page.wait_for_heading("Richten Sie Ihr Abonnement ein").await;
        page.wait_for(Locator::XPath("//dd[.='Tailwind Archiv']")).await;
        page.wait_for(Locator::Css("#shelves")).await;
        page.audit("offer-archive").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn the_way_to_the_publishers_own_sign_up_page_passes_the_audit() {
    let (shop, _page) = Shop::with_sign_up_page().await;
    browse(|page| async move {
        // Scripts would leave the page at once.
        let page = page.with_scripts(false).await;
        sign_in(&page, &shop, shop.purchase(team()), ADELE).await;
        page.wait_for_heading("Set up your subscription").await;
        page.audit("pending-handover").await;
        page.submit().await;
        page.wait_for_heading("Continue to Fabrikam Fleet").await;
        page.audit("handover").await;
        page.open(&shop.url("/landing")).await;
        page.wait_for_heading("Finish setting up your account").await;
        page.audit("preparing-handover").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn an_activation_in_progress_passes_the_audit() {
    for (activation, heading, name) in [
        ("on-confirm", "Your subscription is being activated", "activating"),
        ("by-publisher", "Your account is being prepared", "preparing"),
    ] {
        let shop = Shop::branded(activation).await;
        browse(move |page| async move {
            sign_in(&page, &shop, shop.purchase(team()), ADELE).await;
            page.fill("company", "Contoso").await;
            page.submit().await;
            page.wait_for_heading(heading).await;
            page.audit(name).await;
        })
        .await;
    }
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn an_active_subscription_and_its_changes_pass_the_audit() {
    let (plain, branded) = (Shop::plain().await, Shop::branded("by-publisher").await);
    browse(|page| async move {
        let id = branded.purchase(team());
        sign_in(&page, &branded, id, ADELE).await;
        page.fill("company", "Contoso").await;
        page.submit().await;
        branded.activate(id).await;
        branded.advance_minutes(11);
        page.wait_for_heading("Your subscription is active").await;
        page.audit("active").await;

        page.clear_cookies().await;
        customer(&page, &plain, team()).await;
        page.audit("active-plain").await;
        page.click(Locator::Css("a[href='/landing/manage']")).await;
        page.wait_for_heading("Change your subscription").await;
        page.audit("manage").await;
        page.click(Locator::Css("fieldset input[type=radio]")).await;
        page.click(Locator::Css("fieldset ~ button")).await;
        page.wait_for_heading("Change to Basic?").await;
        page.audit("change-plan").await;
        page.click(Locator::Css("main a.button")).await;
        page.click(Locator::Css("button.grave")).await;
        page.wait_for_heading("Cancel your subscription?").await;
        page.audit("change-cancel").await;
        plain.fault(Call::DeleteSubscription, FaultKind::Status(409, ErrorForm::Object));
        page.submit().await;
        page.wait_for_heading("Microsoft did not accept the change").await;
        page.audit("change-refused").await;
        plain.clear_faults();

        page.open(&plain.url("/landing/manage")).await;
        page.fill("seats", "15").await;
        page.click(Locator::Css("#seats ~ button")).await;
        page.wait_for_heading("Change to 15 seats?").await;
        page.submit().await;
        page.wait_for_heading("Change requested").await;
        page.audit("change-requested").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_resellers_purchase_passes_the_audit() {
    let shop = Shop::plain().await;
    browse(|page| async move {
        let id = customer(&page, &shop, team().by_reseller()).await;
        page.audit("active-reseller").await;
        shop.world(|world| world.suspend(id)).expect("a suspension");
        page.open(&shop.url("/landing")).await;
        page.wait_for_heading("The payment didn’t go through").await;
        page.audit("suspended-reseller").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn suspended_ended_and_unknown_subscriptions_pass_the_audit() {
    let shop = Shop::plain().await;
    browse(|page| async move {
        let id = customer(&page, &shop, team()).await;
        shop.world(|world| world.suspend(id)).expect("a suspension");
        page.open(&shop.url("/landing")).await;
        page.wait_for_heading("The payment didn’t go through").await;
        page.audit("suspended").await;
        shop.world(|world| world.unsubscribe(id)).expect("a cancellation");
        page.open(&shop.url("/landing")).await;
        page.wait_for_heading("This subscription has ended").await;
        page.audit("unsubscribed").await;
        shop.world(|world| {
            world.settings_mut().oddities.subscription_status = Some("NotStarted".to_owned());
        });
        sign_in(&page, &shop, shop.purchase(team()), ADELE).await;
        page.wait_for_heading("The status of your subscription is unclear").await;
        page.audit("unknown").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn refusals_and_expired_sessions_pass_the_audit() {
    let shop = Shop::branded("on-confirm").await;
    browse(|page| async move {
        sign_in(&page, &shop, shop.purchase(team()), COLLEAGUE).await;
        page.wait_for_heading("Your company has this subscription").await;
        page.audit("colleague").await;
        sign_in(&page, &shop, shop.purchase(team()), STRANGER).await;
        page.wait_for_heading("This purchase belongs to another account").await;
        page.audit("stranger").await;
        page.click(Locator::Css("main a.button")).await;
        page.click(Locator::Css("a.cancel")).await;
        page.wait_for_heading("You are not signed in").await;
        page.audit("declined").await;
        page.open(&shop.url("/landing/signed-in?code=x&state=y")).await;
        page.wait_for_heading("The sign-in could not be completed").await;
        page.audit("sign-in-failed").await;
        let link = shop.link(shop.purchase(team()));
        shop.advance_minutes(25 * 60);
        page.open(&link).await;
        page.pick_account(ADELE).await;
        page.wait_for_heading("We could not identify your purchase").await;
        page.audit("expired").await;
        sign_in(&page, &shop, shop.purchase(team()), ADELE).await;
        shop.advance_minutes(61);
        page.fill("company", "Contoso").await;
        page.submit().await;
        page.wait_for_heading("Your session has expired").await;
        page.audit("session-over").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_guests_refusal_and_the_end_of_a_session_pass_the_audit() {
    let shop = Shop::branded("on-confirm").await;
    browse(|page| async move {
        let guest = Person::guest();
        let bought = shop.purchase(team().by(guest.clone()));
        page.set_language("de-DE").await;
        sign_in(&page, &shop, bought, &guest.email).await;
        page.wait_for_heading("Dieser Kauf gehört zu einem anderen Konto").await;
        page.audit("guest-german").await;
        page.set_language("en-GB").await;
        page.open(&shop.url("/landing")).await;
        page.wait_for_heading("This purchase belongs to another account").await;
        page.audit("guest").await;
        page.click(Locator::Css("main a.button")).await;
        page.pick_account(&guest.email).await;
        page.wait_for_heading("Set up your subscription").await;
        page.click(Locator::Css("header button")).await;
        page.wait_for_heading("You are signed out").await;
        page.audit("signed-out").await;
        page.click(Locator::Css("main a.button")).await;
        page.wait_for_heading("You signed out of your account").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn microsofts_failures_and_refusals_pass_the_audit() {
    let shop = Shop::plain().await;
    browse(|page| async move {
        let id = shop.purchase(team());
        shop.fault(Call::Resolve, FaultKind::Status(500, ErrorForm::Nested));
        sign_in(&page, &shop, id, ADELE).await;
        page.wait_for_heading("We can’t reach Microsoft right now").await;
        page.audit("unavailable").await;
        shop.clear_faults();
        page.click(Locator::Css("main a.button")).await;
        page.wait_for_heading("Set up your subscription").await;
        shop.fault(Call::Activate, FaultKind::Status(400, ErrorForm::Object));
        page.submit().await;
        page.wait_for_heading("Microsoft did not accept the activation").await;
        page.audit("refused").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn every_state_of_a_purchase_passes_the_audit_in_every_language() {
    let shop = Shop::branded("on-confirm").await;
    browse(|page| async move {
        for language in ["en", "sv", "de"] {
            page.set_language(language).await;
            let name = |state: &str| format!("state-{state}-{language}");
            let manage = shop.url("/landing/manage");
            let id = shop.purchase(team());
            sign_in(&page, &shop, id, ADELE).await;
            page.audit(&name("1-pending")).await;
            page.fill("company", "Contoso").await;
            page.submit().await;
            page.wait_for(Locator::Css(".waiting")).await;
            page.audit(&name("2-activating")).await;
            shop.advance_minutes(11);
            page.open(&shop.url("/landing")).await;
            page.wait_for(Locator::Css(".good")).await;
            page.audit(&name("3-active")).await;
            page.open(&manage).await;
            page.audit(&name("4-manage")).await;
            page.click(Locator::Css("fieldset input[type=radio]")).await;
            page.click(Locator::Css("fieldset ~ button")).await;
            page.wait_for(Locator::Css(".steps")).await;
            page.audit(&name("5-change-plan")).await;
            page.open(&manage).await;
            page.fill("seats", "30").await;
            page.click(Locator::Css("#seats ~ button")).await;
            page.wait_for(Locator::Css(".steps")).await;
            page.audit(&name("6-change-seats")).await;
            page.submit().await;
            page.wait_for(Locator::Css("a.button[href='/landing']")).await;
            page.open(&manage).await;
            page.wait_for(Locator::Css(".notice")).await;
            page.audit(&name("7-requested")).await;
            shop.deliver().await;
            page.open(&manage).await;
            page.click(Locator::Css("button.grave")).await;
            page.wait_for(Locator::Css(".warn")).await;
            page.audit(&name("8-change-cancel")).await;
            shop.world(|world| world.suspend(id)).expect("a suspension");
            page.open(&shop.url("/landing")).await;
            page.audit(&name("9-suspended")).await;
            shop.world(|world| world.unsubscribe(id)).expect("an end");
            page.open(&shop.url("/landing")).await;
            page.audit(&name("10-ended")).await;
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn the_form_of_a_purchase_that_activated_itself_passes_the_audit_in_every_language() {
    let shop = Shop::branded("on-confirm").await;
    browse(|page| async move {
        for language in ["en", "sv", "de"] {
            page.set_language(language).await;
            let name = |state: &str| format!("unclaimed-{state}-{language}");
            let id = shop.purchase(team().auto_activated());
            shop.deliver().await;
            sign_in(&page, &shop, id, ADELE).await;
            page.wait_for(Locator::Css(".good")).await;
            page.audit(&name("1-form")).await;
            page.eval("document.querySelector('main form').noValidate = true").await;
            page.fill("contact", "nobody").await;
            page.submit().await;
            page.wait_for(Locator::Css(".errors")).await;
            page.audit(&name("2-errors")).await;
            page.fill("contact", "it@contoso.example").await;
            page.fill("company", "Contoso").await;
            page.submit().await;
            page.wait_for(Locator::Css("main:not(:has(form))")).await;
            page.audit(&name("3-sent")).await;
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_purchase_that_staff_decides_about_passes_the_audit_in_every_language() {
    let shop = Shop::branded("by-publisher").await;
    browse(|page| async move {
        for language in ["en", "sv", "de"] {
            page.set_language(language).await;
            let name = |state: &str| format!("staff-{state}-{language}");
            let id = shop.purchase(team());
            sign_in(&page, &shop, id, ADELE).await;
            page.fill("company", "Contoso").await;
            page.submit().await;
            page.wait_for(Locator::Css(".waiting")).await;
            page.audit(&name("1-waiting")).await;
            shop.decline(id, "We don’t serve your country yet.").await;
            page.open(&shop.url("/landing")).await;
            page.wait_for(Locator::Css(".end")).await;
            page.audit(&name("2-declined")).await;
            shop.deliver().await;
            page.open(&shop.url("/landing")).await;
            page.audit(&name("3-cancelled")).await;

            let id = shop.purchase(team());
            sign_in(&page, &shop, id, ADELE).await;
            page.fill("company", "Contoso").await;
            page.submit().await;
            page.wait_for(Locator::Css(".waiting")).await;
            shop.activate(id).await;
            page.open(&shop.url("/landing")).await;
            page.audit(&name("4-approved")).await;
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_reader_chooses_a_language_without_scripts() {
    let shop = Shop::branded("on-confirm").await;
    browse(|page| async move {
        let page = page.with_scripts(false).await;
        let id = shop.purchase(team());
        sign_in(&page, &shop, id, ADELE).await;
        page.wait_for_heading("Set up your subscription").await;
        page.click(Locator::LinkText("Svenska")).await;
        page.wait_for_heading("Kom igång med din prenumeration").await;
        page.open(&shop.url("/landing")).await;
        page.wait_for_heading("Kom igång med din prenumeration").await;
        page.audit("pending-chosen-swedish").await;
    })
    .await;
}
