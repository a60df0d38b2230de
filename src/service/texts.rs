//! Texts that people agree to or are informed by: kept in versions per brand, named in the evidence of consents.

use std::collections::{HashMap, HashSet};

use kopru_domain::legal_text::{LONGEST_CODE, ShownText, WordingError, is_code};
use kopru_domain::time::format_rfc3339;
use kopru_domain::{BrandCode, Evidence, IysCode, Lang, LegalText, LegalTextKind, Text, TextRef, Wording};
use kopru_store::brands::BrandRow;
use kopru_store::texts::{self, TextFacts, TextRow};
use kopru_store::{Priority, Tx, heads};
use serde::Serialize;
use utoipa::ToSchema;

use crate::bootstrap::App;
use crate::service::{Caller, FieldProblem, Scope, ServiceError, ServiceResult, brands, providers};

/// Texts of a brand, and versions of a text.
const MOST: usize = 1_000;

/// A text in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WordingView {
    /// Heading.
    pub title: String,
    /// Paragraphs, parted by an empty line.
    pub body: String,
}

impl From<Wording> for WordingView {
    fn from(wording: Wording) -> Self {
        Self { title: wording.title, body: wording.body }
    }
}

/// One version of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TextVersion {
    /// The brand.
    pub brand_code: i64,
    /// The text's code.
    #[schema(example = "sms-onay")]
    pub code: String,
    /// From 1.
    pub version: i64,
    /// How evidence names this version: `code/version`.
    #[schema(example = "sms-onay/1")]
    pub name: String,
    /// `consent`, `notice` (aydınlatma metni), `call_script` or `paper_form`.
    #[schema(value_type = String, example = "consent")]
    pub kind: &'static str,
    /// In Turkish.
    pub tr: WordingView,
    /// In English, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub en: Option<WordingView>,
    /// SHA-256 of the canonical form, hexadecimal.
    pub sha256: String,
    /// When the version was added, RFC 3339 with +03:00.
    pub created_at: String,
}

impl From<TextRow> for TextVersion {
    fn from(row: TextRow) -> Self {
        Self {
            brand_code: row.brand_code.0,
            name: row.name.to_string(),
            code: row.name.code,
            version: row.name.version,
            kind: row.text.kind.as_str(),
            tr: row.text.tr.into(),
            en: row.text.en.map(WordingView::from),
            sha256: hex::encode(row.sha256),
            created_at: format_rfc3339(row.created_at),
        }
    }
}

/// A version to be added, as it was written.
#[derive(Debug, Clone)]
pub struct NewText {
    /// The text's code; a new one begins a text.
    pub code: String,
    /// What it is for.
    pub kind: LegalTextKind,
    /// Title and body in Turkish.
    pub tr: (String, String),
    /// Title and body in English.
    pub en: Option<(String, String)>,
}

/// Adds a version of a text, the first where the code is new. What says the same as the newest version changes nothing and is
/// answered with that one; the flag tells whether a version was added. Needs `admin`.
pub async fn add_in(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    new: NewText,
) -> ServiceResult<(TextVersion, bool)> {
    caller.require(Scope::Admin)?;
    let brand = brands::visible(tx, caller, brand).await?;
    let (code, text) = checked(new)?;
    // Two changes at once are two versions.
    heads::lock(tx, brand.iys_code).await?;
    let newest = texts::versions(tx, brand.iys_code, brand.brand_code, &code, 1).await?.into_iter().next();
    if let Some(newest) = &newest {
        if newest.text.kind != text.kind {
            return Err(kind_is_fixed(newest.text.kind));
        }
        if newest.text == text {
            return Ok((newest.clone().into(), false));
        }
    } else if texts::newest(tx, brand.iys_code, brand.brand_code).await?.len() >= MOST {
        return Err(too_many());
    }
    let version = newest.map_or(1, |newest| newest.name.version + 1);
    if usize::try_from(version).is_ok_and(|version| version > MOST) {
        return Err(too_many());
    }
    let row = TextRow {
        iys_code: brand.iys_code,
        brand_code: brand.brand_code,
        name: TextRef { code, version },
        sha256: text.sha256(),
        text,
        created_at: app.clocks.wire(),
    };
    texts::add(tx, &row).await?;
    let subject = format!("text {} of brand {}", row.name, row.brand_code);
    providers::note(tx, app, caller, row.iys_code, "text.added", &subject).await?;
    Ok((row.into(), true))
}

