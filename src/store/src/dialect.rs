//! What truly differs between the texts of SQLite and PostgreSQL: set membership, row locks and bulk inserts.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::sql::{PgQuery, Value};

/// The two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// One file, one process.
    Sqlite,
    /// A server, any number of processes.
    Postgres,
}

/// Replaces the marks of a statement (see [`Statement`](crate::sql::Statement)).
pub(crate) fn render(text: &str, dialect: Dialect) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let end = rest[start..].find('}').map_or(rest.len(), |length| start + length);
        out.push_str(&rest[..start]);
        mark(&rest[start + 1..end], dialect, &mut out);
        rest = rest.get(end + 1..).unwrap_or("");
    }
    out.push_str(rest);
    match dialect {
        // To SQLite `$2` is a name, counted by where it first stands; `?2` is the second value.
        Dialect::Sqlite => out.replace('$', "?"),
        Dialect::Postgres => out,
    }
}

fn mark(mark: &str, dialect: Dialect, out: &mut String) {
    if let Some(each) = mark.strip_prefix("each ") {
        return each_mark(each, dialect, out);
    }
    let words: Vec<&str> = mark.split(' ').collect();
    let written = match (dialect, words.as_slice()) {
        (Dialect::Postgres, ["in", parameter, _]) => write!(out, "= ANY({parameter})"),
        (Dialect::Sqlite, ["in", parameter, "int" | "text"]) => {
            write!(out, "IN (SELECT value FROM json_each({parameter}))")
        }
        (Dialect::Sqlite, ["in", parameter, _]) => {
            write!(out, "IN (SELECT unhex(value) FROM json_each({parameter}))")
        }
        (Dialect::Postgres, ["skip_locked"]) => write!(out, "FOR UPDATE SKIP LOCKED"),
        (Dialect::Postgres, ["for_update"]) => write!(out, "FOR UPDATE"),
        (Dialect::Sqlite, ["skip_locked" | "for_update"]) | (Dialect::Postgres, ["by", _]) => Ok(()),
        (Dialect::Sqlite, ["by", index]) => write!(out, "INDEXED BY {index}"),
        _ => write!(out, "{{unknown mark {mark}}}"),
    };
    debug_assert!(written.is_ok(), "writing to a String does not fail");
}

/// `$2 bytes of submissions AS s by submissions_open: CONDITION`
fn each_mark(mark: &str, dialect: Dialect, out: &mut String) {
    let (head, condition) = mark.split_once(": ").unwrap_or((mark, "FALSE"));
    let words: Vec<&str> = head.split(' ').collect();
    let [parameter, kind, "of", table, "AS", alias, by @ ..] = words.as_slice() else {
        out.push_str("{unknown mark}");
        return;
    };
    let (value, element) = match *kind {
        "int" => ("value", "bigint"),
        "text" => ("value", "text"),
        "bytes" => ("unhex(value)", "bytea"),
        _ => ("unhex(value)", "uuid"),
    };
    let index = if let ["by", index] = by { format!("INDEXED BY {index} ") } else { String::new() };
    let written = match dialect {
        Dialect::Postgres => write!(
            out,
            "UNNEST({parameter}::{element}[]) AS wanted(value) CROSS JOIN LATERAL (SELECT * FROM {table} AS {alias} WHERE {condition} OFFSET 0) AS {alias}"
        ),
        Dialect::Sqlite => write!(
            out,
            "(SELECT {value} AS value FROM json_each({parameter})) AS wanted CROSS JOIN {table} AS {alias} {index}ON {condition}"
        ),
    };
    debug_assert!(written.is_ok(), "writing to a String does not fail");
}

/// A JSON array of what `push` writes for each value.
pub(crate) fn json_list<T>(values: impl Iterator<Item = T>, push: impl Fn(T, &mut String)) -> String {
    let mut out = String::from("[");
    for (index, value) in values.enumerate() {
        if index > 0 {
            out.push(',');
        }
        push(value, &mut out);
    }
    out.push(']');
    out
}

/// Appends bytes as a quoted hexadecimal string.
pub(crate) fn push_hex(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push('"');
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out.push('"');
}

/// A bulk insert: table, columns with their PostgreSQL types, and what follows the rows.
#[derive(Debug)]
pub struct Insert {
    /// `INSERT INTO table (a, b)`
    pub head: &'static str,
    /// PostgreSQL element type of each column.
    pub types: &'static [&'static str],
    /// `ON CONFLICT … RETURNING …`, or nothing.
    pub tail: &'static str,
}

/// Texts by database, head and tail.
type Texts = HashMap<(Dialect, &'static str, &'static str), &'static str>;

static TEXTS: LazyLock<Mutex<Texts>> = LazyLock::new(Mutex::default);

