//! A CSV file of references: read and checked as a whole before the first one is sent.

use std::collections::HashMap;

use csv::{ByteRecord, ReaderBuilder, Trim};
use shared::domain::reference;
use uuid::Uuid;

/// The names of the columns. Others are ignored.
const SUBSCRIPTION: &str = "subscriptionId";
const REFERENCE: &str = "reference";

/// A line of the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// From 1, as editors count.
    pub(crate) number: u64,
    pub(crate) subscription: Uuid,
    pub(crate) reference: String,
}

/// Reads the lines of a file.
///
/// # Errors
/// Everything that is wrong with it, each with its line.
pub(crate) fn read(file: &[u8]) -> Result<Vec<Line>, Vec<String>> {
    let file = file.strip_prefix("\u{feff}".as_bytes()).unwrap_or(file);
    let mut places = Places { file, at: 0, line: 1 };
    // It checks the number of fields itself, so that it finds all wrong lines and not only the first.
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(file);
    let mut records =
        reader.byte_records().map(|record| record.map_err(|error| vec![error.to_string()]));
    let header = records.next().transpose()?.unwrap_or_default();
    let column = |name: &str| header.iter().position(|field| field == name.as_bytes());
    let (Some(subscription), Some(reference)) = (column(SUBSCRIPTION), column(REFERENCE)) else {
        return Err(vec![format!(
            "line 1: the columns `{SUBSCRIPTION}` and `{REFERENCE}` are not named, separated by a comma"
        )]);
    };
    let columns = Columns { count: header.len(), subscription, reference };
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    let mut first_lines = HashMap::new();
    for record in records {
        let record = record?;
        let number = places.line_of(record.position().map_or(0, csv::Position::byte));
        let read = columns.read(&record).and_then(|(subscription, reference)| {
            match first_lines.insert(subscription, number) {
                None => Ok(Line { number, subscription, reference }),
                Some(first) => Err(format!("{subscription} is in line {first}, too")),
            }
        });
        match read {
            Ok(line) => lines.push(line),
            Err(reason) => wrong.push(format!("line {number}: {reason}")),
        }
    }
    if wrong.is_empty() { Ok(lines) } else { Err(wrong) }
}

/// The numbers of lines. The reader's own are one too low after `\r\n` and after empty lines.
struct Places<'a> {
    file: &'a [u8],
    at: usize,
    line: u64,
}

impl Places<'_> {
    /// The line of the first character from this byte on that ends no line. Bytes are asked for in order.
    fn line_of(&mut self, byte: u64) -> u64 {
        let from = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some(found) = self.file.get(self.at) {
            let ends_line = match found {
                b'\n' => true,
                b'\r' => self.file.get(self.at + 1) != Some(&b'\n'),
                _ if self.at >= from => break,
                _ => false,
            };
            self.line += u64::from(ends_line);
            self.at += 1;
        }
        self.line
    }
}

struct Columns {
    count: usize,
    subscription: usize,
    reference: usize,
}

impl Columns {
    fn read(&self, record: &ByteRecord) -> Result<(Uuid, String), String> {
        if record.len() != self.count {
            return Err(format!("it has {} fields and not {}", record.len(), self.count));
        }
        let field = |column| std::str::from_utf8(&record[column]).map_err(|_| "it is not UTF-8");
        let subscription = field(self.subscription)?;
        let subscription = Uuid::try_parse(subscription)
            .map_err(|_| "the subscription's id is not a GUID".to_owned())?;
        let reference = reference(field(self.reference)?).map_err(|error| error.to_string())?;
        Ok((subscription, reference.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Uuid = Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);
    const TWO: Uuid = Uuid::from_u128(0x2222_2222_2222_4222_8222_2222_2222_2222);

    fn line(number: u64, subscription: Uuid, reference: &str) -> Line {
        Line { number, subscription, reference: reference.to_owned() }
    }

    #[test]
    fn files_of_spreadsheets_and_databases_are_read() {
        let upper = ONE.to_string().to_uppercase();
        for file in [
            format!("subscriptionId,reference\n{ONE},C-1\n{TWO},\"C, 2\"\n"),
            format!("\u{feff}subscriptionId,reference\r\n{ONE},C-1\r\n{TWO},\"C, 2\""),
            format!("reference,plan,subscriptionId\nC-1,,{upper}\n\"C, 2\",x, {{{TWO}}} \n\n"),
        ] {
            let expected = vec![line(2, ONE, "C-1"), line(3, TWO, "C, 2")];
            assert_eq!(read(file.as_bytes()), Ok(expected), "{file}");
        }
        assert_eq!(read(b"subscriptionId,reference\n"), Ok(vec![]));
    }

    #[test]
    fn every_wrong_line_is_named_with_its_number() {
        let long = "x".repeat(101);
        let file = format!(
            "subscriptionId,reference\n\
             {ONE},\"C\n1\"\n\
             6f1d,C-2\n\
             \n\
             {ONE};C-3\n\
             {TWO}\n\
             {TWO},\n\
             {TWO},{long}\n\
             {TWO},C-4\n\
             {TWO},C-5\n"
        );
        let expected = [
            "line 2: a reference has no control characters".to_owned(),
            "line 4: the subscription's id is not a GUID".to_owned(),
            "line 6: it has 1 fields and not 2".to_owned(),
            "line 7: it has 1 fields and not 2".to_owned(),
            "line 8: a reference has 1 to 100 characters".to_owned(),
            "line 9: a reference has 1 to 100 characters".to_owned(),
            format!("line 11: {TWO} is in line 10, too"),
        ];
        for file in [file.replace('\n', "\r\n"), file] {
            assert_eq!(read(file.as_bytes()), Err(expected.to_vec()), "{file:?}");
        }
        let latin_1 = [format!("subscriptionId,reference\n{ONE},").as_bytes(), b"C\xfc\n"].concat();
        assert_eq!(read(&latin_1), Err(vec!["line 2: it is not UTF-8".to_owned()]));
    }

    #[test]
    fn a_file_without_the_names_of_its_columns_is_refused() {
        for file in ["", "a,b\n", "subscriptionId;reference\n", &format!("{ONE},C-1\n")] {
            let wrong = read(file.as_bytes()).expect_err(file);
            assert!(matches!(&wrong[..], [one] if one.starts_with("line 1: ")), "{wrong:?}");
        }
    }
}
