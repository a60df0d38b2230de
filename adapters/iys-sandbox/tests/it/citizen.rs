//! The citizen's pages.

use iys_sandbox::{Sandbox, SandboxConfig, Seed};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::browser::Browser;
use crate::world::{BRAND, PHONE, World, client};

/// The newest movement of the demo brand.
async fn last_movement(world: &World) -> Value {
    let page = world.control("GET", "/movements", Value::Null).await;
    page["list"].as_array().unwrap().last().cloned().unwrap_or_default()
}

async fn count(world: &World) -> usize {
    world.control("GET", "/movements", Value::Null).await["list"].as_array().unwrap().len()
}

async fn with_consent() -> World {
    let world = World::start().await;
    let consent = world.consent("ONAY", 60).await;
    assert_eq!(world.partner("POST", &format!("{BRAND}/consents"), Some(&consent)).await.status, 200);
    world
}

/// A consent of the demo brand in the words of the form.
fn change<'a>(channel: &'a str, status: &'a str) -> [(&'a str, &'a str); 4] {
    [("marka", "600100"), ("alici", "BIREYSEL"), ("tip", channel), ("durum", status)]
}

#[tokio::test]
async fn a_citizen_logs_in_with_a_code() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    assert_eq!(browser.get("/vatandas").await.location, "/vatandas/giris");
    let page = browser.get("/vatandas/giris").await;
    for wrong in ["", "ali", "ali@", "0555", "<script>"] {
        let answer = browser.submit(&page, "/vatandas/giris", &[("adres", wrong)]).await;
        assert_eq!(answer.status, 422, "{wrong}");
        assert!(answer.has("Hata: Giriş") && answer.has("href=\"#adres\"") && answer.has("aria-invalid"));
    }
    assert_eq!(browser.get("/vatandas/kod").await.location, "/vatandas/giris", "nobody was asked yet");
    let page = browser.submit_through(&page, "/vatandas/giris", &[("adres", "0555 111 22 33")]).await;
    assert!(page.has(PHONE));
    let right = page.after("class=\"code\">").to_owned();
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for (left, status) in [("2 deneme", 422), ("1 deneme", 422), ("Yeni bir kod isteyin", 422)] {
        let answer = browser.submit(&page, "/vatandas/kod", &[("kod", wrong)]).await;
        assert!(answer.status == status && answer.has(left), "{}", answer.html);
    }
    let late = browser.submit(&page, "/vatandas/kod", &[("kod", &right)]).await;
    assert_eq!(late.location, "/vatandas/giris", "the code has died");

    let before = browser.cookies().clone();
    let page = browser.submit_through(&page, "/vatandas/giris", &[("adres", "Ali@Ornek.com")]).await;
    let code = page.after("class=\"code\">").to_owned();
    let sent = world.control("GET", "/outbox?recipient=ali@ornek.com", Value::Null).await;
    assert!(sent.to_string().contains(&code), "{sent}");
    let page = browser.submit_through(&page, "/vatandas/kod", &[("kod", &code)]).await;
    assert!(page.has("ali@ornek.com") && page.has("kayıtlı izin yok"));
    assert_ne!(&before, browser.cookies(), "the session before the log-in is not the one after it");
    assert_eq!(browser.get("/vatandas/giris").await.location, "/vatandas");
    let out = browser.submit(&page, "/vatandas/cikis", &[]).await;
    assert_eq!(out.location, "/vatandas/giris");
    assert_eq!(browser.get("/vatandas").await.location, "/vatandas/giris?oturum=bitti");
    assert!(browser.get("/vatandas/giris?oturum=bitti").await.has("Oturumunuz sona erdi"));
}

