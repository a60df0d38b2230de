//! The provider's pages.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::world::{BRAND, World};

const STRANGER: i64 = 601_100;

async fn with_stranger() -> World {
    let world = World::start().await;
    world.control("POST", "/providers", json!({"iysCode": STRANGER, "title": "<b>YABANCI</b> A.Ş."})).await;
    world
}

#[tokio::test]
async fn a_provider_is_chosen() {
    let world = with_stranger().await;
    let mut browser = Browser::new(&world);
    assert_eq!(browser.get("/hizmet-saglayici").await.location, "/hizmet-saglayici/giris");
    let path = "/hizmet-saglayici/giris";
    let page = browser.get(path).await;
    assert!(page.has("DEMO PERAKENDE") && page.has("&lt;b&gt;YABANCI&lt;/b&gt;"));
    for wrong in ["", "x", "600999"] {
        let answer = browser.submit(&page, path, &[("saglayici", wrong)]).await;
        assert!(answer.status == 422 && answer.has("Listeden bir hizmet sağlayıcı seçin"), "{wrong}");
    }
    assert_eq!(browser.post(path, "", &[("saglayici", "600100")]).await.status, 403);
    let page = browser.submit_through(&page, path, &[("saglayici", "600100")]).await;
    assert!(page.has("İYS no 600100") && page.has("Etkin") && page.has("1.000.000") && page.has("Ana marka"));
    assert_eq!(browser.get("/vatandas").await.location, "/vatandas/giris", "the doors are apart");
    let out = browser.submit(&page, "/hizmet-saglayici/cikis", &[]).await;
    assert_eq!(out.location, path);
    assert_eq!(browser.get("/hizmet-saglayici").await.location, format!("{path}?oturum=bitti"));
    let without = World::start().await;
    world.settings(json!({"pageSessionSeconds": 0})).await;
    let (mut browser, page) = Browser::provider(&without, "600100").await;
    without.settings(json!({"pageSessionSeconds": 0})).await;
    let late = browser.submit(&page, "/hizmet-saglayici/abonelik", &[("durum", "PAUSED")]).await;
    assert_eq!(late.location, format!("{path}?oturum=bitti"));
}

#[tokio::test]
async fn a_paused_subscription_stops_the_api() {
    let world = World::start().await;
    let (mut browser, page) = Browser::provider(&world, "600100").await;
    let path = "/hizmet-saglayici/abonelik";
    assert_eq!(browser.submit(&page, path, &[("durum", "OVER")]).await.status, 400);
    assert_eq!(browser.post(path, "x", &[("durum", "PAUSED")]).await.status, 403);
    let changed = browser.submit_through(&page, path, &[("durum", "PAUSED")]).await;
    assert!(changed.has("İleti aboneliğinin durumu: durduruldu."));
    let consent = world.consent("ONAY", 60).await;
    let refused = world.partner("POST", &format!("{BRAND}/consents"), Some(&consent)).await;
    assert_eq!(refused.codes(), ["H520"]);
    browser.submit_through(&page, path, &[("durum", "ACTIVE")]).await;
    assert_eq!(world.partner("POST", &format!("{BRAND}/consents"), Some(&consent)).await.status, 200);
    world.control("POST", "/providers", json!({"iysCode": 600_100, "subscription": null})).await;
    assert!(browser.get("/hizmet-saglayici").await.has("Abonelik yok"));
}

#[tokio::test]
async fn brands_are_added_with_free_numbers() {
    let world = with_stranger().await;
    let (mut browser, _) = Browser::provider(&world, "600100").await;
    let path = "/hizmet-saglayici/markalar";
    let page = browser.get(path).await;
    for (name, code, says) in [
        ("", "", "karakter arasında bir ad"),
        ("Yeni", "601100", "Bu numara kullanılıyor"),
        ("Yeni", "600100", "Bu numara kullanılıyor"),
        ("Yeni", "-5", "yalnız rakamlardan"),
        ("Yeni", "9999999999", "yalnız rakamlardan"),
    ] {
        let answer = browser.submit(&page, path, &[("ad", name), ("no", code)]).await;
        assert!(answer.status == 422 && answer.has(says), "{name} {code}: {}", answer.html);
    }
    assert!(
        browser.submit_through(&page, path, &[("ad", "<Yeni>"), ("no", "")]).await.has("numarası 600101")
    );
    let page = browser.submit_through(&page, path, &[("ad", "Başka"), ("no", "700500")]).await;
    assert!(page.has("numarası 700500") && page.has("&lt;Yeni&gt;"));
    let providers = world.control("GET", "/providers", Value::Null).await;
    let codes: Vec<&Value> =
        providers["list"][0]["brands"].as_array().unwrap().iter().map(|brand| &brand["brandCode"]).collect();
    assert_eq!(codes, [600_100, 600_101, 700_500]);
    assert_eq!(browser.post(path, "x", &[("ad", "Yeni")]).await.status, 403);
}