/// As [`add_in`], in a transaction of its own.
pub async fn add(
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    new: NewText,
) -> ServiceResult<(TextVersion, bool)> {
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let added = add_in(&mut tx, app, caller, brand, new).await?;
    tx.commit().await?;
    Ok(added)
}

/// The newest version of each text of a brand, by code; of one kind where it is named.
pub async fn list(
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    kind: Option<LegalTextKind>,
) -> ServiceResult<Vec<TextVersion>> {
    caller.require(Scope::ConsentsRead)?;
    let mut tx = app.db.read().await?;
    let brand = brands::visible(&mut tx, caller, brand).await?;
    let rows = texts::newest(&mut tx, brand.iys_code, brand.brand_code).await?;
    Ok(rows.into_iter().filter(|row| kind.is_none_or(|kind| row.text.kind == kind)).map(Into::into).collect())
}

/// All versions of a text, newest first.
pub async fn history(
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    code: &str,
) -> ServiceResult<Vec<TextVersion>> {
    caller.require(Scope::ConsentsRead)?;
    let mut tx = app.db.read().await?;
    let brand = brands::visible(&mut tx, caller, brand).await?;
    let rows = texts::versions(&mut tx, brand.iys_code, brand.brand_code, code, MOST as i64).await?;
    if rows.is_empty() {
        Err(ServiceError::NotFound("text"))
    } else {
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

/// One version.
pub async fn get(app: &App, caller: &Caller, brand: BrandCode, name: &TextRef) -> ServiceResult<TextVersion> {
    caller.require(Scope::ConsentsRead)?;
    let mut tx = app.db.read().await?;
    let brand = brands::visible(&mut tx, caller, brand).await?;
    let row = texts::find(&mut tx, brand.iys_code, brand.brand_code, name).await?;
    row.map(Into::into).ok_or(ServiceError::NotFound("text"))
}

/// What is known of text versions that evidence names.
#[derive(Debug, Clone, Default)]
pub struct KnownTexts(HashMap<TextRef, TextFacts>);

impl KnownTexts {
    /// Looks up what a brand has of the texts that evidence names. Evidence that names none costs nothing.
    pub async fn of<'a>(
        app: &App,
        brand: &BrandRow,
        evidence: impl Iterator<Item = &'a Evidence>,
    ) -> ServiceResult<Self> {
        let shown = evidence.flat_map(|evidence| evidence.text.iter().chain(&evidence.notice));
        let codes: HashSet<String> = shown.map(|shown| shown.code.clone()).collect();
        if codes.is_empty() {
            return Ok(Self::default());
        }
        let mut tx = app.db.read().await?;
        Self::load(&mut tx, brand.iys_code, brand.brand_code, codes).await
    }

    async fn load(
        tx: &mut Tx,
        provider: IysCode,
        brand: BrandCode,
        codes: HashSet<String>,
    ) -> ServiceResult<Self> {
        let facts = texts::facts(tx, provider, brand, codes.into_iter().collect()).await?;
        Ok(Self(facts.into_iter().map(|facts| (facts.name.clone(), facts)).collect()))
    }

    /// Writes the hashes of the texts that evidence names into it; what cannot be named is a problem of its field.
    pub fn settle(&self, evidence: &mut Evidence) -> Result<(), Vec<FieldProblem>> {
        let mut problems = Vec::new();
        if let Some(shown) = &mut evidence.text {
            problems.extend(self.settle_one("evidence.text", shown, false).err());
            let claimed = evidence.text_sha256.as_ref().filter(|_| problems.is_empty());
            if claimed.is_some_and(|claimed| *claimed != shown.sha256) {
                problems.push(mismatch(shown));
            }
        }
        if let Some(shown) = &mut evidence.notice {
            problems.extend(self.settle_one("evidence.notice", shown, true).err());
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn settle_one(&self, field: &str, shown: &mut ShownText, notice: bool) -> Result<(), FieldProblem> {
        let name = shown.text();
        let Some(facts) = self.0.get(&name) else { return Err(unknown(field, &name)) };
        if (facts.kind == LegalTextKind::Notice) != notice {
            return Err(wrong_kind(field, &name, facts.kind));
        }
        if shown.lang == Lang::En && !facts.english {
            return Err(no_english(&name));
        }
        shown.sha256 = hex::encode(facts.sha256);
        Ok(())
    }
}

fn unknown(field: &str, name: &TextRef) -> FieldProblem {
    let title = Text::new(
        format!(
            "markanın {name} adlı bir metin sürümü yok; metinleri GET …/texts ile listeleyin ya da önce ekleyin"
        ),
        format!("the brand has no text version {name}; list them with GET …/texts, or add it first"),
    );
    providers::field_problem(field, "unknown_text", title)
}

fn wrong_kind(field: &str, name: &TextRef, kind: LegalTextKind) -> FieldProblem {
    let title = Text::new(
        format!(
            "{name} bir {kind} metni; aydınlatma metni evidence.notice, diğerleri evidence.text alanına yazılır"
        ),
        format!("{name} is a {kind}; a notice goes into evidence.notice, everything else into evidence.text"),
    );
    providers::field_problem(field, "wrong_kind", title)
}

fn no_english(name: &TextRef) -> FieldProblem {
    let title = Text::new(
        format!("{name} sürümünün İngilizcesi yok; language alanına tr yazın"),
        format!("{name} has no English wording; write tr as language"),
    );
    providers::field_problem("evidence.language", "no_wording", title)
}

fn mismatch(shown: &ShownText) -> FieldProblem {
    let (name, hash) = (shown.text(), &shown.sha256);
    let title = Text::new(
        format!("{name} sürümünün özeti bu değil, {hash}; gösterilen metin başka bir sürüm olabilir"),
        format!("this is not the hash of {name}, which is {hash}; another version may have been shown"),
    );
    providers::field_problem("evidence.textSha256", "text_mismatch", title)
}

fn kind_is_fixed(kind: LegalTextKind) -> ServiceError {
    let title = Text::new(
        format!("bu metnin türü {kind}; başka bir tür için başka bir kod kullanın"),
        format!("this text is a {kind}; use another code for another kind"),
    );
    providers::invalid("kind", "kind", title)
}

fn too_many() -> ServiceError {
    ServiceError::Conflict(Text::new(
        format!("bir markada en çok {MOST} metin, bir metinde en çok {MOST} sürüm olabilir"),
        format!("a brand has at most {MOST} texts, and a text {MOST} versions"),
    ))
}

fn checked(new: NewText) -> ServiceResult<(String, LegalText)> {
    let mut problems = Vec::new();
    if !is_code(&new.code) {
        problems.push(code_problem("code"));
    }
    let mut wording = |lang: &str, (title, body): (String, String)| {
        Wording::tidied(&title, &body)
            .map_err(|errors| problems.extend(errors.into_iter().map(|error| wording_problem(lang, error))))
            .ok()
    };
    let tr = wording("tr", new.tr);
    let en = new.en.map(|en| wording("en", en));
    match (tr, en) {
        (Some(tr), en) if problems.is_empty() => {
            Ok((new.code, LegalText { kind: new.kind, tr, en: en.flatten() }))
        }
        _ => Err(ServiceError::Invalid(problems)),
    }
}

/// What a code is made of.
pub(super) fn code_problem(field: &str) -> FieldProblem {
    let title = Text::new(
        format!("küçük harf (a-z), rakam ve tire, en çok {LONGEST_CODE} karakter: sms-onay gibi"),
        format!(
            "lower-case letters a-z, digits and hyphens, at most {LONGEST_CODE} characters, such as sms-onay"
        ),
    );
    providers::field_problem(field, "code", title)
}

fn wording_problem(lang: &str, (part, error): (&str, WordingError)) -> FieldProblem {
    let (code, title) = match error {
        WordingError::Empty => ("missing", Text::fixed("boş olamaz", "it must not be empty")),
        WordingError::TooLong(most) => {
            ("too_long", Text::new(format!("en çok {most} karakter"), format!("at most {most} characters")))
        }
        WordingError::Control => (
            "control_character",
            Text::fixed(
                "görünmeyen bir denetim karakteri içeriyor; düz metin olarak yapıştırın",
                "it holds a control character that cannot be seen; paste it as plain text",
            ),
        ),
    };
    providers::field_problem(&format!("{lang}.{part}"), code, title)
}

#[cfg(test)]
mod tests {
    use kopru_domain::evidence::Door;

    use super::*;

    fn known() -> KnownTexts {
        let facts = |code: &str, kind, english| {
            let name = TextRef { code: code.to_owned(), version: 2 };
            (name.clone(), TextFacts { name, kind, english, sha256: [7; 32] })
        };
        KnownTexts(HashMap::from([
            facts("sms", LegalTextKind::Consent, false),
            facts("kvkk", LegalTextKind::Notice, true),
        ]))
    }

    fn shown(name: &str, lang: Lang) -> ShownText {
        ShownText::new(name.parse().unwrap(), lang)
    }

    fn codes(evidence: &Evidence) -> Vec<String> {
        match known().settle(&mut evidence.clone()) {
            Ok(()) => Vec::new(),
            Err(problems) => problems.into_iter().map(|it| format!("{} {}", it.field, it.code)).collect(),
        }
    }

    #[test]
    fn evidence_takes_over_the_hashes_of_what_it_names() {
        let mut evidence = Evidence {
            text: Some(shown("sms/2", Lang::Tr)),
            notice: Some(shown("kvkk/2", Lang::En)),
            ..Evidence::observed(Door::Form)
        };
        known().settle(&mut evidence).unwrap();
        assert_eq!(evidence.text.unwrap().sha256, "07".repeat(32));
        assert_eq!(evidence.notice.unwrap().sha256, "07".repeat(32));
    }

    #[test]
    fn what_cannot_be_named_is_told() {
        let with = |text, notice| Evidence { text, notice, ..Evidence::declared(Door::Api) };
        assert_eq!(codes(&with(Some(shown("sms/3", Lang::Tr)), None)), ["evidence.text unknown_text"]);
        assert_eq!(codes(&with(Some(shown("sms/2", Lang::En)), None)), ["evidence.language no_wording"]);
        assert_eq!(
            codes(&with(Some(shown("kvkk/2", Lang::Tr)), Some(shown("sms/2", Lang::Tr)))),
            ["evidence.text wrong_kind", "evidence.notice wrong_kind"]
        );
        let claimed =
            Evidence { text_sha256: Some("00".repeat(32)), ..with(Some(shown("sms/2", Lang::Tr)), None) };
        assert_eq!(codes(&claimed), ["evidence.textSha256 text_mismatch"]);
    }

    #[test]
    fn everything_wrong_with_a_text_is_told_at_once() {
        let new = NewText {
            code: "SMS onay".to_owned(),
            kind: LegalTextKind::Consent,
            tr: (String::new(), "metin".to_owned()),
            en: Some(("Title".to_owned(), "a\u{7}".to_owned())),
        };
        let Err(ServiceError::Invalid(problems)) = checked(new) else { panic!("it was taken") };
        let told: Vec<_> = problems.iter().map(|it| (it.field.as_str(), it.code.as_str())).collect();
        assert_eq!(told, [("code", "code"), ("tr.title", "missing"), ("en.body", "control_character")]);
    }
}
