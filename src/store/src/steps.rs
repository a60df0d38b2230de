//! Several statements in one go: one command to SQLite's thread, one round trip to PostgreSQL.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use futures::TryStreamExt as _;
use sqlx::Executor as _;

use crate::db::{Inner, Tx, read_only};
use crate::dialect::{Dialect, Insert, SQLITE_ROWS};
use crate::error::Result;
use crate::sql::{Row, SqliteQuery, Statement, Value, bind_postgres, bind_sqlite};

/// A statement with its values, to be run beside others by [`Tx::run`].
#[derive(Debug)]
pub enum Step {
    /// Any statement.
    Statement(&'static Statement, Vec<Value>),
    /// A bulk insert; none without rows.
    Insert(&'static Insert, Vec<Vec<Value>>),
}

impl Step {
    /// Names the text of this step among all: the address of its description and, where the text depends on it, how many rows.
    fn name(&self, dialect: Dialect) -> (usize, usize) {
        match (self, dialect) {
            (Self::Statement(statement, _), _) => (std::ptr::from_ref(*statement).addr(), 0),
            (Self::Insert(insert, _), Dialect::Postgres) => (std::ptr::from_ref(*insert).addr(), 0),
            (Self::Insert(insert, rows), Dialect::Sqlite) => (std::ptr::from_ref(*insert).addr(), rows.len()),
        }
    }

    fn text(&self, dialect: Dialect) -> &'static str {
        match self {
            Self::Statement(statement, _) => statement.for_dialect(dialect),
            Self::Insert(insert, rows) => insert.text(dialect, rows.len()),
        }
    }
}

/// A joined text, and for SQLite which of its values each mark of a step takes.
#[derive(Debug, Clone, Copy)]
struct Joined {
    text: &'static str,
    order: &'static [Vec<usize>],
}

/// Texts by the names of their steps, made once: sqlx caches prepared statements by text.
type Texts = HashMap<(Dialect, &'static str, &'static str, Vec<(usize, usize)>), Joined>;

static TEXTS: LazyLock<Mutex<Texts>> = LazyLock::new(Mutex::default);

impl Tx {
    /// Runs steps that do not see each other's writes: they may happen in any order, and on PostgreSQL all see the state before
    /// the first.
    pub async fn run(&mut self, steps: Vec<Step>) -> Result<()> {
        for group in groups(steps, self.dialect()) {
            self.run_group(group, "").await?;
        }
        Ok(())
    }

    /// As [`Tx::run`], stage by stage, and commits: a stage sees what those before it wrote. Nothing is acknowledged to
    /// anybody before this has returned.
    pub async fn run_and_commit(mut self, stages: Vec<Vec<Step>>) -> Result<()> {
        let dialect = self.dialect();
        let stages = match dialect {
            Dialect::Sqlite => vec![stages.into_iter().flatten().collect()],
            Dialect::Postgres => stages,
        };
        let mut groups = stages
            .into_iter()
            .flat_map(|steps| groups(steps, dialect))
            .collect::<Vec<_>>()
            .into_iter()
            .peekable();
        while let Some(group) = groups.next() {
            let last = dialect == Dialect::Sqlite && groups.peek().is_none() && group.len() > 1;
            self.run_group(group, if last { "COMMIT" } else { "" }).await?;
        }
        self.commit().await
    }

    async fn run_group(&mut self, mut steps: Vec<Step>, end: &'static str) -> Result<()> {
        if steps.len() < 2 {
            return match steps.pop() {
                Some(Step::Statement(statement, args)) => self.execute(statement, args).await.map(drop),
                Some(Step::Insert(insert, rows)) => self.insert(insert, rows).await.map(drop),
                None => Ok(()),
            };
        }
        let joined = joined(&steps, self.dialect(), "", end);
        match &mut self.0 {
            Inner::Sqlite(turn) => {
                bound(sqlx::query(joined.text), steps, joined).execute(turn.connection().await?).await?;
                if !end.is_empty() {
                    turn.committed();
                }
            }
            Inner::Postgres(tx) => {
                let query = steps.into_iter().fold(sqlx::query(joined.text), |query, step| match step {
                    Step::Statement(_, args) => args.into_iter().fold(query, bind_postgres),
                    Step::Insert(insert, rows) => insert.bind_postgres(query, rows),
                });
                query.execute(&mut **tx).await?;
            }
            Inner::SqliteRead(_) | Inner::PostgresRead(_) => return Err(read_only()),
        }
        Ok(())
    }

