//! What is done on a connection.

use std::path::Path;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Statement as Prepared};

use crate::dialect::{self, Dialect, Insert};
use crate::error::{Result, StoreError};
use crate::sql::{Row, Value};
use crate::sqlite::BUSY;
use crate::sqlite::wal::Wal;
use crate::steps::Step;

/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 400;

/// One statement, or many with one text, of an order.
#[derive(Debug)]
pub(crate) enum Job {
    /// Outside of a transaction: see [`Sqlite::serve`](super::Sqlite::serve).
    Serve,
    Begin,
    Commit,
    Statement(&'static str, Vec<Value>),
    Insert(&'static Insert, Vec<Vec<Value>>),
}

impl Job {
    pub fn of(step: Step) -> Self {
        match step {
            Step::Statement(statement, args) => Self::Statement(statement.for_dialect(Dialect::Sqlite), args),
            Step::Insert(insert, rows) => Self::Insert(insert, rows),
        }
    }
}

/// What came of a job.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub rows: Vec<Row>,
    pub changed: u64,
    /// Of a COMMIT, its number in the log.
    pub(super) commit: u64,
}
/// Opens a connection for reading, or the one that writes.
pub(super) fn open(path: &Path, writes: bool) -> Result<Connection> {
    let flags = if writes {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    } else {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    };
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Pages kept: those high in the trees, which are read again and again. A commit may walk over all that are kept, and where
    // there are more addresses than fit, more pages would not be found again either.
    if writes {
        let mode: String = connection.query_row("PRAGMA journal_mode = wal", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(StoreError::Address(format!(
                "{} cannot have a write-ahead log (journal mode {mode}); put it on a local disk",
                path.display()
            )));
        }
        // In full, a commit is on the disk before another process can see it.
        connection.execute_batch(
            "PRAGMA synchronous = full; PRAGMA foreign_keys = off; PRAGMA temp_store = memory;
             PRAGMA cache_size = -8000; PRAGMA cache_spill = off;",
        )?;
        Wal::prepare(&connection);
    } else {
        connection.execute_batch(
            "PRAGMA query_only = on; PRAGMA foreign_keys = off; PRAGMA temp_store = memory; PRAGMA cache_size = -8000;",
        )?;
    }
    Ok(connection)
}

/// Does one job.
pub(super) fn work(connection: &Connection, wal: Option<&Wal>, job: Job) -> rusqlite::Result<Done> {
    match job {
        Job::Serve => wal.map_or(Ok(()), |wal| wal.serve(connection)).map(|()| Done::default()),
        Job::Begin => one(connection, "BEGIN IMMEDIATE", &[]),
        Job::Commit => commit(connection, wal),
        Job::Statement(text, args) => one(connection, text, &args),
        Job::Insert(insert, rows) => {
            let mut done = Done::default();
            let mut statement = connection.prepare_cached(insert.text(Dialect::Sqlite))?;
            for row in &rows {
                execute(connection, &mut statement, row, &mut done)?;
            }
            Ok(done)
        }
    }
}

fn commit(connection: &Connection, wal: Option<&Wal>) -> rusqlite::Result<Done> {
    let commit = || one(connection, "COMMIT", &[]);
    let Some(wal) = wal else { return commit() };
    let (done, commit) = wal.commit(connection, commit);
    Ok(Done { commit, ..done? })
}

fn one(connection: &Connection, text: &str, args: &[Value]) -> rusqlite::Result<Done> {
    let mut done = Done::default();
    execute(connection, &mut *connection.prepare_cached(text)?, args, &mut done)?;
    Ok(done)
}

fn execute(
    connection: &Connection,
    statement: &mut Prepared<'_>,
    args: &[Value],
    done: &mut Done,
) -> rusqlite::Result<()> {
    for (index, value) in args.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, value)?;
    }
    let columns = statement.column_count();
    if columns == 0 {
        done.changed += statement.raw_execute()? as u64;
        return Ok(());
    }
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let cells = (0..columns).map(|column| row.get(column));
        done.rows.push(Row::Sqlite(cells.collect::<rusqlite::Result<_>>()?));
    }
    drop(rows);
    // Of what returns rows, only what writes changes any.
    if !statement.readonly() {
        done.changed += connection.changes();
    }
    Ok(())
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        fn borrowed<'v, T: ?Sized>(
            value: Option<&'v T>,
            of: impl Fn(&'v T) -> ValueRef<'v>,
        ) -> ToSqlOutput<'v> {
            ToSqlOutput::Borrowed(value.map_or(ValueRef::Null, of))
        }
        let integer =
            |value: Option<i64>| ToSqlOutput::Borrowed(value.map_or(ValueRef::Null, ValueRef::Integer));
        Ok(match self {
            Self::Int(v) => integer(*v),
            Self::Bool(v) => integer(v.map(i64::from)),
            Self::Text(v) => borrowed(v.as_deref(), |text: &str| ValueRef::Text(text.as_bytes())),
            Self::Bytes(v) => borrowed(v.as_deref(), ValueRef::Blob),
            Self::Uuid(v) => borrowed(v.as_ref(), |id| ValueRef::Blob(id.as_bytes())),
            // Microseconds since 1970: a quarter of a text's bytes, in the row and in each index.
            Self::Time(v) => integer(v.map(|time| time.timestamp_micros())),
            Self::IntSet(set) => dialect::json_list(set.iter(), |v, out| out.push_str(&v.to_string())).into(),
            Self::BytesSet(set) => dialect::json_list(set.iter(), |v, out| dialect::push_hex(v, out)).into(),
            Self::UuidSet(set) => {
                dialect::json_list(set.iter(), |v, out| dialect::push_hex(v.as_bytes(), out)).into()
            }
            Self::TextSet(set) => serde_json::Value::from(set.clone()).to_string().into(),
        })
    }
}
