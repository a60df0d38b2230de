//! Web forms and links: each consent reaches the registry from its source, its evidence rebuilds what was seen, opening a page
//! changes nothing, and nobody gets more than a page.

use kopru::bootstrap::App;
use kopru::clocks::Clocks;
use kopru::lifecycle::Lifecycle;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Bridge, Database, background, kopru};
use crate::texts;

const XSS: &str = "\"'><script>alert(1)</script>";

pub struct Page {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

pub struct Web {
    pub http: reqwest::Client,
    pub bridge: Bridge,
}

impl Web {
    pub async fn start(database: Database) -> Self {
        let bridge = Bridge::start(database).await;
        for (code, kind, body) in [
            ("sms-onay", "consent", "Kampanya iletisi almak istiyorum."),
            ("aydinlatma", "notice", "Verileriniz şöyle işlenir."),
        ] {
            let mut text = texts::text(code, kind, body);
            text["en"] = json!({"title": "English", "body": "In English."});
            texts::add(&bridge, text).await;
        }
        Self { http: reqwest::Client::builder().build().unwrap(), bridge }
    }

    pub async fn form(&self, code: &str, more: &Value) -> Value {
        let mut body = json!({"mersis": "0123456789012345", "text": "sms-onay/1", "notice": "aydinlatma/1", "channels": ["MESAJ", "EPOSTA"],
            "doubleOptIn": false});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let path = format!("/v1/brands/{}/forms/{code}", self.bridge.brand());
        let (status, form) = self.bridge.put_as(&self.bridge.admin, &path, body).await;
        assert!(status == 201 || status == 200, "{form}");
        form
    }

    pub async fn link(&self, body: Value) -> Value {
        let (status, answer) =
            self.bridge.post(&format!("/v1/brands/{}/links", self.bridge.brand()), body).await;
        assert_eq!(status, 201, "{answer}");
        answer["items"][0].clone()
    }

    async fn counters(&self, link: &Value) -> [i64; 3] {
        let path = format!("/v1/brands/{}/links/{}", self.bridge.brand(), link["id"].as_str().unwrap());
        let (_, shown) = self.bridge.get(&path).await;
        ["opened", "confirmed", "refused"].map(|name| shown[name].as_i64().unwrap())
    }

    pub async fn get(&self, url: &str) -> Page {
        page(self.http.get(url).header("accept-language", "tr").send().await.unwrap()).await
    }

