//! Short numbers and keywords: what a brand has on which number, and what a text to it would do.
//!
//! A number is one brand's own, or shared by brands that are told apart by their keywords, whoever their providers are. So a new
//! keyword is compared with all that the installation has on the number.

use kopru_domain::keyword::{Reason, named_keyword, read};
use kopru_domain::time::format_rfc3339;
use kopru_domain::{
    BrandCode, Channel, Keyword, KeywordError, KeywordVerdict, Lang, Line, Place, ShortNumber, Text, Verbs,
};
use kopru_store::keywords::{self, KeywordRow};
use kopru_store::{Priority, Tx, ids, inbound};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::{Caller, Scope, ServiceError, ServiceResult, brands, providers};

/// What a brand has at most.
const MOST: usize = 100;
/// Words of a list at most.
const MOST_WORDS: usize = 50;
/// A text to be tried, in characters.
const LONGEST_TEXT: usize = 1_600;

/// What a brand has on a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BrandKeyword {
    /// Identity.
    pub id: Uuid,
    /// The brand.
    pub brand_code: i64,
    /// The number as it is dialled in Turkey.
    #[schema(example = "7889")]
    pub number: String,
    /// The keyword on a shared number; missing where the number is the brand's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ABC")]
    pub keyword: Option<String>,
    /// The words of approval: one of them, exactly, after the keyword.
    pub approvals: Vec<String>,
    /// The words of rejection; whole sentences and misspellings are understood as well.
    pub rejections: Vec<String>,
    /// For which an approval is taken: `ARAMA`, `MESAJ`.
    #[schema(value_type = Vec<String>, example = json!(["MESAJ"]))]
    pub channels: Vec<Channel>,
    /// When it was added, RFC 3339 with +03:00.
    pub created_at: String,
}

/// What a brand is to have on a number, as it was written.
#[derive(Debug, Clone, Default)]
pub struct NewKeyword {
    /// The number.
    pub number: String,
    /// The keyword; none: the number is to be the brand's own.
    pub keyword: Option<String>,
    /// The words.
    pub words: Words,
}

/// What is understood on a number, as it was written; `None`: as it is, or built in.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// In place of the built-in words of approval; empty: those.
    pub approvals: Option<Vec<String>>,
    /// Beside the built-in words of rejection.
    pub rejections: Option<Vec<String>>,
    /// For which an approval is taken.
    pub channels: Option<Vec<Channel>>,
}

/// What a text would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TriedText {
    /// `approval`, `rejection` or `unknown`.
    #[schema(value_type = String, example = "rejection")]
    pub outcome: &'static str,
    /// What it is about; empty where the outcome is unknown.
    #[schema(value_type = Vec<String>, example = json!(["MESAJ"]))]
    pub channels: Vec<Channel>,
    /// Why, in the caller's language.
    pub why: String,
    /// A stable word for the reason.
    #[schema(value_type = String, example = "verb")]
    pub reason: &'static str,
}

impl TriedText {
    fn new(verdict: KeywordVerdict, lang: Lang) -> Self {
        let KeywordVerdict { outcome, channels, reason, .. } = verdict;
        let why = reason.text().get(lang).to_owned();
        Self { outcome: outcome.as_str(), channels, why, reason: Reason::code(&reason) }
    }
}

/// Gives a brand a number or a keyword on one. Needs `admin`.
pub async fn add_in(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    new: NewKeyword,
) -> ServiceResult<BrandKeyword> {
    caller.require(Scope::Admin)?;
    let brand = brands::visible(tx, caller, brand).await?;
    if !brand.active {
        return Err(ServiceError::Conflict(Text::fixed("marka kapatılmış", "the brand is disabled")));
    }
    let number = ShortNumber::parse(&new.number)
        .map_err(|error| providers::invalid("number", "number", error.text()))?;
    let keyword = new.keyword.as_deref().map(Keyword::parse).transpose();
    let now = app.clocks.wire();
    let row = KeywordRow {
        iys_code: brand.iys_code,
        id: ids::new_id(now),
        brand_code: brand.brand_code,
        number,
        keyword: keyword.map_err(|error| refused("keyword", &error))?,
        approvals: Vec::new(),
        rejections: Vec::new(),
        channels: vec![Channel::Call, Channel::Message],
        created_at: now,
    };
    let row = with(row, new.words)?;
    keywords::lock(tx, &row.number, now).await?;
    check_beside(&row, &keywords::of_number(tx, &row.number).await?)?;
    if keywords::of_brand(tx, row.iys_code, row.brand_code).await?.len() >= MOST {
        let text = Text::new(
            format!("bir markanın en çok {MOST} anahtar sözcüğü olabilir"),
            format!("a brand has at most {MOST} keywords"),
        );
        return Err(ServiceError::Conflict(text));
    }
    keywords::add(tx, &row).await?;
    // What came in for the number before it was anybody's is read now.
    inbound::reopen(tx, app.clocks.business()).await?;
    note(tx, app, caller, "keyword.added", &row).await?;
    view(row)
}

