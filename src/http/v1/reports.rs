//! Daily reconciliation: reports, their differences, the registry's time stamp, and repair.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use chrono::{Datelike, NaiveDate};
use futures::stream;
use kopru_domain::Text;
use kopru_store::brands::BrandRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::auth::Call;
use crate::http::cursor::{List, Place};
use crate::http::idempotency::{Repeatable, Turn};
use crate::http::params::Params;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::{Branded, HttpState};
use crate::http::v1::Page;
use crate::service::FieldProblem;
use crate::service::daily::csv::{DIFFERENCE_COLUMNS, REPORT_COLUMNS};
use crate::service::daily::repair::{self, Repair};
use crate::service::daily::view::{self, DailyReport, DifferenceView};

/// The most differences of a page.
const MOST: i64 = 1_000;
const CSV: &str = "text/csv; charset=utf-8";

/// A day with a page of its differences.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DailyReportPage {
    /// The day.
    pub report: DailyReport,
    /// What differs, each with what a repair would do.
    pub differences: Vec<DifferenceView>,
    /// Cursor of the next page: send it as `after`. Missing on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Whether there is more.
    pub has_more: bool,
}

type Dated = Result<Path<(i64, String)>, PathRejection>;

/// The day in the path.
fn known(dated: Dated) -> Result<NaiveDate, Problem> {
    let Ok(Path((_, text))) = dated else { return Err(Problem::NotFound("report")) };
    text.parse().map_err(|_| {
        let title = Text::fixed(
            "günü 2026-11-20 gibi yazın (YYYY-AA-GG)",
            "write the day as YYYY-MM-DD, such as 2026-11-20",
        );
        let code = "date".to_owned();
        Problem::Parameters(vec![FieldProblem { index: None, field: "date".to_owned(), code, title }])
    })
}

/// Whether the answer is to be CSV: by `format`, or else by `Accept`.
fn wants_csv(params: &mut Params, headers: &HeaderMap) -> bool {
    match params.word::<Format>("format", &["json", "csv"]) {
        Some(format) => format == Format::Csv,
        None => headers
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.trim_start().starts_with("text/csv")),
    }
}

#[derive(PartialEq)]
enum Format {
    Json,
    Csv,
}

impl std::str::FromStr for Format {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "json" => Ok(Self::Json),
            "csv" => Ok(Self::Csv),
            _ => Err(()),
        }
    }
}