    pub async fn post(&self, url: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Page {
        let mut request = self
            .http
            .post(url)
            .form(fields)
            .header("user-agent", "Tarayici/1")
            .header("accept-language", "tr");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        page(request.send().await.unwrap()).await
    }

    pub async fn taken(&self) -> usize {
        let (_, list) = self.bridge.get(&format!("/v1/brands/{}/consents", self.bridge.brand())).await;
        list["items"].as_array().unwrap().len()
    }

    pub async fn movements(&self) -> Vec<(String, String, String)> {
        self.bridge.drain_for(2, "5s").await;
        let word = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
        let all = self.bridge.registry.movements().await;
        all.iter().map(|it| (word(it, "recipient"), word(it, "status"), word(it, "source"))).collect()
    }

    async fn evidence(&self, index: usize) -> Value {
        let (_, list) = self.bridge.get(&format!("/v1/brands/{}/consents", self.bridge.brand())).await;
        let id = list["items"][index]["id"].as_str().unwrap();
        let (status, pack) = self.bridge.get(&format!("/v1/consents/{id}/evidence")).await;
        assert!(status == 200 && pack["ledger"]["holds"] == true, "{pack}");
        pack
    }
}

async fn page(response: reqwest::Response) -> Page {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Page { status, headers, text: response.text().await.unwrap() }
}

pub fn url(of: &Value) -> &str {
    of["url"].as_str().unwrap()
}

fn movement(recipient: &str, status: &str, source: &str) -> (String, String, String) {
    (recipient.to_owned(), status.to_owned(), source.to_owned())
}

const GOOD: [(&str, &str); 5] = [
    ("fullName", "Ayşe Yılmaz"),
    ("phone", "0532 123 45 01"),
    ("email", ""),
    ("channels", "MESAJ"),
    ("page", "sayfa-1"),
];

on_both_databases! {
    async fn a_form_is_shown_sent_and_proved(database: Database) {
        let web = Web::start(database).await;
        let form = web.form("bulten", &json!({"theme": {"accent": "#7a1f1f"}})).await;
        let shown = web.get(url(&form)).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        for part in ["Demo A.Ş.", "0123456789012345", "Kampanya iletisi almak istiyorum.", "Verileriniz şöyle işlenir.", "lang=\"tr\"", "#7a1f1f"] {
            assert!(shown.text.contains(part), "{part}: {}", shown.text);
        }
        assert_eq!(shown.text.matches("type=\"checkbox\"").count(), 2);
        assert!(!shown.text.contains(" checked") && !shown.text.contains("<script"), "{}", shown.text);
        let policy = shown.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let english = web.get(&format!("{}?lang=en", url(&form))).await;
        assert!(english.text.contains("Your name and surname"), "{}", english.text);
        assert_eq!(web.taken().await, 0);

        let wrong = web.post(url(&form), &[("fullName", ""), ("phone", "12"), ("channels", "MESAJ")], &[]).await;
        assert_eq!(wrong.status, 422);
        assert!(wrong.text.contains("role=\"alert\"") && wrong.text.contains("href=\"#phone\"") && wrong.text.contains("value=\"12\""), "{}", wrong.text);
        let none = web.post(url(&form), &[("fullName", "Ayşe"), ("phone", "0532 123 45 01")], &[]).await;
        assert_eq!(none.status, 422, "silence is no consent");
        for _ in 0..2 {
            let sent = web.post(url(&form), &GOOD, &[]).await;
            assert!(sent.status == 200 && sent.text.contains("Kaydınız alındı"), "{}", sent.text);
        }
        assert_eq!(web.movements().await, [movement("+905321234501", "ONAY", "HS_WEB")], "sent twice, once taken");
        let pack = web.evidence(0).await;
        assert_eq!((&pack["text"]["body"], &pack["notice"]["body"]), (&json!("Kampanya iletisi almak istiyorum."), &json!("Verileriniz şöyle işlenir.")));
        let facts = &pack["facts"];
        let boxes = json!([{"label": "SMS almak istiyorum", "ticked": true}, {"label": "E-posta almak istiyorum", "ticked": false}]);
        assert_eq!((&facts["boxes"], &facts["origin"], &facts["formVersion"]), (&boxes, &json!("form bulten"), &json!(1)), "{pack}");
        assert_eq!((&facts["declared"], &facts["fullName"], &facts["peer"]), (&json!(false), &json!("Ayşe Yılmaz"), &json!("127.0.0.1")), "{pack}");
        assert_eq!(facts["userAgent"], "Tarayici/1", "{pack}");
        assert!(facts["peerPort"].is_number() && facts["rawInput"] == "0532 123 45 01", "{pack}");

        // A change is a version, under the same address; an ended form takes nothing.
        let changed = web.form("bulten", &json!({"channels": ["EPOSTA"]})).await;
        assert_eq!((&changed["version"], &changed["publicKey"]), (&json!(2), &form["publicKey"]));
        assert_eq!(web.get(url(&form)).await.text.matches("type=\"checkbox\"").count(), 1);
        let path = format!("/v1/brands/{}/forms/bulten", web.bridge.brand());
        assert_eq!(web.bridge.delete_as(&web.bridge.admin, &path).await.0, 204);
        assert_eq!((web.get(url(&form)).await.status, web.post(url(&form), &GOOD, &[]).await.status), (410, 410));
        web.bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// Without a sender no address can be confirmed: a form that wants it confirmed files nothing, and says so.
    async fn double_opt_in_is_the_default_and_files_nothing_without_a_sender(database: Database) {
        let web = Web::start(database).await;
        let form = web.form("bulten", &json!({"doubleOptIn": null})).await;
        assert_eq!(form["doubleOptIn"], true, "{form}");
        let sent = web.post(url(&form), &GOOD, &[]).await;
        assert!(sent.status == 503 && sent.text.contains("doğrulama şu anda kullanılamıyor"), "{}", sent.text);
        assert_eq!(web.taken().await, 0);
    }
}

on_both_databases! {
    /// One number and one e-mail address: each is confirmed by its own message, and each box is a consent of its own.
    async fn what_a_form_takes_is_confirmed_by_the_owners_of_its_addresses(database: Database) {
        let web = Web::start(database).await;
        let sender = json!({"title": "Örnek A.Ş.", "identity": "0123456789012345", "retNumber": "4609"});
        let path = format!("/v1/brands/{}/sender", web.bridge.brand());
        assert_eq!(web.bridge.put_as(&web.bridge.admin, &path, sender).await.0, 200);
        let form = web.form("bulten", &json!({"doubleOptIn": null, "channels": ["MESAJ", "ARAMA", "EPOSTA"]})).await;
        let fields = [("fullName", "Ayşe Yılmaz"), ("phone", "0532 123 45 67"), ("email", "ayse@ornek.com"), ("channels", "MESAJ"),
            ("channels", "ARAMA"), ("channels", "EPOSTA")];
        // The client follows to the page on which the code is entered.
        let asked = web.post(url(&form), &fields, &[]).await;
        assert_eq!(asked.status, 200, "{}", asked.text);
        for part in ["6 haneli kod", "arama ve SMS", "ayrı bir onay bağlantısı"] {
            assert!(asked.text.contains(part), "{part}: {}", asked.text);
        }
        web.bridge.drain().await;
        assert_eq!(web.taken().await, 0, "nothing before the confirmation");
        let file = std::fs::read_to_string(web.bridge.database().folder().join("messages.jsonl")).unwrap();
        let after = |mark: &str, length: usize| {
            let place = file.find(mark).unwrap() + mark.len();
            file[place..place + length].to_owned()
        };
        let (code, mail) = (after("için kod ", 6), after("/c/", 22));
        let action = asked.text.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let there = |path: &str| format!("{}{path}", web.bridge.url);
        let done = web.post(&there(&action), &[("code", &code)], &[]).await;
        assert!(done.status == 200 && done.text.contains("Onayınız alındı"), "{}", done.text);
        assert_eq!(web.taken().await, 2);
        let done = web.post(&there(&format!("/c/{mail}")), &[], &[]).await;
        assert!(done.status == 200 && done.text.contains("e-posta ile"), "{}", done.text);
        let told = web.movements().await;
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told.iter().all(|(_, status, source)| status == "ONAY" && source == "HS_WEB"), "{told:?}");
        let pack = web.evidence(0).await;
        let pack = pack.to_string();
        for part in ["Ayşe Yılmaz", "Kampanya iletisi almak istiyorum.", "Verileriniz şöyle işlenir.", "confirmedAt", "Tarayici/1"] {
            assert!(pack.contains(part), "{part}: {pack}");
        }
        web.bridge.ledger_holds().await;
    }
}

on_both_databases! {
    async fn only_allowed_pages_may_post_and_programs_are_trapped(database: Database) {
        let web = Web::start(database).await;
        let form = web.form("bulten", &json!({"allowedOrigins": ["https://www.example.com"]})).await;
        let from = |origin: &'static str| [("origin", origin)];
        for origin in ["https://evil.example", "null", "https://www.example.com.evil.example"] {
            let refused = web.post(url(&form), &GOOD, &from(origin)).await;
            assert_eq!(refused.status, 403, "{origin}: {}", refused.text);
            assert!(!refused.headers.contains_key("access-control-allow-origin"));
        }
        let trapped = web.post(url(&form), &[GOOD.as_slice(), &[("website", "http://spam.example")]].concat(), &[]).await;
        assert_eq!(trapped.status, 200, "it believes that it was taken");
        assert_eq!(web.taken().await, 0);
        let asked = web.http.request(reqwest::Method::OPTIONS, url(&form)).header("origin", "https://www.example.com").send().await.unwrap();
        assert_eq!(asked.headers()["access-control-allow-origin"], "https://www.example.com");
        let body = json!({"fullName": "Ali", "email": "Ali@Example.com", "channels": ["EPOSTA"]});
        let sent = web.http.post(url(&form)).header("origin", "https://www.example.com").json(&body).send().await.unwrap();
        assert_eq!(sent.headers()["access-control-allow-origin"], "https://www.example.com");
        let answer: Value = sent.json().await.unwrap();
        assert_eq!((&answer["result"], &answer["types"]), (&json!("taken"), &json!(["EPOSTA"])), "{answer}");
        assert_eq!(web.movements().await, [movement("ali@example.com", "ONAY", "HS_WEB")]);
        let own = web.bridge.url.clone();
        let own = web.post(url(&form), &GOOD, &[("origin", own.as_str())]).await;
        assert_eq!(own.status, 200, "{}", own.text);
        let script = web.get(form["embedUrl"].as_str().unwrap()).await;
        assert!(script.status == 200 && script.text.contains("attachShadow") && script.text.contains(url(&form)), "{}", script.text);
        assert_eq!(script.headers["cross-origin-resource-policy"], "cross-origin");
        assert!(script.headers["content-type"].to_str().unwrap().starts_with("text/javascript"));
    }
}

on_both_databases! {
    /// One address that hammers a form is slowed down, and hurts nobody else's.
    async fn hammering_a_form_is_limited(database: Database) {
        let web = Web::start(database).await;
        let (one, other) = (web.form("bir", &json!({})).await, web.form("iki", &json!({})).await);
        let mut statuses = Vec::new();
        for number in 0..40 {
            let phone = format!("05321{number:06}");
            let fields = [("fullName", "A"), ("phone", phone.as_str()), ("channels", "MESAJ")];
            statuses.push(web.post(url(&one), &fields, &[]).await.status);
        }
        let passed = statuses.iter().filter(|status| **status == 200).count();
        assert!((10..20).contains(&passed) && statuses.last() == Some(&429), "{statuses:?}");
        assert_eq!(web.post(url(&other), &GOOD, &[]).await.status, 200, "another form from the same address");
        let mut of_number = Vec::new();
        for page in 0..8 {
            let page = page.to_string();
            let phone = if page == "3" { "+90 (533) 999 99 99" } else { "05339999999" };
            let fields = [("fullName", "A"), ("phone", phone), ("channels", "MESAJ"), ("page", page.as_str())];
            of_number.push(web.post(url(&other), &fields, &[]).await.status);
        }
        assert_eq!(of_number, [200, 200, 200, 200, 200, 429, 429, 429], "one number");
    }
}

on_both_databases! {
    /// What the API can do with forms, links and opt-ins, the command line can.
    async fn forms_and_links_are_made_on_the_command_line(database: Database) {
        let web = Web::start(database).await;
        let brand = web.bridge.brand().to_string();
        let run = |args: &[&str]| {
            let (ok, lines) = kopru(&web.bridge, &[args, &["--brand", &brand]].concat());
            assert!(ok, "{args:?}: {lines:?}");
            lines
        };
        let set = ["form", "set", "bulten", "--mersis", "0123456789012345", "--text", "sms-onay/1", "--notice", "aydinlatma/1",
            "--type", "MESAJ", "--type", "EPOSTA", "--without-confirmation"];
        let made = run(&set);
        assert_eq!((&made[0]["code"], &made[0]["version"], &made[0]["doubleOptIn"]), (&json!("bulten"), &json!(1), &json!(false)), "{made:?}");
        assert_eq!(run(&["form", "list"]), run(&["form", "show", "bulten"]));
        // The command has no public address of its own.
        let here = |of: &Value| {
            let path = url(of).splitn(4, '/').nth(3).unwrap_or_default();
            format!("{}/{path}", web.bridge.url)
        };
        assert_eq!(web.post(&here(&made[0]), &GOOD, &[]).await.status, 200, "it takes consents");
        let link = run(&["link", "add", "recipient", "--form", "bulten", "--type", "EPOSTA", "--recipient", "ayse@example.com", "--life", "24h"]);
        let id = link[0]["id"].as_str().unwrap();
        assert_eq!(web.get(&here(&link[0])).await.status, 200);
        assert_eq!(run(&["link", "show", id])[0]["opened"], 1);
        run(&["link", "disable", id]);
        assert_eq!(run(&["link", "list"])[0]["active"], false);
        run(&["form", "disable", "bulten"]);
        assert_eq!(run(&["form", "list"])[0]["active"], false);
        assert!(run(&["opt-in", "list", "--state", "pending"]).is_empty());
        let (ok, _) = kopru(&web.bridge, &["link", "show", id, "--brand", "1"]);
        assert!(!ok, "another brand's");
    }
}

/// Replicas share the limits: a number in two spellings, and a network, sent half to each of two bridges.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_bridges_count_together() {
    let Some(database) = Database::postgres() else { return };
    let web = Web::start(database).await;
    let (one, two) = (web.form("bir", &json!({})).await, web.form("iki", &json!({})).await);
    let app = App::start(web.bridge.app.config.clone(), Clocks::default(), Lifecycle::new()).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = listener.local_addr().unwrap();
    background(async move { kopru::http::serve(app, listener).await.unwrap() });
    let here = web.bridge.url.trim_start_matches("http://").to_owned();
    let at = |form: &Value, turn: usize| {
        let url = url(form).to_owned();
        if turn.is_multiple_of(2) { url } else { url.replace(&here, &other.to_string()) }
    };
    let host = [("host", here.as_str())];
    let mut statuses = Vec::new();
    for turn in 0..8 {
        let phone = ["0533 999 99 99", "+905339999999"][turn % 2];
        let page = turn.to_string();
        let fields = [("fullName", "A"), ("phone", phone), ("channels", "MESAJ"), ("page", page.as_str())];
        statuses.push(web.post(&at(&one, turn), &fields, &host).await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429, 429], "each has seen four at most");
    let mut passed = 0;
    for turn in 0..20 {
        let phone = format!("05321{turn:06}");
        let fields = [("fullName", "A"), ("phone", phone.as_str()), ("channels", "MESAJ")];
        passed += usize::from(web.post(&at(&two, turn), &fields, &host).await.status == 200);
    }
    assert!((10..=15).contains(&passed), "each would have let ten through: {passed}");
}

on_both_databases! {
    /// What clients and visitors write is shown as they wrote it, and never works as markup.
    async fn scripts_in_every_text_come_out_as_text(database: Database) {
        let web = Web::start(database).await;
        let admin = &web.bridge.admin;
        let xss = |code: &str, kind: &str| json!({"code": code, "kind": kind, "tr": {"title": XSS, "body": XSS}, "en": {"title": XSS, "body": XSS}});
        texts::add(&web.bridge, xss("xss-onay", "consent")).await;
        texts::add(&web.bridge, xss("xss-bilgi", "notice")).await;
        let brand = web.bridge.brand();
        for (field, value) in [("mersis", XSS), ("domain", XSS), ("text", XSS)] {
            let mut body = json!({"mersis": "0123456789012345", "text": "xss-onay/1", "notice": "xss-bilgi/1", "channels": ["MESAJ"]});
            body[field] = json!(value);
            let (status, problem) = web.bridge.put_as(admin, &format!("/v1/brands/{brand}/forms/x"), body).await;
            assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!(field)), "{problem}");
        }
        let form = web.form("xss", &json!({"text": "xss-onay/1", "notice": "xss-bilgi/1"})).await;
        let fields = [("fullName", XSS), ("phone", XSS), ("email", XSS), ("channels", "MESAJ"), ("page", XSS), ("lang", XSS)];
        let link = web.link(json!({"kind": "recipient", "form": "xss", "type": "MESAJ", "recipient": "05321234501"})).await;
        let pages = [
            web.get(url(&form)).await,
            web.get(&format!("{}?lang={XSS}", url(&form))).await,
            web.post(url(&form), &fields, &[]).await,
            web.get(form["embedUrl"].as_str().unwrap()).await,
            web.get(url(&link)).await,
            web.get(&format!("{}/f/{XSS}", web.bridge.url)).await,
        ];
        for page in pages {
            assert!(!page.text.contains("<script>alert"), "{}", page.text);
            assert!(!page.headers.contains_key("location"));
        }
        assert!(web.get(url(&form)).await.text.contains("&lt;script&gt;alert(1)"), "shown as it was written");
    }
}

