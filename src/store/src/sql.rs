//! Statements, values and rows, the same for both databases.
//!
//! The choice of the database is made here, at the level of one statement, so that every table module is plain,
//! non-generic code over [`Tx`](crate::Tx) and [`Db`](crate::Db). Nothing above this file and `dialect.rs` knows which database it is on.

use std::borrow::Cow;
use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use kopru_domain::{
    BrandCode, Channel, ConsentStatus, IysCode, RecipientType, RetailerCode, Right, SubmissionState,
};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row as _};
use uuid::Uuid;

use crate::dialect::{self, Dialect};
use crate::error::{Result, StoreError};
use crate::sqlite;

/// One SQL text for both databases, with these marks:
///
/// - `{in $2 bytes|uuid|int|text}`: membership of a bound set;
/// - `{each $2 bytes of TABLE AS t by INDEX: CONDITION}` in FROM: the rows of a table for each value of a bound set, which the
///   condition calls `wanted.value`. One walk of an index a value, on both databases, whatever the planner believes: without
///   fresh statistics PostgreSQL takes a provider for a few rows and reads it whole. `by INDEX` is SQLite's, and optional;
/// - `{skip_locked}` and `{for_update}`: row locks, where the database has them;
///   What is to be updated is chosen in a materialized `WITH`: PostgreSQL may run a subquery of an UPDATE several times,
///   and each run would lock and claim more rows;
/// - `{by INDEX}` after a table: the index to use, on SQLite. Without statistics, which nobody gathers there, it takes
///   the first column of a primary key for selective and would read all rows of a provider. PostgreSQL knows better.
#[derive(Debug)]
pub struct Statement {
    text: &'static str,
    sqlite: OnceLock<&'static str>,
    postgres: OnceLock<&'static str>,
}

impl Statement {
    /// Wraps a text. Use it in a `static`, through [`statements!`](crate::statements).
    pub const fn new(text: &'static str) -> Self {
        Self { text, sqlite: OnceLock::new(), postgres: OnceLock::new() }
    }

    /// The text for one database, made once.
    pub fn for_dialect(&self, dialect: Dialect) -> &'static str {
        let cell = match dialect {
            Dialect::Sqlite => &self.sqlite,
            Dialect::Postgres => &self.postgres,
        };
        cell.get_or_init(|| dialect::render(self.text, dialect).leak())
    }
}

/// Declares the statements of a module and lists them, so that a test can prepare each on both databases.
#[macro_export]
macro_rules! statements {
    ($($(#[$meta:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$meta])* pub(crate) static $name: $crate::sql::Statement = $crate::sql::Statement::new($text);)*
        /// Every statement of this module by name.
        pub(crate) static STATEMENTS: &[(&str, &$crate::sql::Statement)] = &[$((stringify!($name), &$name)),*];
    };
}

/// A bound value.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the variants are the column types of the schema")]
pub enum Value {
    Int(Option<i64>),
    Bool(Option<bool>),
    Text(Option<Cow<'static, str>>),
    Bytes(Option<Vec<u8>>),
    Uuid(Option<Uuid>),
    Time(Option<DateTime<Utc>>),
    IntSet(Vec<i64>),
    BytesSet(Vec<Vec<u8>>),
    UuidSet(Vec<Uuid>),
    TextSet(Vec<String>),
}

macro_rules! value_from {
    ($($type:ty => $variant:ident),* $(,)?) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(Some(value.into()))
            }
        }
        impl From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Self {
                Self::$variant(value.map(Into::into))
            }
        }
    )*};
}
value_from!(i64 => Int, i32 => Int, u32 => Int, bool => Bool, String => Text, Vec<u8> => Bytes, &[u8] => Bytes,
    Uuid => Uuid, DateTime<Utc> => Time);

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(Cow::Owned(text.to_owned())))
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(|text| Cow::Owned(text.to_owned())))
    }
}

macro_rules! set_from {
    ($($type:ty => $variant:ident),* $(,)?) => {$(
        impl From<Vec<$type>> for Value {
            fn from(values: Vec<$type>) -> Self {
                Self::$variant(values)
            }
        }
    )*};
}
set_from!(i64 => IntSet, Vec<u8> => BytesSet, Uuid => UuidSet, String => TextSet);

macro_rules! code_from {
    ($($type:ty),*) => {$(
        impl From<$type> for Value {
            fn from(code: $type) -> Self {
                Self::Int(Some(code.0))
            }
        }
        impl From<Option<$type>> for Value {
            fn from(code: Option<$type>) -> Self {
                Self::Int(code.map(|code| code.0))
            }
        }
    )*};
}
code_from!(IysCode, BrandCode, RetailerCode);

