//! The provider's pages about opt-ins: its forms and the subscriptions with their credit.

use serde_json::{Value, json};

use crate::browser::{Browser, Page};
use crate::world::{PHONE, Reply, World, send};

const PATH: &str = "/hizmet-saglayici/via-formlari";

/// A provider with the opt-in service, and another one that has form 7.
async fn world() -> World {
    let world = World::start().await;
    world
        .control(
            "POST",
            "/providers",
            json!({
                "iysCode": 600_100, "via": {"credit": 10},
                "authorisations": [{"integratorCode": 900_001, "brandCode": 600_100, "viaControl": true}],
            }),
        )
        .await;
    let forms = json!([{"formId": 7, "kind": "OTP", "titles": {"ETK": ["MESAJ"]}}]);
    world.control("POST", "/providers", json!({"iysCode": 601_100, "forms": forms})).await;
    world
}

/// The start of an opt-in for messages.
async fn start(world: &World, form: i64) -> Reply {
    let body = json!({
        "formId": form, "recipient": PHONE, "verificationType": "SMS_OTP",
        "consentTypes": [{"title": "ETK", "brandCodes": [600_100], "types": ["MESAJ"],
                          "recipientType": "BIREYSEL"}],
    });
    world.partner("POST", "/via/sps/600100/consent", Some(&body)).await
}

async fn forms(world: &World, place: usize) -> Value {
    world.control("GET", "/providers", Value::Null).await["list"][place]["forms"].clone()
}

const BY_CODE: [(&str, &str); 5] =
    [("no", ""), ("tur", "OTP"), ("ETK", "MESAJ"), ("diger", "SADAKAT: ONAYLIYORUM"), ("yayinda", "1")];

#[tokio::test]
async fn a_form_made_on_the_page_starts_opt_ins_until_it_is_removed() {
    let world = world().await;
    let (mut browser, _) = Browser::provider(&world, "600100").await;
    let page = browser.get(PATH).await;
    assert!(page.has("Henüz form yok") && !page.has("Form 7"), "{}", page.html);
    assert_eq!(start(&world, 1).await.codes(), ["H1055"]);
    let page = browser.submit_through(&page, PATH, &BY_CODE).await;
    assert!(page.has("Form eklendi, numarası 1.") && page.has("ETK: Mesaj; SADAKAT: ONAYLIYORUM"));
    assert_eq!(start(&world, 1).await.status, 200);

    let path = format!("{PATH}/1");
    let form = browser.get(&path).await;
    assert!(form.has("value=\"OTP\" selected") && form.has("SADAKAT: ONAYLIYORUM</textarea>"));
    assert!(form.has("value=\"MESAJ\" checked") && !form.has("value=\"ARAMA\" checked"));
    let fields = [("tur", "SHORTURL"), ("KVK", "ACIK_RIZA_METNI"), ("ETK", "MESAJ"), ("diger", "")];
    let page = browser.submit_through(&form, &path, &fields).await;
    assert!(page.has("Form 1 kaydedildi.") && page.has("Yayında değil") && page.has("Açık rıza metni"));
    let changed = json!([{"formId": 1, "kind": "SHORTURL", "published": false,
                          "titles": {"ETK": ["MESAJ"], "KVK": ["ACIK_RIZA_METNI"]}}]);
    assert_eq!(forms(&world, 0).await, changed);
    assert_eq!(start(&world, 1).await.codes(), ["H1000"]);

    let page = browser.submit_through(&form, &format!("{path}/kaldir"), &[]).await;
    assert!(page.has("Form 1 kaldırıldı.") && page.has("Henüz form yok"));
    assert_eq!(start(&world, 1).await.codes(), ["H1055"]);
}

/// Sends a form that must be refused at a field, and looks whether it keeps what was typed.
async fn refused(browser: &mut Browser, from: &Page, path: &str, field: &str, changed: (&str, &str)) {
    let fields = BY_CODE.map(|(name, value)| if name == changed.0 { changed } else { (name, value) });
    let page = browser.submit(from, path, &fields).await;
    assert_eq!(page.status, 422, "{changed:?}");
    assert!(page.has(&format!("href=\"#{field}\"")), "{changed:?}: {}", page.html);
    assert!(page.has(changed.1) && page.has("name=\"yayinda\" value=\"1\" checked"), "{changed:?}");
}

