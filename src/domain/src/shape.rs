//! Whether a consent is well-formed, before any rule looks at it (registry-protocol sections 4.1 and
//! 5.1). What fails here gets no ledger row: the caller is told what to mend, in the registry's codes.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::address::{AddressError, Recipient};
use crate::lang::{Lang, Text};
use crate::time::parse_consent_date;
use crate::words::{Channel, ConsentStatus, ProviderSource, RecipientType};

/// 1 May 2015, 00:00:00 in Turkey: no consent may be older (rules.md R8).
pub const EARLIEST_CONSENT: DateTime<Utc> = match DateTime::from_timestamp(1_430_427_600, 0) {
    Some(instant) => instant,
    None => panic!("a valid instant"),
};

/// A consent as it came in: every field a text, or missing. Blank counts as missing.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct RawConsent<'a> {
    /// The address.
    pub recipient: Option<&'a str>,
    /// `ARAMA`, `MESAJ` or `EPOSTA`.
    pub channel: Option<&'a str>,
    /// `ONAY` or `RET`.
    pub status: Option<&'a str>,
    /// `HS_*`.
    pub source: Option<&'a str>,
    /// See [`parse_consent_date`].
    pub consent_date: Option<&'a str>,
    /// `BIREYSEL` (the default) or `TACIR`.
    pub recipient_type: Option<&'a str>,
}

/// A well-formed consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapedConsent {
    /// The canonical address, which fits the channel.
    pub recipient: Recipient,
    /// The channel.
    pub channel: Channel,
    /// Approval or rejection.
    pub status: ConsentStatus,
    /// Where it was taken; `None` only for TACIR.
    pub source: Option<ProviderSource>,
    /// When, in whole seconds; `None` only for TACIR.
    pub consent_date: Option<DateTime<Utc>>,
    /// In which capacity.
    pub recipient_type: RecipientType,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field, in the registry's word: `recipient`, `type`, `consentDate` …
    pub field: &'static str,
    /// The registry's code.
    pub h_code: &'static str,
    /// Our own, finer code, where there is one (for addresses: see
    /// [`AddressErrorCode`](crate::address::AddressErrorCode)).
    pub reason: Option<&'static str>,
    /// What is wrong and what to do.
    pub message: Text,
}

impl FieldError {
    const fn new(field: &'static str, h_code: &'static str, tr: &'static str, en: &'static str) -> Self {
        Self { field, h_code, reason: None, message: Text::fixed(tr, en) }
    }

    /// The message in one language.
    pub fn message(&self, lang: Lang) -> &str {
        self.message.get(lang)
    }

    fn address(error: AddressError) -> Self {
        Self {
            field: "recipient",
            h_code: error.h_code(),
            reason: Some(error.code.as_str()),
            message: error.text(),
        }
    }
}

/// Whether a date may go with a source: HS_2015 stands for one single date (H155).
pub fn date_fits_source(source: Option<ProviderSource>, date: DateTime<Utc>) -> bool {
    source != Some(ProviderSource::Before2015) || date == EARLIEST_CONSENT
}

/// Checks a consent and tells everything that is wrong with it at once. Turns it into typed values
/// if nothing is. `now` is business time: a consentDate after it is refused (H162).
pub fn check_shape(raw: &RawConsent<'_>, now: DateTime<Utc>) -> Result<ShapedConsent, Vec<FieldError>> {
    let mut errors = Vec::new();
    let channel = keep(check_channel(raw), &mut errors);
    let recipient = keep(check_recipient(raw, channel), &mut errors);
    let recipient_type = keep(check_recipient_type(raw), &mut errors);
    let status = keep(check_status(raw), &mut errors);
    let source = keep(check_source(raw, recipient_type), &mut errors);
    let consent_date = keep(check_date(raw, recipient_type, source.flatten(), now), &mut errors);
    match (recipient.flatten(), channel, status, source, consent_date, recipient_type) {
        (
            Some(recipient),
            Some(channel),
            Some(status),
            Some(source),
            Some(consent_date),
            Some(recipient_type),
        ) => Ok(ShapedConsent { recipient, channel, status, source, consent_date, recipient_type }),
        _ => Err(errors),
    }
}

fn keep<T>(result: Result<T, FieldError>, errors: &mut Vec<FieldError>) -> Option<T> {
    result.map_err(|error| errors.push(error)).ok()
}

/// The text of a field without surrounding blanks; `None` if nothing is left.
fn present(field: Option<&str>) -> Option<&str> {
    field.map(str::trim).filter(|text| !text.is_empty())
}

fn check_channel(raw: &RawConsent<'_>) -> Result<Channel, FieldError> {
    let Some(word) = present(raw.channel) else {
        return Err(FieldError::new("type", "H111", "izin türü (type) yok", "type is missing"));
    };
    word.parse().map_err(|_| {
        FieldError::new(
            "type",
            "H117",
            "izin türü ARAMA, MESAJ ya da EPOSTA olmalıdır",
            "type must be ARAMA, MESAJ or EPOSTA",
        )
    })
}