#[tokio::test]
async fn consents_are_seen_withdrawn_and_given() {
    let world = with_consent().await;
    let (mut browser, page) = Browser::citizen(&world, "05551112233").await;
    assert!(page.has("Demo") && page.has("marka no 600100") && page.has("markanın web sitesi"));
    assert!(page.has("Kayıt yok") && !page.has("E-posta"), "calls are not recorded, mails are for addresses");
    let page = browser.submit_through(&page, "/vatandas/izin", &change("MESAJ", "RET")).await;
    assert!(
        page.has("role=\"status\"") && page.has("Demo, mesaj: reddedildi.") && page.has("İYS web sitesi")
    );
    let written = last_movement(&world).await;
    assert_eq!(
        (&written["status"], &written["source"], &written["side"], &written["citizenName"]),
        (&json!("RET"), &json!("IYS_WEB"), &json!("IYS"), &Value::Null)
    );
    let page = browser.submit_through(&page, "/vatandas/izin", &change("MESAJ", "RET")).await;
    assert!(page.has("zaten bu durumda"));
    assert_eq!(count(&world).await, 2, "once is enough");
    assert!(!browser.get("/vatandas").await.has("zaten bu durumda"), "a notice is read once");

    let page = browser.submit_through(&page, "/vatandas/izin", &change("MESAJ", "ONAY")).await;
    assert!(!page.has("Tümünü reddet"), "one is withdrawn by its own button");
    let page = browser.submit_through(&page, "/vatandas/izin", &change("ARAMA", "ONAY")).await;
    assert!(page.has("Tümünü reddet"));
    let page = browser.submit_through(&page, "/vatandas/tumunu-reddet", &[("marka", "600100")]).await;
    assert!(page.has("bütün kanallar reddedildi"));
    let records = world.control("GET", "/consents?brandCode=600100", Value::Null).await;
    assert!(records["list"].as_array().unwrap().iter().all(|record| record["status"] == "RET"));

    let page = browser.get("/vatandas/gecmis").await;
    assert_eq!(page.html.matches("<tr>").count(), 1 + count(&world).await);
    assert!(page.has("markanın web sitesi") && !page.has("Daha eski"));
}

#[tokio::test]
async fn the_record_of_a_merchant_is_one_of_its_own() {
    let world = with_consent().await;
    let mut merchant = world.consent("ONAY", 60).await;
    merchant["recipientType"] = "TACIR".into();
    assert_eq!(world.partner("POST", &format!("{BRAND}/consents"), Some(&merchant)).await.status, 200);
    let (mut browser, page) = Browser::citizen(&world, PHONE).await;
    assert!(page.has("(tacir)"));
    let fields = [("marka", "600100"), ("alici", "TACIR"), ("tip", "MESAJ"), ("durum", "RET")];
    browser.submit_through(&page, "/vatandas/izin", &fields).await;
    let records = world.control("GET", "/consents?brandCode=600100", Value::Null).await;
    let statuses: Vec<&Value> = records["list"].as_array().unwrap().iter().map(|it| &it["status"]).collect();
    assert_eq!(statuses, ["ONAY", "RET"]);
}