impl Insert {
    /// The text: on SQLite for one row, and run for each; on PostgreSQL for any number, one array a column.
    pub fn text(&self, dialect: Dialect) -> &'static str {
        let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
        texts.entry((dialect, self.head, self.tail)).or_insert_with(|| {
            let values = match dialect {
                Dialect::Sqlite => format!("VALUES ({})", vec!["?"; self.types.len()].join(",")),
                Dialect::Postgres => {
                    let array = |(index, kind): (usize, &&str)| format!("${}::{kind}[]", index + 1);
                    let arrays: Vec<String> = self.types.iter().enumerate().map(array).collect();
                    format!("SELECT * FROM UNNEST({})", arrays.join(","))
                }
            };
            format!("{} {values} {}", self.head, self.tail).leak()
        })
    }

    /// The PostgreSQL statement for these rows.
    pub(crate) fn postgres(&self, rows: Vec<Vec<Value>>) -> PgQuery {
        self.bind_postgres(sqlx::query(self.text(Dialect::Postgres)), rows)
    }

    /// Binds the columns of these rows, each as an array.
    pub(crate) fn bind_postgres(&self, query: PgQuery, rows: Vec<Vec<Value>>) -> PgQuery {
        let mut columns: Vec<Column> = self.types.iter().map(|kind| Column::of(kind, rows.len())).collect();
        for row in rows {
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(value);
            }
        }
        columns.into_iter().fold(query, |query, column| column.bind(query))
    }
}

enum Column {
    Int(Vec<Option<i64>>),
    Bool(Vec<Option<bool>>),
    Text(Vec<Option<Cow<'static, str>>>),
    Bytes(Vec<Option<Vec<u8>>>),
    Uuid(Vec<Option<Uuid>>),
    Time(Vec<Option<DateTime<Utc>>>),
}

impl Column {
    fn of(kind: &str, rows: usize) -> Self {
        match kind {
            "bigint" => Self::Int(Vec::with_capacity(rows)),
            "boolean" => Self::Bool(Vec::with_capacity(rows)),
            "bytea" => Self::Bytes(Vec::with_capacity(rows)),
            "uuid" => Self::Uuid(Vec::with_capacity(rows)),
            "timestamptz" => Self::Time(Vec::with_capacity(rows)),
            _ => Self::Text(Vec::with_capacity(rows)),
        }
    }

    fn push(&mut self, value: Value) {
        match (self, value) {
            (Self::Int(column), Value::Int(v)) => column.push(v),
            (Self::Bool(column), Value::Bool(v)) => column.push(v),
            (Self::Text(column), Value::Text(v)) => column.push(v),
            (Self::Bytes(column), Value::Bytes(v)) => column.push(v),
            (Self::Uuid(column), Value::Uuid(v)) => column.push(v),
            (Self::Time(column), Value::Time(v)) => column.push(v),
            (_, value) => debug_assert!(false, "{value:?} does not fit its column"),
        }
    }

    fn bind(self, query: PgQuery) -> PgQuery {
        match self {
            Self::Int(column) => query.bind(column),
            Self::Bool(column) => query.bind(column),
            Self::Text(column) => query.bind(column),
            Self::Bytes(column) => query.bind(column),
            Self::Uuid(column) => query.bind(column),
            Self::Time(column) => query.bind(column),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_looked_up_one_by_one() {
        let text = "SELECT t.a FROM {each $2 bytes of t AS t by t_key: t.p = $1 AND t.key = wanted.value}";
        assert_eq!(
            render(text, Dialect::Postgres),
            "SELECT t.a FROM UNNEST($2::bytea[]) AS wanted(value) CROSS JOIN LATERAL \
             (SELECT * FROM t AS t WHERE t.p = $1 AND t.key = wanted.value OFFSET 0) AS t"
        );
        assert_eq!(
            render(text, Dialect::Sqlite),
            "SELECT t.a FROM (SELECT unhex(value) AS value FROM json_each(?2)) AS wanted \
             CROSS JOIN t AS t INDEXED BY t_key ON t.p = ?1 AND t.key = wanted.value"
        );
    }

    #[test]
    fn marks_become_each_database_s_words() {
        let text =
            "SELECT 1 FROM t {by t_key} WHERE key {in $2 bytes} AND id {in $3 int} LIMIT 1 {skip_locked}";
        assert_eq!(
            render(text, Dialect::Postgres),
            "SELECT 1 FROM t  WHERE key = ANY($2) AND id = ANY($3) LIMIT 1 FOR UPDATE SKIP LOCKED"
        );
        assert_eq!(
            render(text, Dialect::Sqlite),
            "SELECT 1 FROM t INDEXED BY t_key WHERE key IN (SELECT unhex(value) FROM json_each(?2)) AND id IN (SELECT value FROM json_each(?3)) LIMIT 1 "
        );
    }
}
