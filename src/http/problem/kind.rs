//! The kinds of problems: type, status and title of each, and the sentence that says what to do.

use std::borrow::Cow;

use axum::http::StatusCode;
use kopru_domain::{Lang, Text};

use super::Problem;
use crate::service::FieldProblem;

/// A kind of problem. Its slug never changes its meaning.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Last part of the type.
    pub slug: &'static str,
    /// HTTP status.
    pub status: StatusCode,
    /// What happened, in both languages.
    pub title: Text,
}

macro_rules! kinds {
    ($($name:ident = $slug:literal $status:ident $tr:literal $en:literal;)+) => {
        $(static $name: Kind = Kind { slug: $slug, status: StatusCode::$status, title: Text::fixed($tr, $en) };)+

        /// Every kind of problem, for the documentation.
        pub static CATALOGUE: &[&Kind] = &[$(&$name),+];
    };
}

kinds! {
    NO_SUCH_ROUTE = "no-such-route" NOT_FOUND "böyle bir yol yok" "there is no such path";
    METHOD_NOT_ALLOWED = "method-not-allowed" METHOD_NOT_ALLOWED "bu yol bu HTTP yöntemini kabul etmiyor" "this path does not take this HTTP method";
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type" UNSUPPORTED_MEDIA_TYPE "gövde JSON olmalı" "the body must be JSON";
    ENCODED_BODY = "encoded-body" UNSUPPORTED_MEDIA_TYPE "gövde sıkıştırılmadan gönderilmeli" "the body must be sent uncompressed";
    EMPTY_BODY = "empty-body" BAD_REQUEST "istek gövdesi boş" "the request has no body";
    BODY_TOO_LARGE = "body-too-large" PAYLOAD_TOO_LARGE "istek gövdesi çok büyük" "the request body is too large";
    BODY_UNFINISHED = "body-unfinished" REQUEST_TIMEOUT "istek gövdesi tamamlanmadı" "the request body did not arrive in full";
    BODY_BROKEN = "body-broken" BAD_REQUEST "istek gövdesi okunamadı" "the request body cannot be read";
    NOT_UTF8 = "wrong-encoding" BAD_REQUEST "gövde UTF-8 değil" "the body is not UTF-8";
    MALFORMED_JSON = "malformed-json" BAD_REQUEST "gövde geçerli bir JSON değil" "the body is not valid JSON";
    EMPTY_LIST = "empty-list" UNPROCESSABLE_ENTITY "liste boş" "the list is empty";
    TOO_MANY_ITEMS = "too-many-items" PAYLOAD_TOO_LARGE "istekte çok fazla kayıt var" "the request has too many items";
    PARAMETERS = "invalid-parameters" BAD_REQUEST "sorgu parametreleri kullanılamıyor" "query parameters cannot be used";
    FIELDS = "invalid-fields" UNPROCESSABLE_ENTITY "gövdedeki alanlar kullanılamıyor" "fields of the body cannot be used";
    NOTHING_ACCEPTED = "nothing-accepted" UNPROCESSABLE_ENTITY "hiçbir kayıt alınmadı" "not one item was accepted";
    KEY_MISSING = "key-missing" UNAUTHORIZED "API anahtarı gönderilmedi" "no API key was sent";
    KEY_MALFORMED = "key-malformed" UNAUTHORIZED "gönderilen, bir API anahtarı değil" "what was sent is not an API key";
    KEY_UNKNOWN = "key-unknown" UNAUTHORIZED "API anahtarı tanınmıyor" "the API key is unknown";
    KEY_DISABLED = "key-disabled" UNAUTHORIZED "API anahtarı kapatılmış" "the API key was disabled";
    KEY_EXPIRED = "key-expired" UNAUTHORIZED "API anahtarının süresi dolmuş" "the API key has expired";
    NETWORK_NOT_ALLOWED = "network-not-allowed" FORBIDDEN "API anahtarı bu ağdan kullanılamaz" "the API key may not be used from this network";
    MISSING_SCOPE = "missing-scope" FORBIDDEN "API anahtarının yetkisi yetmiyor" "the API key lacks a scope";
    PARTNER_WIDE_ONLY = "partner-wide-only" FORBIDDEN "bunun için bütün hizmet sağlayıcılara açık bir anahtar gerekir" "this needs a key that is for all providers";
    NOT_FOUND = "not-found" NOT_FOUND "bulunamadı" "not found";
    CONFLICT = "conflict" CONFLICT "şimdiki durum buna izin vermiyor" "the present state does not allow this";
    IDEMPOTENCY_KEY_INVALID = "idempotency-key-invalid" BAD_REQUEST "Idempotency-Key kullanılamıyor" "the Idempotency-Key cannot be used";
    IDEMPOTENCY_MISMATCH = "idempotency-mismatch" UNPROCESSABLE_ENTITY "bu Idempotency-Key başka bir gövdeyle kullanılmış" "this Idempotency-Key was used with another body";
    IDEMPOTENCY_RUNNING = "idempotency-running" CONFLICT "aynı Idempotency-Key ile bir istek sürüyor" "a request with the same Idempotency-Key is running";
    RATE_LIMITED = "rate-limited" TOO_MANY_REQUESTS "anahtarın istek sınırı aşıldı" "the key's request limit is exceeded";
    OVERLOADED = "overloaded" SERVICE_UNAVAILABLE "hizmet şu anda yoğun" "the service is overloaded";
    SHUTTING_DOWN = "shutting-down" SERVICE_UNAVAILABLE "hizmet kapanıyor" "the service is stopping";
    UNAVAILABLE = "unavailable" SERVICE_UNAVAILABLE "hizmet şu anda yanıt veremiyor" "the service cannot answer now";
    REGISTRY = "registry-unavailable" BAD_GATEWAY "İYS'ye sorulamadı" "the registry could not be asked";
    INTERNAL = "internal" INTERNAL_SERVER_ERROR "hizmette bir hata oluştu" "something went wrong in the service";
}