#[tokio::test]
async fn a_brand_is_added_with_a_name_and_names_are_escaped() {
    let world = World::start().await;
    let evil = "<b onclick=\"x\">&'Çiçek";
    world
        .control(
            "POST",
            "/providers",
            json!({"iysCode": 600_100, "brands": [{"brandCode": 600_101, "name": evil}]}),
        )
        .await;
    let (mut browser, _) = Browser::citizen(&world, "ali@ornek.com").await;
    for (search, hit) in
        [("çiçek", true), ("ÇİÇEK", true), ("demo perakende", true), ("600101", true), ("gül", false)]
    {
        let page = browser.get(&format!("/vatandas/marka-ekle?ara={search}")).await;
        assert_eq!(page.has("marka-ekle/600101"), hit, "{search}");
    }
    let page = browser.get("/vatandas/marka-ekle?ara=%22%3E%3Cscript%3E").await;
    assert!(page.has("&lt;script&gt;"));
    let path = "/vatandas/marka-ekle/600101";
    let page = browser.get(path).await;
    assert!(page.has("&lt;b onclick=&quot;x&quot;&gt;&amp;'Çiçek") && !page.has("<b onclick"));
    assert!(page.has("E-posta") && !page.has("Arama") && !page.has(" checked"), "nothing is ticked before");
    let refused = browser.submit(&page, path, &[("ad", "A")]).await;
    assert!(refused.status == 422 && refused.has("En az bir kanal seçin") && refused.has("value=\"A\""));
    let refused = browser.submit(&page, path, &[("ad", "Ayşe"), ("tip", "MESAJ")]).await;
    assert_eq!(refused.status, 400, "a mailbox has no messages");
    let fields = [("ad", "<i>Ayşe</i>"), ("tip", "EPOSTA")];
    let shown = browser.submit_through(&page, path, &fields).await;
    assert!(shown.has("marka eklendi"));
    let written = last_movement(&world).await;
    assert_eq!(
        (&written["source"], &written["citizenName"]),
        (&json!("IYS_WEB_YENI"), &json!("<i>Ayşe</i>"))
    );
    assert!(browser.get("/vatandas/gecmis").await.has("&lt;i&gt;Ayşe&lt;/i&gt;"));
    let again = browser.submit_through(&page, path, &fields).await;
    assert!(again.has("zaten izinlerinizin arasında") && count(&world).await == 1);
    assert!(!browser.get("/vatandas/marka-ekle").await.has("marka-ekle/600101"));
}

#[tokio::test]
async fn forms_of_others_change_nothing() {
    let world = with_consent().await;
    let (mut browser, page) = Browser::citizen(&world, PHONE).await;
    let (_, other) = Browser::citizen(&world, "+905551112299").await;
    let stolen = other.after("name=\"_anahtar\" value=\"").to_owned();
    for token in ["", "0", &stolen] {
        for path in ["/vatandas/izin", "/vatandas/tumunu-reddet", "/vatandas/cikis", "/vatandas/sikayet"] {
            let answer = browser.post(path, token, &change("MESAJ", "RET")).await;
            assert!(
                answer.status == 403 && answer.has("Form bu oturuma ait değil"),
                "{path} {}",
                answer.html
            );
        }
    }
    assert_eq!(browser.post("/vatandas/giris", "", &[("adres", PHONE)]).await.status, 403);
    assert_eq!(count(&world).await, 1);
    for (fields, status) in [
        (change("SMS", "RET"), 400),
        (change("EPOSTA", "RET"), 400),
        (change("MESAJ", "BELKI"), 400),
        ([("marka", "600999"), ("alici", "BIREYSEL"), ("tip", "MESAJ"), ("durum", "RET")], 404),
        ([("marka", ""), ("alici", "BIREYSEL"), ("tip", "MESAJ"), ("durum", "RET")], 404),
    ] {
        assert_eq!(browser.submit(&page, "/vatandas/izin", &fields).await.status, status, "{fields:?}");
    }
    for path in [
        "/vatandas/marka-ekle/600999",
        "/vatandas/marka-ekle/600999/x",
        "/vatandas/sikayetler/99",
        "/vatandas/yok",
    ] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
    assert_eq!(count(&world).await, 1);
}

#[tokio::test]
async fn a_session_ends_by_idling_and_what_is_sent_after_it_is_lost() {
    let world = with_consent().await;
    let (mut browser, page) = Browser::citizen(&world, PHONE).await;
    world.settings(json!({"pageSessionSeconds": 0})).await;
    let late = browser.submit(&page, "/vatandas/izin", &change("MESAJ", "RET")).await;
    assert_eq!(late.location, "/vatandas/giris?oturum=bitti");
    assert_eq!(count(&world).await, 1);
    world.settings(json!({"pageSessionSeconds": 600})).await;
    assert_eq!(browser.get("/vatandas/gecmis").await.location, "/vatandas/giris?oturum=bitti");
    browser.forget_cookies();
    assert_eq!(browser.get("/vatandas/gecmis").await.location, "/vatandas/giris");
}

