//! The daily agreement on what was recorded: the last seven days of a brand (protocol 4.17).

use axum::extract::Query;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::Provider;
use crate::error::Result;
use crate::panel::form::Form;
use crate::panel::form::Mistakes;
use crate::panel::frame::{form, hidden, select};
use crate::panel::session::{Door, Visit};
use crate::panel::{PageError, Posted, Visitor};
use crate::registry::Desk;
use crate::registry::reports::{self, Progress};
use crate::store::providers::{self, Brand};
use crate::store::reports::Day;
use crate::wire_time;

#[derive(Debug, Deserialize)]
pub(super) struct Which {
    marka: Option<i64>,
}

/// The brands to choose from, and the days of the chosen one, the latest first.
struct Overview {
    brands: Vec<Brand>,
    chosen: i64,
    days: Vec<(Day, Progress)>,
}

fn overview(desk: &Desk<'_>, iys_code: i64, wanted: Option<i64>) -> Result<Option<Overview>> {
    let brands = providers::list_brands(desk.db, iys_code)?;
    let chosen = brands.iter().find(|brand| wanted.is_none_or(|code| code == brand.code));
    let Some(chosen) = chosen.map(|brand| brand.code) else { return Ok(None) };
    let mut days = Vec::new();
    for day in reports::reported_days(desk, chosen) {
        days.push((day, reports::progress(desk, day)?));
    }
    Ok(Some(Overview { brands, chosen, days }))
}

pub(super) async fn show(
    visitor: Visitor<Provider>,
    Query(which): Query<Which>,
) -> Result<Response, PageError> {
    let iys_code = visitor.person.iys_code;
    let found = visitor.app.registry.run(move |desk| overview(desk, iys_code, which.marka)).await?;
    let Overview { brands, chosen, days } = found.ok_or(PageError::NotFound(Door::Provider))?;
    let options: Vec<(String, String)> =
        brands.iter().map(|it| (it.code.to_string(), format!("{} ({})", it.name, it.code))).collect();
    let page = visitor.page("Mutabakat", "/hizmet-saglayici/mutabakat");
    Ok(page.show(&html! {
        p.dim { "Her günün hareketleri bir dosyada toplanır. Dosyanın özeti sizin kayıtlarınızdan çıkanla aynıysa o gün için mutabık kalırsınız." }
        form method="get" action="/hizmet-saglayici/mutabakat" {
            (select("marka", "Marka", &options, &chosen.to_string(), &Mistakes::default()))
            button.quiet type="submit" { "Göster" }
        }
        ul.rows.card { @for (day, progress) in &days { (row(&visitor.visit, *day, progress)) } }
    }))
}

fn row(visit: &Visit, day: Day, progress: &Progress) -> Markup {
    let date = wire_time::local(day.start).format("%d.%m.%Y").to_string();
    let state = match progress {
        Progress::Nothing => html! { span.badge { "Hareket yok" } },
        Progress::Awaited => html! { span.badge { "Hazırlanıyor" } },
        Progress::Done(report) if report.agreed => html! { span.badge.yes { "Mutabık" } },
        Progress::Done(_) => {
            let button = html! {
                (hidden("marka", &day.brand_code.to_string()))
                (hidden("gun", &day.start.to_string()))
                button.quiet type="submit" { "Mutabık kal" span.hidden { ": " (date) } }
            };
            form(visit, "/hizmet-saglayici/mutabakat", &button)
        }
    };
    html! {
        li {
            div.what {
                strong { (date) }
                @if let Progress::Done(report) = progress { p.dim { code { (hex::encode(&report.hash)) } } }
            }
            (state)
        }
    }
}

/// Agrees on a day.
pub(super) async fn agree(Posted { visitor, form }: Posted<Provider>) -> Result<Response, PageError> {
    let iys_code = visitor.person.iys_code;
    let agreed = visitor.app.registry.run(move |desk| put(desk, iys_code, &form)).await?;
    let brand_code = agreed.ok_or(PageError::Unreadable(Door::Provider))?;
    Ok(visitor.go(&format!("/hizmet-saglayici/mutabakat?marka={brand_code}"), "Mutabakat kaydedildi."))
}

/// Agrees on the day of a form; the brand, or nothing when there is no such report.
fn put(desk: &Desk<'_>, iys_code: i64, form: &Form) -> Result<Option<i64>> {
    let Some((brand_code, start)) = form.number("marka").zip(form.number("gun")) else { return Ok(None) };
    let brand = providers::find_brand(desk.db, brand_code)?;
    if brand.is_none_or(|brand| brand.iys_code != iys_code) {
        return Ok(None);
    }
    let day = reports::reported_days(desk, brand_code).find(|day| day.start == start);
    match day {
        Some(day) if reports::agree_on(desk, day)? => Ok(Some(brand_code)),
        _ => Ok(None),
    }
}
