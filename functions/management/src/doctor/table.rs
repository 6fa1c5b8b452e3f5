//! Whether the table answers, and each of its indexes.

use shared::store::StoreError;

use super::finding::Finding;

pub(super) const TABLE: &str = "table";
const INDEXES: &str = "indexes";

const PARAMETER: &str =
    "Parameters ExistingTableName and ExistingTableStreamArn, or the stack's table";

pub(super) fn table(read: Result<u64, StoreError>) -> Finding {
    match read {
        Ok(_) => Finding::ok(TABLE, "The table answers."),
        Err(error) => wrong(TABLE, "The table", &error),
    }
}

pub(super) fn indexes(answers: Vec<(&'static str, Result<(), StoreError>)>) -> Finding {
    let number = answers.len();
    let wrong = answers.into_iter().filter_map(|(name, answer)| Some((name, answer.err()?)));
    let wrong: Vec<_> = wrong.collect();
    let Some((_, first)) = wrong.first() else {
        return Finding::ok(INDEXES, format!("All {number} indexes of the table answer."));
    };
    let names: Vec<_> = wrong.iter().map(|(name, _)| *name).collect();
    self::wrong(INDEXES, &format!("Of the indexes, {}", names.join(", ")), first)
}

fn wrong(check: &'static str, what: &str, error: &StoreError) -> Finding {
    let advice = match error {
        StoreError::Throttled { .. } => {
            let says = format!("{what} could not be asked: {error}. Examine again in a minute.");
            return Finding::warning(check, says, "DynamoDB > the table > Monitor");
        }
        StoreError::Refused { code, .. } if code == "AccessDeniedException" => {
            "Deploy the template of this version, which grants it."
        }
        StoreError::Refused { .. } => {
            "The table must be as the template of this version makes it; a table that was kept needs \
             the indexes that came later."
        }
        StoreError::Unavailable { .. } | StoreError::Contended => "Examine again in a minute.",
        StoreError::BadPosition | StoreError::Corrupt { .. } => "This is a fault of the program.",
    };
    Finding::failed(check, format!("{what}: {error}. {advice}"), PARAMETER)
}

/// The finding of a check that reads the table and can't.
pub(super) fn unread(check: &'static str, error: &StoreError) -> Finding {
    Finding::unknown(check, format!("It can't be read: {error}. See {TABLE}."))
}
