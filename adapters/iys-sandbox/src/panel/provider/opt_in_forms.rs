//! The provider's forms for opt-ins (protocol 10): what may be asked for with which method. Who starts an opt-in names
//! one of them as its `formId`.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};

use super::Provider;
use crate::control::opt_in::FormRequest;
use crate::control::providers::{ProviderRequest, Refused, put_provider};
use crate::error::Result;
use crate::panel::form::{Form, Mistakes};
use crate::panel::frame::{Field, Page, form, select, tick};
use crate::panel::session::Door;
use crate::panel::words::{self, CHANNELS};
use crate::panel::{PageError, Posted, Visitor};
use crate::registry::Desk;
use crate::rules::via::{ETK, KVK, KVK_TYPES};
use crate::store::via::{self, Form as OptInForm};
use crate::words::FormKind;

const PATH: &str = "/hizmet-saglayici/via-formlari";
const KINDS: [FormKind; 3] = [FormKind::Otp, FormKind::ShortUrl, FormKind::ApprovalUrl];

pub(super) async fn list(visitor: Visitor<Provider>) -> Result<Response, PageError> {
    let proposal = Form::of([("yayinda", "1".to_owned())]);
    list_page(&visitor, &proposal, Mistakes::default()).await
}

async fn list_page(
    visitor: &Visitor<Provider>,
    filled: &Form,
    mistakes: Mistakes,
) -> Result<Response, PageError> {
    let iys_code = visitor.person.iys_code;
    let forms = visitor.app.registry.run(move |desk| via::list_forms(desk.db, iys_code)).await?;
    let page = visitor.page("VİA formları", PATH).mistaken(mistakes);
    let number = Field::next_number("Form no", filled);
    Ok(page.show(&html! {
        p.dim { "VİA ile onay, burada tanımlı bir formun numarasıyla (" code { "formId" } ") istenir." }
        @if forms.is_empty() { p { "Henüz form yok." } } @else {
            ul.rows.card { @for form in &forms { (row(form)) } }
        }
        h2 { "Yeni form" }
        (form(&visitor.visit, PATH, &html! {
            (number.show(&page.mistakes))
            (fields(&page, filled))
            button type="submit" { "Form ekle" }
        }))
    }))
}

fn row(form: &OptInForm) -> Markup {
    let titles: Vec<String> = form
        .titles
        .iter()
        .map(|(title, types)| {
            let types: Vec<&str> = types.iter().map(|text| words::form_type(text)).collect();
            format!("{title}: {}", types.join(", "))
        })
        .collect();
    html! {
        li {
            div.what {
                strong { "Form " (form.id) }
                @if !form.published { " " span.badge.no { "Yayında değil" } }
                p.dim { (words::form_kind(form.kind)) }
                p.dim { (titles.join("; ")) }
            }
            a.button.quiet href={ (PATH) "/" (form.id) } { "Değiştir" span.hidden { ": form " (form.id) } }
        }
    }
}

/// The fields of a form, but its number.
fn fields(page: &Page, filled: &Form) -> Markup {
    let kinds: Vec<(String, String)> =
        KINDS.into_iter().map(|it| (it.as_str().to_owned(), words::form_kind(it).to_owned())).collect();
    let others = Field {
        name: "diger",
        label: "Kendi başlıklarınız",
        hint: "Her satıra bir başlık ve türleri: SADAKAT: ONAYLIYORUM",
        value: filled.get("diger"),
        lines: 3,
        optional: true,
        ..Field::default()
    };
    let choice = |title: &str, text: &str| {
        let ticked = filled.all(title).any(|value| value == text);
        tick(title, text, &format!("{title}: {}", words::form_type(text)), ticked)
    };
    html! {
        (select("tur", "Yöntem", &kinds, filled.get("tur"), &page.mistakes))
        fieldset #basliklar tabindex="-1" {
            legend { "Ne için onay istenir?" }
            @if let Some(mistake) = page.mistakes.at("basliklar") { p.mistake { (mistake) } }
            @for channel in CHANNELS { (choice(ETK, channel.as_str())) }
            @for text in KVK_TYPES { (choice(KVK, text)) }
            (others.show(&page.mistakes))
        }
        (tick("yayinda", "1", "Yayında", filled.is_ticked("yayinda")))
    }
}