    /// The rows of several queries, in their order.
    pub async fn rows_of(&mut self, queries: Vec<(&'static Statement, Vec<Value>)>) -> Result<Vec<Vec<Row>>> {
        let mut answers = Vec::with_capacity(queries.len());
        match &mut self.0 {
            Inner::Sqlite(turn) => {
                let steps: Vec<Step> =
                    queries.into_iter().map(|(statement, args)| Step::Statement(statement, args)).collect();
                let start = turn.first();
                let joined = joined(&steps, Dialect::Sqlite, start, "");
                let mut results = turn.raw()?.fetch_many(bound(sqlx::query(joined.text), steps, joined));
                if !start.is_empty() {
                    // What BEGIN has to say.
                    results.try_next().await?;
                }
                let mut rows: Vec<Row> = Vec::new();
                while let Some(next) = results.try_next().await? {
                    match next.right() {
                        Some(row) => rows.push(Row::Sqlite(row)),
                        None => answers.push(std::mem::take(&mut rows)),
                    }
                }
            }
            _ => {
                for (statement, args) in queries {
                    answers.push(self.rows(statement, args).await?);
                }
            }
        }
        Ok(answers)
    }
}

/// What goes together. On PostgreSQL everything; SQLite's text of an insert depends on how many rows it has, so only inserts of
/// equally many are joined, or each mixture would be a text of its own to prepare and keep.
fn groups(steps: Vec<Step>, dialect: Dialect) -> Vec<Vec<Step>> {
    let mut groups: Vec<Vec<Step>> = Vec::new();
    let mut size = None;
    for step in steps {
        let rows = match (&step, dialect) {
            (Step::Insert(_, rows), _) if rows.is_empty() => continue,
            (Step::Insert(_, rows), Dialect::Sqlite) => Some(rows.len()),
            _ => None,
        };
        let fits = rows.is_none_or(|rows| rows <= SQLITE_ROWS && size.is_none_or(|size| size == rows));
        match groups.last_mut() {
            Some(group) if fits => group.push(step),
            _ => {
                groups.push(vec![step]);
                size = None;
            }
        }
        size = size.or(rows);
    }
    groups
}

fn bound(query: SqliteQuery, steps: Vec<Step>, joined: Joined) -> SqliteQuery {
    steps.into_iter().zip(joined.order).fold(query, |query, (step, order)| match step {
        Step::Statement(_, args) => {
            order.iter().fold(query, |query, place| bind_sqlite(query, args[*place].clone()))
        }
        Step::Insert(_, rows) => rows.into_iter().flatten().fold(query, bind_sqlite),
    })
}

fn joined(steps: &[Step], dialect: Dialect, start: &'static str, end: &'static str) -> Joined {
    let names = steps.iter().map(|step| step.name(dialect)).collect();
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    *texts.entry((dialect, start, end, names)).or_insert_with(|| match dialect {
        Dialect::Sqlite => join_sqlite(steps, start, end),
        Dialect::Postgres => join_postgres(steps),
    })
}

/// One statement after the other. The marks become nameless: SQLite looks names up one by one.
fn join_sqlite(steps: &[Step], start: &str, end: &str) -> Joined {
    let mut text = start.to_owned();
    let mut order = Vec::with_capacity(steps.len());
    for step in steps {
        let mut places = Vec::new();
        for piece in pieces(step.text(Dialect::Sqlite)) {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Numbered(number) => {
                    text.push('?');
                    places.push(number - 1);
                }
            }
        }
        order.push(places);
        text.push_str(";\n");
    }
    text.push_str(end);
    Joined { text: text.leak(), order: order.leak() }
}

/// Data-modifying WITH parts of one statement, their marks numbered through.
fn join_postgres(steps: &[Step]) -> Joined {
    let mut text = String::from("WITH ");
    let mut bound = 0;
    for (index, step) in steps.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let mut written = write!(text, "{separator}step{index} AS (");
        for piece in pieces(step.text(Dialect::Postgres)) {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Numbered(number) => written = written.and(write!(text, "${}", bound + number)),
            }
        }
        debug_assert!(written.is_ok(), "writing to a String does not fail");
        text.push(')');
        bound += match step {
            Step::Statement(_, args) => args.len(),
            Step::Insert(insert, _) => insert.types.len(),
        };
    }
    text.push_str(" SELECT 1");
    Joined { text: text.leak(), order: &[] }
}

enum Piece<'a> {
    Text(&'a str),
    Numbered(usize),
}

/// Splits a text at its numbered marks (`$1`).
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut parts = text.split('$');
    let mut pieces: Vec<Piece<'_>> = parts.next().map(Piece::Text).into_iter().collect();
    for part in parts {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let (number, rest) = part.split_at(digits);
        pieces.push(number.parse().map_or(Piece::Text("$"), Piece::Numbered));
        pieces.push(Piece::Text(rest));
    }
    pieces
}
