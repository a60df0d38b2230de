//! The registry's words in plain Turkish.

use crate::store::complaints::State;
use crate::store::providers::{Right, SubscriptionStatus};
use crate::wire_time;
use crate::words::{Channel, FormKind, RecipientType, Status};

/// The channels in the order in which the pages show them.
pub(crate) const CHANNELS: [Channel; 3] = [Channel::Call, Channel::Message, Channel::Email];

pub(crate) const fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Call => "Arama",
        Channel::Message => "Mesaj",
        Channel::Email => "E-posta",
    }
}

pub(crate) const fn status(status: Status) -> &'static str {
    match status {
        Status::Approval => "Onay",
        Status::Rejection => "Ret",
    }
}

pub(crate) const fn recipient_type(recipient_type: RecipientType) -> &'static str {
    match recipient_type {
        RecipientType::Individual => "bireysel",
        RecipientType::Merchant => "tacir",
    }
}

pub(crate) const fn right(right: Right) -> &'static str {
    match right {
        Right::Write => "Yazma",
        Right::Read => "Okuma",
        Right::None => "Yok",
    }
}

pub(crate) const fn subscription(status: SubscriptionStatus) -> &'static str {
    match status {
        SubscriptionStatus::Active => "Etkin",
        SubscriptionStatus::Paused => "Durduruldu",
        SubscriptionStatus::Expired => "Süresi doldu",
        SubscriptionStatus::Closed => "Kapatıldı",
    }
}

pub(crate) const fn complaint(state: State) -> &'static str {
    match state {
        State::Received => "Alındı",
        State::Sent => "Hizmet sağlayıcıya iletildi",
        State::Answered => "Yanıtlandı",
        State::Closed => "Kapandı",
    }
}

pub(crate) const fn form_kind(kind: FormKind) -> &'static str {
    match kind {
        FormKind::Otp => "Kod (SMS ya da e-posta)",
        FormKind::ShortUrl => "Kısa bağlantı (SMS ya da e-posta)",
        FormKind::ApprovalUrl => "Onay bağlantısı (e-posta)",
    }
}

/// What can be approved in an opt-in: a channel or a text; a provider's own types are shown as they are.
pub(crate) fn form_type(text: &str) -> &str {
    match text {
        "AYDINLATMA_METNI" => "Aydınlatma metni",
        "ACIK_RIZA_METNI" => "Açık rıza metni",
        "YURTDISI_AKTARIM" => "Yurt dışına aktarım",
        other => match Channel::parse(other) {
            Some(known) => channel(known),
            None => other,
        },
    }
}

/// Where a consent came from; a source of which nothing is known is shown as it is.
pub(crate) fn source(source: Option<&str>) -> &str {
    match source {
        None => "belirtilmemiş",
        Some("HS_2015") => "1 Mayıs 2015 öncesi kayıt",
        Some("HS_KARAR") => "hizmet sağlayıcının kararı",
        Some("HS_FIZIKSEL_ORTAM") => "fiziksel ortam",
        Some("HS_ISLAK_IMZA") => "ıslak imzalı form",
        Some("HS_ETKINLIK") => "etkinlik",
        Some("HS_ATM") => "ATM",
        Some("HS_EORTAM") => "elektronik ortam",
        Some("HS_WEB") => "markanın web sitesi",
        Some("HS_MOBIL") => "markanın mobil uygulaması",
        Some("HS_MESAJ") => "markanın kısa mesaj hattı",
        Some("HS_EPOSTA") => "markanın e-postası",
        Some("HS_CAGRI_MERKEZI") => "markanın çağrı merkezi",
        Some("HS_SOSYAL_MEDYA") => "sosyal medya",
        Some("IYS_WEB" | "IYS_WEB_YENI") => "İYS web sitesi",
        Some("IYS_MOBIL") => "İYS mobil uygulaması",
        Some("IYS_KISAMESAJ") => "İYS kısa mesaj hattı",
        Some("IYS_CM") => "İYS çağrı merkezi",
        Some("IYS_EPOSTA") => "İYS e-postası",
        Some("IYS_FRAME_EPOSTA" | "IYS_FRAME_SMS") => "İYS web formu",
        Some("IYS_AHS_HAT_KAPATMA") => "hattın kapatılması",
        Some(other) => other,
    }
}

/// An instant for people: `20.11.2026 10:05`.
pub(crate) fn instant(seconds: i64) -> String {
    wire_time::local(seconds).format("%d.%m.%Y %H:%M").to_string()
}

/// A number with Turkey's thousands points.
pub(crate) fn number(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = if value < 0 { "-".to_owned() } else { String::new() };
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    text
}

/// Small letters as Turkish has them: I is ı, İ is i.
pub(crate) fn lower(text: &str) -> String {
    let letter = |letter: char| match letter {
        'I' => 'ı',
        'İ' => 'i',
        other => other.to_lowercase().next().unwrap_or(other),
    };
    text.chars().map(letter).collect()
}

/// By what names are sorted: the places of their letters in the Turkish alphabet, where ı comes before i
/// and ç after c.
pub(crate) fn alphabetical(name: &str) -> Vec<usize> {
    const ALPHABET: &str = "0123456789abcçdefgğhıijklmnoöpqrsştuüvwxyz";
    lower(name).chars().map(|letter| ALPHABET.find(letter).map_or(0, |place| place + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_instants_are_written_as_in_turkey() {
        assert_eq!(number(1_234_567), "1.234.567");
        assert_eq!(
            (number(999).as_str(), number(-1000).as_str(), number(0).as_str()),
            ("999", "-1.000", "0")
        );
        assert_eq!(instant(wire_time::read("2026-11-20 10:05:00").unwrap()), "20.11.2026 10:05");
    }

    #[test]
    fn names_stand_in_the_order_of_the_turkish_alphabet() {
        let mut names = ["Zeytin", "İnci", "Çiçek", "Irmak", "Dere", "Cem", "Şeker", "Su", "ayva"];
        names.sort_by_key(|name| alphabetical(name));
        assert_eq!(names, ["ayva", "Cem", "Çiçek", "Dere", "Irmak", "İnci", "Su", "Şeker", "Zeytin"]);
    }
}
