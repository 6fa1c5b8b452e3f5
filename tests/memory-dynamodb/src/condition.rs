//! Conditions, filters and key conditions: the part of DynamoDB's expressions that our store uses.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::refusal::Refusal;
use crate::request::{Names, Values};
use crate::value::{Item, Value};

/// A condition on an item's attributes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Or(Box<Self>, Box<Self>),
    And(Box<Self>, Box<Self>),
    /// The attribute equals the value.
    Equal(String, Value),
    AtMost(String, Value),
    Between(String, Value, Value),
    BeginsWith(String, Value),
    Exists(String),
    NotExists(String),
}

impl Condition {
    /// Whether an item satisfies it. An absent item has no attributes.
    pub(crate) fn holds(&self, item: Option<&Item>) -> bool {
        let order = |name: &String, value: &Value| item?.get(name)?.order(value);
        match self {
            Self::Or(one, other) => one.holds(item) || other.holds(item),
            Self::And(one, other) => one.holds(item) && other.holds(item),
            Self::Equal(name, value) => order(name, value) == Some(Ordering::Equal),
            Self::AtMost(name, value) => order(name, value).is_some_and(Ordering::is_le),
            Self::Between(name, from, to) => {
                order(name, from).is_some_and(Ordering::is_ge)
                    && order(name, to).is_some_and(Ordering::is_le)
            }
            Self::BeginsWith(name, with) => {
                let text = item.and_then(|item| item.get(name)?.text());
                text.zip(with.text()).is_some_and(|(text, with)| text.starts_with(with))
            }
            Self::Exists(name) => item.is_some_and(|item| item.contains_key(name)),
            Self::NotExists(name) => !item.is_some_and(|item| item.contains_key(name)),
        }
    }

    /// Whether it is about any of these attributes.
    pub(crate) fn is_on(&self, names: &[&str]) -> bool {
        match self {
            Self::Or(one, other) | Self::And(one, other) => one.is_on(names) || other.is_on(names),
            Self::Equal(name, _)
            | Self::AtMost(name, _)
            | Self::Between(name, ..)
            | Self::BeginsWith(name, _)
            | Self::Exists(name)
            | Self::NotExists(name) => names.contains(&name.as_str()),
        }
    }

    /// The partition key that a key condition names.
    pub(crate) fn partition(&self) -> Option<&str> {
        match self {
            Self::And(partition, _) => partition.partition(),
            Self::Equal(_, partition) => partition.text(),
            _ => None,
        }
    }

    /// Whether a query may have it as its key condition: the partition key equals a value, and the
    /// sort key lies in one range.
    pub(crate) fn is_on_keys(&self, partition: &str, sort: &str) -> bool {
        let is_partition = |part: &Self| matches!(part, Self::Equal(name, _) if name == partition);
        match self {
            Self::And(one, other) => {
                let on_sort = match &**other {
                    Self::Equal(name, _) | Self::AtMost(name, _) | Self::Between(name, ..) => name,
                    _ => return false,
                };
                is_partition(one) && on_sort == sort
            }
            alone => is_partition(alone),
        }
    }
}

/// A request's placeholders. Every one of them must be used.
pub(crate) struct Placeholders<'a> {
    names: &'a Names,
    values: &'a Values,
    used: RefCell<BTreeSet<String>>,
}

impl<'a> Placeholders<'a> {
    pub(crate) fn new(names: &'a Names, values: &'a Values) -> Self {
        Self { names, values, used: RefCell::default() }
    }

    fn name(&self, placeholder: &str) -> Result<String, Refusal> {
        self.used.borrow_mut().insert(placeholder.to_owned());
        let name = self.names.get(placeholder).cloned();
        name.ok_or_else(|| Refusal::Invalid(format!("the name {placeholder} is not defined")))
    }

    fn value(&self, placeholder: &str) -> Result<Value, Refusal> {
        self.used.borrow_mut().insert(placeholder.to_owned());
        let value = self.values.get(placeholder).cloned();
        value.ok_or_else(|| Refusal::Invalid(format!("the value {placeholder} is not defined")))
    }

    /// Reads a condition, if there is one.
    pub(crate) fn condition(&self, text: Option<&str>) -> Result<Option<Condition>, Refusal> {
        let Some(text) = text else { return Ok(None) };
        let mut words = Words::of(text);
        let condition = self.either(&mut words)?;
        words.end()?;
        Ok(Some(condition))
    }