#[tokio::test]
async fn partners_are_authorised_by_brand_and_channel() {
    let world = with_stranger().await;
    let (mut browser, _) = Browser::provider(&world, "600100").await;
    let page = browser.get("/hizmet-saglayici/is-ortaklari").await;
    assert!(page.has("Mesaj: yazma") && page.has("mutabakat") && !page.has(", VİA"));
    let page = browser.get("/hizmet-saglayici/yetki?marka=600100&ortak=900001").await;
    assert!(page.has("value=\"write\" selected") && page.has("kaldir"));
    let path = "/hizmet-saglayici/yetki";
    let rights = |brand: &'static str, partner: &'static str, message: &'static str| {
        [
            ("marka", brand),
            ("ortak", partner),
            ("ARAMA", "none"),
            ("MESAJ", message),
            ("EPOSTA", "write"),
            ("via", "1"),
        ]
    };
    assert_eq!(browser.submit(&page, path, &rights("600100", "900001", "all")).await.status, 400);
    assert_eq!(browser.post(path, "x", &rights("600100", "900001", "read")).await.status, 403);
    for (brand, partner) in [("601100", "900001"), ("x", "900001"), ("600100", "900009")] {
        let answer = browser.submit(&page, path, &rights(brand, partner, "read")).await;
        assert!(answer.status == 422 && answer.has("Listeden birini seçin"), "{brand} {partner}");
    }
    let page = browser.submit_through(&page, path, &rights("600100", "900001", "read")).await;
    assert!(page.has("Arama: yok, Mesaj: okuma, E-posta: yazma, VİA"), "{}", page.html);
    let consent = world.consent("ONAY", 60).await;
    let refused = world.partner("POST", &format!("{BRAND}/consents"), Some(&consent)).await;
    assert_eq!((refused.status, refused.codes()), (404, vec!["H355".to_owned()]));

    let page = browser.get("/hizmet-saglayici/yetki?marka=600100&ortak=900001").await;
    let fields = [("marka", "600100"), ("ortak", "900001")];
    let page = browser.submit_through(&page, "/hizmet-saglayici/yetki/kaldir", &fields).await;
    assert!(page.has("Bütün yetkiler kaldırıldı") && page.has("Yetkili iş ortağı yok"));
    let refused = world.partner("POST", &format!("{BRAND}/consents"), Some(&consent)).await;
    assert_eq!(refused.codes(), ["H353"]);
    let fresh = browser.get("/hizmet-saglayici/yetki").await;
    assert!(!fresh.has("kaldir") && fresh.has("value=\"write\" selected"));
}

#[tokio::test]
async fn complaints_of_other_providers_are_not_there() {
    let world = with_stranger().await;
    let filing =
        json!({"brandCode": STRANGER, "recipient": "+905551112233", "type": "MESAJ", "text": "Yine geldi."});
    world.control("POST", "/complaints", filing).await;
    world.control("POST", "/complaints/1", json!({"state": "sent"})).await;
    let (mut browser, page) = Browser::provider(&world, "600100").await;
    let path = "/hizmet-saglayici/sikayetler/1";
    assert!(browser.get("/hizmet-saglayici/sikayetler").await.has("Size iletilmiş şikâyet yok"));
    assert_eq!(browser.get(path).await.status, 404);
    assert_eq!(browser.submit(&page, path, &[("yanit", "Ben değilim.")]).await.status, 404);
    let (mut browser, _) = Browser::provider(&world, "601100").await;
    let case = browser.get(path).await;
    assert!(case.has("Kayıt yok") && case.has("Yanıt bekliyor"));
    world.control("POST", "/complaints/1", json!({"state": "closed"})).await;
    let late = browser.submit_through(&case, path, &[("yanit", "Geç kaldım.")]).await;
    assert!(late.has("artık yanıtlanamaz") && late.has("yanıtlanmadan kapandı"));
    for path in ["/hizmet-saglayici/yok", "/hizmet-saglayici/sikayetler/9"] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_day_is_agreed_on_when_its_report_is_there() {
    let world = with_stranger().await;
    let consent = world.consent("ONAY", 60).await;
    assert_eq!(world.partner("POST", &format!("{BRAND}/consents"), Some(&consent)).await.status, 200);
    let (mut browser, page) = Browser::provider(&world, "600100").await;
    let path = "/hizmet-saglayici/mutabakat";
    assert!(browser.get(path).await.html.matches("Hareket yok").count() >= 6, "today is not over");
    world.advance("1d").await;
    let day = (world.now().await - chrono::Duration::days(1)).format("%Y-%m-%d").to_string();
    world.settings(json!({"reportDelaySeconds": 1_000_000})).await;
    assert!(browser.get(path).await.has("Hazırlanıyor"));
    world.settings(json!({"reportDelaySeconds": 0})).await;
    let listed = browser.get(&format!("{path}?marka=600100")).await;
    let told = world.call("provider", "GET", &format!("{BRAND}/agreements/{day}"), None).await.body;
    assert!(listed.has(told["hashValue"].as_str().unwrap()) && listed.has("Mutabık kal"));
    let start = listed.after("name=\"gun\" value=\"").to_owned();
    for (brand, start) in [("601100", start.as_str()), ("600100", "5"), ("600100", ""), ("x", start.as_str())]
    {
        let answer = browser.submit(&page, path, &[("marka", brand), ("gun", start)]).await;
        assert_eq!(answer.status, 400, "{brand} {start}");
    }
    let agreed = browser.submit_through(&listed, path, &[("marka", "600100"), ("gun", &start)]).await;
    assert!(agreed.has("Mutabakat kaydedildi") && !agreed.has("Mutabık kal<"));
    let told = world.call("provider", "GET", &format!("{BRAND}/agreements/{day}"), None).await.body;
    assert_eq!(told["agreementStatus"], true);
    assert_eq!(browser.get(&format!("{path}?marka=601100")).await.status, 404);
}