#[tokio::test]
async fn history_comes_in_pages() {
    let world = with_consent().await;
    let (mut browser, page) = Browser::citizen(&world, PHONE).await;
    for step in 0..51 {
        let status = if step % 2 == 0 { "RET" } else { "ONAY" };
        assert_eq!(browser.submit(&page, "/vatandas/izin", &change("MESAJ", status)).await.status, 303);
    }
    let first = browser.get("/vatandas/gecmis").await;
    assert!(first.html.matches("<tr>").count() == 51 && first.has("sayfa=2") && !first.has("Daha yeni"));
    let second = browser.get("/vatandas/gecmis?sayfa=2").await;
    assert!(second.html.matches("<tr>").count() == 3 && second.has("sayfa=1") && !second.has("Daha eski"));
}

#[tokio::test]
async fn a_complaint_goes_its_way() {
    let world = with_consent().await;
    let (mut browser, page) = Browser::citizen(&world, PHONE).await;
    assert!(page.has("/vatandas/sikayet?marka=600100"));
    let page = browser.get("/vatandas/sikayet?marka=600100").await;
    assert!(page.has("value=\"600100\" selected"));
    let path = "/vatandas/sikayet";
    let short = browser.submit(&page, path, &[("marka", ""), ("tip", "MESAJ"), ("metin", "<kısa>")]).await;
    assert!(
        short.status == 422 && short.has("Bir marka seçin") && short.has("&lt;kısa&gt;"),
        "{}",
        short.html
    );
    assert_eq!(browser.submit(&page, path, &[("marka", "600100"), ("tip", "EPOSTA")]).await.status, 400);
    let fields = [("marka", "600100"), ("tip", "MESAJ"), ("metin", "Reddettim, yine <b>mesaj</b> geldi.")];
    let page = browser.submit_through(&page, path, &fields).await;
    assert!(page.has("Şikâyetiniz alındı") && page.has("&lt;b&gt;mesaj&lt;/b&gt;") && page.has("Alındı"));

    let list = world.control("GET", "/complaints?recipient=05551112233", Value::Null).await;
    assert_eq!((&list["list"][0]["state"], &list["list"][0]["sentDate"]), (&json!("received"), &Value::Null));
    world.advance("61s").await;
    assert!(browser.get("/vatandas/sikayetler/1").await.has("Hizmet sağlayıcıya iletildi"));
    let (mut stranger, _) = Browser::citizen(&world, "+905551112299").await;
    assert_eq!(stranger.get("/vatandas/sikayetler/1").await.status, 404);
    assert!(stranger.get("/vatandas/sikayetler").await.has("Şikâyetiniz yok"));
    let mine = browser.get("/vatandas/sikayetler").await;
    assert!(mine.has("Şikâyet 1"));

    let (mut provider, _) = Browser::provider(&world, "600100").await;
    let case = provider.get("/hizmet-saglayici/sikayetler/1").await;
    assert!(case.has(PHONE) && case.has("Onay, kaynak: markanın web sitesi"), "the record it contradicts");
    let empty = provider.submit(&case, "/hizmet-saglayici/sikayetler/1", &[("yanit", " ")]).await;
    assert!(empty.status == 422 && empty.has("Bir yanıt yazın"));
    let fields = [("yanit", "Özür dileriz.\nDurdurduk.")];
    let case = provider.submit_through(&case, "/hizmet-saglayici/sikayetler/1", &fields).await;
    assert!(case.has("Yanıtınız iletildi") && case.has("Durdurduk."));
    let page = browser.get("/vatandas/sikayetler/1").await;
    assert!(page.has("Özür dileriz.") && page.has("Yanıtlandı"));
    let page = browser.submit_through(&page, "/vatandas/sikayetler/1/kapat", &[]).await;
    assert!(page.has("Şikâyet kapatıldı") && !page.has("/kapat\""));
}

