//! Amounts of money, as the readers of a language write them.

use shared::microsoft::fulfillment::Amount;

use super::{Language, fill};

impl Language {
    /// An amount with the digits of its currency, or with more if it has more.
    pub(crate) fn money(&self, amount: Amount, currency: &str) -> String {
        let format = &self.phrases.format;
        let (whole, fraction) = amount.digits(minor_digits(currency));
        let mut written = self.group(&whole);
        if !fraction.is_empty() {
            written.push_str(&format.decimal);
            written.push_str(&fraction);
        }
        let mut symbol =
            format.currencies.get(currency).map_or(currency, String::as_str).to_owned();
        // `EUR 5`, but `€5`.
        if format.money.starts_with("{currency}") && symbol.ends_with(char::is_alphabetic) {
            symbol.push('\u{a0}');
        }
        fill(&format.money, &[("amount", &written), ("currency", &symbol)])
    }
}

/// The digits behind the point in which people count a currency (ISO 4217).
fn minor_digits(currency: &str) -> usize {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Languages;
    use super::*;

    #[test]
    fn amounts_follow_the_language_and_the_currency() {
        let languages = Languages::shipped();
        for (amount, currency, english, swedish, german) in [
            ("1234.5", "EUR", "€1,234.50", "1\u{a0}234,50\u{a0}€", "1.234,50\u{a0}€"),
            ("0", "USD", "US$0.00", "0,00\u{a0}US$", "0,00\u{a0}US-$"),
            ("99", "SEK", "SEK\u{a0}99.00", "99,00\u{a0}kr", "99,00\u{a0}SEK"),
            ("12", "GBP", "£12.00", "12,00\u{a0}£", "12,00\u{a0}£"),
            ("0.005", "USD", "US$0.005", "0,005\u{a0}US$", "0,005\u{a0}US-$"),
            ("1500", "JPY", "JPY\u{a0}1,500", "1\u{a0}500\u{a0}JPY", "1.500\u{a0}JPY"),
            ("0.5", "JPY", "JPY\u{a0}0.5", "0,5\u{a0}JPY", "0,5\u{a0}JPY"),
            ("7.5", "KWD", "KWD\u{a0}7.500", "7,500\u{a0}KWD", "7,500\u{a0}KWD"),
            (
                "1000000",
                "CHF",
                "CHF\u{a0}1,000,000.00",
                "1\u{a0}000\u{a0}000,00\u{a0}CHF",
                "1.000.000,00\u{a0}CHF",
            ),
        ] {
            let amount = Amount::parse(amount).expect("an amount");
            for (code, written) in [("en", english), ("sv", swedish), ("de", german)] {
                let language = languages.with_code(code).expect("it is shipped");
                assert_eq!(language.money(amount, currency), written, "{code}");
            }
        }
    }
}