on_both_databases! {
    /// Scanners and previews open links, too: nothing happens before a button is pressed.
    async fn a_person_s_link_acts_only_when_told(database: Database) {
        let web = Web::start(database).await;
        web.form("bulten", &json!({})).await;
        let link = web.link(json!({"kind": "recipient", "form": "bulten", "type": "MESAJ", "recipient": "0532 123 45 01"})).await;
        assert!(!url(&link).contains("532") && !url(&link).contains("123"), "{link}");
        assert!(link["expiresAt"].is_string(), "{link}");
        for _ in 0..3 {
            let shown = web.get(url(&link)).await;
            assert!(shown.status == 200 && shown.text.contains("+90 532 *** ** 01"), "{}", shown.text);
            assert!(!shown.text.contains("5321234501"), "{}", shown.text);
        }
        assert_eq!(web.taken().await, 0, "opened by a prefetcher");
        for _ in 0..2 {
            let done = web.post(url(&link), &[("answer", "confirm")], &[]).await;
            assert_eq!(done.status, 200, "{}", done.text);
        }
        assert_eq!(web.movements().await, [movement("+905321234501", "ONAY", "HS_WEB")]);
        assert_eq!(web.counters(&link).await, [3, 1, 0]);
        let pack = web.evidence(0).await;
        assert_eq!((&pack["facts"]["door"], &pack["text"]["name"]), (&json!("link"), &json!("sms-onay/1")), "{pack}");
        web.bridge.advance("1m").await;
        assert_eq!(web.post(url(&link), &[("answer", "refuse")], &[]).await.status, 200);
        assert_eq!(web.movements().await.len(), 2, "the same link takes it back");
        let path = format!("/v1/brands/{}/links/{}", web.bridge.brand(), link["id"].as_str().unwrap());
        assert_eq!(web.bridge.delete_as(&web.bridge.key, &path).await.0, 204);
        assert_eq!((web.get(url(&link)).await.status, web.post(url(&link), &[("answer", "confirm")], &[]).await.status), (410, 410));
        assert_eq!(web.get(&format!("{}/l/AAAAAAAAAAAAAAAAAAAAAA", web.bridge.url)).await.status, 404);
    }
}