#[tokio::test]
async fn complaints_are_moved_from_outside_and_never_back() {
    let world = World::start().await;
    world.settings(json!({"complaintDelaySeconds": null})).await;
    let filing =
        json!({"brandCode": 600_100, "recipient": "05551112233", "type": "ARAMA", "text": "Aradılar."});
    let filed = world.control("POST", "/complaints", filing.clone()).await;
    assert_eq!(
        (&filed["id"], &filed["recipient"], &filed["state"]),
        (&json!(1), &json!(PHONE), &json!("received"))
    );
    world.advance("30d").await;
    let step = |id: i64, body: Value| {
        crate::world::send(world.request("POST", &format!("/_sandbox/complaints/{id}")).json(&body))
    };
    let list = world.control("GET", "/complaints?iysCode=600100", Value::Null).await;
    assert_eq!(list["list"][0]["state"], "received", "it waits for the control interface");
    for (id, body, status) in [
        (2, json!({"state": "sent"}), 404),
        (1, json!({"state": "lost"}), 422),
        (1, json!({"state": "answered"}), 422),
        (1, json!({"state": "sent"}), 200),
        (1, json!({"state": "sent"}), 409),
        (1, json!({"state": "answered", "answer": "Olmaz."}), 200),
        (1, json!({"state": "sent"}), 409),
        (1, json!({"state": "closed"}), 200),
    ] {
        assert_eq!(step(id, body.clone()).await.status, status, "{id} {body}");
    }
    let mut wrong = filing.clone();
    wrong["brandCode"] = 600_999.into();
    assert_eq!(
        crate::world::send(world.request("POST", "/_sandbox/complaints").json(&wrong)).await.status,
        404
    );
    let second = world.control("POST", "/complaints", filing).await;
    assert_eq!(
        step(second["id"].as_i64().unwrap(), json!({"state": "closed"})).await.body["sentDate"],
        Value::Null
    );
    let (mut provider, _) = Browser::provider(&world, "600100").await;
    let page = provider.get("/hizmet-saglayici/sikayetler").await;
    assert!(page.has("Şikâyet 1") && !page.has("Şikâyet 2"), "what was never sent is not seen");
}

#[tokio::test]
async fn a_control_token_is_asked_for_at_both_doors() {
    let config = SandboxConfig {
        control_token: Some("right".to_owned().into()),
        seed: Seed::demo(),
        ..SandboxConfig::default()
    };
    let world = World::serve(config, client()).await;
    let mut browser = Browser::new(&world);
    for (door, field, value) in [("/vatandas", "adres", PHONE), ("/hizmet-saglayici", "saglayici", "600100")]
    {
        let path = format!("{door}/giris");
        let page = browser.get(&path).await;
        assert!(page.has("Kontrol jetonu"));
        for token in ["", "wrong"] {
            let refused = browser.submit(&page, &path, &[(field, value), ("jeton", token)]).await;
            assert!(refused.status == 422 && refused.has("Kontrol jetonu yanlış"));
        }
        let let_in = browser.submit(&page, &path, &[(field, value), ("jeton", "right")]).await;
        assert_eq!(let_in.status, 303);
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a test's server has no lifecycle to join")]
async fn without_a_token_the_pages_are_for_this_machine_alone() {
    let sandbox = Sandbox::open(SandboxConfig { seed: Seed::demo(), ..SandboxConfig::default() }).unwrap();
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { sandbox.serve(listener, std::future::pending()).await });
    for path in ["vatandas", "vatandas/yardim", "hizmet-saglayici/giris"] {
        let answer = client().get(format!("http://127.0.0.1:{port}/{path}")).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
        assert!(answer.text().await.unwrap().contains("kontrol jetonu"));
    }
}

#[tokio::test]
async fn help_needs_no_log_in() {
    let world = World::start().await;
    let page = Browser::new(&world).get("/vatandas/yardim").await;
    assert!(page.has("İzin nedir?") && page.has("benzetim"));
}