#[tokio::test]
async fn an_unusable_form_is_refused_where_it_is_wrong() {
    let world = world().await;
    let (mut browser, _) = Browser::provider(&world, "600100").await;
    let page = browser.get(PATH).await;
    browser.submit_through(&page, PATH, &BY_CODE).await;
    let own = format!("{PATH}/1");
    for (path, field, changed) in [
        (PATH, "no", ("no", "1")),
        (PATH, "no", ("no", "7")),
        (PATH, "no", ("no", "0")),
        (PATH, "no", ("no", "2147483648")),
        (PATH, "no", ("no", "on iki")),
        (PATH, "diger", ("diger", "SADAKAT")),
        (PATH, "diger", ("diger", "SADAKAT:")),
        (PATH, "diger", ("diger", "ETK: ARAMA")),
        (&own, "diger", ("diger", "SADAKAT: A\nSADAKAT: B")),
        (&own, "basliklar", ("diger", "KVK: ONAYLIYORUM")),
    ] {
        refused(&mut browser, &page, path, field, changed).await;
    }
    for (fields, field) in [
        ([("tur", "FAKS"), ("ETK", "MESAJ")], "tur"),
        ([("tur", "OTP"), ("ETK", "FAKS")], "basliklar"),
        ([("tur", "OTP"), ("diger", "")], "basliklar"),
    ] {
        let answer = browser.submit(&page, PATH, &fields).await;
        assert!(answer.status == 422 && answer.has(&format!("href=\"#{field}\"")), "{fields:?}");
    }
    assert_eq!(forms(&world, 0).await.as_array().unwrap().len(), 1, "nothing was written");
    assert_eq!(browser.post(PATH, "x", &BY_CODE).await.status, 403);
    for wrong in [
        json!({"formId": 0, "kind": "OTP", "titles": {"ETK": ["MESAJ"]}}),
        json!({"formId": 2, "titles": {"ETK": ["MESAJ"]}}),
        json!({"formId": 2, "kind": "OTP", "titles": {}}),
        json!({"formId": 2, "kind": "OTP", "titles": {"ETK": []}}),
        json!({"formId": 2, "kind": "OTP", "titles": {"ETK": ["FAKS"]}}),
        json!({"formId": 7, "remove": true}),
    ] {
        let body = json!({"iysCode": 600_100, "forms": [wrong]});
        let reply = send(world.request("POST", "/_sandbox/providers").json(&body)).await;
        assert_eq!(reply.status, 422, "{body}: the control interface checks what the page checks");
    }
}

#[tokio::test]
async fn nobody_elses_form_is_there() {
    let world = world().await;
    let (mut browser, _) = Browser::provider(&world, "600100").await;
    let page = browser.get(PATH).await;
    for id in [7, 8] {
        let path = format!("{PATH}/{id}");
        assert_eq!(browser.get(&path).await.status, 404);
        assert_eq!(browser.submit(&page, &path, &BY_CODE).await.status, 404);
        assert_eq!(browser.submit(&page, &format!("{path}/kaldir"), &[]).await.status, 404);
    }
    let kept = json!([{"formId": 7, "kind": "OTP", "titles": {"ETK": ["MESAJ"]}, "published": true}]);
    assert_eq!(forms(&world, 1).await, kept);
    let fields = [("no", ""), ("tur", "OTP"), ("ETK", "ARAMA")];
    for _ in 0..6 {
        browser.submit_through(&page, PATH, &fields).await;
    }
    assert!(browser.submit_through(&page, PATH, &fields).await.has("numarası 8."), "7 is taken");
}

#[tokio::test]
async fn all_subscriptions_are_shown_and_changed() {
    let world = world().await;
    let (mut browser, page) = Browser::provider(&world, "600100").await;
    assert!(page.has("VİA aboneliği") && page.has("ViA-25") && page.has("VİA Pass ile doğrulama yapılamaz"));
    let via = "/hizmet-saglayici/abonelik/via";
    let form = json!({"formId": 1, "kind": "OTP", "titles": {"ETK": ["MESAJ"]}});
    world.control("POST", "/providers", json!({"iysCode": 600_100, "forms": [form]})).await;
    browser.submit_through(&page, via, &[("via-durum", "ACTIVE"), ("via-kredi", "0")]).await;
    assert_eq!(start(&world, 1).await.codes(), ["H1015"]);
    let said = browser.submit_through(&page, via, &[("via-durum", "PAUSED"), ("via-kredi", "-1")]).await;
    assert!(said.has("VİA aboneliğinin durumu: durduruldu.") && said.has("Sınırsız"), "{}", said.html);
    assert_eq!(start(&world, 1).await.codes(), ["H1092"]);
    browser.submit_through(&page, via, &[("via-durum", "ACTIVE"), ("via-kredi", "")]).await;
    assert_eq!(start(&world, 1).await.status, 200);

    let pass = "/hizmet-saglayici/abonelik/via-pass";
    let said =
        browser.submit_through(&page, pass, &[("pass-durum", "ACTIVE"), ("pass-kredi", "12345")]).await;
    assert!(said.has("VIA-PASS-25") && said.has("12.345"));
    let messages = "/hizmet-saglayici/abonelik";
    let said = browser.submit_through(&page, messages, &[("durum", "ACTIVE"), ("kota", "50")]).await;
    assert!(said.has(" / 50") && !said.has("(aşılabilir)"));
    for (path, status, amount, typed) in [
        (messages, "durum", "kota", "-1"),
        (messages, "durum", "kota", "çok"),
        (via, "via-durum", "via-kredi", "-2"),
        (pass, "pass-durum", "pass-kredi", "1,5"),
    ] {
        let answer = browser.submit(&page, path, &[(status, "CLOSED"), (amount, typed)]).await;
        assert!(answer.status == 422 && answer.has(&format!("href=\"#{amount}\"")), "{amount} {typed}");
        assert!(answer.has(&format!("value=\"{typed}\"")) && answer.has("value=\"CLOSED\" selected"));
    }
}
