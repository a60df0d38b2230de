//! What the start of an opt-in must be (protocol 10.1 and 5.3). The first finding is told, as in the
//! document's examples. Which of two codes with one meaning is used is assumed: an absent field gives H1005
//! where the examples have it, and H1057 where it is empty or the examples know only that.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Finding, Rule};
use crate::address::{self, AddressPolicy, Kind};
use crate::store::opt_in::Package;
use crate::store::providers::SubscriptionStatus;
use crate::store::via::Form;
use crate::words::{Channel, RecipientType, Verification};

/// The title of approvals that are given to brands.
pub(crate) const ETK: &str = "ETK";
/// The title of approvals about personal data, which are given to the provider.
pub(crate) const KVK: &str = "KVK";
/// What can be agreed to under [`KVK`].
pub(crate) const KVK_TYPES: [&str; 3] = ["AYDINLATMA_METNI", "ACIK_RIZA_METNI", "YURTDISI_AKTARIM"];

/// A body as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyCase<'a> {
    pub(crate) empty: bool,
    /// `None` when it is not JSON.
    pub(crate) json: Option<&'a Value>,
}

type BodyCheck = for<'a> fn(&BodyCase<'a>) -> Option<Finding>;

/// The rules about the bodies of the two methods that change something.
pub(crate) const BODY: &[Rule<BodyCheck>] = &[
    Rule::new("H1042", 400, "via_body_empty", |case| case.empty.then(Finding::new)),
    Rule::new("H1041", 400, "via_body_is_not_json", |case| case.json.is_none().then(Finding::new)),
    Rule::new("H1043", 400, "via_body_is_no_object", |case| {
        case.json.is_some_and(|json| !json.is_object()).then(Finding::new)
    }),
];

/// A field that holds nothing: `null`, an empty text, an empty list. An absent one is not blank.
pub(crate) fn is_blank(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Null) => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        _ => false,
    }
}

fn is_absent_or_blank(value: Option<&Value>) -> bool {
    value.is_none() || is_blank(value)
}

/// The first key of an object that is none of these.
pub(crate) fn foreign_key<'a>(map: &'a Map<String, Value>, known: &[&str]) -> Option<&'a str> {
    map.keys().map(String::as_str).find(|key| !known.contains(key))
}

/// The entries of `consentTypes`.
pub(crate) fn entries(map: &Map<String, Value>) -> impl Iterator<Item = Entry<'_>> {
    map.get("consentTypes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .map(Entry)
}