impl Problem {
    /// Its kind.
    pub fn kind(&self) -> &'static Kind {
        match self {
            Self::NoSuchRoute => &NO_SUCH_ROUTE,
            Self::MethodNotAllowed => &METHOD_NOT_ALLOWED,
            Self::UnsupportedMediaType => &UNSUPPORTED_MEDIA_TYPE,
            Self::EncodedBody => &ENCODED_BODY,
            Self::EmptyBody => &EMPTY_BODY,
            Self::BodyTooLarge(_) => &BODY_TOO_LARGE,
            Self::BodyUnfinished => &BODY_UNFINISHED,
            Self::BodyBroken => &BODY_BROKEN,
            Self::NotUtf8(_) => &NOT_UTF8,
            Self::MalformedJson { .. } => &MALFORMED_JSON,
            Self::EmptyList => &EMPTY_LIST,
            Self::TooManyItems { .. } => &TOO_MANY_ITEMS,
            Self::Parameters(_) => &PARAMETERS,
            Self::Fields(_) => &FIELDS,
            Self::NothingAccepted(_) => &NOTHING_ACCEPTED,
            Self::KeyMissing => &KEY_MISSING,
            Self::KeyMalformed => &KEY_MALFORMED,
            Self::KeyUnknown => &KEY_UNKNOWN,
            Self::KeyDisabled => &KEY_DISABLED,
            Self::KeyExpired => &KEY_EXPIRED,
            Self::NetworkNotAllowed => &NETWORK_NOT_ALLOWED,
            Self::MissingScope(_) => &MISSING_SCOPE,
            Self::PartnerWideOnly => &PARTNER_WIDE_ONLY,
            Self::NotFound(_) => &NOT_FOUND,
            Self::Conflict(_) | Self::Taken(_) => &CONFLICT,
            Self::IdempotencyKeyInvalid => &IDEMPOTENCY_KEY_INVALID,
            Self::IdempotencyMismatch => &IDEMPOTENCY_MISMATCH,
            Self::IdempotencyRunning => &IDEMPOTENCY_RUNNING,
            Self::RateLimited(_) => &RATE_LIMITED,
            Self::Overloaded => &OVERLOADED,
            Self::ShuttingDown => &SHUTTING_DOWN,
            Self::Unavailable => &UNAVAILABLE,
            Self::Registry(_) => &REGISTRY,
            Self::Internal => &INTERNAL,
        }
    }

    /// What is wrong in this case and what to do. Nothing for faults of ours.
    pub(super) fn detail(&self, lang: Lang) -> Option<Cow<'_, str>> {
        let text = match self {
            Self::NoSuchRoute => fixed(
                "yolu /docs sayfasındaki listeyle karşılaştırın",
                "compare the path with the list at /docs",
            ),
            Self::MethodNotAllowed => fixed(
                "kabul edilen yöntemler Allow başlığında",
                "the methods that are taken stand in the Allow header",
            ),
            Self::UnsupportedMediaType => fixed(
                "Content-Type: application/json ile gönderin",
                "send it with Content-Type: application/json",
            ),
            Self::EncodedBody => {
                fixed("Content-Encoding başlığı olmadan gönderin", "send it without Content-Encoding")
            }
            Self::EmptyBody => {
                fixed("bir JSON nesnesi ya da listesi gönderin", "send a JSON object or array")
            }
            Self::BodyTooLarge(limit) => {
                let (size, unit) = if *limit < 1_048_576 {
                    (*limit as f64 / 1_024.0, "KiB")
                } else {
                    (*limit as f64 / 1_048_576.0, "MiB")
                };
                Text::new(
                    format!("en çok {size:.0} {unit} kabul edilir; kayıtları birden çok isteğe bölün"),
                    format!("at most {size:.0} {unit} is taken; split the items over several requests"),
                )
            }
            Self::BodyUnfinished => {
                fixed("bağlantı çok yavaş; yeniden gönderin", "the connection is too slow; send it again")
            }
            Self::BodyBroken => fixed(
                "bağlantı koptu ya da parçaların (chunked) uzunluğu yanlış; yeniden gönderin",
                "the connection broke, or its chunks have wrong lengths; send it again",
            ),
            Self::NotUtf8(byte) => Text::new(
                format!(
                    "{byte}. bayttan (0'dan sayılır) sonrası UTF-8 değil; metni UTF-8 olarak kaydedip gönderin"
                ),
                format!(
                    "from byte {byte} on (counted from 0) it is not UTF-8; save and send the text as UTF-8"
                ),
            ),
            Self::MalformedJson { line, column } => Text::new(
                format!("{line}. satır, {column}. sütunda bozuluyor"),
                format!("it breaks at line {line}, column {column}"),
            ),
            Self::EmptyList => {
                fixed("listede en az bir kayıt olmalı", "the list must hold at least one item")
            }
            Self::TooManyItems { found, limit } => Text::new(
                format!("{found} kayıt gönderildi, bir istekte en çok {limit} kabul edilir; isteği bölün"),
                format!("{found} items were sent and one request takes {limit}; split the request"),
            ),
            Self::Parameters(_) | Self::Fields(_) => {
                fixed("her sorun errors alanında tek tek yazılı", "each problem stands in errors")
            }
            Self::NothingAccepted(_) => fixed(
                "hiçbir şey kaydedilmedi; her kaydın sorunu errors alanında",
                "nothing was recorded; the problems of each item stand in errors",
            ),
            Self::KeyMissing | Self::KeyMalformed => fixed(
                "Authorization: Bearer kpr_… başlığıyla gönderin",
                "send it in the header Authorization: Bearer kpr_…",
            ),
            Self::KeyUnknown => fixed(
                "anahtarın tamamını kopyaladığınızdan emin olun; kaybolduysa yenisini isteyin",
                "make sure that the whole key was copied; if it is lost, ask for a new one",
            ),
            Self::KeyDisabled | Self::KeyExpired => fixed(
                "hizmeti işletenden yeni bir anahtar isteyin",
                "ask whoever runs the service for a new key",
            ),
            Self::NetworkNotAllowed => fixed(
                "anahtarın izinli ağlarını işletene sordurun ya da isteği o ağlardan gönderin",
                "have the operator check the key's networks, or send the request from one of them",
            ),
            Self::MissingScope(scope) => {
                let scope = scope.as_str();
                Text::new(
                    format!("bu istek {scope} yetkisi ister; yetkisi olan bir anahtar kullanın"),
                    format!("this request needs the scope {scope}; use a key that has it"),
                )
            }
            Self::PartnerWideOnly => {
                fixed("bu anahtar tek bir hizmet sağlayıcıya ait", "this key belongs to one provider")
            }
            Self::NotFound(what) => not_found(what),
            Self::Conflict(text) | Self::Taken(FieldProblem { title: text, .. }) => {
                return Some(Cow::Borrowed(text.get(lang)));
            }
            Self::IdempotencyKeyInvalid => fixed(
                "1 ile 255 arasında, boşluksuz ASCII karakterden oluşan, her iş için yeni bir değer gönderin (örneğin bir UUID)",
                "send 1 to 255 visible ASCII characters, new for each piece of work (a UUID, for example)",
            ),
            Self::IdempotencyMismatch => fixed(
                "aynı işi yineliyorsanız aynı gövdeyi, yeni bir işse yeni bir anahtar gönderin",
                "send the same body to repeat the work, or a new key for new work",
            ),
            Self::IdempotencyRunning => fixed(
                "bitmesini bekleyip aynı isteği yineleyin",
                "wait for its end and repeat the same request",
            ),
            Self::RateLimited(_) => fixed(
                "Retry-After kadar bekleyip yavaşlayın",
                "wait as long as Retry-After says and slow down",
            ),
            Self::Registry(_) => fixed(
                "İYS yanıt vermedi ya da sorgu sınırı doldu; daha sonra yeniden deneyin",
                "the registry did not answer or its limit of questions is used up; try again later",
            ),
            Self::Overloaded | Self::ShuttingDown | Self::Unavailable | Self::Internal => return None,
        };
        Some(Cow::Owned(text.get(lang).to_owned()))
    }
}

