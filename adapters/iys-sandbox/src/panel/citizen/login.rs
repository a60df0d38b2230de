//! Logging in as a citizen: an address, and the code that was sent to it.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use maud::html;

use crate::address::{self, Kind};
use crate::error::Result;
use crate::http::App;
use crate::panel::form::Mistakes;
use crate::panel::frame::{Field, Page, form};
use crate::panel::session::{Door, Visit, Who};
use crate::panel::{self, Guest, PageError, Why, guest_form, log_in, see_other};
use crate::store::outbox::{self, Letter};

/// How often a wrong code may be entered.
const TRIES: u8 = 3;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Query(why): Query<Why>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let guest = Guest::of(&app, Door::Citizen, &headers, why.oturum.is_some())?;
    if matches!(guest.visit.who, Who::Citizen(_)) {
        return Ok(see_other("/vatandas"));
    }
    let page = guest.page(Door::Citizen, "Giriş");
    let response = address_page(&app, &guest.visit, &page, "");
    Ok(guest.with_cookie(response))
}

fn address_page(app: &App, visit: &Visit, page: &Page, value: &str) -> Response {
    let field = Field {
        name: "adres",
        label: "Telefon numarası ya da e-posta adresi",
        hint: "Uydurma bir adres yazabilirsiniz. Örnek: 0555 111 22 33 ya da ali@ornek.com",
        value,
        autocomplete: "username",
        ..Field::default()
    };
    page.show(&html! {
        p { "Adresinize verilmiş izinleri burada görür, onay verir ya da reddedersiniz." }
        (form(visit, "/vatandas/giris", &html! {
            (field.show(&page.mistakes))
            (panel::control_token_field(app, &page.mistakes))
            button type="submit" { "Kod gönder" }
        }))
    })
}

/// Takes an address and makes a code for it.
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PageError> {
    let (visit, form) = guest_form(&app, Door::Citizen, &headers, &body)?;
    let given = form.get("adres");
    let address = address::lenient(given);
    let policy = app.registry.settings.get().settings.address_policy();
    let mut mistakes = Mistakes::default();
    if address::kind(&address, policy) == Kind::Neither {
        mistakes.add("adres", "Geçerli bir telefon numarası ya da e-posta adresi yazın.");
    }
    panel::check_control_token(&app, &form, &mut mistakes);
    if !mistakes.is_empty() {
        let page = Page::new(Door::Citizen, "Giriş").mistaken(mistakes);
        return Ok(address_page(&app, &visit, &page, given));
    }
    let code = code()?;
    let mut letter = Letter::new(&address, format!("İYS giriş kodunuz: {code}"), 0);
    letter.codes.insert("GIRIS".to_owned(), code.clone());
    app.registry.run(move |desk| outbox::send(desk.db, &Letter { sent_at: desk.now(), ..letter })).await?;
    app.sessions.put(&visit, Who::Asked { address, code, tries_left: TRIES });
    Ok(see_other("/vatandas/kod"))
}

/// Six random digits.
fn code() -> Result<String> {
    let mut bytes = [0_u8; 4];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{:06}", u32::from_be_bytes(bytes) % 1_000_000))
}

pub(super) async fn show_code(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let guest = Guest::of(&app, Door::Citizen, &headers, false)?;
    match &guest.visit.who {
        Who::Asked { address, code, .. } => {
            let page = guest.page(Door::Citizen, "Doğrulama kodu");
            Ok(code_page(&guest.visit, &page, address, code))
        }
        _ => Ok(see_other("/vatandas/giris")),
    }
}

fn code_page(visit: &Visit, page: &Page, address: &str, code: &str) -> Response {
    let field = Field {
        name: "kod",
        label: "Doğrulama kodu",
        hint: "6 haneli.",
        autocomplete: "one-time-code",
        keyboard: Some("numeric"),
        ..Field::default()
    };
    page.show(&html! {
        p { strong { (address) } " adresine bir kod gönderildi." }
        p.aside { "Deneme ortamında hiçbir şey dışarı gönderilmez. Kodunuz: " strong.code { (code) } }
        (form(visit, "/vatandas/kod", &html! {
            (field.show(&page.mistakes))
            button type="submit" { "Giriş yap" }
        }))
        p { a href="/vatandas/giris" { "Başka bir adresle giriş yap" } }
    })
}

/// Takes the code.
pub(super) async fn enter(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PageError> {
    let (visit, form) = guest_form(&app, Door::Citizen, &headers, &body)?;
    let Who::Asked { address, code, tries_left } = visit.who.clone() else {
        return Ok(see_other("/vatandas/giris"));
    };
    if form.get("kod") == code {
        return Ok(log_in(&app, Door::Citizen, &visit, Who::Citizen(address))?);
    }
    let tries_left = tries_left.saturating_sub(1);
    if tries_left == 0 {
        app.sessions.put(&visit, Who::Nobody);
        let mistakes = Mistakes::of("adres", "Kod üç kez yanlış girildi. Yeni bir kod isteyin.");
        let page = Page::new(Door::Citizen, "Giriş").mistaken(mistakes);
        return Ok(address_page(&app, &visit, &page, &address));
    }
    let mistakes = Mistakes::of("kod", format!("Kod yanlış. {tries_left} deneme hakkınız kaldı."));
    let page = Page::new(Door::Citizen, "Doğrulama kodu").mistaken(mistakes);
    let response = code_page(&visit, &page, &address, &code);
    app.sessions.put(&visit, Who::Asked { address, code, tries_left });
    Ok(response)
}