/// One entry of `consentTypes`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Entry<'a> {
    pub(crate) fn get(self, field: &str) -> Option<&'a Value> {
        self.0.get(field)
    }

    pub(crate) fn title(self) -> &'a str {
        self.get("title").and_then(Value::as_str).unwrap_or_default()
    }

    /// The texts in `types`.
    pub(crate) fn types(self) -> impl Iterator<Item = &'a str> {
        self.get("types").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// The numbers in `brandCodes`.
    pub(crate) fn brand_codes(self) -> impl Iterator<Item = i64> {
        self.get("brandCodes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_i64)
    }

    /// A text of `personData`.
    pub(crate) fn person(self, field: &str) -> Option<&'a Value> {
        self.get("personData")?.get(field)
    }

    /// What the messages call the types of this title.
    fn types_name(self) -> &'static str {
        match self.title() {
            ETK => "etkTypes",
            KVK => "kvkTypes",
            _ => "types",
        }
    }

    /// The first required field that is missing, of those whose absence has a code of its own.
    fn missing(self) -> Option<&'static str> {
        if self.get("title").is_none() {
            Some("title")
        } else if self.get("types").is_none() {
            Some(self.types_name())
        } else if self.title() == ETK && self.get("brandCodes").is_none() {
            Some("brandCodes")
        } else {
            None
        }
    }

    /// The first required field that is empty, or that is missing where that is the same.
    fn blank(self) -> Option<&'static str> {
        if is_blank(self.get("title")) {
            Some("title")
        } else if is_blank(self.get("types")) {
            Some(self.types_name())
        } else if is_blank(self.get("brandCodes")) {
            Some("brandCodes")
        } else if self.title() == ETK && is_absent_or_blank(self.get("recipientType")) {
            Some("recipientType")
        } else if self.title() == KVK && is_absent_or_blank(self.person("name")) {
            Some("recipientName")
        } else {
            None
        }
    }

    /// The first field of a wrong type, and the type it wants.
    fn mistyped(self) -> Option<(&'static str, &'static str)> {
        let wrong =
            |field: &str, right: fn(&Value) -> bool| self.get(field).is_some_and(|value| !right(value));
        let list_of = |field: &str, right: fn(&Value) -> bool| {
            self.get(field).is_some_and(|value| !value.as_array().is_some_and(|list| list.iter().all(right)))
        };
        let mistyped_person = self
            .get("personData")
            .and_then(Value::as_object)
            .is_some_and(|p| !p.values().all(Value::is_string));
        if wrong("title", Value::is_string) {
            Some(("title", "String"))
        } else if list_of("types", Value::is_string) {
            Some(("types", "String"))
        } else if list_of("brandCodes", Value::is_i64) {
            Some(("brandCodes", "integer"))
        } else if wrong("recipientType", Value::is_string) {
            Some(("recipientType", "String"))
        } else if wrong("personData", Value::is_object) || mistyped_person {
            Some(("personData", "String"))
        } else {
            None
        }
    }
}

/// The start of an opt-in and what is known about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StartCase<'a> {
    pub(crate) map: &'a Map<String, Value>,
    pub(crate) addresses: AddressPolicy,
    pub(crate) iys_code: i64,
    /// The form that the body names.
    pub(crate) form: Option<&'a Form>,
    /// The brands of the provider.
    pub(crate) brands: &'a [i64],
    /// Those of them that the caller may ask for.
    pub(crate) via_brands: &'a [i64],
    pub(crate) package: Option<&'a Package>,
    /// The address is new, and the subscription takes no more addresses.
    pub(crate) quota_full: bool,
}

impl StartCase<'_> {
    fn text(&self, field: &str) -> &str {
        self.map.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    fn method(&self) -> Option<Verification> {
        Verification::parse(self.text("verificationType"))
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        entries(self.map)
    }

    fn of_title(&self, title: &str) -> impl Iterator<Item = Entry<'_>> {
        self.entries().filter(move |entry| entry.title() == title)
    }

    /// Whether the recipient is of the kind that the method reaches.
    fn is_reachable(&self) -> bool {
        let kind = address::kind(self.text("recipient"), self.addresses);
        match self.method() {
            Some(method) if method.is_sms() => matches!(kind, Kind::Phone(_)),
            Some(_) => kind == Kind::Email,
            None => true,
        }
    }

    /// The value of a field that has been found wanting.
    fn named(field: &str) -> Finding {
        Finding::new().detail(field)
    }
}

/// The number of a form, which the document's examples write as text.
pub(crate) fn form_id(map: &Map<String, Value>) -> Option<i64> {
    match map.get("formId")? {
        Value::String(text) => text.parse().ok(),
        value => value.as_i64(),
    }
}

const KEYS: [&str; 4] = ["formId", "recipient", "verificationType", "consentTypes"];
const ENTRY_KEYS: [&str; 5] = ["title", "brandCodes", "types", "recipientType", "personData"];
const PERSON_KEYS: [&str; 3] = ["name", "recipientIdNumber", "address"];

fn unknown_field(case: &StartCase<'_>) -> Option<Finding> {
    let in_entries = || {
        case.entries().find_map(|entry| {
            let person = entry.get("personData").and_then(Value::as_object);
            foreign_key(entry.0, &ENTRY_KEYS).or_else(|| foreign_key(person?, &PERSON_KEYS))
        })
    };
    foreign_key(case.map, &KEYS).or_else(in_entries).map(StartCase::named)
}

