//! What a form may hold: what could break its page, or could not be read on it, is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kopru_domain::via::Confirmer;
use kopru_domain::{Channel, LegalTextKind, Text, TextRef};
use kopru_store::brands::BrandRow;
use kopru_store::{Tx, texts};
use url::Url;

use super::colour::{self, Colour};
use super::{FormContent, Theme};
use crate::service::via::{self, Wanted};
use crate::service::{FieldProblem, ServiceError, ServiceResult, providers};

/// Digits of a MERSİS number.
const MERSIS_DIGITS: usize = 16;
/// Bytes of a logo at most.
const LARGEST_LOGO: usize = 64 * 1024;
const MOST_ORIGINS: usize = 20;

/// A form whose every part can be shown.
pub(super) async fn checked(
    tx: &mut Tx,
    brand: &BrandRow,
    mut content: FormContent,
) -> ServiceResult<FormContent> {
    let mut problems = shape_problems(&mut content);
    for (field, name, notice) in [("text", &content.text, false), ("notice", &content.notice, true)] {
        problems.extend(text_problem(tx, brand, field, name, notice).await?);
    }
    problems.extend(confirmation_problem(tx, brand, &content).await?);
    if problems.is_empty() { Ok(content) } else { Err(ServiceError::Invalid(problems)) }
}

/// What the registry is wanted for and cannot do: each kind of address that the form takes needs a way of the brand's.
async fn confirmation_problem(
    tx: &mut Tx,
    brand: &BrandRow,
    content: &FormContent,
) -> ServiceResult<Option<FieldProblem>> {
    if content.confirmation != Some(Confirmer::Via) {
        return Ok(None);
    }
    if !content.double_opt_in {
        let title = Text::fixed(
            "doubleOptIn kapalıyken doğrulama olmaz; alanı göndermeyin ya da doubleOptIn açın",
            "nothing is confirmed with doubleOptIn off; leave the field out or turn doubleOptIn on",
        );
        return Ok(Some(providers::field_problem("confirmation", "unneeded", title)));
    }
    let (mail, phone): (Vec<Channel>, Vec<Channel>) =
        content.channels.iter().partition(|channel| **channel == Channel::Email);
    let both = !phone.is_empty();
    for (channels, links_only) in [(phone, false), (mail, both)].iter().filter(|(some, _)| !some.is_empty()) {
        let links_only = *links_only;
        let wanted = Wanted { confirmer: content.confirmation, links_only, ..Wanted::default() };
        if let Err(problem) = via::way(tx, brand, wanted, channels).await? {
            return Ok(Some(FieldProblem { field: "confirmation".to_owned(), ..problem }));
        }
    }
    Ok(None)
}

async fn text_problem(
    tx: &mut Tx,
    brand: &BrandRow,
    field: &str,
    name: &str,
    notice: bool,
) -> ServiceResult<Option<FieldProblem>> {
    let found = match name.parse::<TextRef>() {
        Ok(name) => texts::find(tx, brand.iys_code, brand.brand_code, &name).await?,
        Err(_) => None,
    };
    let fits = |kind| if notice { kind == LegalTextKind::Notice } else { kind == LegalTextKind::Consent };
    if found.is_some_and(|found| fits(found.text.kind)) {
        return Ok(None);
    }
    let kind = if notice { "notice" } else { "consent" };
    let title = Text::new(
        format!(
            "markanın {kind} türündeki bir metin sürümü olmalı (kod/sürüm); metinleri GET …/texts ile listeleyin"
        ),
        format!(
            "it must be a version of one of the brand's texts of kind {kind} (code/version); list them with GET …/texts"
        ),
    );
    Ok(Some(providers::field_problem(field, "unknown_text", title)))
}

