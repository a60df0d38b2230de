//! The part of `/_sandbox/providers` about opt-in services: packages with their credit, forms, templates
//! and short names, which the real registry has in its web panel and its sales.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::providers::{Applied, Named, Refused};
use super::ways::fold;
use crate::error::Result;
use crate::registry::Desk;
use crate::rules::via::is_known_type;
use crate::store::opt_in::{self as store, Package, UNLIMITED};
use crate::store::pass::{self, Template};
use crate::store::providers::SubscriptionStatus;
use crate::store::random_text;
use crate::store::via::{self, Form};
use crate::wire_time;
use crate::words::{FormKind, PassMethod, Product};

/// The credit of a new package.
const CREDIT: i64 = 1_000;
/// The largest number of a form (protocol 10.1).
const FORM_ID_MAX: i64 = i32::MAX as i64;
/// The most short names of a brand (protocol 10.7).
const SHORT_NAMES_MAX: usize = 3;
const YEAR: i64 = 365 * 24 * 60 * 60;

/// What of a package is set; the rest stays, or begins with 1000 credits.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PackageRequest {
    pub(crate) status: Option<String>,
    pub(crate) package: Option<String>,
    /// −1 never ends.
    pub(crate) credit: Option<i64>,
}

/// A form to create or replace.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FormRequest {
    pub(crate) form_id: i64,
    /// `SHORTURL`, `OTP` or `APPROVALURL`.
    #[serde(default)]
    pub(crate) kind: String,
    /// What it asks for: title → types.
    #[serde(default)]
    pub(crate) titles: BTreeMap<String, Vec<String>>,
    #[serde(default = "yes")]
    pub(crate) published: bool,
    /// Takes the form away instead.
    #[serde(default)]
    pub(crate) remove: bool,
}

fn yes() -> bool {
    true
}

/// A template of the second-factor service to create or replace.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TemplateRequest {
    pub(crate) template_id: String,
    /// `SMS_OTP`, `EMAIL_OTP`, `SMS_SHORT_URL` or `EMAIL_SHORT_URL`.
    pub(crate) method: String,
}

/// The opt-in part of a provider to create or change.
#[derive(Debug, Default)]
pub(crate) struct OptInRequest {
    pub(crate) via: Named<PackageRequest>,
    pub(crate) via_pass: Named<PackageRequest>,
    pub(crate) forms: Vec<FormRequest>,
    pub(crate) templates: Vec<TemplateRequest>,
    /// Brand and short names; the names replace the brand's old ones.
    pub(crate) short_names: Vec<(i64, Vec<String>)>,
}

/// What must hold before anything is written.
pub(super) fn check(desk: &Desk<'_>, iys_code: Option<i64>, request: &OptInRequest) -> Applied<()> {
    for package in [&request.via, &request.via_pass] {
        if let Named::Value(package) = package
            && let Err(refused) = check_package(package)
        {
            return Ok(Err(refused));
        }
    }
    for form in &request.forms {
        let owner = via::find_form(desk.db, form.form_id)?.map(|form| form.iys_code);
        if owner.is_some() && owner != iys_code {
            return Ok(Err(Refused("forms[].formId", "a form of this provider")));
        }
        if let Err(refused) = check_form(form) {
            return Ok(Err(refused));
        }
    }
    for template in &request.templates {
        if PassMethod::parse(&template.method).is_none() {
            return Ok(Err(Refused(
                "templates[].method",
                "SMS_OTP, EMAIL_OTP, SMS_SHORT_URL, EMAIL_SHORT_URL",
            )));
        }
        let owner = pass::find_template(desk.db, &template.template_id)?.map(|template| template.iys_code);
        if owner.is_some() && owner != iys_code {
            return Ok(Err(Refused("templates[].templateId", "a template of this provider")));
        }
    }
    for (brand_code, names) in &request.short_names {
        if names.len() > SHORT_NAMES_MAX || names.iter().any(|name| !is_short_name(name)) {
            return Ok(Err(Refused("shortNames", "at most 3 names of letters and digits, not a number")));
        }
        for name in names {
            let owner = store::brand_of_short_name(desk.db, &folded(name))?;
            if owner.is_some_and(|owner| owner != *brand_code) {
                return Ok(Err(Refused("shortNames", "names that no other brand has")));
            }
        }
    }
    Ok(Ok(()))
}

fn check_package(package: &PackageRequest) -> Result<(), Refused> {
    if package.status.as_deref().is_some_and(|status| SubscriptionStatus::parse(status).is_none()) {
        return Err(Refused("status", "ACTIVE, PAUSED, EXPIRED, CLOSED"));
    }
    if package.credit.is_some_and(|credit| credit < UNLIMITED) {
        return Err(Refused("credit", "0 or more, -1 for a credit that never ends"));
    }
    Ok(())
}