on_both_databases! {
    async fn a_refusal_works_without_login_and_twice(database: Database) {
        let web = Web::start(database).await;
        let bridge = &web.bridge;
        let given = bridge.app.clocks.business() - chrono::TimeDelta::minutes(5);
        bridge.consent(crate::support::consent("+905321234501", "MESAJ", "ONAY", given)).await;
        bridge.consent(crate::support::consent("ali@example.com", "EPOSTA", "ONAY", given)).await;
        bridge.drain().await;
        let refusal = |kind: &str, recipient: &str| json!({"kind": "refusal", "type": kind, "recipient": recipient});
        let (sms, mail) = (web.link(refusal("MESAJ", "05321234501")).await, web.link(refusal("EPOSTA", "ali@example.com")).await);
        let header = mail["listUnsubscribe"].as_str().unwrap();
        assert!(header.contains(url(&mail)) && header.contains("List-Unsubscribe=One-Click"), "{mail}");
        assert_eq!(web.get(url(&sms)).await.status, 200);
        assert_eq!(web.get(url(&mail)).await.status, 200);
        assert_eq!(web.taken().await, 2, "opening is no refusal");
        for _ in 0..2 {
            let done = web.post(url(&sms), &[], &[]).await;
            assert!(done.status == 200 && done.text.contains("Ret talebiniz alındı"), "{}", done.text);
            assert_eq!(web.post(url(&mail), &[("List-Unsubscribe", "One-Click")], &[]).await.status, 200);
        }
        let told: Vec<_> = web.movements().await.into_iter().filter(|(_, status, _)| status == "RET").collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.contains(&movement("+905321234501", "RET", "HS_WEB")) && told.contains(&movement("ali@example.com", "RET", "HS_EPOSTA")), "{told:?}");
        assert_eq!((web.counters(&sms).await, web.counters(&mail).await), ([1, 0, 1], [1, 0, 1]));
        let path = format!("/v1/brands/{}/links/{}", bridge.brand(), sms["id"].as_str().unwrap());
        assert_eq!(bridge.delete_as(&bridge.key, &path).await.0, 409, "a refusal must always be possible");
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    async fn a_campaign_s_link_leads_to_its_form_under_its_own_domain(database: Database) {
        let web = Web::start(database).await;
        let form = web.form("bulten", &json!({})).await;
        let link = web.link(json!({"kind": "campaign", "form": "bulten"})).await;
        assert_eq!(web.get(url(&link)).await.text.matches("type=\"checkbox\"").count(), 2);
        assert_eq!(web.post(url(&link), &GOOD, &[]).await.status, 200);
        assert_eq!(web.movements().await, [movement("+905321234501", "ONAY", "HS_WEB")]);
        assert_eq!(web.counters(&link).await, [1, 1, 0]);
        assert!(web.evidence(0).await["facts"]["origin"].as_str().unwrap().contains(link["id"].as_str().unwrap()));
        let qr = format!("/v1/brands/{}/links/{}/qr", web.bridge.brand(), link["id"].as_str().unwrap());
        let (kind, svg) = web.bridge.download(&qr, "*/*").await;
        assert!(kind == "image/svg+xml" && svg.starts_with(b"<svg"), "{kind}");
        let (kind, png) = web.bridge.download(&format!("{qr}?format=png"), "*/*").await;
        assert!(kind == "image/png" && png.starts_with(b"\x89PNG"), "{kind}");

        let at = async |host: &str| web.http.get(url(&form)).header("host", host).send().await.unwrap().status().as_u16();
        assert_eq!(at("izin.example.com").await, 404, "nobody's name");
        let named = web.form("bulten", &json!({"domain": "izin.example.com"})).await;
        assert!(url(&named).starts_with("https://izin.example.com/f/"), "{named}");
        assert_eq!((at("izin.example.com").await, at("baska.example.com").await), (200, 404));
        let (status, problem) = web.bridge.post(&format!("/v1/brands/{}/links", web.bridge.brand()), json!([
            {"kind": "recipient", "form": "bulten", "type": "ARAMA", "recipient": "05321234501"},
            {"kind": "campaign", "form": "yok"},
            {"kind": "refusal", "type": "EPOSTA", "recipient": "05321234501", "life": "1h"},
        ])).await;
        let wrong: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|it| (it["index"].as_i64().unwrap(), it["field"].as_str().unwrap())).collect();
        assert_eq!((status, wrong), (422, vec![(0, "type"), (1, "form"), (2, "life"), (2, "recipient")]), "{problem}");
    }
}