macro_rules! word_from {
    ($($type:ty),*) => {$(
        impl From<$type> for Value {
            fn from(word: $type) -> Self {
                Self::Text(Some(Cow::Borrowed(word.as_str())))
            }
        }
        impl From<Option<$type>> for Value {
            fn from(word: Option<$type>) -> Self {
                Self::Text(word.map(|word| Cow::Borrowed(word.as_str())))
            }
        }
    )*};
}
word_from!(Channel, ConsentStatus, RecipientType, Right, SubmissionState);

impl From<crate::Key> for Value {
    fn from(key: crate::Key) -> Self {
        Self::Bytes(Some(key.0.to_vec()))
    }
}

impl From<Vec<crate::Key>> for Value {
    fn from(keys: Vec<crate::Key>) -> Self {
        Self::BytesSet(keys.into_iter().map(|key| key.0.to_vec()).collect())
    }
}

/// Builds the argument list of a statement.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Value::from($value)),*] };
}

pub(crate) type PgQuery = Query<'static, Postgres, PgArguments>;

pub(crate) fn bind_postgres(query: PgQuery, value: Value) -> PgQuery {
    match value {
        Value::Int(v) => query.bind(v),
        Value::Bool(v) => query.bind(v),
        Value::Text(v) => query.bind(v),
        Value::Bytes(v) => query.bind(v),
        Value::Uuid(v) => query.bind(v),
        Value::Time(v) => query.bind(v),
        Value::IntSet(v) => query.bind(v),
        Value::BytesSet(v) => query.bind(v),
        Value::UuidSet(v) => query.bind(v),
        Value::TextSet(v) => query.bind(v),
    }
}

/// A row of either database, read by position.
#[derive(Debug)]
pub enum Row {
    /// From SQLite.
    Sqlite(Vec<sqlite::Cell>),
    /// From PostgreSQL.
    Postgres(PgRow),
}

/// What a column can be read as.
pub trait Cell: Sized {
    /// Reads a column by its position.
    fn read(row: &Row, index: usize) -> Result<Self>;
}

/// Both databases' reading of a type: how SQLite's cell becomes it, and PostgreSQL's own decoding.
macro_rules! cells {
    ($($type:ty: $cell:pat => $value:expr;)*) => {$(
        impl Cell for Option<$type> {
            fn read(row: &Row, index: usize) -> Result<Self> {
                match row {
                    Row::Sqlite(cells) => match cells.get(index) {
                        Some($cell) => Ok(Some($value)),
                        Some(sqlite::Cell::Null) => Ok(None),
                        _ => Err(StoreError::corrupt("column", concat!("not a ", stringify!($type)))),
                    },
                    Row::Postgres(row) => Ok(row.try_get(index)?),
                }
            }
        }
        impl Cell for $type {
            fn read(row: &Row, index: usize) -> Result<Self> {
                Option::<Self>::read(row, index)?
                    .ok_or_else(|| StoreError::corrupt("column", concat!("a ", stringify!($type), " is missing")))
            }
        }
    )*};
}
cells! {
    i64: sqlite::Cell::Integer(v) => *v;
    bool: sqlite::Cell::Integer(v) => *v != 0;
    String: sqlite::Cell::Text(v) => v.clone();
    Vec<u8>: sqlite::Cell::Blob(v) => v.clone();
    Uuid: sqlite::Cell::Blob(v) => {
        Uuid::from_slice(v).map_err(|_| StoreError::corrupt("column", "not sixteen bytes"))?
    };
    DateTime<Utc>: sqlite::Cell::Integer(v) => {
        DateTime::from_timestamp_micros(*v).ok_or_else(|| StoreError::corrupt("column", "time out of range"))?
    };
}

impl Row {
    /// Reads a column by its position.
    pub fn get<T: Cell>(&self, index: usize) -> Result<T> {
        T::read(self, index)
    }

    /// Reads a column that holds a word of the domain.
    pub fn word<T: std::str::FromStr>(&self, index: usize) -> Result<T> {
        let text: String = self.get(index)?;
        text.parse().map_err(|_| StoreError::corrupt("column", &text))
    }

    /// Reads a nullable column that holds a word of the domain.
    pub fn word_opt<T: std::str::FromStr>(&self, index: usize) -> Result<Option<T>> {
        let text: Option<String> = self.get(index)?;
        text.map(|text| text.parse().map_err(|_| StoreError::corrupt("column", &text))).transpose()
    }

    /// Reads a permission key.
    pub fn key(&self, index: usize) -> Result<crate::Key> {
        crate::Key::from_slice(&self.get::<Vec<u8>>(index)?)
    }
}