fn shape_problems(content: &mut FormContent) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let mut refuse = |field: &str, code: &str, tr: &'static str, en: &'static str| {
        problems.push(providers::field_problem(field, code, Text::fixed(tr, en)));
    };
    if content.mersis.len() != MERSIS_DIGITS || !content.mersis.bytes().all(|byte| byte.is_ascii_digit()) {
        refuse("mersis", "mersis", "16 haneli MERSİS numarası", "the MERSİS number has 16 digits");
    }
    content.channels.sort_unstable();
    content.channels.dedup();
    if content.channels.is_empty() {
        refuse("channels", "empty", "en az bir kanal yazın", "name at least one channel");
    }
    if content.retailer_code.is_some_and(|code| code <= 0) {
        refuse("retailerCode", "number", "sıfırdan büyük olmalı", "it must be above zero");
    }
    if content.allowed_origins.len() > MOST_ORIGINS || !content.allowed_origins.iter().all(|it| is_origin(it))
    {
        refuse(
            "allowedOrigins",
            "origin",
            "https://www.example.com gibi, yolsuz; en çok 20",
            "write them as https://www.example.com, without a path; at most 20",
        );
    }
    if content.domain.as_deref().is_some_and(|domain| !is_host(domain)) {
        refuse(
            "domain",
            "domain",
            "izin.example.com gibi bir alan adı",
            "a host name such as izin.example.com",
        );
    }
    let Theme { accent, background, text, logo } = &content.theme;
    for (field, colour) in [("theme.accent", accent), ("theme.background", background), ("theme.text", text)]
    {
        if colour.as_deref().is_some_and(|colour| Colour::parse(colour).is_none()) {
            refuse(field, "colour", "#0b5c8a gibi bir renk", "a colour such as #0b5c8a");
        }
    }
    if content.theme.text().contrast(content.theme.background()) < colour::TEXT {
        refuse(
            "theme.text",
            "contrast",
            "yazı zeminde okunmuyor (WCAG: en az 4,5 : 1)",
            "the text cannot be read on the background (WCAG: 4.5 : 1 at least)",
        );
    }
    if content.theme.accent().contrast(Colour::WHITE) < colour::TEXT {
        refuse(
            "theme.accent",
            "contrast",
            "düğmedeki beyaz yazı okunmuyor (WCAG: en az 4,5 : 1); daha koyu bir renk seçin",
            "white on the button cannot be read (WCAG: 4.5 : 1 at least); choose a darker colour",
        );
    }
    if logo.as_deref().is_some_and(|logo| !is_logo(logo)) {
        refuse(
            "theme.logo",
            "logo",
            "data:image/png;base64,… (png, jpeg, webp), en çok 64 kB",
            "data:image/png;base64,… (png, jpeg or webp), at most 64 kB",
        );
    }
    problems
}

fn is_origin(origin: &str) -> bool {
    Url::parse(origin).is_ok_and(|url| {
        matches!(url.scheme(), "https" | "http")
            && url.origin().is_tuple()
            && url.origin().ascii_serialization() == origin
    })
}

fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.contains('.') && host.split('.').all(label)
}

fn is_logo(logo: &str) -> bool {
    let encoded = ["png", "jpeg", "webp"]
        .iter()
        .find_map(|kind| logo.strip_prefix("data:image/")?.strip_prefix(kind)?.strip_prefix(";base64,"));
    encoded.is_some_and(|encoded| {
        encoded.len() <= LARGEST_LOGO * 4 / 3 + 4
            && STANDARD.decode(encoded).is_ok_and(|bytes| !bytes.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(change: impl FnOnce(&mut FormContent)) -> Vec<String> {
        let mut content = FormContent {
            mersis: "0123456789012345".to_owned(),
            text: "sms/1".to_owned(),
            notice: "kvkk/1".to_owned(),
            channels: vec![Channel::Message],
            double_opt_in: true,
            confirmation: None,
            retailer_code: None,
            allowed_origins: vec!["https://www.example.com".to_owned(), "http://127.0.0.1:8000".to_owned()],
            domain: Some("izin.example.com".to_owned()),
            theme: Theme { accent: Some("#0b5c8a".to_owned()), ..Theme::default() },
        };
        change(&mut content);
        shape_problems(&mut content).into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn what_could_break_a_page_is_refused() {
        assert!(wrong(|_| {}).is_empty());
        let colour = |text: &str| Some(text.to_owned());
        assert_eq!(wrong(|it| it.theme.background = colour("red;}body{x:y")), ["theme.background"]);
        assert_eq!(wrong(|it| it.theme.accent = colour("#ffff00")), ["theme.accent"], "white on yellow");
        assert_eq!(wrong(|it| it.theme.text = colour("#eeeeee")), ["theme.text"]);
        assert_eq!(wrong(|it| it.theme.logo = colour("data:image/svg+xml;base64,AAAA")), ["theme.logo"]);
        assert_eq!(wrong(|it| it.theme.logo = colour("https://example.com/x.png")), ["theme.logo"]);
        assert_eq!(wrong(|it| it.domain = colour("evil.com/x")), ["domain"]);
        for origin in ["*", "null", "https://a.example/x", "https://a.example/", "javascript:alert(1)"] {
            assert_eq!(
                wrong(|it| it.allowed_origins = vec![origin.to_owned()]),
                ["allowedOrigins"],
                "{origin}"
            );
        }
        assert_eq!(wrong(|it| it.channels.clear()), ["channels"]);
        assert_eq!(wrong(|it| "123".clone_into(&mut it.mersis)), ["mersis"]);
    }
}