/// `Ok(None)`: there is an address, but without a channel nobody can say whether it fits.
fn check_recipient(raw: &RawConsent<'_>, channel: Option<Channel>) -> Result<Option<Recipient>, FieldError> {
    match (present(raw.recipient), channel) {
        (None, _) => {
            Err(FieldError::new("recipient", "H114", "alıcı adresi (recipient) yok", "recipient is missing"))
        }
        (Some(_), None) => Ok(None),
        (Some(address), Some(channel)) => {
            Recipient::parse(address, channel).map(Some).map_err(FieldError::address)
        }
    }
}

fn check_recipient_type(raw: &RawConsent<'_>) -> Result<RecipientType, FieldError> {
    let Some(word) = present(raw.recipient_type) else { return Ok(RecipientType::default()) };
    word.parse().map_err(|_| {
        FieldError::new(
            "recipientType",
            "H116",
            "alıcı tipi BIREYSEL ya da TACIR olmalıdır",
            "recipientType must be BIREYSEL or TACIR",
        )
    })
}

fn check_status(raw: &RawConsent<'_>) -> Result<ConsentStatus, FieldError> {
    let Some(word) = present(raw.status) else {
        return Err(FieldError::new("status", "H110", "izin durumu (status) yok", "status is missing"));
    };
    word.parse().map_err(|_| {
        FieldError::new(
            "status",
            "H115",
            "izin durumu ONAY ya da RET olmalıdır",
            "status must be ONAY or RET",
        )
    })
}

fn check_source(
    raw: &RawConsent<'_>,
    recipient_type: Option<RecipientType>,
) -> Result<Option<ProviderSource>, FieldError> {
    let Some(word) = present(raw.source) else {
        return if recipient_type == Some(RecipientType::Individual) {
            Err(FieldError::new(
                "source",
                "H113",
                "iznin kaynağı (source) yok; yalnızca TACIR kaydında boş bırakılabilir",
                "source is missing; only a TACIR record may leave it out",
            ))
        } else {
            Ok(None)
        };
    };
    word.parse().map(Some).map_err(|_| {
        if word.starts_with("IYS_") {
            FieldError::new(
                "source",
                "H119",
                "IYS_ ile başlayan kaynakları yalnızca İYS yazar; iznin alındığı HS_ kaynağını bildirin",
                "only the registry writes IYS_ sources; name the HS_ source where the consent was taken",
            )
        } else {
            FieldError::new(
                "source",
                "H119",
                "kaynak şunlardan biri olmalıdır: HS_WEB, HS_MOBIL, HS_MESAJ, HS_EPOSTA, HS_CAGRI_MERKEZI, HS_FIZIKSEL_ORTAM, \
                 HS_ISLAK_IMZA, HS_ETKINLIK, HS_ATM, HS_EORTAM, HS_SOSYAL_MEDYA, HS_KARAR, HS_2015",
                "source must be one of HS_WEB, HS_MOBIL, HS_MESAJ, HS_EPOSTA, HS_CAGRI_MERKEZI, HS_FIZIKSEL_ORTAM, \
                 HS_ISLAK_IMZA, HS_ETKINLIK, HS_ATM, HS_EORTAM, HS_SOSYAL_MEDYA, HS_KARAR, HS_2015",
            )
        }
    })
}

