use std::collections::{BTreeSet, HashSet};

use super::*;

fn field(index: usize) -> FieldProblem {
    FieldProblem {
        index: Some(index),
        field: "type".to_owned(),
        code: "H117".to_owned(),
        title: Text::fixed("tür", "kind"),
    }
}

#[test]
fn every_kind_has_its_own_slug_and_a_title_in_both_languages() {
    let slugs: HashSet<&str> = CATALOGUE.iter().map(|kind| kind.slug).collect();
    assert_eq!(slugs.len(), CATALOGUE.len());
    for kind in CATALOGUE {
        assert!(kind.slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", kind.slug);
        assert!(kind.status.is_client_error() || kind.status.is_server_error());
        assert_ne!(kind.title.get(Lang::Tr), kind.title.get(Lang::En));
    }
}

#[test]
fn a_body_has_its_errors_in_one_language() {
    let problem = Problem::NothingAccepted(vec![field(0), field(7)]);
    let json = serde_json::to_value(problem.body(Lang::En, "req-1")).unwrap();
    assert_eq!(json["type"], "urn:kopru:problem:nothing-accepted");
    assert_eq!(json["status"], 422);
    assert_eq!(json["requestId"], "req-1");
    assert_eq!(json["errors"][1]["index"], 7);
    assert_eq!(json["errors"][1]["title"], "kind");
    let turkish = serde_json::to_value(problem.body(Lang::Tr, "req-1")).unwrap();
    assert_eq!(turkish["errors"][0]["title"], "tür");
    assert_ne!(turkish["title"], json["title"]);
}

#[test]
fn a_fault_of_ours_says_nothing_but_its_type() {
    let secret = kopru_store::StoreError::Corrupt { what: "consents", detail: "secret".to_owned() };
    let problem = Problem::from(secret);
    assert_eq!(problem, Problem::Internal);
    let json = serde_json::to_value(problem.body(Lang::En, "req-1")).unwrap();
    let keys: BTreeSet<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, BTreeSet::from(["requestId", "status", "title", "type"]));
}

#[test]
fn malformed_json_says_where() {
    let json =
        serde_json::to_value(Problem::MalformedJson { line: 3, column: 14 }.body(Lang::En, "r")).unwrap();
    assert_eq!((&json["line"], &json["column"]), (&3.into(), &14.into()));
    assert!(json["detail"].as_str().unwrap().contains("line 3, column 14"));
}

#[test]
fn a_missing_scope_is_named() {
    let json = serde_json::to_value(Problem::MissingScope(Scope::ConsentsWrite).body(Lang::Tr, "r")).unwrap();
    assert_eq!(json["scope"], "consents:write");
    assert!(json["detail"].as_str().unwrap().contains("consents:write"));
}

#[test]
fn an_answer_carries_status_and_headers() {
    let response = Problem::KeyExpired.into_response();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(response.headers().contains_key(header::WWW_AUTHENTICATE));
    let limited = Problem::RateLimited(Duration::from_millis(1_200)).into_response();
    assert_eq!(limited.headers()[header::RETRY_AFTER], "2");
    assert!(limited.extensions().get::<Pending>().is_some());
}