    /// Reads `REMOVE #a, #b` or `SET #a = :a, #b = :b`: the attributes that an update changes, each with its
    /// new value; `None`: it is removed.
    pub(crate) fn changed(&self, text: &str) -> Result<Vec<(String, Option<Value>)>, Refusal> {
        let mut words = Words::of(text);
        let sets = words.skip("SET");
        if !sets {
            words.expect("REMOVE")?;
        }
        let mut changed = Vec::new();
        loop {
            let name = self.name(words.next()?)?;
            let value = if sets {
                words.expect("=")?;
                Some(self.value(words.next()?)?)
            } else {
                None
            };
            changed.push((name, value));
            if !words.skip(",") {
                break;
            }
        }
        words.end()?;
        Ok(changed)
    }

    /// Refuses placeholders that no expression uses.
    pub(crate) fn all_used(&self) -> Result<(), Refusal> {
        let used = self.used.borrow();
        match self.names.keys().chain(self.values.keys()).find(|defined| !used.contains(*defined)) {
            Some(unused) => Refusal::invalid(format!("{unused} is not used in expressions")),
            None => Ok(()),
        }
    }

    fn either(&self, words: &mut Words<'_>) -> Result<Condition, Refusal> {
        let mut condition = self.both(words)?;
        while words.skip("OR") {
            condition = Condition::Or(Box::new(condition), Box::new(self.both(words)?));
        }
        Ok(condition)
    }

    fn both(&self, words: &mut Words<'_>) -> Result<Condition, Refusal> {
        let mut condition = self.one(words)?;
        while words.skip("AND") {
            condition = Condition::And(Box::new(condition), Box::new(self.one(words)?));
        }
        Ok(condition)
    }

    fn one(&self, words: &mut Words<'_>) -> Result<Condition, Refusal> {
        let word = words.next()?;
        if matches!(word, "attribute_exists" | "attribute_not_exists") {
            words.expect("(")?;
            let name = self.name(words.next()?)?;
            words.expect(")")?;
            return Ok(if word == "attribute_exists" {
                Condition::Exists(name)
            } else {
                Condition::NotExists(name)
            });
        }
        if word == "begins_with" {
            words.expect("(")?;
            let name = self.name(words.next()?)?;
            words.expect(",")?;
            let with = self.value(words.next()?)?;
            words.expect(")")?;
            return Ok(Condition::BeginsWith(name, with));
        }
        let name = self.name(word)?;
        match words.next()? {
            "=" => Ok(Condition::Equal(name, self.value(words.next()?)?)),
            "<=" => Ok(Condition::AtMost(name, self.value(words.next()?)?)),
            "BETWEEN" => {
                let from = self.value(words.next()?)?;
                words.expect("AND")?;
                Ok(Condition::Between(name, from, self.value(words.next()?)?))
            }
            other => Refusal::invalid(format!("an expression with {other}")),
        }
    }
}

/// The words and signs of an expression.
struct Words<'a>(std::iter::Peekable<std::vec::IntoIter<&'a str>>);

impl<'a> Words<'a> {
    fn of(text: &'a str) -> Self {
        let signs = ['(', ')', ','];
        let words = text.split(' ').flat_map(|word| word.split_inclusive(signs)).flat_map(|word| {
            // A sign at the end of a word is a word of its own.
            let end = word.len() - usize::from(word.ends_with(signs));
            [&word[..end], &word[end..]]
        });
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        Self(words.into_iter().peekable())
    }

    fn next(&mut self) -> Result<&'a str, Refusal> {
        self.0.next().ok_or_else(|| Refusal::Invalid("an expression that ends early".to_owned()))
    }

    /// Whether the next word is this one, which is then skipped.
    fn skip(&mut self, word: &str) -> bool {
        self.0.next_if_eq(&word).is_some()
    }

    fn expect(&mut self, expected: &str) -> Result<(), Refusal> {
        let word = self.next()?;
        if word == expected {
            return Ok(());
        }
        Refusal::invalid(format!("an expression with {word} where {expected} belongs"))
    }

    fn end(&mut self) -> Result<(), Refusal> {
        match self.0.next() {
            Some(word) => Refusal::invalid(format!("an expression that goes on with {word}")),
            None => Ok(()),
        }
    }
}
