//! Vendors by a template, and the file.

use kopru_sms::{Account, FailureKind, Template, http, log};

use crate::stand_in::{Fault, Seen, StandIn, Vendor};
use crate::{client, outgoing};

struct Any;

impl Vendor for Any {
    fn answer(&mut self, _: &Seen) -> (u16, &'static str, String) {
        (200, "application/json", r#"{"result":"OK","messages":[{"id":77}]}"#.to_owned())
    }
}

fn template(json: serde_json::Value) -> Result<Account, http::TemplateError> {
    let template: Template = serde_json::from_value(json).unwrap();
    http::Account::new(template, Some("s&cret".to_owned().into())).map(Account::Http)
}

#[tokio::test]
async fn a_template_is_filled_in_and_escaped() {
    let vendor = StandIn::start(Any).await;
    let json = template(serde_json::json!({
        "url": format!("{}/send?key={{secret}}", vendor.url),
        "headers": {"x-api-key": "{secret}"},
        "body": r#"{"from":"{from}","to":"{to_digits}","text":"{text}","ref":"{reference}","fixed":{"a":1}}"#,
        "id": "messages.0.id",
        "accepted": "\"OK\"",
    }))
    .unwrap();
    let nasty = "\"Şifre\": {secret} \\ 100%\n&to=1";
    let sent = json.send(&client(), outgoing("m-1", nasty)).await.unwrap();
    assert_eq!(sent.id.as_deref(), Some("77"));
    let seen = vendor.last();
    assert_eq!(seen.json()["text"], nasty);
    assert_eq!(
        (seen.json()["to"].as_str(), seen.json()["fixed"]["a"].as_i64()),
        (Some("905319876543"), Some(1))
    );
    assert_eq!((seen.query.as_str(), seen.header("x-api-key")), ("key=s%26cret", "s&cret"));
    assert!(!format!("{json:?}").contains("cret"), "{json:?}");

    let form = template(serde_json::json!({
        "url": format!("{}/send", vendor.url),
        "content_type": "application/x-www-form-urlencoded",
        "body": "gsm={to_local}&mesaj={text}",
    }))
    .unwrap();
    form.send(&client(), outgoing("m-1", nasty)).await.unwrap();
    assert_eq!(vendor.last().value("mesaj").as_deref(), Some(nasty));
    assert_eq!(vendor.last().value("gsm").as_deref(), Some("5319876543"));

    let get = template(serde_json::json!({
        "url": format!("{}/send?gsm={{to}}&mesaj={{text}}", vendor.url),
        "method": "GET",
    }))
    .unwrap();
    get.send(&client(), outgoing("m-1", nasty)).await.unwrap();
    assert_eq!(vendor.last().method, "GET");
    assert_eq!(vendor.last().value("gsm").as_deref(), Some("+905319876543"));
}

#[tokio::test]
async fn an_answer_without_the_word_is_a_refusal() {
    let vendor = StandIn::start(Any).await;
    let account = template(serde_json::json!({
        "url": vendor.url, "body": r#"{"to":"{to}","text":"{text}"}"#, "accepted": "OK",
    }))
    .unwrap();
    vendor.next_goes_wrong(Fault::Status(200, "ERR 17"));
    let failure = account.send(&client(), outgoing("m-1", "x")).await.unwrap_err();
    assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Refused, "not_accepted"));
    vendor.next_goes_wrong(Fault::Status(302, ""));
    let failure = account.send(&client(), outgoing("m-1", "x")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Account);
}

#[test]
fn a_template_that_cannot_work_is_refused() {
    let error = |json| template(json).unwrap_err().to_string();
    assert_eq!(error(serde_json::json!({"url": "ftp://x/{to}{text}"})), "url is no http or https address");
    assert_eq!(error(serde_json::json!({"url": "http://x/{to}"})), "{text} stands nowhere in the template");
    assert_eq!(error(serde_json::json!({"url": "http://x/{text}"})), "{to} stands nowhere in the template");
    let put = serde_json::json!({"url": "http://x/{text}{to}", "method": "PUT"});
    assert_eq!(error(put), "method \"PUT\" is neither POST nor GET");
    let unquoted = serde_json::json!({"url": "http://x/", "body": r#"{"t": {text}, "to": "{to}"}"#});
    assert_eq!(error(unquoted), "body is no JSON");
}

#[tokio::test]
async fn the_file_has_a_line_for_each_text() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("messages.jsonl");
    let account = Account::Log(log::Account { file: file.clone() });
    for reference in ["m-1", "m-2"] {
        account.send(&client(), outgoing(reference, "Kod: 123456\nİptal")).await.unwrap();
    }
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[1]["reference"], &lines[1]["text"]), (&"m-2".into(), &"Kod: 123456\nİptal".into()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let nowhere = Account::Log(log::Account { file: dir.path().join("no/such/place") });
    let failure = nowhere.send(&client(), outgoing("m-1", "x")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Retry);
}
