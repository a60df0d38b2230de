//! How often something was sent by forms, by blind name and minute, shared by all replicas.

use chrono::{DateTime, Utc};
use kopru_domain::IysCode;

use crate::error::Result;
use crate::{Insert, Key, Tx, args, sql::Row, statements};

statements! {
    SINCE = "SELECT p.name, p.minute, p.posts
             FROM {each $2 bytes of form_posts AS p: p.iys_code = $1 AND p.name = wanted.value AND p.minute > $3}";
    PURGE = "DELETE FROM form_posts WHERE (iys_code, name, minute) IN
              (SELECT p.iys_code, p.name, p.minute FROM form_posts p {by form_posts_old} WHERE p.minute < $1 LIMIT $2)";
}

static ADD: Insert = Insert {
    head: "INSERT INTO form_posts (iys_code, name, minute, posts)",
    types: &["bigint", "bytea", "timestamptz", "bigint"],
    tail: "ON CONFLICT (iys_code, name, minute) DO UPDATE SET posts = form_posts.posts + 1",
};

/// The bulk inserts of this module by name.
pub(crate) static INSERTS: &[(&str, &Insert)] = &[("ADD", &ADD)];

/// What was sent in a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostsRow {
    /// Blind name of the sender.
    pub name: Key,
    /// Its begin (wire time).
    pub minute: DateTime<Utc>,
    /// How much.
    pub posts: i64,
}

/// Counts one more for each of these names, and returns what they have sent since an instant, this one included. Who counts the same
/// name in the same minute waits for the commit.
pub async fn add(
    tx: &mut Tx,
    provider: IysCode,
    mut names: Vec<Key>,
    minute: DateTime<Utc>,
    since: DateTime<Utc>,
) -> Result<Vec<PostsRow>> {
    // In one order, so that nobody waits for who waits for him.
    names.sort_unstable();
    names.dedup();
    let rows = names.iter().map(|name| args![provider, *name, minute, 1_i64]).collect();
    tx.insert(&ADD, rows).await?;
    tx.rows(&SINCE, args![provider, names, since]).await?.iter().map(read).collect()
}

/// Forgets the minutes before an instant (wire time); returns how many.
pub async fn purge(tx: &mut Tx, before: DateTime<Utc>, limit: i64) -> Result<u64> {
    tx.execute(&PURGE, args![before, limit]).await
}

fn read(row: &Row) -> Result<PostsRow> {
    Ok(PostsRow { name: row.key(0)?, minute: row.get(1)?, posts: row.get(2)? })
}
