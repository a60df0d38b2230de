//! The API's description (OpenAPI 3.1), made from the handlers themselves.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, License, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr,
    ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use crate::http::problem::ProblemBody;
use crate::http::v1;

/// Name of the way in which keys are sent.
const SCHEME: &str = "apiKey";
/// Content type of problems.
const PROBLEM: &str = "application/problem+json";
/// Extension with the scope that an operation needs.
pub(super) const SCOPE: &str = "x-scope";
/// Extension with the Turkish summary of an operation.
pub(super) const SUMMARY_TR: &str = "x-summary-tr";
/// Extension with its Turkish description, where it has an English one.
pub(super) const DESCRIPTION_TR: &str = "x-description-tr";

/// Groups of operations: name, Turkish, English.
pub(super) const TAGS: [(&str, &str, &str); 11] = [
    ("consents", "İzinler: kabul, durum, liste", "Consents: taking in, state, list"),
    (
        "permissions",
        "İzin durumu: sorgu ve gönderim denetimi",
        "Permissions: look-up and check before sending",
    ),
    ("changes", "Değişiklik akışı", "Change feed"),
    ("reports", "Günlük mutabakat", "Daily reconciliation"),
    ("webhooks", "Web kancaları", "Webhooks"),
    (
        "channels",
        "Kanallar: form, bağlantı, çağrı merkezi, kâğıt",
        "Channels: forms, links, call centre, paper",
    ),
    (
        "texts",
        "Metinler: onay metni, aydınlatma, çağrı metni, basılı form",
        "Texts: consent texts, privacy notices, call scripts, paper forms",
    ),
    (
        "messages",
        "Giden SMS ve e-postalar: kod, bildirim, teyit",
        "Outgoing SMS and e-mail: codes, notices, confirmations",
    ),
    (
        "keywords",
        "Kısa numaralar, anahtar sözcükler ve vatandaşların mesajları",
        "Short numbers, keywords and what citizens send to them",
    ),
    ("retailers", "Bayiler ve izinlere erişimleri", "Retailers and their access to consents"),
    (
        "administration",
        "Yönetim: hizmet sağlayıcı, marka, anahtar",
        "Administration: providers, brands, keys",
    ),
];

const ABOUT: &str = "Köprü stands between business partners' clients and İYS, Turkey's national consent registry. It takes \
    consents and withdrawals in, files them with the registry before their deadline, mirrors what the registry holds, answers \
    whether messages may be sent, and tells every change by feed and webhook.";

/// What the description holds before the routes are added.
pub fn base() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Köprü")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(License::new(env!("CARGO_PKG_LICENSE"))))
        .build();
    let tags = TAGS.map(|(name, _, english)| TagBuilder::new().name(name).description(Some(english)).build());
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("kpr_<id>_<secret>")
        .description(Some("An API key: `Authorization: Bearer kpr_…`"))
        .build();
    let components = ComponentsBuilder::new()
        .security_scheme(SCHEME, SecurityScheme::Http(key))
        .schema(ProblemBody::name(), ProblemBody::schema())
        .build();
    let mut document = OpenApiBuilder::new()
        .info(info)
        .tags(Some(tags))
        .components(Some(components))
        .security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(SCHEME, [])]))
        .build();
    let mut schemas = Vec::new();
    ProblemBody::schemas(&mut schemas);
    if let Some(components) = &mut document.components {
        components.schemas.extend(schemas);
    }
    document
}

/// The whole description.
pub fn document() -> OpenApi {
    let mut document = v1::routes().into_openapi();
    for item in document.paths.paths.values_mut() {
        for operation in operations_mut(item) {
            complete(operation);
        }
    }
    document
}

/// What every operation has in common: problems.
fn complete(operation: &mut Operation) {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name(ProblemBody::name()))).build();
    let answer = ResponseBuilder::new()
        .description("A problem: 401 key, 403 scope or network, 404, 429 rate, 5xx")
        .content(PROBLEM, problem)
        .build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(answer));
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

/// The operations of a path with their methods.
pub(super) fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    let all = [("POST", post), ("GET", get), ("PUT", put), ("PATCH", patch), ("DELETE", delete)];
    all.into_iter().filter_map(|(method, operation)| operation.as_ref().map(|operation| (method, operation)))
}

/// Serves the description.
pub async fn serve() -> Response {
    static JSON: LazyLock<String> = LazyLock::new(|| document().to_json().unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], JSON.as_str()).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn all() -> Vec<(String, &'static str, Operation)> {
        let document = document();
        let paths = document.paths.paths.iter();
        paths
            .flat_map(|(path, item)| {
                operations(item)
                    .map(move |(method, operation)| (path.clone(), method, operation.clone()))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn every_operation_is_named_tagged_and_summed_up_in_both_languages() {
        let operations = all();
        assert!(operations.len() >= 25, "{}", operations.len());
        let mut names = HashSet::new();
        for (path, method, operation) in operations {
            let place = format!("{method} {path}");
            assert!(names.insert(operation.operation_id.clone().expect(&place)), "{place}");
            assert!(operation.summary.as_ref().is_some_and(|summary| !summary.is_empty()), "{place}");
            let extensions = operation.extensions.as_ref().expect(&place);
            assert!(extensions[SUMMARY_TR].is_string(), "{place}");
            let turkish = extensions.get(DESCRIPTION_TR).is_some();
            assert_eq!(
                operation.description.as_ref().is_some_and(|text| !text.is_empty()),
                turkish,
                "{place}"
            );
            let scope = extensions[SCOPE].as_str().expect(&place);
            assert!(crate::service::Scope::from_wire(scope).is_some(), "{place}: {scope}");
            let tag = &operation.tags.as_ref().expect(&place)[0];
            assert!(TAGS.iter().any(|(name, _, _)| name == tag), "{place}: {tag}");
            assert!(operation.responses.responses.contains_key("default"), "{place}");
        }
    }

    #[test]
    fn the_document_is_openapi_3_1_and_every_reference_leads_somewhere() {
        let json = document().to_json().unwrap();
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["openapi"], "3.1.0");
        let schemas = value["components"]["schemas"].as_object().unwrap();
        for reference in json.split("\"$ref\":\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name}");
        }
        assert!(schemas.contains_key("ProblemBody") && schemas.contains_key("ProblemField"));
    }
}
