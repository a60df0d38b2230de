//! What the registry says to a person: one Turkish sentence per refusal, in our own words.
//!
//! The real registry's prose changes; clients go by code.

/// The sentence of a rule that has none. No rule may have it: a test sees to that.
pub(crate) const UNKNOWN: &str = "?";

/// The sentence of a refusal. `rule` is asked first, because a few codes have several meanings.
pub(crate) fn text(rule: &str, code: &str, detail: &str) -> String {
    let sentence = of_rule(rule).or_else(|| of_code(code)).unwrap_or(UNKNOWN);
    sentence.replace("{}", detail)
}

fn of_rule(rule: &str) -> Option<&'static str> {
    Some(match rule {
        "token_body_unusable" => "İstek gövdesi okunamadı: JSON ya da form bekleniyor.",
        "grant_type_missing" => "Hangi giriş yönteminin kullanılacağı (grant_type) yazılmamış.",
        "grant_type_not_text" => "Giriş yöntemi (grant_type) metin olmalıdır.",
        "grant_type_empty" => "Giriş yöntemi (grant_type) boş bırakılmış.",
        "grant_type_unknown" => {
            "Giriş yöntemi (grant_type) tanınmıyor: password ya da refresh_token olabilir."
        }
        "username_missing" => "Kullanıcı adı (username) yazılmamış.",
        "username_not_text" => "Kullanıcı adı (username) metin olmalıdır.",
        "username_empty" => "Kullanıcı adı (username) boş bırakılmış.",
        "password_missing" => "Parola (password) yazılmamış.",
        "password_not_text" => "Parola (password) metin olmalıdır.",
        "password_empty" => "Parola (password) boş bırakılmış.",
        "refresh_token_missing" => "Yenileme jetonu (refresh_token) yazılmamış.",
        "refresh_token_not_text" => "Yenileme jetonu (refresh_token) metin olmalıdır.",
        "refresh_token_empty" => "Yenileme jetonu (refresh_token) boş bırakılmış.",
        "credentials_wrong" => "Kullanıcı adı ya da parola yanlış.",
        "admin_may_not_log_in" => "Yönetici (admin) rolündeki kullanıcılar API jetonu alamaz.",
        "refresh_token_dead" => "Yenileme jetonu geçersiz ya da süresi dolmuş.",
        "body_is_no_object" => "İstek gövdesi bir JSON nesnesi olmalıdır.",
        "recipient_repeats" => "Bir alıcı adresi listede birden fazla kez yer alamaz.",
        "too_many_recipients" => "Tek sorguda en fazla 1000 alıcı adresi sorulabilir.",
        "path_recipient_type_unknown" | "asked_recipient_type_unknown" => {
            "Alıcı tipi (recipientType) BIREYSEL ya da TACIR olmalıdır."
        }
        "feed_cursor_unreadable" => "after değeri bu servisin verdiği bir gösterge değil.",
        _ => return None,
    })
}

