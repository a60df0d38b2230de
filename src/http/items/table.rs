//! A table (`text/csv`) as the JSON array that says the same: the first row names the fields, an empty cell leaves its field out.

use csv::{ReaderBuilder, StringRecord, Trim};
use kopru_domain::Text;
use serde_json::{Map, Value};

use crate::http::json::{Field, Kind, named, suggestion};
use crate::http::problem::Problem;
use crate::service::FieldProblem;

/// Turns a table into an array of objects; item n is the n-th row after the header, from 0.
pub fn to_json(bytes: &[u8], fields: &'static [Field]) -> Result<Vec<u8>, Problem> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| not_utf8())?;
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(text))
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| unreadable(&error))?.clone();
    let columns = columns(&header, fields)?;
    let mut items = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(&error))?;
        if record.len() > columns.len() {
            return Err(too_many_cells(&record));
        }
        let cells = columns.iter().zip(&record).filter(|(_, cell)| !cell.is_empty());
        items.push(
            cells
                .map(|(field, cell)| (field.name.to_owned(), value(field.kind, cell)))
                .collect::<Map<_, _>>(),
        );
    }
    serde_json::to_vec(&items).map_err(|_| Problem::Internal)
}

/// Turkish spreadsheets write semicolons.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |delimiter: u8| header.bytes().filter(|byte| *byte == delimiter).count();
    [b';', b'\t']
        .into_iter()
        .max_by_key(|it| count(*it))
        .filter(|it| count(*it) > count(b','))
        .unwrap_or(b',')
}

fn columns(header: &StringRecord, fields: &'static [Field]) -> Result<Vec<&'static Field>, Problem> {
    let mut columns: Vec<&Field> = Vec::with_capacity(header.len());
    let mut problems = Vec::new();
    for name in header {
        match named(name, fields) {
            Some(field) if columns.iter().any(|column| column.name == field.name) => {
                let title = Text::fixed("sütun iki kez var", "the column stands there twice");
                problems.push(problem(name, "duplicate_field", title));
            }
            Some(field) => columns.push(field),
            None => problems.push(unknown(name, fields)),
        }
    }
    if problems.is_empty() { Ok(columns) } else { Err(Problem::Fields(problems)) }
}

fn value(kind: Kind, cell: &str) -> Value {
    let as_text = || Value::String(cell.to_owned());
    match kind {
        Kind::Number => cell.parse::<i64>().map_or_else(|_| as_text(), Value::from),
        Kind::Flag => match cell.to_lowercase().as_str() {
            "true" | "1" | "evet" | "e" | "yes" => Value::Bool(true),
            "false" | "0" | "hayır" | "h" | "no" => Value::Bool(false),
            _ => as_text(),
        },
        _ => as_text(),
    }
}

fn unknown(name: &str, fields: &'static [Field]) -> FieldProblem {
    let list = fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ");
    let meant = suggestion(name, fields);
    let (tr, en) = meant.map_or_else(Default::default, |meant| {
        (format!(" {meant} mi demek istediniz?"), format!(" Did you mean {meant}?"))
    });
    let title = Text::new(
        format!("böyle bir sütun yok.{tr} Kullanılabilenler: {list}"),
        format!("there is no such column.{en} These are: {list}"),
    );
    problem(name, "unknown_field", title)
}

fn not_utf8() -> Problem {
    let title = Text::fixed(
        "dosya UTF-8 değil; elektronik tabloda \"CSV UTF-8\" olarak kaydedin",
        "the file is not UTF-8; save it as \"CSV UTF-8\"",
    );
    Problem::Fields(vec![problem("", "encoding", title)])
}

fn unreadable(error: &csv::Error) -> Problem {
    let line = error.position().map_or(0, csv::Position::line);
    let title = Text::new(format!("{line}. satır okunamıyor"), format!("line {line} cannot be read"));
    Problem::Fields(vec![problem("", "csv", title)])
}

fn too_many_cells(record: &StringRecord) -> Problem {
    let line = record.position().map_or(0, csv::Position::line);
    let title = Text::new(
        format!("{line}. satırda başlıktan çok hücre var; ayırıcı içeren hücreleri tırnak içine alın"),
        format!("line {line} has more cells than the header; put cells with a separator in quotes"),
    );
    Problem::Fields(vec![problem("", "csv", title)])
}

fn problem(field: &str, code: &str, title: Text) -> FieldProblem {
    let field = field.chars().take(64).collect();
    FieldProblem { index: None, field, code: code.to_owned(), title }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIELDS: &[Field] = &[
        Field::required("callId", Kind::Text).also(&["cagri"]),
        Field::optional("offset", Kind::Number),
        Field::optional("rejection", Kind::Flag).also(&["ret"]),
    ];

    fn json(table: &str) -> Value {
        serde_json::from_slice(&to_json(table.as_bytes(), FIELDS).unwrap()).unwrap()
    }

    fn code(table: &[u8]) -> String {
        match to_json(table, FIELDS) {
            Err(Problem::Fields(problems)) => problems[0].code.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rows_become_objects_by_the_names_of_the_header() {
        let expected =
            serde_json::json!([{"callId": "a;1", "offset": 12, "rejection": true}, {"callId": "b"}]);
        assert_eq!(json("\u{feff}cagri;Offset;RET\n"), serde_json::json!([]));
        assert_eq!(json("call id,offset,ret\n\"a;1\",12,evet\nb,,\n"), expected);
        assert_eq!(json("callId;offset;rejection\r\n\"a;1\";12;1\r\nb\r\n"), expected);
        assert_eq!(
            json("callId\toffset\nx\tzwölf\n"),
            serde_json::json!([{"callId": "x", "offset": "zwölf"}])
        );
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        assert_eq!(code(b"callId,offest\na,1\n"), "unknown_field");
        assert_eq!(code(b"callId,call_id\na,b\n"), "duplicate_field");
        assert_eq!(code(b"callId\na,b\n"), "csv");
        assert_eq!(code(b"callId\n\xfe\n"), "encoding");
    }

    proptest! {
        #[test]
        fn no_bytes_bring_the_reader_down(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = to_json(&bytes, FIELDS);
        }
    }
}
