//! The provider's brands, and a new one.

use axum::response::Response;
use maud::html;

use super::Provider;
use crate::control::providers::{BrandRequest, ProviderRequest, put_provider};
use crate::error::Result;
use crate::panel::form::{Form, Mistakes};
use crate::panel::frame::{Field, form};
use crate::panel::words::number;
use crate::panel::{PageError, Posted, Visitor};
use crate::registry::Desk;
use crate::store::consents::count_by_status;
use crate::store::providers::{self, Brand};
use crate::store::retailers;

const NAME_MAX: usize = 100;
/// The largest number the page takes; the registry's own have six digits.
const CODE_MAX: i64 = 999_999_999;

/// A brand and what is recorded under it.
struct Counted {
    brand: Brand,
    approvals: i64,
    rejections: i64,
    retailers: i64,
}

pub(super) async fn show(visitor: Visitor<Provider>) -> Result<Response, PageError> {
    list(&visitor, &Form::default(), Mistakes::default()).await
}

async fn list(visitor: &Visitor<Provider>, filled: &Form, mistakes: Mistakes) -> Result<Response, PageError> {
    let iys_code = visitor.person.iys_code;
    let brands = visitor.app.registry.run(move |desk| counted(desk, iys_code)).await?;
    let page = visitor.page("Markalar", "/hizmet-saglayici/markalar").mistaken(mistakes);
    let name = Field { name: "ad", label: "Marka adı", value: filled.get("ad"), ..Field::default() };
    let code = Field::next_number("Marka no", filled);
    Ok(page.show(&html! {
        table {
            thead { tr {
                th scope="col" { "Marka" } th scope="col" { "No" } th.count scope="col" { "Onay" }
                th.count scope="col" { "Ret" } th.count scope="col" { "Bayi" }
            } }
            tbody {
                @for counted in &brands {
                    tr {
                        td data-label="Marka" {
                            (counted.brand.name) @if counted.brand.master { " " span.badge { "Ana marka" } }
                        }
                        td data-label="No" { (counted.brand.code) }
                        td.count data-label="Onay" { (number(counted.approvals)) }
                        td.count data-label="Ret" { (number(counted.rejections)) }
                        td.count data-label="Bayi" { (number(counted.retailers)) }
                    }
                }
            }
        }
        h2 { "Yeni marka" }
        (form(&visitor.visit, "/hizmet-saglayici/markalar", &html! {
            (name.show(&page.mistakes))
            (code.show(&page.mistakes))
            button type="submit" { "Marka ekle" }
        }))
    }))
}

fn counted(desk: &Desk<'_>, iys_code: i64) -> Result<Vec<Counted>> {
    let brands = providers::list_brands(desk.db, iys_code)?.into_iter().map(|brand| {
        let (approvals, rejections) = count_by_status(desk.db, brand.code)?;
        let retailers = retailers::count(desk.db, brand.code)?;
        Ok(Counted { brand, approvals, rejections, retailers })
    });
    brands.collect()
}

pub(super) async fn add(Posted { visitor, form }: Posted<Provider>) -> Result<Response, PageError> {
    let name = form.get("ad").to_owned();
    let mut mistakes = Mistakes::default();
    if !(2..=NAME_MAX).contains(&name.chars().count()) {
        mistakes.add("ad", format!("2 ile {NAME_MAX} karakter arasında bir ad yazın."));
    }
    let wanted = match form.get("no") {
        "" => None,
        text => match text.parse().ok().filter(|code| (1..=CODE_MAX).contains(code)) {
            Some(code) => Some(code),
            None => {
                mistakes.add("no", "Marka no yalnız rakamlardan oluşur, en çok 9 hane.");
                None
            }
        },
    };
    if !mistakes.is_empty() {
        return list(&visitor, &form, mistakes).await;
    }
    let iys_code = visitor.person.iys_code;
    let added = visitor.app.registry.run(move |desk| put(desk, iys_code, wanted, name)).await?;
    match added {
        Some(code) => {
            Ok(visitor.go("/hizmet-saglayici/markalar", format!("Marka eklendi, numarası {code}.")))
        }
        None => {
            list(&visitor, &form, Mistakes::of("no", "Bu numara kullanılıyor. Başka bir numara yazın.")).await
        }
    }
}

/// Adds a brand; its number, or nothing when the wanted one is taken.
fn put(desk: &Desk<'_>, iys_code: i64, wanted: Option<i64>, name: String) -> Result<Option<i64>> {
    let is_free = |code: i64| -> Result<bool> { Ok(providers::find_brand(desk.db, code)?.is_none()) };
    let brand_code = match wanted {
        Some(code) if !is_free(code)? => return Ok(None),
        Some(code) => code,
        None => {
            let own = providers::list_brands(desk.db, iys_code)?;
            let mut code = own.iter().map(|brand| brand.code).max().unwrap_or(iys_code) + 1;
            while !is_free(code)? {
                code += 1;
            }
            code
        }
    };
    let brand = BrandRequest { brand_code, name: Some(name), ..BrandRequest::default() };
    let request =
        ProviderRequest { iys_code: Some(iys_code), brands: vec![brand], ..ProviderRequest::default() };
    Ok(put_provider(desk, request)?.ok().map(|_| brand_code))
}
