//! Opt-in forms and the processes that were started with them (protocol 10.1 to 10.6).

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::word;
use crate::error::Result;
use crate::words::{FormKind, RecipientType, Verification};

/// A form, as it is made in the web panel of the real registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) id: i64,
    pub(crate) iys_code: i64,
    pub(crate) kind: FormKind,
    pub(crate) published: bool,
    /// What it asks for: title → types.
    pub(crate) titles: BTreeMap<String, Vec<String>>,
}

fn read_form(row: &rusqlite::Row<'_>) -> rusqlite::Result<(Form, String)> {
    let form = Form {
        id: row.get(0)?,
        iys_code: row.get(1)?,
        kind: word(row, 2, FormKind::parse)?,
        published: row.get(3)?,
        titles: BTreeMap::new(),
    };
    Ok((form, row.get(4)?))
}

fn with_titles((form, titles): (Form, String)) -> Result<Form> {
    Ok(Form { titles: serde_json::from_str(&titles)?, ..form })
}

/// Looks a form up.
pub(crate) fn find_form(db: &Connection, form_id: i64) -> Result<Option<Form>> {
    let sql = "SELECT form_id, iys_code, kind, published, titles FROM via_forms WHERE form_id = ?1";
    db.prepare_cached(sql)?.query_row([form_id], read_form).optional()?.map(with_titles).transpose()
}

/// The forms of a provider.
pub(crate) fn list_forms(db: &Connection, iys_code: i64) -> Result<Vec<Form>> {
    let sql = "SELECT form_id, iys_code, kind, published, titles FROM via_forms WHERE iys_code = ?1
               ORDER BY form_id";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([iys_code], read_form)?.collect::<Result<Vec<_>, _>>()?;
    rows.into_iter().map(with_titles).collect()
}

/// Adds or replaces a form.
pub(crate) fn put_form(db: &Connection, form: &Form) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO via_forms (form_id, iys_code, kind, published, titles)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let Form { id, iys_code, kind, published, titles } = form;
    let titles = serde_json::to_string(titles)?;
    db.execute(sql, params![id, iys_code, kind.as_str(), published, titles])?;
    Ok(())
}

/// Removes a form. What was started with it goes on.
pub(crate) fn remove_form(db: &Connection, form_id: i64) -> Result<()> {
    db.execute("DELETE FROM via_forms WHERE form_id = ?1", [form_id])?;
    Ok(())
}

/// Whom a process is about, when personal data are asked for (protocol 10.1, `personData`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) id_number: Option<String>,
    pub(crate) address: Option<String>,
}

/// One thing that the citizen may approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    /// `ETK`, `KVK` or a title of the provider's own.
    pub(crate) title: String,
    /// A channel, or a text to agree to.
    pub(crate) choice: String,
    /// Only where the approval is given to a brand.
    pub(crate) brand_code: Option<i64>,
    /// Set once approved.
    pub(crate) grant: Option<Grant>,
}

/// An approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    /// 64 hexadecimal characters.
    pub(crate) transaction_id: String,
    /// Milliseconds since 1970.
    pub(crate) at_millis: i64,
}

/// A started opt-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) request_id: String,
    pub(crate) iys_code: i64,
    pub(crate) form_id: i64,
    pub(crate) method: Verification,
    pub(crate) recipient: String,
    /// Of the ETK part; individual without one.
    pub(crate) recipient_type: RecipientType,
    pub(crate) person: Option<Person>,
    /// The API user who started it.
    pub(crate) username: String,
    /// Milliseconds since 1970.
    pub(crate) requested_at: i64,
    /// What was written to the citizen.
    pub(crate) text: String,
    /// The part of the link that cannot be guessed.
    pub(crate) link_token: Option<String>,
    /// The codes by title.
    pub(crate) codes: BTreeMap<String, String>,
    /// Titles whose code was given.
    pub(crate) confirmed: Vec<String>,
    pub(crate) wrong_codes: u32,
    pub(crate) items: Vec<Item>,
    /// The message could not be delivered.
    pub(crate) undelivered: bool,
    /// When the citizen opened the link, milliseconds.
    pub(crate) opened_at: Option<i64>,
    /// When the citizen decided, milliseconds.
    pub(crate) decided_at: Option<i64>,
    /// The network address from which a link was answered.
    pub(crate) answered_from: Option<String>,
    /// The approval could not be stored.
    pub(crate) store_failed: bool,
}

/// Adds a process or stores its new state.
pub(crate) fn put(db: &Connection, process: &Process) -> Result<()> {
    let sql = "INSERT INTO via_processes (request_id, iys_code, recipient, link_token, process)
               VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (request_id) DO UPDATE SET process = ?5";
    let Process { request_id, iys_code, recipient, link_token, .. } = process;
    let process = serde_json::to_string(process)?;
    db.prepare_cached(sql)?.execute(params![request_id, iys_code, recipient, link_token, process])?;
    Ok(())
}

/// Looks a provider's process up.
pub(crate) fn find(db: &Connection, iys_code: i64, request_id: &str) -> Result<Option<Process>> {
    let sql = "SELECT process FROM via_processes WHERE request_id = ?1 AND iys_code = ?2";
    let text: Option<String> =
        db.prepare_cached(sql)?.query_row(params![request_id, iys_code], |row| row.get(0)).optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

/// Looks the process of a link up.
pub(crate) fn find_by_link(db: &Connection, link_token: &str) -> Result<Option<Process>> {
    let sql = "SELECT process FROM via_processes WHERE link_token = ?1";
    let text: Option<String> =
        db.prepare_cached(sql)?.query_row([link_token], |row| row.get(0)).optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

/// A provider's processes about an address, oldest first.
pub(crate) fn list_of_recipient(db: &Connection, iys_code: i64, recipient: &str) -> Result<Vec<Process>> {
    let sql = "SELECT process FROM via_processes WHERE iys_code = ?1 AND recipient = ?2 ORDER BY rowid";
    let mut statement = db.prepare_cached(sql)?;
    let texts = statement
        .query_map(params![iys_code, recipient], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    Ok(texts.iter().map(|text| serde_json::from_str(text)).collect::<Result<_, _>>()?)
}