/// A form as the page's fields have it.
fn filled_in(form: &OptInForm) -> Form {
    let mut fields = vec![("tur", form.kind.as_str().to_owned())];
    let mut others = Vec::new();
    for (title, types) in &form.titles {
        match [ETK, KVK].into_iter().find(|known| known == title) {
            Some(known) => fields.extend(types.iter().map(|text| (known, text.clone()))),
            None => others.push(format!("{title}: {}", types.join(", "))),
        }
    }
    fields.push(("diger", others.join("\n")));
    fields.extend(form.published.then(|| ("yayinda", "1".to_owned())));
    Form::of(fields)
}

/// What the fields ask for; which number it gets is decided later.
fn read(form: &Form) -> Result<FormRequest, Mistakes> {
    let mut titles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for title in [ETK, KVK] {
        let types: Vec<String> = form.all(title).map(str::to_owned).collect();
        if !types.is_empty() {
            titles.insert(title.to_owned(), types);
        }
    }
    for line in form.get("diger").lines().filter(|line| !line.trim().is_empty()) {
        let (title, types) = line.split_once(':').unwrap_or_default();
        let types: Vec<String> =
            types.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect();
        let title = title.trim();
        if title.is_empty() || types.is_empty() || titles.insert(title.to_owned(), types).is_some() {
            let sentence = "Her satıra başka bir başlık, iki nokta ve türlerini yazın: SADAKAT: ONAYLIYORUM";
            return Err(Mistakes::of("diger", sentence));
        }
    }
    Ok(FormRequest {
        form_id: 0,
        kind: form.get("tur").to_owned(),
        titles,
        published: form.is_ticked("yayinda"),
        remove: false,
    })
}

/// What the control interface's refusal means on the page.
fn mistake(refused: &Refused) -> Mistakes {
    match refused.0 {
        "forms[].formId" => {
            Mistakes::of("no", "Bu numara kullanılamaz. 1 ile 2147483647 arasında boş bir numara yazın.")
        }
        "forms[].kind" => Mistakes::of("tur", "Listeden bir yöntem seçin."),
        _ => Mistakes::of("basliklar", "En az bir başlığın listedeki türlerinden en az birini seçin."),
    }
}

pub(super) async fn add(Posted { visitor, form }: Posted<Provider>) -> Result<Response, PageError> {
    let number = match (form.get("no"), form.number("no")) {
        ("", _) => Ok(None),
        (_, Some(number)) => Ok(Some(number)),
        _ => Err(Mistakes::of("no", "Form no yalnız rakamlardan oluşur.")),
    };
    let (number, request) = match number.and_then(|number| Ok((number, read(&form)?))) {
        Ok(read) => read,
        Err(mistakes) => return list_page(&visitor, &form, mistakes).await,
    };
    let iys_code = visitor.person.iys_code;
    let added = visitor.app.registry.run(move |desk| put_new(desk, iys_code, number, request)).await?;
    match added {
        Ok(number) => Ok(visitor.go(PATH, format!("Form eklendi, numarası {number}."))),
        Err(mistakes) => list_page(&visitor, &form, mistakes).await,
    }
}