fn blank_field(case: &StartCase<'_>) -> Option<Finding> {
    let of_body = ["recipient", "verificationType", "consentTypes"]
        .into_iter()
        .find(|field| is_absent_or_blank(case.map.get(*field)));
    let form = is_blank(case.map.get("formId")).then_some("formId");
    form.or(of_body).or_else(|| case.entries().find_map(Entry::blank)).map(StartCase::named)
}

fn mistyped_field(case: &StartCase<'_>) -> Option<Finding> {
    let text = |field: &'static str| !case.map.get(field).is_some_and(Value::is_string);
    let form_ok = case.map.get("formId").is_some_and(|value| value.is_string() || value.is_i64());
    let objects = case
        .map
        .get("consentTypes")
        .and_then(Value::as_array)
        .is_some_and(|list| list.iter().all(Value::is_object));
    let (field, wanted) = if !form_ok {
        ("formId", "String")
    } else if text("recipient") {
        ("recipient", "String")
    } else if text("verificationType") {
        ("verificationType", "String")
    } else if !objects {
        ("consentTypes", "Object")
    } else {
        case.entries().find_map(Entry::mistyped)?
    };
    Some(Finding::new().detail(format!("{field} ({wanted})")))
}

/// Whether a title can have this type; titles of the provider's own have types of its own.
pub(crate) fn is_known_type(title: &str, text: &str) -> bool {
    match title {
        ETK => Channel::parse(text).is_some(),
        KVK => KVK_TYPES.contains(&text),
        _ => true,
    }
}

fn unknown_type(entry: Entry<'_>) -> Option<&str> {
    entry.types().find(|text| !is_known_type(entry.title(), text))
}

/// A channel of an ETK entry that the method cannot ask for.
fn unfit_type<'a>(case: &'a StartCase<'_>) -> Option<&'a str> {
    let sms = case.method()?.is_sms();
    let fits = |text: &str| (Channel::parse(text) == Some(Channel::Email)) != sms;
    case.of_title(ETK).flat_map(Entry::types).find(|text| !fits(text))
}

/// The first title or type that the form does not ask for.
fn outside_form(case: &StartCase<'_>) -> Option<Finding> {
    let form = case.form?;
    case.entries().find_map(|entry| {
        let known = form.titles.get(entry.title());
        let fits = known.is_some_and(|types| entry.types().all(|text| types.iter().any(|t| t == text)));
        (!fits).then(Finding::new)
    })
}

fn repeated<'a>(mut texts: impl Iterator<Item = &'a str>) -> bool {
    let mut seen = HashSet::new();
    !texts.all(|text| seen.insert(text))
}

type StartCheck = for<'a> fn(&StartCase<'a>) -> Option<Finding>;

