//! The file's own keys. What stands in `partners`, `providers` and `faults` is read as the control interface reads it.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::ScenarioError;
use crate::words::{Channel, RecipientType, Status};

/// How far the codes of copies are apart.
const CODES_APART: i64 = 1000;

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct File {
    /// For people.
    #[serde(default)]
    pub(super) description: String,
    /// Other seeds make other addresses.
    #[serde(default)]
    pub(super) seed: u64,
    #[serde(default)]
    pub(super) settings: Table,
    #[serde(default)]
    pub(super) partners: Vec<Table>,
    #[serde(default)]
    pub(super) providers: Vec<Table>,
    #[serde(default)]
    pub(super) consents: Vec<ConsentEntry>,
    #[serde(default)]
    pub(super) faults: Vec<Table>,
}

/// A movement that is recorded already.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ConsentEntry {
    pub(super) brand_code: i64,
    pub(super) recipient: String,
    #[serde(default = "individual")]
    pub(super) recipient_type: RecipientType,
    pub(super) r#type: Channel,
    pub(super) status: Status,
    #[serde(default = "web")]
    pub(super) source: String,
    /// As the registry writes dates; the present when absent.
    pub(super) consent_date: Option<String>,
}

/// Consents that are made up, for each brand of a provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Generated {
    /// So many addresses of each brand.
    pub(super) count: u32,
    /// A record on each of these channels.
    #[serde(default = "message")]
    pub(super) types: Vec<Channel>,
    #[serde(default = "individual")]
    pub(super) recipient_type: RecipientType,
    /// How many of a hundred have been rejected since.
    #[serde(default = "ten")]
    pub(super) rejected_percent: u8,
    /// Over how many past days they are spread.
    #[serde(default = "year")]
    pub(super) days: u32,
}

fn individual() -> RecipientType {
    RecipientType::Individual
}

fn web() -> String {
    "HS_WEB".to_owned()
}

fn message() -> Vec<Channel> {
    vec![Channel::Message]
}

const fn ten() -> u8 {
    10
}

const fn year() -> u32 {
    365
}

/// What a provider of the file has beyond the control interface's keys.
#[derive(Debug, Clone)]
pub(super) struct Extra {
    pub(super) copies: u32,
    pub(super) generated: Option<Generated>,
}

impl Extra {
    /// Takes the scenario's own keys out of a provider.
    pub(super) fn take(provider: &mut Table, field: &str) -> Result<Self, ScenarioError> {
        let copies = provider.remove("copies").unwrap_or(Value::Integer(1));
        let copies = copies.as_integer().and_then(|copies| u32::try_from(copies).ok());
        let copies = copies.filter(|copies| (1..=1000).contains(copies)).ok_or_else(|| {
            let field = format!("{field}.copies");
            ScenarioError::invalid(
                field,
                "1 ile 1000 arasında bir sayı olmalı",
                "wants a number from 1 to 1000",
            )
        })?;
        let generated = match provider.remove("generated") {
            Some(value) => Some(read(value, &format!("{field}.generated"))?),
            None => None,
        };
        Ok(Self { copies, generated })
    }
}

/// Reads a part of the file into what the control interface takes.
pub(super) fn read<T: DeserializeOwned>(value: Value, field: &str) -> Result<T, ScenarioError> {
    value.try_into().map_err(|error| {
        let text = error.to_string().trim().replace('\n', " ");
        ScenarioError::invalid(field, format!("okunamadı: {text}"), text)
    })
}

/// The copy of this number, from 1, of a provider: its codes are moved and `{n}` in texts is the number. The numbers of
/// partners stay what they are.
pub(super) fn copy(provider: &Table, number: u32) -> Value {
    let mut copy = Value::Table(provider.clone());
    shift(&mut copy, "", i64::from(number));
    copy
}

fn shift(value: &mut Value, key: &str, number: i64) {
    match value {
        Value::Table(table) => table.iter_mut().for_each(|(key, value)| shift(value, key, number)),
        Value::Array(items) => items.iter_mut().for_each(|item| shift(item, key, number)),
        Value::String(text) => *text = text.replace("{n}", &number.to_string()),
        Value::Integer(code) if matches!(key, "iysCode" | "brandCode" | "retailers" | "retailerCode") => {
            *code += (number - 1) * CODES_APART;
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_differ_in_codes_and_names_and_in_nothing_else() {
        let text = r#"
            iysCode = 1
            title = "Firma {n}"
            brands = [{ brandCode = 2, name = "Marka", retailers = [10000001] }]
            authorisations = [{ integratorCode = 9, brandCode = 2 }]
            subscription = { consentLimit = 5 }
        "#;
        let third = copy(&text.parse().unwrap(), 3);
        let wanted: Table = r#"
            iysCode = 2001
            title = "Firma 3"
            brands = [{ brandCode = 2002, name = "Marka", retailers = [10002001] }]
            authorisations = [{ integratorCode = 9, brandCode = 2002 }]
            subscription = { consentLimit = 5 }
        "#
        .parse()
        .unwrap();
        assert_eq!(third, Value::Table(wanted));
    }
}
