//! Templates and processes of the second-factor service (protocol 10.8).

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::word;
use crate::error::Result;
use crate::words::PassMethod;

/// A template of a message, as it is made in the web panel of the real registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    pub(crate) id: String,
    pub(crate) iys_code: i64,
    pub(crate) method: PassMethod,
}

/// Looks a template up.
pub(crate) fn find_template(db: &Connection, template_id: &str) -> Result<Option<Template>> {
    let sql = "SELECT template_id, iys_code, method FROM pass_templates WHERE template_id = ?1";
    Ok(db.prepare_cached(sql)?.query_row([template_id], read_template).optional()?)
}

/// The templates of a provider.
pub(crate) fn list_templates(db: &Connection, iys_code: i64) -> Result<Vec<Template>> {
    let sql = "SELECT template_id, iys_code, method FROM pass_templates WHERE iys_code = ?1
               ORDER BY template_id";
    Ok(db.prepare_cached(sql)?.query_map([iys_code], read_template)?.collect::<Result<_, _>>()?)
}

fn read_template(row: &rusqlite::Row<'_>) -> rusqlite::Result<Template> {
    Ok(Template { id: row.get(0)?, iys_code: row.get(1)?, method: word(row, 2, PassMethod::parse)? })
}

/// Adds or replaces a template.
pub(crate) fn put_template(db: &Connection, template: &Template) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO pass_templates (template_id, iys_code, method) VALUES (?1, ?2, ?3)";
    db.execute(sql, params![template.id, template.iys_code, template.method.as_str()])?;
    Ok(())
}

/// A line of a process's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) status: String,
    pub(crate) description: String,
    /// Milliseconds since 1970.
    pub(crate) at_millis: i64,
}

/// A started verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) request_id: String,
    pub(crate) iys_code: i64,
    pub(crate) method: PassMethod,
    pub(crate) recipient: String,
    /// The sender's tax number.
    pub(crate) vkn: String,
    /// The API user who started it.
    pub(crate) username: String,
    /// What was written to the person.
    pub(crate) text: String,
    pub(crate) code: Option<String>,
    pub(crate) short_url: Option<String>,
    pub(crate) wrong_codes: u32,
    /// Milliseconds since 1970.
    pub(crate) started_at: i64,
    pub(crate) completed_at: Option<i64>,
    /// The network address that completed it.
    pub(crate) completed_from: Option<String>,
    pub(crate) events: Vec<Event>,
}

/// Adds a process or stores its new state.
pub(crate) fn put(db: &Connection, process: &Process) -> Result<()> {
    let sql = "INSERT INTO pass_processes (request_id, iys_code, short_url, process)
               VALUES (?1, ?2, ?3, ?4) ON CONFLICT (request_id) DO UPDATE SET process = ?4";
    let Process { request_id, iys_code, short_url, .. } = process;
    let process = serde_json::to_string(process)?;
    db.prepare_cached(sql)?.execute(params![request_id, iys_code, short_url, process])?;
    Ok(())
}

/// Looks a process up.
pub(crate) fn find(db: &Connection, request_id: &str) -> Result<Option<Process>> {
    let sql = "SELECT process FROM pass_processes WHERE request_id = ?1";
    read_process(db.prepare_cached(sql)?.query_row([request_id], |row| row.get(0)).optional()?)
}

/// Looks the process of a link up.
pub(crate) fn find_by_short_url(db: &Connection, short_url: &str) -> Result<Option<Process>> {
    let sql = "SELECT process FROM pass_processes WHERE short_url = ?1";
    read_process(db.prepare_cached(sql)?.query_row([short_url], |row| row.get(0)).optional()?)
}

fn read_process(text: Option<String>) -> Result<Option<Process>> {
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}
