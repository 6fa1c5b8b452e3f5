//! What people do with the landing page, with scripts and without, with a mouse and with a keyboard.

use browser::{ADELE, Page, Shop, browse};
use emulator::{Call, Purchase};
use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::json;
use uuid::Uuid;

const LOOK_AGAIN: Locator<'_> = Locator::LinkText("Look again");

/// Somebody who has confirmed, and waits.
async fn waits(page: &Page, shop: &Shop, heading: &str) -> Uuid {
    let id = shop.purchase(Purchase::flat_rate("silver"));
    page.open(&shop.link(id)).await;
    page.picks(ADELE).await;
    page.types("company", "Contoso").await;
    page.confirms().await;
    page.is_headed(heading).await;
    id
}

/// From Microsoft's link to a changed plan.
async fn buys(page: Page, shop: Shop, by_publisher: bool, scripts: bool) {
    let page = page.with_scripts(scripts).await;
    let heading = match by_publisher {
        true => "Your account is being prepared",
        false => "Your account is being set up",
    };
    let id = waits(&page, &shop, heading).await;
    assert!(!page.address().await.as_str().contains("token"), "the token has left the address");
    let said = page.sees(Locator::Css("[role=status]")).await.text().await.expect("a text");
    assert_eq!(said.is_empty(), !scripts, "{said}");
    if by_publisher {
        shop.activates(id).await;
    }
    shop.advances(11);
    if !scripts {
        page.presses(LOOK_AGAIN).await;
    }
    page.is_headed("Your subscription is active").await;
    assert_eq!(shop.calls(Call::Activate), 1);
    let product = page.sees(Locator::LinkText("Open the product")).await;
    let address = product.attr("href").await.expect("a link has attributes");
    assert_eq!(address.as_deref(), Some("https://fleet.fabrikam.example/"));

    page.presses(Locator::Css("a[href='/landing/manage']")).await;
    page.presses(Locator::Css("#plan ~ button")).await;
    page.is_headed("Please confirm").await;
    page.confirms().await;
    page.is_headed("Microsoft has your change").await;
    shop.delivers().await;
    page.presses(Locator::Css("main a.button")).await;
    page.sees(Locator::XPath("//dd[.='gold' or .='platinum']")).await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_buyer_confirms_and_the_page_finds_out_by_itself() {
    let shop = Shop::branded("on-confirm").await;
    browse(|page| buys(page, shop, false, true)).await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_buyer_confirms_without_scripts() {
    let shop = Shop::branded("on-confirm").await;
    browse(|page| buys(page, shop, false, false)).await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn the_publisher_activates_and_the_page_finds_out_by_itself() {
    let shop = Shop::branded("by-publisher").await;
    browse(|page| buys(page, shop, true, true)).await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn the_publisher_activates_without_scripts() {
    let shop = Shop::branded("by-publisher").await;
    browse(|page| buys(page, shop, true, false)).await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_page_that_waits_stops_when_nobody_is_signed_in_any_more() {
    let shop = Shop::branded("by-publisher").await;
    browse(|page| async move {
        waits(&page, &shop, "Your account is being prepared").await;
        shop.advances(61);
        page.sees(Locator::XPath("//*[@role='status'][contains(., 'no longer')]")).await;
        page.presses(LOOK_AGAIN).await;
        page.picks(ADELE).await;
        page.is_headed("Your account is being prepared").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn a_form_is_sent_once_however_often_it_is_pressed() {
    let shop = Shop::plain().await;
    browse(|page| async move {
        let id = shop.purchase(Purchase::flat_rate("silver"));
        page.open(&shop.link(id)).await;
        page.picks(ADELE).await;
        let sent = page
            .tells(
                "const form = document.querySelector('form');
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
async fn a_keyboard_is_enough_and_shows_where_it_is() {
    let shop = Shop::branded("by-publisher").await;
    browse(|page| async move {
        let id = shop.purchase(Purchase::flat_rate("silver"));
        page.open(&shop.link(id)).await;
        page.picks(ADELE).await;
        page.is_headed("Set up your subscription").await;
        let mut met = Vec::new();
        for _ in 0..6 {
            let focused = page.client.active_element().await.expect("something has the focus");
            focused.send_keys(&Key::Tab.to_string()).await.expect("a key is pressed");
            let here = page
                .tells(
                    "const it = document.activeElement, style = getComputedStyle(it);
                     return [it.id || it.textContent, style.outlineStyle, parseFloat(style.outlineWidth)];",
                )
                .await;
            assert_eq!((&here[1], here[2].as_f64() >= Some(2.0)), (&json!("solid"), true), "{here}");
            met.push(here[0].as_str().expect("a text").to_owned());
        }
        let expected =
            ["Use another account", "contact", "company", "order", "Confirm and set up", "Contact support"];
        assert_eq!(met, expected);
        page.types("company", "Contoso").await;
        let company = page.client.active_element().await.expect("something has the focus");
        company.send_keys(&Key::Enter.to_string()).await.expect("a key is pressed");
        page.is_headed("Your account is being prepared").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn whoever_wants_less_motion_gets_none() {
    let shop = Shop::branded("by-publisher").await;
    browse(|page| async move {
        waits(&page, &shop, "Your account is being prepared").await;
        for (wish, moves) in [("no-preference", "breathe"), ("reduce", "none")] {
            let features = json!([{ "name": "prefers-reduced-motion", "value": wish }]);
            page.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
            let script =
                "return getComputedStyle(document.querySelector('.status'), '::before').animationName";
            assert_eq!(page.tells(script).await, moves, "{wish}");
        }
    })
    .await;
}
