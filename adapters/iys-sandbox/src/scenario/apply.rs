//! Making what a scenario says.

use rusqlite::Connection;
use serde_json::Value as Json;
use toml::{Table, Value};

use super::consents;
use super::file::{Extra, File, copy, read};
use super::{Scenario, ScenarioError};
use crate::clock::Clock;
use crate::control;
use crate::control::problem::Problem;
use crate::control::providers::{PartnerRequest, ProviderRequest, apply_partner, put_provider};
use crate::error::Result;
use crate::http::faults::Fault;
use crate::registry::Desk;
use crate::sandbox::SeedInfo;
use crate::settings::{Effective, Settings};
use crate::store::accounts::{self, Account, Family};
use crate::store::{facts, providers};

/// What a scenario leaves to be put in place by the caller.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) settings: Settings,
    pub(crate) faults: Vec<Fault>,
    pub(crate) seed: Option<SeedInfo>,
}

/// Applies a scenario to an empty database, in one transaction.
pub(crate) fn apply(
    connection: &Connection,
    clock: &Clock,
    settings: &Settings,
    scenario: &Scenario,
) -> Result<Applied> {
    let file = &scenario.file;
    let transaction = connection.unchecked_transaction()?;
    if !is_empty(&transaction)? {
        return Err(ScenarioError::NotEmpty.into());
    }
    let settings = patched(settings, &file.settings)?;
    facts::put(&transaction, facts::SETTINGS, &settings)?;
    let effective = Effective::new(settings.clone());
    let desk = Desk::new(&transaction, clock.now_millis(), &effective);
    let partners = put_partners(&desk, file)?;
    let codes = put_providers(&desk, file)?;
    consents::put_listed(&desk, &file.consents)?;
    let seed = match (codes.first(), partners.first()) {
        (Some(iys_code), Some(integrator_code)) => seed_info(&desk, *iys_code, *integrator_code)?,
        _ => None,
    };
    if let Some(seed) = &seed {
        facts::put(&transaction, facts::SEED, seed)?;
    }
    let faults = file.faults.iter().enumerate().map(|(place, fault)| read_fault(place, fault));
    let faults = faults.collect::<Result<_, _>>()?;
    transaction.commit()?;
    Ok(Applied { settings, faults, seed })
}

fn is_empty(db: &Connection) -> Result<bool> {
    Ok(providers::list(db)?.is_empty() && providers::list_partners(db)?.is_empty())
}

/// The place of an entry in the file, for people.
fn entry(list: &str, place: usize) -> String {
    format!("{list}[{}]", place + 1)
}

fn refused(field: impl Into<String>, problem: &Problem) -> ScenarioError {
    let (tr, en) = problem.texts();
    ScenarioError::invalid(field, tr, en)
}

fn patched(present: &Settings, table: &Table) -> Result<Settings, ScenarioError> {
    let mut patch: Json = read(Value::Table(table.clone()), "settings")?;
    for value in patch.as_object_mut().into_iter().flat_map(|map| map.values_mut()) {
        if *value == "off" {
            *value = Json::Null;
        }
    }
    control::settings::patched(present, patch).map_err(|problem| refused("settings", &problem))
}

fn put_partners(desk: &Desk<'_>, file: &File) -> Result<Vec<i64>> {
    let mut codes = Vec::new();
    for (place, partner) in file.partners.iter().enumerate() {
        let field = entry("partners", place);
        let request: PartnerRequest = read(Value::Table(partner.clone()), &field)?;
        if let Some(code) = request.integrator_code
            && providers::find_partner(desk.db, code)?.is_some()
        {
            return Err(twice(&field, "integratorCode", code).into());
        }
        let put = control::providers::check_partner(&request).map_err(Problem::from);
        put.map_err(|problem| refused(&field, &problem))?;
        codes.push(apply_partner(desk, request)?);
    }
    Ok(codes)
}

fn put_providers(desk: &Desk<'_>, file: &File) -> Result<Vec<i64>> {
    let mut codes = Vec::new();
    for (place, provider) in file.providers.iter().enumerate() {
        let field = entry("providers", place);
        let mut provider = provider.clone();
        let extra = Extra::take(&mut provider, &field)?;
        for number in 1..=extra.copies {
            let request: ProviderRequest = read(copy(&provider, number), &field)?;
            if let Some(code) = request.iys_code
                && providers::find(desk.db, code)?.is_some()
            {
                return Err(twice(&field, "iysCode", code).into());
            }
            let put = put_provider(desk, request)?.map_err(Problem::from);
            let iys_code = put.map_err(|problem| refused(&field, &problem))?;
            if let Some(generated) = &extra.generated {
                consents::generate(desk, file.seed, iys_code, generated)?;
            }
            codes.push(iys_code);
        }
    }
    Ok(codes)
}

fn twice(field: &str, key: &str, code: i64) -> ScenarioError {
    ScenarioError::invalid(
        format!("{field}.{key}"),
        format!("{code} numarası daha önce kullanılmış; başka bir numara verin"),
        format!("{code} is used before; give another number"),
    )
}

fn read_fault(place: usize, fault: &Table) -> Result<Fault, ScenarioError> {
    let field = entry("faults", place);
    let order = read(Value::Table(fault.clone()), &field)?;
    control::faults::fault(order).map_err(|problem| refused(&field, &problem))
}

/// Whom a program that is tried out begins with; `None` where somebody is without a user or brand.
fn seed_info(desk: &Desk<'_>, iys_code: i64, integrator_code: i64) -> Result<Option<SeedInfo>> {
    let user = |family, code| -> Result<Option<Account>> {
        Ok(accounts::list(desk.db, family, code)?.into_iter().find(|account| !account.admin))
    };
    let brand = providers::list_brands(desk.db, iys_code)?.into_iter().next();
    let (partner, provider) = (user(Family::Partner, integrator_code)?, user(Family::Provider, iys_code)?);
    let (Some(brand), Some(partner), Some(provider)) = (brand, partner, provider) else { return Ok(None) };
    Ok(Some(SeedInfo {
        iys_code,
        brand_code: brand.code,
        integrator_code,
        username: partner.username,
        password: partner.password,
        provider_username: provider.username,
        provider_password: provider.password,
    }))
}