fn of_code(code: &str) -> Option<&'static str> {
    Some(match code {
        "H001" => "{} numaralı hizmet sağlayıcı bulunamadı.",
        "H014" => "İstek gövdesi JSON olarak okunamadı.",
        "H015" | "H412" | "H470" | "H476" => "Beklenmeyen bir hata oldu.",
        "H031" => "Jetonun sahibi olan kullanıcı bulunamadı.",
        "H083" | "H124" => "Saniyelik istek sınırı doldu, biraz bekleyip yeniden deneyin.",
        "H084" => "Saatlik jeton isteği sınırı doldu, bir saat boyunca jeton istemeyin.",
        "H085" => "İzin ekleme isteği bu haliyle işlenemiyor.",
        "H086" => "Saatlik tekil durum sorgusu sınırı doldu.",
        "H089" => "Saatlik izin geçmişi sorgusu sınırı doldu.",
        "H091" => "Bir listede en fazla 1000 izin olabilir.",
        "H092" => "Çoklu izin ekleme isteği bu haliyle işlenemiyor.",
        "H097" => "Durum sorgusu bu haliyle işlenemiyor.",
        "H101" => "İzin kaydı yazılamadı.",
        "H103" => "Kayıtlarda arama yapılamadı.",
        "H110" => "Durum (status) eksik.",
        "H111" => "İzin tipi (type) eksik.",
        "H112" => "İzin tarihi (consentDate) eksik.",
        "H113" => "İzin kaynağı (source) eksik.",
        "H114" => "Alıcı (recipient) eksik.",
        "H115" => "Durum (status) ONAY ya da RET olmalıdır.",
        "H116" => "Alıcı tipi (recipientType) BIREYSEL ya da TACIR olmalıdır.",
        "H117" => "İzin tipi (type) ARAMA, MESAJ ya da EPOSTA olmalıdır.",
        "H118" => "İzin nesnesinde tanınmayan alan: {}.",
        "H119" => {
            "İzin kaynağı (source) hizmet sağlayıcıların kullanabileceği HS_ değerlerinden biri olmalıdır."
        }
        "H120" => "Alıcı (recipient) geçerli bir e-posta adresi değil.",
        "H121" => "Alıcı (recipient) E.164 biçiminde geçerli bir telefon numarası değil.",
        "H122" => "Alıcı (recipient) ne telefon numarası ne de e-posta adresi.",
        "H123" => "Servis şu anda meşgul, daha sonra yeniden deneyin.",
        "H126" => "retailerAccess listesi en fazla 3000 bayi içerebilir.",
        "H129" => "Bu numarada bir iş ortağı yok.",
        "H155" => "HS_2015 kaynaklı izinlerin tarihi yalnız 2015-05-01 00:00:00 olabilir.",
        "H156" => "1 Mayıs 2015 öncesine ait izin tarihi verilemez.",
        "H157" => "İzin tarihi (consentDate) takvimde olmayan bir gün ya da saat.",
        "H158" => "İzin tarihi (consentDate) YYYY-AA-GG SS:dd:ss biçiminde olmalıdır.",
        "H160" | "H166" => "Telefon numarası 15 haneden uzun olamaz.",
        "H162" => "İzin tarihi (consentDate) gelecekte olamaz.",
        "H163" => "retailerAccess verildiyse en az bir bayi içermelidir.",
        "H164" => "Alıcı listesi (recipients) boş.",
        "H168" => "Alıcı listesi (recipients) eksik.",
        "H170" => "Alıcı tipi (recipientType) eksik.",
        "H174" => "Kayıtlı izin zaten bu durumda: {}.",
        "H175" => "Hiç kaydı olmayan bir adres için ilk hareket RET olamaz.",
        "H178" => "İzin tarihi, kayıtlı iznin tarihinden sonra olmalıdır.",
        "H180" => "Markanın bu numarada bir bayisi yok.",
        "H182" => "limit değeri geçersiz.",
        "H183" => "offset değeri geçersiz.",
        "H186" => "Bir sayfa en fazla 100 kayıt içerebilir.",
        "H187" => "limit sıfır olamaz.",
        "H190" => "Yoldaki iysCode tam sayı olmalıdır.",
        "H191" => "Yoldaki brandCode tam sayı olmalıdır.",
        "H192" => "İstek zamanında yanıtlanamadı.",
        "H193" => "Bir bayi numarası listede birden fazla kez yer alamaz.",
        "H194" => "Aynı alıcı, alıcı tipi ve izin tipi listede daha önce geçti.",
        "H198" => "requestId 36 karakteri aşamaz.",
        "H199" => "requestId yalnız harflerden oluşamaz.",
        "H245" => "Bu numara bir iş ortağına ait değil.",
        "H251" => "Kimlik bilgileri geçerli değil.",
        "H266" | "H267" => "retailerCode verildiyse boş olamaz.",
        "H268" => "Bu numaraya bağlı iş ortağı kullanıcısı yok.",
        "H351" => "Jeton yok ya da geçersiz.",
        "H353" => "{}, kullanıcının izinleri arasında yok.",
        "H355" => "Kullanıcının {} yetkisi yok.",
        "H363" => "Bu servis bu hesap türüne kapalı.",
        "H400" => "requestId yalnız rakamlardan oluşamaz.",
        "H408" => "HS_KARAR kaynağı yalnız RET ile kullanılabilir.",
        "H437" => "{} numarasına ait abonelik yok.",
        "H462" => "Kayıtlı bir TACIR izni güncellenirken consentDate verilmelidir.",
        "H463" => "Kayıtlı bir TACIR izni güncellenirken source verilmelidir.",
        "H464" => "Alıcı adresi {} tipine uymuyor.",
        "H467" => "Üzerinden üç iş gününden fazla geçmiş izinler kaydedilemez.",
        "H478" => "Alıcı listesi (recipients) liste olmalıdır.",
        "H486" => "HS_KARAR kaynağı bir adresin ilk kaydında kullanılamaz.",
        "H506" => "source değeri HS ya da IYS olmalıdır.",
        "H507" => "limit 1 ile 1000 arasında olmalıdır.",
        "H520" => "Abonelik {} durumunda: yalnız abonelik sorgusu yapılabilir.",
        "H521" => "Abonelik {} durumunda: API kullanılamaz.",
        "H522" => "Bu sorgu yalnız iş ortağı hesabıyla yapılabilir.",
        "H524" => "{} numarası için abonelik kaydı yok.",
        "H525" => "Abonelikteki adres sayısı doldu, yeni adres eklenemez.",
        "H586" => "Abonelik paketi API kullanımını kapsamıyor.",
        _ => return None,
    })
}