const fn fixed(tr: &'static str, en: &'static str) -> Text {
    Text::fixed(tr, en)
}

fn not_found(what: &'static str) -> Text {
    match what {
        "brand" => fixed(
            "bu numarayla bir marka yok ya da bu anahtar onu görmüyor",
            "there is no brand of this number, or not for this key",
        ),
        "provider" => fixed(
            "bu numarayla bir hizmet sağlayıcı yok ya da bu anahtar onu görmüyor",
            "there is no provider of this number, or not for this key",
        ),
        "consent" => fixed(
            "bu kimlikle bir izin kaydı yok ya da bu anahtar onu görmüyor",
            "there is no consent of this id, or not for this key",
        ),
        "retailer" => {
            fixed("bu markanın bu numarayla bir bayisi yok", "this brand has no retailer of this number")
        }
        "endpoint" => fixed(
            "bu kimlikle bir uç nokta yok ya da bu anahtar onu görmüyor",
            "there is no endpoint of this id, or not for this key",
        ),
        "key" => fixed(
            "bu kimlikle bir anahtar yok ya da bu anahtar onu görmüyor",
            "there is no key of this id, or not for this key",
        ),
        other => {
            let thing = crate::service::thing(other);
            Text::new(format!("{} bulunamadı", thing.tr), format!("{} was not found", thing.en))
        }
    }
}