/// List daily reports
///
/// The latest first: the last seven days, which the registry tells of, and all before that were kept. Each day says whether the
/// registry's movement file and what was filed from here are the same.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/reports/daily",
    operation_id = "listDailyReports",
    tag = "reports",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("after" = Option<String>, Query, description = "Cursor from the page before"),
        ("limit" = Option<i64>, Query, description = "Entries of a page: 100, at most 1 000"),
        ("format" = Option<String>, Query, description = "json (the default) or csv; as does Accept: text/csv"),
    ),
    responses((status = 200, description = "A page", content(
        (Page<DailyReport> = "application/json"),
        (String = "text/csv"),
    ))),
    extensions(
        ("x-summary-tr" = json!("Günlük mutabakat raporlarını listele")),
        ("x-description-tr" = json!("Yeniden eskiye: İYS'nin bildirdiği son yedi gün ve saklanan öncekiler. Her gün, İYS'nin izin hareket dosyasıyla buradan bildirilenlerin aynı olup olmadığını söyler.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn list(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let days = List::DailyReports(brand.row.brand_code.0);
    let mut params = Params::of(&uri, &["after", "limit", "format"]);
    let before = params.cursor("after", days, |list, cursor| {
        NaiveDate::from_num_days_from_ce_opt(i32::try_from(list.number(cursor)?).ok()?)
    });
    let limit = params.limit(MOST);
    let csv = wants_csv(&mut params, &headers);
    params.finish()?;
    let items = view::list(&state.app, &call, &brand.row, before, limit + 1).await?;
    let place = |item: &DailyReport| {
        let day: NaiveDate = item.date.parse().unwrap_or_default();
        Place::Number(i64::from(day.num_days_from_ce()))
    };
    let page = Page::cut(items, limit, days, place);
    if csv {
        let lines: String = page.items.iter().map(DailyReport::csv).collect();
        return Ok(([(header::CONTENT_TYPE, CSV)], format!("{REPORT_COLUMNS}{lines}")).into_response());
    }
    Ok(Json(page).into_response())
}

/// Show a daily report
///
/// What differs between the registry's movement file of the day and what was filed from here, each with what a repair would do:
/// `missing_there` (confirmed to this service, and not in the file), `missing_here` (filed by somebody else, or told of by
/// neither pull nor push; its movement is in the mirror since), `different`. As CSV all differences come in one answer.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/reports/daily/{date}",
    operation_id = "getDailyReport",
    tag = "reports",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("date" = String, Path, description = "The day, by Turkey's calendar: YYYY-MM-DD"),
        ("after" = Option<String>, Query, description = "Cursor from the page before"),
        ("limit" = Option<i64>, Query, description = "Differences of a page: 100, at most 1 000"),
        ("format" = Option<String>, Query, description = "json (the default) or csv; as does Accept: text/csv"),
    ),
    responses((status = 200, description = "The day", content(
        (DailyReportPage = "application/json"),
        (String = "text/csv"),
    ))),
    extensions(
        ("x-summary-tr" = json!("Bir günün mutabakat raporu")),
        ("x-description-tr" = json!("İYS'nin o günkü hareket dosyasıyla buradan bildirilenler arasındaki farklar ve onarımın her biri için ne yapacağı: missing_there (İYS onaylamış ama dosyada yok), missing_here (başkası bildirmiş ya da ne çekme ne de iletimle gelmiş; hareketi artık aynada), different. CSV olarak bütün farklar tek yanıtta gelir.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn get(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    dated: Dated,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let day = known(dated)?;
    let differences = List::Differences(brand.row.brand_code.0);
    let mut params = Params::of(&uri, &["after", "limit", "format"]);
    let after = params.cursor("after", differences, List::id);
    let limit = params.limit(MOST);
    let csv = wants_csv(&mut params, &headers);
    params.finish()?;
    let report = view::get(&state.app, &call, &brand.row, day).await?;
    if csv {
        return Ok(whole(state, call, brand.row.clone(), day));
    }
    let items = view::differences(&state.app, &call, &brand.row, day, after, limit + 1).await?;
    let page = Page::cut(items, limit, differences, |item| Place::Id(item.id));
    let answer =
        DailyReportPage { report, differences: page.items, next: page.next, has_more: page.has_more };
    Ok(Json(answer).into_response())
}

/// All differences of a day as CSV, page by page.
fn whole(state: HttpState, call: Call, brand: BrandRow, day: NaiveDate) -> Response {
    let name = format!("attachment; filename=\"{}-{day}-differences.csv\"", brand.brand_code);
    let lines = stream::try_unfold(Some(Uuid::nil()), move |place: Option<Uuid>| {
        let (state, call, brand) = (state.clone(), call.clone(), brand.clone());
        async move {
            let Some(after) = place else { return Ok(None) };
            let page = view::differences(&state.app, &call, &brand, day, Some(after), MOST).await?;
            state.app.db.flushed().await?;
            let head = if after.is_nil() { DIFFERENCE_COLUMNS } else { "" };
            let lines: String = page.iter().map(DifferenceView::csv).collect();
            let next = page.last().filter(|_| page.len() as i64 == MOST).map(|last| last.id);
            Ok::<_, crate::service::ServiceError>(Some((format!("{head}{lines}"), next)))
        }
    });
    ([(header::CONTENT_TYPE, CSV.to_owned()), (header::CONTENT_DISPOSITION, name)], Body::from_stream(lines))
        .into_response()
}

/// Download the time stamp of a day
///
/// The registry's RFC 3161 time-stamp response over the SHA-384 of its movement file, as it came.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/reports/daily/{date}/timestamp",
    operation_id = "getDailyTimestamp",
    tag = "reports",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("date" = String, Path, description = "The day, by Turkey's calendar: YYYY-MM-DD"),
    ),
    responses((status = 200, description = "The time stamp (.tsr)", body = Vec<u8>, content_type = "application/timestamp-reply")),
    extensions(
        ("x-summary-tr" = json!("Bir günün zaman damgasını indir")),
        ("x-description-tr" = json!("İYS'nin hareket dosyasının SHA-384 özeti üzerindeki RFC 3161 zaman damgası, geldiği gibi.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn timestamp(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    dated: Dated,
) -> Result<Response, Problem> {
    let day = known(dated)?;
    let bytes = view::time_stamp(&state.app, &call, &brand.row, day).await?;
    let name = format!("attachment; filename=\"{}-{day}.tsr\"", brand.row.brand_code);
    let headers = [
        (header::CONTENT_TYPE, "application/timestamp-reply".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, bytes).into_response())
}

/// Repair a day
///
/// Does what the report proposes for each difference that nothing was done about yet, at most 1 000 of them: files once more
/// what the registry has lost while its deadline allows it, asks for outcomes that are not known, merges movements that do not
/// show in the mirror, and takes note of the rest. Repeat while `remaining` falls; what is done is not done twice.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/reports/daily/{date}/repair",
    operation_id = "repairDailyReport",
    tag = "reports",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("date" = String, Path, description = "The day, by Turkey's calendar: YYYY-MM-DD"),
        ("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID"),
    ),
    responses(
        (status = 200, description = "What was done", body = Repair),
        (status = 409, description = "The day is not compared yet", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Bir günü onar")),
        ("x-description-tr" = json!("Raporun her fark için önerdiğini yapar, bir çağrıda en çok 1000: İYS'nin yitirdiğini süresi elveriyorsa yeniden bildirir, bilinmeyen sonuçları sorar, aynada görünmeyen hareketleri işler, kalanını not eder. remaining azaldıkça yineleyin; yapılan iki kez yapılmaz.")),
        ("x-scope" = json!("consents:write")),
    ),
)]
pub async fn repair(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    dated: Dated,
    repeatable: Repeatable,
) -> Result<Response, Problem> {
    let day = known(dated)?;
    let mut turn = match repeatable.begin(&state, b"").await? {
        Turn::Repeat(answer) => return Ok(answer),
        Turn::First(turn) => turn,
    };
    let repair = repair::repair_in(&mut turn.tx, &state.app, &call, &brand.row, day).await?;
    let answer = turn.finish(StatusCode::OK, &repair).await?;
    state.app.wake.wake();
    Ok(answer)
}

/// Read a day again
///
/// The registry's file of the day is read from its beginning once more and compared anew, such as after a right was given or a
/// fault at the registry was mended. Differences that something was done about stay as they are.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/reports/daily/{date}/read",
    operation_id = "readDailyReportAgain",
    tag = "reports",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("date" = String, Path, description = "One of the last seven days: YYYY-MM-DD"),
    ),
    responses(
        (status = 202, description = "The day, due now", body = DailyReport),
        (status = 409, description = "The registry does not tell of it any more, or it is being read", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Bir günü yeniden oku")),
        ("x-description-tr" = json!("İYS'nin o günkü dosyası baştan okunur ve yeniden karşılaştırılır; örneğin yetki verildikten ya da İYS'deki bir hata giderildikten sonra. Onarılmış farklar olduğu gibi kalır.")),
        ("x-scope" = json!("consents:write")),
    ),
)]
pub async fn read_again(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    dated: Dated,
) -> Result<Response, Problem> {
    let day = known(dated)?;
    let report = view::again(&state.app, &call, &brand.row, day).await?;
    Ok((StatusCode::ACCEPTED, Json(report)).into_response())
}