fn check_date(
    raw: &RawConsent<'_>,
    recipient_type: Option<RecipientType>,
    source: Option<ProviderSource>,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, FieldError> {
    let Some(text) = present(raw.consent_date) else {
        return if recipient_type == Some(RecipientType::Individual) {
            Err(FieldError::new(
                "consentDate",
                "H112",
                "izin tarihi (consentDate) yok; alınma anı yerine şimdiki zaman yazılmaz",
                "consentDate is missing; the present time is never put in its place",
            ))
        } else {
            Ok(None)
        };
    };
    let date = parse_consent_date(text).map_err(|error| FieldError {
        field: "consentDate",
        h_code: error.h_code(),
        reason: None,
        message: error.text(),
    })?;
    if !date_fits_source(source, date) {
        return Err(FieldError::new(
            "consentDate",
            "H155",
            "HS_2015 kaynağının tarihi 2015-05-01 00:00:00 olmalıdır",
            "HS_2015 demands the date 2015-05-01 00:00:00",
        ));
    }
    if date < EARLIEST_CONSENT {
        return Err(FieldError::new(
            "consentDate",
            "H156",
            "izin tarihi 1 Mayıs 2015'ten önce olamaz",
            "consentDate must not be before 1 May 2015",
        ));
    }
    if date > now {
        return Err(FieldError::new(
            "consentDate",
            "H162",
            "izin tarihi gelecekte; saatinizi ve saat dilimini denetleyin",
            "consentDate lies in the future; check your clock and time zone",
        ));
    }
    Ok(Some(date))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: RawConsent<'static> = RawConsent {
        recipient: Some("0532 123 45 67"),
        channel: Some("MESAJ"),
        status: Some("ONAY"),
        source: Some("HS_WEB"),
        consent_date: Some("2026-11-20 10:05:00"),
        recipient_type: None,
    };

    fn now() -> DateTime<Utc> {
        "2026-11-22T09:00:00Z".parse().unwrap()
    }

    /// The (field, code) pairs of everything wrong.
    fn wrong(raw: RawConsent<'_>) -> Vec<(&'static str, &'static str)> {
        check_shape(&raw, now()).unwrap_err().iter().map(|error| (error.field, error.h_code)).collect()
    }

    #[test]
    fn a_good_consent_becomes_typed() {
        let shaped = check_shape(&GOOD, now()).unwrap();
        assert_eq!(shaped.recipient.as_str(), "+905321234567");
        assert_eq!(shaped.recipient_type, RecipientType::Individual);
        assert_eq!(shaped.source, Some(ProviderSource::Web));
        assert_eq!(shaped.consent_date, Some("2026-11-20T07:05:00Z".parse().unwrap()));
    }

    #[test]
    fn everything_missing_is_told_at_once() {
        assert_eq!(
            wrong(RawConsent { recipient: Some(" "), source: Some(""), ..RawConsent::default() }),
            [
                ("type", "H111"),
                ("recipient", "H114"),
                ("status", "H110"),
                ("source", "H113"),
                ("consentDate", "H112"),
            ]
        );
    }

    #[test]
    fn a_merchant_may_leave_out_source_and_date() {
        let raw = RawConsent { source: None, consent_date: None, recipient_type: Some("TACIR"), ..GOOD };
        let shaped = check_shape(&raw, now()).unwrap();
        assert_eq!((shaped.source, shaped.consent_date), (None, None));
    }

    #[test]
    fn unknown_words_have_their_own_codes() {
        let raw = RawConsent {
            channel: Some("SMS"),
            status: Some("EVET"),
            source: Some("HS_KAGIT"),
            recipient_type: Some("bireysel"),
            ..GOOD
        };
        assert_eq!(
            wrong(raw),
            [("type", "H117"), ("recipientType", "H116"), ("status", "H115"), ("source", "H119")]
        );
    }

    #[test]
    fn an_unknown_source_is_told_the_known_ones() {
        let errors = check_shape(&RawConsent { source: Some("HS_KAGIT"), ..GOOD }, now()).unwrap_err();
        for source in ProviderSource::ALL {
            for lang in [Lang::Tr, Lang::En] {
                assert!(errors[0].message(lang).contains(source.as_str()), "{source}");
            }
        }
    }

    #[test]
    fn a_source_of_the_registry_is_refused_with_advice() {
        let errors = check_shape(&RawConsent { source: Some("IYS_WEB"), ..GOOD }, now()).unwrap_err();
        assert_eq!((errors.len(), errors[0].h_code), (1, "H119"));
        assert!(errors[0].message(Lang::En).contains("only the registry"));
        assert!(errors[0].message(Lang::Tr).contains("yalnızca İYS"));
    }

    #[test]
    fn dates_have_limits() {
        for (source, date, code) in [
            ("HS_WEB", "2026-11-22 12:00:01", "H162"),
            ("HS_WEB", "2015-04-30 23:59:59", "H156"),
            ("HS_2015", "2015-05-01 00:00:01", "H155"),
            ("HS_2015", "2014-05-01 00:00:00", "H155"),
            ("HS_WEB", "2026-02-29 00:00:00", "H157"),
            ("HS_WEB", "yesterday", "H158"),
        ] {
            let raw = RawConsent { source: Some(source), consent_date: Some(date), ..GOOD };
            assert_eq!(wrong(raw), [("consentDate", code)], "{source} {date}");
        }
        for (source, date) in [
            ("HS_WEB", "2026-11-22 12:00:00"),
            ("HS_WEB", "2015-05-01 00:00:00"),
            ("HS_2015", "2015-05-01T00:00:00+03:00"),
        ] {
            let raw = RawConsent { source: Some(source), consent_date: Some(date), ..GOOD };
            assert!(check_shape(&raw, now()).is_ok(), "{source} {date}");
        }
    }

    #[test]
    fn an_address_carries_its_finer_reason() {
        let errors = check_shape(&RawConsent { recipient: Some("5,32E+09"), ..GOOD }, now()).unwrap_err();
        assert_eq!((errors[0].h_code, errors[0].reason), ("H121", Some("digits_lost")));
    }
}