/// Adds a form under the wanted number, or the next one that nobody has.
fn put_new(
    desk: &Desk<'_>,
    iys_code: i64,
    wanted: Option<i64>,
    request: FormRequest,
) -> Result<Result<i64, Mistakes>> {
    let is_taken = |number: i64| -> Result<bool> { Ok(via::find_form(desk.db, number)?.is_some()) };
    let form_id = match wanted {
        Some(number) if is_taken(number)? => {
            return Ok(Err(Mistakes::of("no", "Bu numara kullanılıyor. Başka bir numara yazın.")));
        }
        Some(number) => number,
        None => {
            let own = via::list_forms(desk.db, iys_code)?;
            let mut number = own.last().map_or(1, |last| last.id + 1);
            while is_taken(number)? {
                number += 1;
            }
            number
        }
    };
    put(desk, iys_code, FormRequest { form_id, ..request })
}

/// Makes, changes or removes a form as the control interface does.
fn put(desk: &Desk<'_>, iys_code: i64, request: FormRequest) -> Result<Result<i64, Mistakes>> {
    let form_id = request.form_id;
    let request =
        ProviderRequest { iys_code: Some(iys_code), forms: vec![request], ..ProviderRequest::default() };
    Ok(put_provider(desk, request)?.map(|_| form_id).map_err(|refused| mistake(&refused)))
}

/// A form of this provider.
fn find(desk: &Desk<'_>, iys_code: i64, id: i64) -> Result<Option<OptInForm>> {
    Ok(via::find_form(desk.db, id)?.filter(|form| form.iys_code == iys_code))
}

pub(super) async fn show(visitor: Visitor<Provider>, Path(id): Path<i64>) -> Result<Response, PageError> {
    let iys_code = visitor.person.iys_code;
    let found = visitor.app.registry.run(move |desk| find(desk, iys_code, id)).await?;
    let found = found.ok_or(PageError::NotFound(Door::Provider))?;
    Ok(form_page(&visitor, id, &filled_in(&found), Mistakes::default()))
}

fn form_page(visitor: &Visitor<Provider>, id: i64, filled: &Form, mistakes: Mistakes) -> Response {
    let page = visitor.page(format!("VİA formu {id}"), PATH).mistaken(mistakes);
    let path = format!("{PATH}/{id}");
    page.show(&html! {
        (form(&visitor.visit, &path, &html! {
            (fields(&page, filled))
            button type="submit" { "Kaydet" }
        }))
        (form(&visitor.visit, &format!("{path}/kaldir"), &html! {
            button.quiet type="submit" { "Formu kaldır" }
        }))
    })
}

pub(super) async fn change(
    Path(id): Path<i64>,
    Posted { visitor, form }: Posted<Provider>,
) -> Result<Response, PageError> {
    let done = match read(&form) {
        Ok(request) => put_own(&visitor, FormRequest { form_id: id, ..request }).await?,
        Err(mistakes) => Err(mistakes),
    };
    match done {
        Ok(()) => Ok(visitor.go(PATH, format!("Form {id} kaydedildi."))),
        Err(mistakes) => Ok(form_page(&visitor, id, &form, mistakes)),
    }
}

pub(super) async fn remove(
    Path(id): Path<i64>,
    Posted { visitor, .. }: Posted<Provider>,
) -> Result<Response, PageError> {
    let request = FormRequest {
        form_id: id,
        kind: String::new(),
        titles: BTreeMap::new(),
        published: false,
        remove: true,
    };
    put_own(&visitor, request).await?.map_err(|_| PageError::Unreadable(Door::Provider))?;
    Ok(visitor.go(PATH, format!("Form {id} kaldırıldı.")))
}

/// Changes or removes a form that this provider has.
async fn put_own(
    visitor: &Visitor<Provider>,
    request: FormRequest,
) -> Result<Result<(), Mistakes>, PageError> {
    let iys_code = visitor.person.iys_code;
    let done = visitor
        .app
        .registry
        .run(move |desk| match find(desk, iys_code, request.form_id)? {
            Some(_) => put(desk, iys_code, request).map(Some),
            None => Ok(None),
        })
        .await?;
    Ok(done.ok_or(PageError::NotFound(Door::Provider))?.map(|_| ()))
}
