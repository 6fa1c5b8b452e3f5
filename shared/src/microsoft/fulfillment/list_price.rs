//! A plan's list price, to the digit (F-PLN-7).

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::wire::Plan;
use crate::lenient::{lenient, objects};

/// A price list has no more digits behind its point. More are what a binary float made of a price.
const MOST_DECIMALS: u32 = 6;

/// An exact amount of money, never negative: `units` divided by ten to the power of `decimals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    units: u128,
    /// As few as the amount needs.
    decimals: u32,
}

impl Amount {
    /// Reads a JSON number, also one with an exponent. `None` for any other text, and for numbers that are
    /// no price.
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i16>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let digits = format!("{whole}{fraction}");
        if whole.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let units: u128 = digits.parse().ok()?;
        let shift = i32::from(exponent) - i32::try_from(fraction.len()).ok()?;
        let power = 10_u128.checked_pow(shift.unsigned_abs());
        let amount = match shift {
            _ if units == 0 => Self { units: 0, decimals: 0 },
            0.. => Self { units: units.checked_mul(power?)?, decimals: 0 },
            _ => Self { units, decimals: shift.unsigned_abs() }.shortened(),
        };
        (amount.decimals <= MOST_DECIMALS).then_some(amount)
    }

    fn shortened(mut self) -> Self {
        while self.decimals > 0 && self.units.is_multiple_of(10) {
            self.units /= 10;
            self.decimals -= 1;
        }
        self
    }

    /// The amount for so many seats; `None` if it is larger than any price.
    #[must_use]
    pub fn times(self, count: u64) -> Option<Self> {
        Some(Self { units: self.units.checked_mul(count.into())?, ..self }.shortened())
    }

    /// The digits before and behind the point, with at least so many behind it.
    pub fn digits(self, least_decimals: usize) -> (String, String) {
        let power = 10_u128.pow(self.decimals);
        let mut fraction = match self.decimals {
            0 => String::new(),
            decimals => format!("{:0width$}", self.units % power, width = decimals as usize),
        };
        while fraction.len() < least_decimals {
            fraction.push('0');
        }
        ((self.units / power).to_string(), fraction)
    }
}

/// What anyone pays who buys the plan without a private offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPrice {
    pub amount: Amount,
    /// By ISO 4217, such as `EUR`.
    pub currency: String,
    /// For one seat.
    pub is_per_seat: bool,
}

/// An entry of `recurrentBillingTerms`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BillingTerm {
    #[serde(default, deserialize_with = "lenient")]
    currency: Option<String>,
    #[serde(default)]
    price: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "lenient")]
    term_unit: Option<String>,
}

impl Plan {
    /// The list price for a term. `None` for a private plan, whose price is no list's, and if Microsoft
    /// names no price for this term, or more than one.
    pub fn list_price(&self, term_unit: &str) -> Option<ListPrice> {
        if self.is_private != Some(false) {
            return None;
        }
        let terms = self.plan_components.as_ref()?.recurrent_billing_terms.as_ref()?;
        let terms: Vec<Box<RawValue>> = serde_json::from_str(terms.get()).ok()?;
        let terms: Vec<BillingTerm> = objects(&terms);
        let mut terms = terms.iter().filter(|term| term.term_unit.as_deref() == Some(term_unit));
        let (Some(term), None) = (terms.next(), terms.next()) else { return None };
        let currency = term.currency.as_deref()?.to_ascii_uppercase();
        let is_code = currency.len() == 3 && currency.bytes().all(|c| c.is_ascii_uppercase());
        let price = term.price.as_ref()?.get().trim_matches('"').trim();
        Some(ListPrice {
            amount: Amount::parse(price)?,
            currency: Some(currency).filter(|_| is_code)?,
            is_per_seat: self.is_price_per_seat?,
        })
    }

    /// Whether the purchase was made through a private offer, which has prices of its own (F-PLN-4). Only
    /// an answer about this plan alone says so.
    pub fn is_of_private_offer(&self) -> bool {
        let Some(sources) = &self.source_offers else { return false };
        let none: Result<Option<Vec<IgnoredAny>>, _> = serde_json::from_str(sources.get());
        !none.is_ok_and(|sources| sources.is_none_or(|sources| sources.is_empty()))
    }
}

#[cfg(test)]
mod tests;