/// As [`add_in`], in a transaction of its own.
pub async fn add(
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    new: NewKeyword,
) -> ServiceResult<BrandKeyword> {
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let added = add_in(&mut tx, app, caller, brand, new).await?;
    tx.commit().await?;
    Ok(added)
}

/// What a brand has, by number and keyword.
pub async fn list(app: &App, caller: &Caller, brand: BrandCode) -> ServiceResult<Vec<BrandKeyword>> {
    caller.require(Scope::ConsentsRead)?;
    let mut tx = app.db.read().await?;
    rows_of(&mut tx, caller, brand).await?.into_iter().map(view).collect()
}

/// One of them.
pub async fn get(app: &App, caller: &Caller, brand: BrandCode, id: Uuid) -> ServiceResult<BrandKeyword> {
    caller.require(Scope::ConsentsRead)?;
    let mut tx = app.db.read().await?;
    view(find(&mut tx, caller, brand, id).await?)
}

/// Changes what is understood; number and keyword stay. Needs `admin`.
pub async fn change(
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    id: Uuid,
    words: Words,
) -> ServiceResult<BrandKeyword> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let row = with(find(&mut tx, caller, brand, id).await?, words)?;
    keywords::lock(&mut tx, &row.number, app.clocks.wire()).await?;
    let mut others = keywords::of_number(&mut tx, &row.number).await?;
    others.retain(|other| other.id != row.id);
    check_beside(&row, &others)?;
    if !keywords::change(&mut tx, &row).await? {
        return Err(ServiceError::NotFound("keyword"));
    }
    note(&mut tx, app, caller, "keyword.changed", &row).await?;
    tx.commit().await?;
    view(row)
}

/// Takes a number or keyword from a brand. Needs `admin`.
pub async fn remove(app: &App, caller: &Caller, brand: BrandCode, id: Uuid) -> ServiceResult<()> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let row = find(&mut tx, caller, brand, id).await?;
    if keywords::remove(&mut tx, row.iys_code, row.id).await? {
        note(&mut tx, app, caller, "keyword.removed", &row).await?;
    }
    Ok(tx.commit().await?)
}

/// What a text to one of the brand's numbers would do: to this number, or to whichever fits the keyword that it names. A brand that
/// has none yet sees what the built-in words would do, on a number of its own or with this keyword on a shared one.
pub async fn try_text(
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    text: &str,
    number: Option<&str>,
    keyword: Option<&str>,
) -> ServiceResult<TriedText> {
    caller.require(Scope::ConsentsRead)?;
    if text.chars().count() > LONGEST_TEXT {
        let title = Text::new(
            format!("en çok {LONGEST_TEXT} karakter yazın"),
            format!("write {LONGEST_TEXT} characters at most"),
        );
        return Err(providers::invalid("text", "too_long", title));
    }
    let number = number.map(ShortNumber::parse).transpose();
    let number = number.map_err(|error| providers::invalid("number", "number", error.text()))?;
    let keyword = keyword.map(Keyword::parse).transpose();
    let keyword = keyword.map_err(|error| refused("keyword", &error))?;
    let mut tx = app.db.read().await?;
    let mut rows = rows_of(&mut tx, caller, brand).await?;
    rows.retain(|row| number.as_ref().is_none_or(|number| *number == row.number));
    rows.retain(|row| keyword.is_none() || row.keyword == keyword);
    if rows.is_empty() && number.is_some() {
        return Err(ServiceError::NotFound("keyword"));
    }
    let builtin = Verbs::default();
    let named = named_keyword(text, rows.iter().filter_map(|row| row.keyword.as_ref()), &builtin).cloned();
    let row = rows.iter().find(|row| named.is_some() && row.keyword == named).or_else(|| rows.first());
    let verbs = row.map_or(Ok(builtin), KeywordRow::verbs).map_err(|error| refused("approvals", &error))?;
    let keyword = row.map_or(keyword.as_ref(), |row| row.keyword.as_ref());
    let place = keyword.map_or(Place::Own, Place::Shared);
    Ok(TriedText::new(read(text, &Line { place, verbs: &verbs }), caller.lang))
}

async fn rows_of(tx: &mut Tx, caller: &Caller, brand: BrandCode) -> ServiceResult<Vec<KeywordRow>> {
    let brand = brands::visible(tx, caller, brand).await?;
    Ok(keywords::of_brand(tx, brand.iys_code, brand.brand_code).await?)
}

