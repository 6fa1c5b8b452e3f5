//! Prices as Microsoft writes them, and as it might (F-PLN-7).

use super::*;

fn plan(members: &str, terms: &str) -> Plan {
    let text = format!(
        r#"{{"planId":"gold"{members},"planComponents":{{"recurrentBillingTerms":{terms}}}}}"#
    );
    serde_json::from_str(&text).expect("a plan")
}

const PUBLIC: &str = r#","isPrivate":false,"isPricePerSeat":false"#;

fn price(members: &str, terms: &str) -> Option<(String, String, String)> {
    let price = plan(members, terms).list_price("P1M")?;
    let (whole, fraction) = price.amount.digits(0);
    Some((whole, fraction, price.currency))
}

#[test]
fn an_amount_keeps_every_digit_and_drops_zeros_at_the_end() {
    for (text, whole, fraction) in [
        ("0", "0", ""),
        ("0.0", "0", ""),
        ("0e5", "0", ""),
        ("1", "1", ""),
        ("49.0", "49", ""),
        ("0.10", "0", "1"),
        ("4.25", "4", "25"),
        ("199.5", "199", "5"),
        ("0.005", "0", "005"),
        ("12000", "12000", ""),
        ("1E2", "100", ""),
        ("1.5e3", "1500", ""),
        ("1.25e+1", "12", "5"),
        ("125e-2", "1", "25"),
        ("12345678901234567890.123456", "12345678901234567890", "123456"),
    ] {
        let amount = Amount::parse(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(amount.digits(0), (whole.to_owned(), fraction.to_owned()), "{text}");
    }
}

#[test]
fn what_is_no_price_is_no_amount() {
    for text in [
        "",
        "-1",
        "-0",
        "+1",
        ".5",
        "1.",
        "1,5",
        "1 000",
        "x",
        "NaN",
        "null",
        "1e",
        "1e99",
        "1e-9",
        "1e99999",
        "0x10",
        "1.2.3",
        "99.450000000000003",
        "1e40000000000",
        "999999999999999999999999999999999999999999",
    ] {
        assert_eq!(Amount::parse(text), None, "{text}");
    }
}

#[test]
fn an_amount_for_seats_is_exact() {
    let times = |text: &str, seats| {
        let amount = Amount::parse(text).and_then(|amount| amount.times(seats));
        amount.map(|amount| amount.digits(2))
    };
    let digits = |whole: &str, fraction: &str| Some((whole.to_owned(), fraction.to_owned()));
    assert_eq!(times("0.1", 3), digits("0", "30"));
    assert_eq!(times("4.25", 12), digits("51", "00"));
    assert_eq!(times("0.005", 1), digits("0", "005"));
    assert_eq!(times("5", 0), digits("0", "00"));
    assert_eq!(times("1e20", u64::MAX), None);
}

#[test]
fn a_price_is_that_of_the_term_with_its_currency() {
    let terms = r#"[{"currency":"EUR","price":99.5,"termUnit":"P1M"},
        {"currency":"EUR","price":1000,"termUnit":"P1Y"}, 7, {"price":1}]"#;
    let euros = |whole: &str, fraction: &str| Some((whole.into(), fraction.into(), "EUR".into()));
    assert_eq!(price(PUBLIC, terms), euros("99", "5"));
    let year = plan(PUBLIC, terms).list_price("P1Y").expect("a price");
    assert_eq!((year.amount.digits(2), year.is_per_seat), (("1000".into(), "00".into()), false));
    // F-GEN-11: numbers as texts, and blanks.
    let padded = r#"[{"currency":" eur ","price":" 99.50 ","termUnit":" P1M "}]"#;
    assert_eq!(price(PUBLIC, padded), euros("99", "5"));
    let free = r#"[{"currency":"EUR","price":0.0,"termUnit":"P1M"}]"#;
    assert_eq!(price(PUBLIC, free), euros("0", ""));
}

#[test]
fn there_is_no_price_where_microsoft_names_none_or_another_than_the_lists() {
    let term = r#"[{"currency":"EUR","price":99.5,"termUnit":"P1M"}]"#;
    for (members, terms) in [
        (r#","isPrivate":true,"isPricePerSeat":false"#, term),
        (r#","isPricePerSeat":false"#, term),
        (r#","isPrivate":false"#, term),
        (PUBLIC, "null"),
        (PUBLIC, "{}"),
        (PUBLIC, "[]"),
        (PUBLIC, r#"[{"currency":"EUR","price":99.5,"termUnit":"P1Y"}]"#),
        (PUBLIC, r#"[{"currency":"EUR","price":99.5}]"#),
        (PUBLIC, r#"[{"currency":"EUR","termUnit":"P1M"}]"#),
        (PUBLIC, r#"[{"currency":"EUR","price":null,"termUnit":"P1M"}]"#),
        (PUBLIC, r#"[{"currency":"EUR","price":{"amount":1},"termUnit":"P1M"}]"#),
        (PUBLIC, r#"[{"currency":"EUR","price":-1,"termUnit":"P1M"}]"#),
        (PUBLIC, r#"[{"price":99.5,"termUnit":"P1M"}]"#),
        (PUBLIC, r#"[{"currency":"€","price":99.5,"termUnit":"P1M"}]"#),
        (PUBLIC, r#"[{"currency":"EURO","price":99.5,"termUnit":"P1M"}]"#),
        (
            PUBLIC,
            r#"[{"currency":"EUR","price":1,"termUnit":"P1M"},
                {"currency":"USD","price":2,"termUnit":"P1M"}]"#,
        ),
    ] {
        assert_eq!(price(members, terms), None, "{members} {terms}");
    }
    assert_eq!(plan(PUBLIC, "[1]").list_price("P1M"), None);
}

#[test]
fn source_offers_are_the_sign_of_a_private_offer() {
    for (member, private) in [
        ("", false),
        (r#","sourceOffers":null"#, false),
        (r#","sourceOffers":[]"#, false),
        (r#","sourceOffers":[{"externalId":"e6b37c09-92ef-4b8e-a373-f747d8417b1b"}]"#, true),
        (r#","sourceOffers":"later""#, true),
    ] {
        assert_eq!(plan(member, "[]").is_of_private_offer(), private, "{member}");
    }
}

#[test]
fn the_prices_in_microsofts_samples_are_read() {
    // F-PLN-2: whole numbers, and `0.0`.
    for (term, whole) in [
        (r#"[{"currency":"USD","price":1,"termUnit":"P1M","termDescription":"x"}]"#, "1"),
        (r#"[{"currency":"USD","price":0.0,"termUnit":"P1M","meteredQuantityIncluded":[]}]"#, "0"),
    ] {
        assert_eq!(price(PUBLIC, term), Some((whole.into(), String::new(), "USD".into())));
    }
}
