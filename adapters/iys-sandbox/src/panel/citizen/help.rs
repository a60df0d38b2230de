//! What a citizen may want to know.

use axum::response::Response;
use maud::html;

use crate::panel::frame::Page;
use crate::panel::session::Door;

/// Questions and answers. They say what holds in Turkey and what this simulator does with it.
const ANSWERS: [(&str, &str); 6] = [
    (
        "İzin nedir?",
        "Bir marka size reklam için ancak onayınızla ileti gönderebilir ya da sizi arayabilir. Onay kanala göredir: \
         arama, mesaj ve e-posta ayrı ayrı sorulur.",
    ),
    (
        "Reddedersem ne olur?",
        "Ret hemen kaydedilir ve markaya bildirilir. Marka en geç üç iş günü içinde durmak zorundadır.",
    ),
    (
        "Yine de ileti gelirse?",
        "Şikâyet edebilirsiniz. Şikâyet önce alınır, sonra markaya iletilir; marka yanıtlar, şikâyet kapanır. \
         Aşamaları şikâyetin sayfasında görürsünüz.",
    ),
    (
        "Hiç görmediğim bir marka listede.",
        "Marka, onayınızı kendisinin aldığını bildirmiştir. Tarih ve kaynak satırda yazar. Doğru değilse reddedin ve \
         şikâyet edin.",
    ),
    (
        "Tacir ne demek?",
        "Adres bir işletme adına da kayıtlı olabilir. İşletmelere ileti için onay aranmaz, ama ret onlar için de bağlar.",
    ),
    (
        "Bu sayfalar gerçek mi?",
        "Hayır. Burası yazılımların denendiği bir benzetim. Hiçbir ileti gönderilmez, hiçbir kayıt gerçek İYS'ye gitmez.",
    ),
];

pub(super) async fn show() -> Response {
    let page = Page::new(Door::Citizen, "Yardım");
    page.show(&html! {
        @for (question, answer) in ANSWERS { h2 { (question) } p { (answer) } }
        p { a.button href="/vatandas" { "İzinlerime git" } }
    })
}
