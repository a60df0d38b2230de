//! What stands before values that people read: in English the names that programs and the API know, which are words as well;
//! in Turkish what they mean. İYS' own names (iysCode, brandCode …) stay.

use kopru_domain::Lang;

const LABELS: &[(&str, &str)] = &[
    ("action", "yapılacak"),
    ("active", "etkin"),
    ("afterCitizenRet", "ret sonrası onay"),
    ("after", "sonra"),
    ("alarm", "alarm"),
    ("alias", "takma ad"),
    ("alive", "canlı"),
    ("allowedSources", "izinli kaynaklar"),
    ("asOf", "güncellik"),
    ("attempts", "deneme"),
    ("before", "önce"),
    ("calendar", "takvim"),
    ("cause", "neden"),
    ("channel", "kanal"),
    ("channels", "kanallar"),
    ("clock", "saat"),
    ("code", "kod"),
    ("confirmed", "onaylanan"),
    ("confirmedAt", "doğrulandı"),
    ("createdAt", "oluşturuldu"),
    ("credentials", "parola"),
    ("credentialsTestedAt", "parola denendi"),
    ("daily", "günlük dosya"),
    ("dailyAgreement", "günlük mutabakat"),
    ("data folder", "veri klasörü"),
    ("dataDir", "veri klasörü"),
    ("database", "veritabanı"),
    ("delivered", "ulaştı"),
    ("delivery", "teslim"),
    ("description", "açıklama"),
    ("disabledAt", "kapatıldı"),
    ("disk", "disk"),
    ("doors", "kapılar"),
    ("elapsedMs", "süre (ms)"),
    ("endpointId", "uç nokta"),
    ("error", "hata"),
    ("expiresAt", "geçerlilik sonu"),
    ("explanation", "açıklama"),
    ("failingSince", "hata başlangıcı"),
    ("field", "alan"),
    ("freshness", "tazelik"),
    ("fromSequence", "ilk sıra"),
    ("generation", "bildirim no"),
    ("heldCause", "bekleme nedeni"),
    ("horizon", "ufuk"),
    ("http", "API"),
    ("id", "kimlik"),
    ("identity", "kimlik no"),
    ("inUse", "kullanımda"),
    ("inbound", "gelen SMS"),
    ("integratorCode", "entegratör no"),
    ("ipAllow", "izinli ağlar"),
    ("keyword", "anahtar kelime"),
    ("kind", "tür"),
    ("lastError", "son hata"),
    ("lastPushAt", "son ileti"),
    ("latest", "en geç"),
    ("logLevel", "günlük düzeyi"),
    ("login", "oturum"),
    ("longestPullInterval", "en seyrek okuma"),
    ("master key", "ana anahtar"),
    ("message", "açıklama"),
    ("messages", "iletiler"),
    ("metrics", "metrikler"),
    ("mirror", "ayna"),
    ("name", "ad"),
    ("nextAttemptAt", "sonraki deneme"),
    ("nextPullAt", "sonraki okuma"),
    ("notices", "bilgilendirme"),
    ("number", "numara"),
    ("onayRefresh", "onay yenileme"),
    ("opened", "açılan"),
    ("origin", "kaynak"),
    ("ownCredentials", "kendi kullanıcısı"),
    ("publicUrl", "dış adres"),
    ("pullInterval", "okuma aralığı"),
    ("pulls", "okuma"),
    ("purpose", "amaç"),
    ("pushed", "iletilen türler"),
    ("recipient", "adres"),
    ("redriveHelps", "yeniden bildirim"),
    ("refused", "reddedilen"),
    ("registry", "İYS"),
    ("retailerAccessCount", "erişim sayısı"),
    ("rights", "yetkiler"),
    ("schema", "şema"),
    ("scopes", "yetkiler"),
    ("secret file", "gizli dosya"),
    ("settings", "ayarlar"),
    ("since", "başlangıç"),
    ("smsAccount", "SMS hesabı"),
    ("smsFrom", "SMS göndereni"),
    ("start", "açılış"),
    ("state", "durum"),
    ("status", "durum"),
    ("subscription", "abonelik"),
    ("success", "başarı"),
    ("sweep", "tarama"),
    ("target", "hedef"),
    ("text", "metin"),
    ("title", "unvan"),
    ("toSequence", "son sıra"),
    ("trustedProxies", "güvenilen vekiller"),
    ("type", "tür"),
    ("types", "türler"),
    ("unreadable", "okunamayan"),
    ("url", "adres"),
    ("username", "kullanıcı"),
    ("vendor", "operatör"),
    ("version", "sürüm"),
    ("via", "ViA"),
    ("way", "yol"),
    ("what", "ne"),
    ("who", "kim yapmalı"),
];

/// Who must act.
const ACTORS: &[(&str, &str)] = &[
    ("citizen", "vatandaş"),
    ("client", "müşteri"),
    ("developer", "geliştirici"),
    ("nobody", "kimse"),
    ("operator", "işletmeci"),
    ("partner", "iş ortağı"),
    ("registry", "İYS"),
];

/// A name as people read it; of one inside another (`mirror.asOf`) each part.
pub(super) fn label(name: &str, lang: Lang) -> String {
    match lang {
        Lang::En => name.to_owned(),
        Lang::Tr => name.split('.').map(|part| find(LABELS, part)).collect::<Vec<_>>().join("."),
    }
}

/// The one who must act.
pub(super) fn actor(word: &str, lang: Lang) -> &str {
    if lang == Lang::Tr { find(ACTORS, word) } else { word }
}

fn find<'a>(table: &[(&str, &'a str)], word: &'a str) -> &'a str {
    table.iter().find(|(name, _)| *name == word).map_or(word, |(_, turkish)| *turkish)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_turkish_and_names_of_the_registry_stay() {
        assert_eq!(label("mirror.asOf", Lang::Tr), "ayna.güncellik");
        assert_eq!(label("mirror.asOf", Lang::En), "mirror.asOf");
        assert_eq!(label("brandCode", Lang::Tr), "brandCode");
        assert_eq!(actor("operator", Lang::Tr), "işletmeci");
        assert_eq!(actor("operator", Lang::En), "operator");
    }
}
