//! A buyer's ways through the landing page: with and without scripts, with a mouse and with a
//! keyboard.

use browser::{ADELE, Page, Shop, browse};
use emulator::{Call, Purchase};
use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::json;
use uuid::Uuid;

const REFRESH: Locator<'_> = Locator::LinkText("Refresh");

/// Confirms a purchase and waits for the next page.
async fn confirm_purchase(page: &Page, shop: &Shop, heading: &str) -> Uuid {
    let id = shop.purchase(Purchase::flat_rate("silver"));
    page.open(&shop.link(id)).await;
    page.pick_account(ADELE).await;
    page.fill("company", "Contoso").await;
    page.submit().await;
    page.wait_for_heading(heading).await;
    id
}

/// Goes from Microsoft's link through activation to a changed plan.
async fn buy(page: Page, shop: Shop, by_publisher: bool, scripts: bool) {
    let page = page.with_scripts(scripts).await;
    let heading = match by_publisher {
        true => "Your account is being prepared",
        false => "Your subscription is being activated",
    };
    let id = confirm_purchase(&page, &shop, heading).await;
    assert!(!page.url().await.as_str().contains("token"), "the token is no longer in the address");
    let status = page.wait_for(Locator::Css("[role=status]")).await.text().await.expect("a text");
    assert_eq!(status.is_empty(), !scripts, "{status}");
    if by_publisher {
        shop.activate(id).await;
    }
    shop.advance_minutes(11);
    if !scripts {
        page.click(REFRESH).await;
    }
    page.wait_for_heading("Your subscription is active").await;
    assert_eq!(shop.calls(Call::Activate), 1);
    let product = page.wait_for(Locator::LinkText("Open Fabrikam Fleet")).await;
    let address = product.attr("href").await.expect("a link has attributes");
    assert_eq!(address.as_deref(), Some("https://fleet.fabrikam.example/"));

    page.click(Locator::Css("a[href='/landing/manage']")).await;
    page.click(Locator::Css("fieldset input[type=radio]")).await;
    page.click(Locator::Css("fieldset ~ button")).await;
    page.wait_for_heading("Change to Gold?").await;
    page.submit().await;
    page.wait_for_heading("Change requested").await;
    shop.deliver().await;
    page.click(Locator::Css("main a.button")).await;
    page.wait_for(Locator::XPath("//dd[.='Gold']")).await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn after_a_confirmation_the_page_updates_automatically() {
    let shop = Shop::branded("on-confirm").await;
    browse(|page| buy(page, shop, false, true)).await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_buyer_confirms_without_scripts() {
    let shop = Shop::branded("on-confirm").await;
    browse(|page| buy(page, shop, false, false)).await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn after_the_publisher_activates_the_page_updates_automatically() {
    let shop = Shop::branded("by-publisher").await;
    browse(|page| buy(page, shop, true, true)).await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn the_publisher_activates_without_scripts() {
    let shop = Shop::branded("by-publisher").await;
    browse(|page| buy(page, shop, true, false)).await;
}

/// Goes from Microsoft's link over the publisher's own sign-up page to the active subscription.
async fn sign_up(page: Page, shop: Shop, scripts: bool) {
    let page = page.with_scripts(scripts).await;
    let id = shop.purchase(Purchase::flat_rate("silver"));
    page.open(&shop.link(id)).await;
    page.pick_account(ADELE).await;
    page.wait_for_heading("Set up your subscription").await;
    page.submit().await;
    if !scripts {
        page.wait_for_heading("Continue to Fabrikam Fleet").await;
        page.submit().await;
    }
    page.wait_for_heading("Your product: sign up").await;
    assert!(!page.url().await.as_str().contains('?'), "no handover is in the address");
    if scripts {
        // "Back" leads past the page that went on by itself.
        page.eval("history.back()").await;
        page.wait_for_heading("Finish setting up your account").await;
        page.click(Locator::LinkText("Continue to Fabrikam Fleet")).await;
        page.wait_for_heading("Your product: sign up").await;
    }
    page.click(Locator::Css("button")).await;
    page.click(Locator::LinkText("Back to the purchase")).await;
    page.wait_for_heading("Your subscription is active").await;
    assert_eq!(shop.calls(Call::Activate), 1);
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_buyer_signs_up_at_the_publishers_own_page() {
    let (shop, _page) = Shop::with_sign_up_page().await;
    browse(|page| sign_up(page, shop, true)).await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_buyer_signs_up_at_the_publishers_own_page_without_scripts() {
    let (shop, _page) = Shop::with_sign_up_page().await;
    browse(|page| sign_up(page, shop, false)).await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_waiting_page_stops_polling_when_the_session_ends() {
    let shop = Shop::branded("by-publisher").await;
    browse(|page| async move {
        confirm_purchase(&page, &shop, "Your account is being prepared").await;
        shop.advance_minutes(61);
        page.wait_for(Locator::XPath("//*[@role='status'][contains(., 'no longer')]")).await;
        page.click(REFRESH).await;
        page.pick_account(ADELE).await;
        page.wait_for_heading("Your account is being prepared").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn repeated_clicks_submit_a_form_once() {
    let shop = Shop::plain().await;
    browse(|page| async move {
        let id = shop.purchase(Purchase::flat_rate("silver"));
        page.open(&shop.link(id)).await;
        page.pick_account(ADELE).await;
        let sent = page
            .eval(
                "const form = document.querySelector('main form');
                 const button = form.querySelector('button');
                 let sent = 0;
                 window.addEventListener('submit', (event) => {
                     if (!event.defaultPrevented) sent += 1;
                     event.preventDefault();
                 });
                 form.requestSubmit();
                 form.requestSubmit();
                 button.click();
                 return [sent, button.disabled, button.textContent];",
            )
            .await;
        assert_eq!(sent, json!([1, true, "One moment…"]));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn the_page_works_with_the_keyboard_and_shows_the_focus() {
    let shop = Shop::branded("by-publisher").await;
    browse(|page| async move {
        let id = shop.purchase(Purchase::flat_rate("silver"));
        page.open(&shop.link(id)).await;
        page.pick_account(ADELE).await;
        page.wait_for_heading("Set up your subscription").await;
        let mut focused_elements = Vec::new();
        for _ in 0..7 {
            let focused = page.client.active_element().await.expect("something has the focus");
            focused.send_keys(&Key::Tab.to_string()).await.expect("a key is pressed");
            let here = page
                .eval(
                    "const it = document.activeElement, style = getComputedStyle(it);
                     return [it.id || it.textContent, style.outlineStyle, parseFloat(style.outlineWidth)];",
                )
                .await;
            assert_eq!((&here[1], here[2].as_f64() >= Some(2.0)), (&json!("solid"), true), "{here}");
            focused_elements.push(here[0].as_str().expect("a text").to_owned());
        }
        let expected = [
            "Use another account",
            "Sign out",
            "contact",
            "company",
            "order",
            "Confirm and set up",
            "Contact support",
        ];
        assert_eq!(focused_elements, expected);
        page.fill("company", "Contoso").await;
        let company = page.client.active_element().await.expect("something has the focus");
        company.send_keys(&Key::Enter.to_string()).await.expect("a key is pressed");
        page.wait_for_heading("Your account is being prepared").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn reduced_motion_turns_animations_off() {
    let shop = Shop::branded("by-publisher").await;
    browse(|page| async move {
        confirm_purchase(&page, &shop, "Your account is being prepared").await;
        for (preference, animation) in [("no-preference", "breathe"), ("reduce", "none")] {
            let features = json!([{ "name": "prefers-reduced-motion", "value": preference }]);
            page.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
            let script =
                "return getComputedStyle(document.querySelector('.status'), '::before').animationName";
            assert_eq!(page.eval(script).await, animation, "{preference}");
        }
    })
    .await;
}