fn check_form(form: &FormRequest) -> Result<(), Refused> {
    if !(1..=FORM_ID_MAX).contains(&form.form_id) {
        return Err(Refused("forms[].formId", "1 to 2147483647"));
    }
    if form.remove {
        return Ok(());
    }
    if FormKind::parse(&form.kind).is_none() {
        return Err(Refused("forms[].kind", "SHORTURL, OTP, APPROVALURL"));
    }
    let fits = |(title, types): (&String, &Vec<String>)| {
        !title.trim().is_empty()
            && !types.is_empty()
            && types.iter().all(|text| !text.trim().is_empty() && is_known_type(title, text))
    };
    if form.titles.is_empty() || !form.titles.iter().all(fits) {
        return Err(Refused("forms[].titles", "one title or more, each with types that it knows"));
    }
    Ok(())
}

fn folded(name: &str) -> String {
    fold(name).trim().to_owned()
}

/// One word that cannot be taken for a brand's number or for the word before it.
fn is_short_name(name: &str) -> bool {
    let name = folded(name);
    !name.is_empty() && name != "RET" && !name.contains(' ') && name.parse::<i64>().is_err()
}

/// Applies what was checked.
pub(super) fn apply(desk: &Desk<'_>, iys_code: i64, request: OptInRequest) -> Result<()> {
    put_package(desk, iys_code, Product::Via, request.via)?;
    put_package(desk, iys_code, Product::Pass, request.via_pass)?;
    for FormRequest { form_id, kind, titles, published, remove } in request.forms {
        if remove {
            via::remove_form(desk.db, form_id)?;
            continue;
        }
        let Some(kind) = FormKind::parse(&kind) else { continue };
        via::put_form(desk.db, &Form { id: form_id, iys_code, kind, published, titles })?;
    }
    for TemplateRequest { template_id, method } in request.templates {
        let Some(method) = PassMethod::parse(&method) else { continue };
        pass::put_template(desk.db, &Template { id: template_id, iys_code, method })?;
    }
    for (brand_code, names) in request.short_names {
        let mut names: Vec<String> = names.iter().map(|name| folded(name)).collect();
        names.sort_unstable();
        names.dedup();
        store::put_short_names(desk.db, brand_code, &names)?;
    }
    Ok(())
}

fn put_package(
    desk: &Desk<'_>,
    iys_code: i64,
    product: Product,
    request: Named<PackageRequest>,
) -> Result<()> {
    let request = match request {
        Named::Absent => return Ok(()),
        Named::Null => return store::remove_package(desk.db, iys_code, product),
        Named::Value(request) => request,
    };
    let known = match store::find_package(desk.db, iys_code, product)? {
        Some(known) => known,
        None => Package {
            iys_code,
            product,
            id: random_text(8)?,
            name: if product == Product::Via { "ViA-25" } else { "VIA-PASS-25" }.to_owned(),
            status: SubscriptionStatus::Active,
            start_at: desk.now() - YEAR,
            expires_at: desk.now() + 10 * YEAR,
            credit: CREDIT,
        },
    };
    let status = request.status.as_deref().and_then(SubscriptionStatus::parse);
    store::put_package(
        desk.db,
        &Package {
            status: status.unwrap_or(known.status),
            name: request.package.unwrap_or(known.name),
            credit: request.credit.unwrap_or(known.credit),
            ..known
        },
    )
}

/// A package as the control interface shows it; `null` where there is none.
pub(super) fn package_view(desk: &Desk<'_>, iys_code: i64, product: Product) -> Result<Value> {
    let Some(package) = store::find_package(desk.db, iys_code, product)? else { return Ok(Value::Null) };
    Ok(json!({
        "id": package.id,
        "package": package.name,
        "status": package.status.as_str(),
        "startDate": wire_time::write(package.start_at),
        "expirationDate": wire_time::write(package.expires_at),
        "credit": package.credit,
    }))
}

/// The forms of a provider as the control interface shows them.
pub(super) fn forms_view(desk: &Desk<'_>, iys_code: i64) -> Result<Vec<Value>> {
    let forms = via::list_forms(desk.db, iys_code)?.into_iter().map(|form| {
        json!({
            "formId": form.id,
            "kind": form.kind,
            "titles": form.titles,
            "published": form.published,
        })
    });
    Ok(forms.collect())
}

/// The templates of a provider as the control interface shows them.
pub(super) fn templates_view(desk: &Desk<'_>, iys_code: i64) -> Result<Vec<Value>> {
    let templates = pass::list_templates(desk.db, iys_code)?.into_iter();
    Ok(templates.map(|t| json!({"templateId": t.id, "method": t.method})).collect())
}