/// The rules about a start.
pub(crate) const START: &[Rule<StartCheck>] = &[
    Rule::new("H1025", 400, "via_unknown_field", unknown_field),
    Rule::new("H1005", 400, "via_form_id_missing", |case| {
        (!case.map.contains_key("formId")).then(|| StartCase::named("formId"))
    }),
    Rule::new("H1057", 400, "via_field_blank", blank_field),
    Rule::new("H1005", 400, "via_field_missing", |case| {
        case.entries().find_map(Entry::missing).map(StartCase::named)
    }),
    Rule::new("H1029", 400, "via_field_mistyped", mistyped_field),
    Rule::new("H1010", 400, "via_form_id_unusable", |case| {
        form_id(case.map).is_none().then(|| StartCase::named("formId"))
    }),
    Rule::new("H1012", 400, "via_method_unknown", |case| case.method().is_none().then(Finding::new)),
    Rule::new("H1013", 400, "via_title_unknown", |case| {
        let own = |title: &str| case.form.is_some_and(|form| form.titles.contains_key(title));
        case.entries()
            .any(|entry| ![ETK, KVK].contains(&entry.title()) && !own(entry.title()))
            .then(Finding::new)
    }),
    Rule::new("H1060", 400, "via_title_repeats", |case| {
        repeated(case.entries().map(Entry::title)).then(Finding::new)
    }),
    Rule::new("H1061", 400, "via_type_repeats", |case| {
        case.entries().any(|entry| repeated(entry.types())).then(Finding::new)
    }),
    Rule::new("H1085", 400, "via_type_unknown", |case| {
        case.entries().find_map(unknown_type).map(|text| Finding::new().detail(text))
    }),
    Rule::new("H1066", 400, "via_email_with_other_types", |case| {
        let mixed = |entry: Entry<'_>| {
            entry.types().count() > 1 && entry.types().any(|text| text == Channel::Email.as_str())
        };
        case.of_title(ETK).any(mixed).then(Finding::new)
    }),
    Rule::new("H1086", 400, "via_type_does_not_fit_method", |case| {
        unfit_type(case).map(|text| Finding::new().detail(text))
    }),
    Rule::new("H1063", 400, "via_recipient_type_unknown", |case| {
        let known = |entry: Entry<'_>| {
            entry.get("recipientType").and_then(Value::as_str).and_then(RecipientType::parse).is_some()
        };
        (!case.of_title(ETK).all(known)).then(Finding::new)
    }),
    Rule::new("H1026", 400, "via_phone_invalid", |case| {
        (case.method().is_some_and(Verification::is_sms) && !case.is_reachable()).then(Finding::new)
    }),
    Rule::new("H1027", 400, "via_email_invalid", |case| {
        (case.method().is_some_and(|method| !method.is_sms()) && !case.is_reachable()).then(Finding::new)
    }),
    // The examples hold numbers that fail the checksum, so that only the form is looked at.
    Rule::new("H1096", 400, "via_id_number_unusable", |case| {
        let number = case.entries().find_map(|entry| entry.person("recipientIdNumber"))?.as_str()?;
        let fits =
            number.len() == 11 && !number.starts_with('0') && number.bytes().all(|b| b.is_ascii_digit());
        (!fits).then(Finding::new)
    }),
    Rule::new("H1055", 400, "via_form_unknown", |case| {
        let id = form_id(case.map)?;
        case.form.is_none().then(|| Finding::new().detail(id.to_string()))
    }),
    Rule::new("H1062", 400, "via_form_of_another_provider", |case| {
        case.form.is_some_and(|form| form.iys_code != case.iys_code).then(Finding::new)
    }),
    Rule::new("H1000", 400, "via_form_not_published", |case| {
        case.form.is_some_and(|form| !form.published).then(Finding::new)
    }),
    Rule::new("H1065", 400, "via_form_of_another_kind", |case| {
        let (form, method) = (case.form?, case.method()?);
        (form.kind != method.form_kind()).then(|| Finding::new().detail(form.kind.as_str()))
    }),
    Rule::new("H1054", 400, "via_form_does_not_ask_for_it", outside_form),
    Rule::new("H1014", 400, "via_brand_of_another_provider", |case| {
        case.entries()
            .flat_map(Entry::brand_codes)
            .any(|code| !case.brands.contains(&code))
            .then(Finding::new)
    }),
    Rule::new("H1104", 404, "via_brand_not_permitted", |case| {
        let codes = case.entries().flat_map(Entry::brand_codes);
        codes
            .into_iter()
            .any(|code| case.brands.contains(&code) && !case.via_brands.contains(&code))
            .then(Finding::new)
    }),
    Rule::new("H1093", 400, "via_package_missing", |case| case.package.is_none().then(Finding::new)),
    Rule::new("H1092", 400, "via_package_inactive", |case| {
        (case.package?.status != SubscriptionStatus::Active).then(Finding::new)
    }),
    Rule::new("H1015", 400, "via_credit_used_up", |case| (case.package?.credit == 0).then(Finding::new)),
    Rule::new("H1031", 400, "via_quota_used_up", |case| case.quota_full.then(Finding::new)),
];
