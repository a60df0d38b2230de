//! The page's own words in both languages.

use kopru_domain::{Lang, Text};

/// Labels and the introduction.
pub(super) struct Words(pub Lang);

macro_rules! words {
    ($($name:ident: $tr:literal, $en:literal;)+) => {
        impl Words {
            $(pub fn $name(&self) -> &'static str {
                match self.0 {
                    Lang::Tr => $tr,
                    Lang::En => $en,
                }
            })+
        }
    };
}

words! {
    title: "Köprü API", "Köprü API";
    lead: "İYS ile sistemleriniz arasında: izinleri alır, süresinde bildirir, değişiklikleri haber verir.",
        "Between your systems and the consent registry: takes consents in, files them in time, tells what changed.";
    other_language: "English", "Türkçe";
    description: "OpenAPI 3.1 tanımı", "OpenAPI 3.1 description";
    introduction: "Başlarken", "Getting started";
    operations: "İşlemler", "Operations";
    parameters: "Parametreler", "Parameters";
    body: "Gövde", "Body";
    answers: "Yanıtlar", "Answers";
    scope: "Gerekli yetki", "Scope needed";
    schemas: "Nesneler", "Objects";
    problems: "Sorun türleri", "Kinds of problems";
    name: "Ad", "Name";
    kind: "Tür", "Type";
    meaning: "Anlamı", "Meaning";
    status: "Durum", "Status";
    needed: "gerekli", "required";
    list_of: "liste:", "list of";
    or_null: "ya da null", "or null";
    one_of: "biri:", "one of";
    problems_lead: "Hatalar application/problem+json (RFC 9457) olarak döner; type değişmez, title ve detail Accept-Language başlığına göre Türkçe ya da İngilizcedir.",
        "Errors are application/problem+json (RFC 9457); type is stable, title and detail follow Accept-Language, Turkish or English.";
    reference_note: "Alan açıklamaları İngilizcedir; adlar ve değerler İYS'nin kendi sözcükleridir.",
        "Names and values are the registry's own words.";
}

/// Paragraphs of the introduction, each with a heading.
pub(super) const INTRODUCTION: [(Text, Text); 8] = [
    (
        Text::fixed("Anahtar", "Key"),
        Text::fixed(
            "Her istek bir API anahtarıyla gelir: Authorization: Bearer kpr_…. Anahtarın yetkileri (scope), isterse ağ listesi ve bitiş zamanı vardır; bir hizmet sağlayıcıya ya da bütün kuruluma aittir. Başkasının markası ve kaydı 404 ile yanıtlanır. Kapatılan anahtar birkaç saniye içinde her yerde geçersiz olur.",
            "Every request carries an API key: Authorization: Bearer kpr_…. A key has scopes, optionally networks and an expiry, and belongs to one provider or to the whole installation. What belongs to others answers 404. A disabled key stops working everywhere within seconds.",
        ),
    ),
    (
        Text::fixed("Sözcükler ve zaman", "Words and time"),
        Text::fixed(
            "Alan adları ve değerler İYS'nin kendi sözcükleridir (recipient, type, status, source, consentDate …). Tarihler YYYY-AA-GG SS:dd:ss (Türkiye saati) ya da saat farklı RFC 3339 olarak alınır, RFC 3339 +03:00 olarak verilir.",
            "Field names and values are the registry's own (recipient, type, status, source, consentDate …). Dates are taken as YYYY-MM-DD HH:mm:ss in Turkey time or RFC 3339 with an offset, and given as RFC 3339 with +03:00.",
        ),
    ),
    (
        Text::fixed("Kabul ve süre", "Acceptance and deadline"),
        Text::fixed(
            "202 yanıtı kayıt kalıcı olduktan sonra verilir; accepted içindeki her kayıt İYS'ye süresi içinde bildirilir. deadline üç an taşır: target (en sıkı yorum, hedefimiz), legal (olağan yorum), latest (en geniş yorum). Bir kaydın sorunu komşularını etkilemez.",
            "A 202 comes after the records are durable; everything under accepted is filed with the registry in time. deadline has three instants: target (the strictest reading, what we work towards), legal (the usual one) and latest (the most lenient). A bad item does not harm its neighbours.",
        ),
    ),
    (
        Text::fixed("Yineleme", "Repetition"),
        Text::fixed(
            "Oluşturan ya da iş yapan POST isteklerinde Idempotency-Key başlığı gönderin: aynı anahtar ve gövdeyle yinelenen istek ikinci kez etki etmez, 72 saat boyunca aynı yanıtı alır. Aynı anahtar başka gövdeyle 422, hâlâ süren istekle 409 döner.",
            "Send an Idempotency-Key with POSTs that create or act: a repetition with the same key and body has no second effect and gets the same answer for 72 hours. The same key with another body answers 422, while the first still runs 409.",
        ),
    ),
    (
        Text::fixed("Sayfalar", "Pages"),
        Text::fixed(
            "Listeler items, next ve hasMore ile döner; next değerini after olarak gönderin. İmleçlerin içi değişebilir, yorumlamayın.",
            "Lists answer with items, next and hasMore; send next as after. What is inside a cursor may change: do not interpret it.",
        ),
    ),
    (
        Text::fixed("Gönderim denetimi", "Checking before sending"),
        Text::fixed(
            "check, yalnızca İYS'de ONAY kayıtlıysa ve bilgi yeterince yeniyse allowed: true verir; emin olunamayan her durumda reddeder ve nedenini yazar. Yolda olan bir onay izin sayılmaz.",
            "check says allowed: true only where the registry holds an ONAY and the knowledge is fresh enough; wherever that is not certain it refuses and gives the reason. An ONAY on its way is no permission.",
        ),
    ),
    (
        Text::fixed("Değişiklikler", "Changes"),
        Text::fixed(
            "Kim neden olursa olsun her değişiklik boşluksuz akışta (changes) ve imzalı web kancalarında aynı olay olarak gelir. Kancalar Standard Webhooks biçimindedir: webhook-id, webhook-timestamp, webhook-signature. Aynı adresin olayları sırayla gelir; sequence artar.",
            "Every change, whoever caused it, comes as the same event in the gap-free feed (changes) and in signed webhooks. Those are Standard Webhooks: webhook-id, webhook-timestamp, webhook-signature. Events of one address come in order; sequence rises.",
        ),
    ),
    (
        Text::fixed("Kişisel veri ve sınırlar", "Personal data and limits"),
        Text::fixed(
            "Adresler URL'de yer almaz; yanıtlarda maskelidir, tam hali recipients:read yetkisiyle ve denetim kaydı bırakılarak verilir. Hız sınırı RateLimit başlıklarındadır. Her yanıtta x-request-id bulunur; sorun bildirirken onu verin.",
            "Addresses never stand in a URL; answers mask them, and show them in full only with recipients:read, which leaves an audit row. Limits stand in the RateLimit headers. Every answer has an x-request-id: give it when you report a problem.",
        ),
    ),
];

/// A first request to paste.
pub(super) const EXAMPLE: &str = r#"curl -sS https://HOST/v1/brands/BRAND/consents \
  -H 'Authorization: Bearer kpr_…' \
  -H 'Content-Type: application/json' \
  -H 'Idempotency-Key: 6f1c5a0e-6f0e-4f0e-9a59-3a3f1f0f8a11' \
  -d '{"recipient":"+905321234567","type":"MESAJ","status":"ONAY","source":"HS_WEB",
       "recipientType":"BIREYSEL","consentDate":"2026-11-20T10:05:00+03:00","reference":"crm-4711"}'"#;
