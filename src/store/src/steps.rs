//! Several statements in one go: one order to SQLite's thread, one round trip to PostgreSQL.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::db::{Inner, Tx, read_only};
use crate::dialect::{Dialect, Insert};
use crate::error::Result;
use crate::sql::{Row, Statement, Value, bind_postgres};
use crate::sqlite::{Job, Unflushed};

/// A statement with its values, to be run beside others by [`Tx::run`].
#[derive(Debug)]
pub enum Step {
    /// Any statement.
    Statement(&'static Statement, Vec<Value>),
    /// A bulk insert; none without rows.
    Insert(&'static Insert, Vec<Vec<Value>>),
}

impl Step {
    /// Names the text of this step among all: the address of its description.
    fn name(&self) -> usize {
        match self {
            Self::Statement(statement, _) => std::ptr::from_ref(*statement).addr(),
            Self::Insert(insert, _) => std::ptr::from_ref(*insert).addr(),
        }
    }

    fn does_something(&self) -> bool {
        !matches!(self, Self::Insert(_, rows) if rows.is_empty())
    }
}

impl Tx {
    /// Runs steps that do not see each other's writes: they may happen in any order, and on PostgreSQL all see the state before
    /// the first.
    pub async fn run(&mut self, steps: Vec<Step>) -> Result<()> {
        let mut steps: Vec<Step> = steps.into_iter().filter(Step::does_something).collect();
        if steps.is_empty() {
            return Ok(());
        }
        match &mut self.0 {
            Inner::Sqlite(turn) => turn.run(steps.into_iter().map(Job::of).collect()).await.map(drop),
            Inner::Postgres(_) if steps.len() == 1 => match steps.swap_remove(0) {
                Step::Statement(statement, args) => self.execute(statement, args).await.map(drop),
                Step::Insert(insert, rows) => self.insert(insert, rows).await.map(drop),
            },
            Inner::Postgres(tx) => {
                let text = joined(&steps);
                let query = steps.into_iter().fold(sqlx::query(text), |query, step| match step {
                    Step::Statement(_, args) => args.into_iter().fold(query, bind_postgres),
                    Step::Insert(insert, rows) => insert.bind_postgres(query, rows),
                });
                query.execute(&mut **tx).await?;
                Ok(())
            }
            Inner::SqliteRead(_) | Inner::PostgresRead(_) => Err(read_only()),
        }
    }

    /// As [`Tx::run`], stage by stage, and commits: a stage sees what those before it wrote. Nothing is acknowledged to
    /// anybody before what this returns is [flushed](Unflushed::flushed); the next transaction may begin before.
    pub async fn run_and_commit(mut self, stages: Vec<Vec<Step>>) -> Result<Unflushed> {
        if matches!(self.0, Inner::Sqlite(_)) {
            let steps = stages.into_iter().flatten().filter(Step::does_something);
            return self.commit_early(steps.map(Job::of).collect()).await;
        }
        for stage in stages {
            self.run(stage).await?;
        }
        self.commit_early(Vec::new()).await
    }

    /// The rows of several queries, in their order.
    pub async fn rows_of(&mut self, queries: Vec<(&'static Statement, Vec<Value>)>) -> Result<Vec<Vec<Row>>> {
        if let Inner::Sqlite(turn) = &mut self.0 {
            let jobs = queries.into_iter().map(|(statement, args)| Job::of(Step::Statement(statement, args)));
            return Ok(turn.run(jobs.collect()).await?.into_iter().map(|done| done.rows).collect());
        }
        let mut answers = Vec::with_capacity(queries.len());
        for (statement, args) in queries {
            answers.push(self.rows(statement, args).await?);
        }
        Ok(answers)
    }
}

/// Joined texts by the names of their steps, made once: sqlx caches prepared statements by text.
static TEXTS: LazyLock<Mutex<HashMap<Vec<usize>, &'static str>>> = LazyLock::new(Mutex::default);

fn joined(steps: &[Step]) -> &'static str {
    let names = steps.iter().map(Step::name).collect();
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    texts.entry(names).or_insert_with(|| join(steps).leak())
}

/// Data-modifying WITH parts of one statement, their marks numbered through.
fn join(steps: &[Step]) -> String {
    let mut text = String::from("WITH ");
    let mut bound = 0;
    for (index, step) in steps.iter().enumerate() {
        let (step_text, values) = match step {
            Step::Statement(statement, args) => (statement.for_dialect(Dialect::Postgres), args.len()),
            Step::Insert(insert, _) => (insert.text(Dialect::Postgres), insert.types.len()),
        };
        let separator = if index == 0 { "" } else { ", " };
        let mut written = write!(text, "{separator}step{index} AS (");
        for piece in pieces(step_text) {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Numbered(number) => written = written.and(write!(text, "${}", bound + number)),
            }
        }
        debug_assert!(written.is_ok(), "writing to a String does not fail");
        text.push(')');
        bound += values;
    }
    text.push_str(" SELECT 1");
    text
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