async fn find(tx: &mut Tx, caller: &Caller, brand: BrandCode, id: Uuid) -> ServiceResult<KeywordRow> {
    let rows = rows_of(tx, caller, brand).await?;
    rows.into_iter().find(|row| row.id == id).ok_or(ServiceError::NotFound("keyword"))
}

/// The row with other words, checked and folded.
fn with(mut row: KeywordRow, words: Words) -> ServiceResult<KeywordRow> {
    let few = |field: &str, list: Vec<String>| {
        if list.len() <= MOST_WORDS {
            return Ok(list);
        }
        let title = Text::new(
            format!("en çok {MOST_WORDS} sözcük yazın"),
            format!("write {MOST_WORDS} words at most"),
        );
        Err(providers::invalid(field, "too_many", title))
    };
    if let Some(list) = words.rejections {
        let list = few("rejections", list)?;
        let verbs =
            Verbs::new([], list.iter().map(String::as_str)).map_err(|error| refused("rejections", &error))?;
        let builtin = Verbs::default();
        row.rejections = verbs
            .rejections()
            .filter(|verb| !builtin.rejections().any(|known| known == *verb))
            .map(str::to_owned)
            .collect();
    }
    if let Some(list) = words.approvals {
        row.approvals = few("approvals", list)?;
    }
    if let Some(channels) = words.channels {
        if channels.is_empty() || channels.contains(&Channel::Email) {
            let title = Text::fixed(
                "ARAMA, MESAJ ya da ikisini yazın; SMS ile e-posta onayı alınamaz",
                "write ARAMA, MESAJ or both; an SMS cannot approve e-mails",
            );
            return Err(providers::invalid("channels", "channels", title));
        }
        row.channels = Channel::ALL.iter().copied().filter(|channel| channels.contains(channel)).collect();
    }
    let verbs = row.verbs().map_err(|error| refused("approvals", &error))?;
    if !row.approvals.is_empty() {
        row.approvals = verbs.approvals().map(str::to_owned).collect();
    }
    Ok(row)
}

/// Whether a number can take this beside what it has.
fn check_beside(row: &KeywordRow, others: &[KeywordRow]) -> ServiceResult<()> {
    let Some(keyword) = &row.keyword else {
        if others.is_empty() {
            return Ok(());
        }
        let title = Text::fixed(
            "bu numara kullanılıyor; ortak numarada her markanın bir anahtar sözcüğü olmalı",
            "this number is in use; on a shared number each brand needs a keyword",
        );
        return Err(providers::taken("number", title));
    };
    if others.iter().any(|other| other.keyword.is_none()) {
        let title = Text::fixed(
            "bu numara anahtar sözcüksüz olarak bir markanın; paylaşmak için önce ona bir anahtar sözcük verin",
            "this number is one brand's own, without a keyword; to share it give that brand a keyword first",
        );
        return Err(providers::taken("number", title));
    }
    // A keyword must not be a verb of its own brand, nor of any that shares the number.
    for verbs in std::iter::once(row).chain(others).filter_map(|row| row.verbs().ok()) {
        let known = others.iter().filter_map(|other| other.keyword.as_ref());
        keyword.check_beside(known, &verbs).map_err(|error| match error {
            KeywordError::Taken(_) => providers::taken("keyword", error.text()),
            error => refused("keyword", &error),
        })?;
    }
    let own = row.verbs().map_err(|error| refused("approvals", &error))?;
    for other in others.iter().filter_map(|other| other.keyword.as_ref()) {
        other.check_beside([], &own).map_err(|error| refused("rejections", &error))?;
    }
    Ok(())
}

fn refused(field: &str, error: &KeywordError) -> ServiceError {
    providers::invalid(field, error.code(), error.text())
}

async fn note(tx: &mut Tx, app: &App, caller: &Caller, action: &str, row: &KeywordRow) -> ServiceResult<()> {
    let keyword = row.keyword.as_ref().map_or("", Keyword::as_str);
    let subject = format!("{} {keyword} of brand {}", row.number, row.brand_code);
    providers::note(tx, app, caller, row.iys_code, action, &subject).await
}

fn view(row: KeywordRow) -> ServiceResult<BrandKeyword> {
    let verbs = row.verbs().map_err(|error| refused("approvals", &error))?;
    Ok(BrandKeyword {
        id: row.id,
        brand_code: row.brand_code.0,
        number: row.number.as_str().to_owned(),
        keyword: row.keyword.map(|keyword| keyword.to_string()),
        approvals: verbs.approvals().map(str::to_owned).collect(),
        rejections: verbs.rejections().map(str::to_owned).collect(),
        channels: row.channels,
        created_at: format_rfc3339(row.created_at),
    })
}
