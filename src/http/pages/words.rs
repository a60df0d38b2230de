//! The words of the public pages, in both languages.

use kopru_domain::{Channel, Lang};

/// The words in a language.
#[derive(Clone, Copy)]
pub(super) struct Words(pub Lang);

macro_rules! words {
    ($($name:ident: $tr:literal, $en:literal;)+) => {
        impl Words {
            $(pub fn $name(self) -> &'static str {
                match self.0 {
                    Lang::Tr => $tr,
                    Lang::En => $en,
                }
            })+
        }
    };
}

words! {
    form_title: "Ticari elektronik ileti onayı", "Consent to commercial messages";
    other_language: "English", "Türkçe";
    mersis: "MERSİS", "MERSİS";
    consent_text: "Onay metni", "Consent text";
    notice: "Aydınlatma metni", "Privacy notice";
    channels: "Size hangi yollarla ulaşabiliriz?", "How may we reach you?";
    channels_hint: "Her kutu ayrı bir onaydır; yalnızca istediklerinizi işaretleyin.",
        "Each box is a consent of its own; tick only those that you want.";
    full_name: "Adınız ve soyadınız", "Your name and surname";
    phone: "Cep telefonunuz", "Your mobile number";
    phone_hint: "Arama ya da SMS istiyorsanız gereklidir.", "Needed if you want calls or text messages.";
    email: "E-posta adresiniz", "Your e-mail address";
    email_hint: "E-posta istiyorsanız gereklidir.", "Needed if you want e-mail.";
    send: "Onaylıyorum", "I consent";
    leave_empty: "Bu alanı boş bırakın", "Leave this field empty";
    errors: "Düzeltilmesi gereken yerler var", "Some things need to be put right";
    agreed_to: "Onay verdikleriniz", "What you agreed to";
    take_back: "Onayınızı istediğiniz an, gerekçe göstermeden geri alabilirsiniz.", "You can take your consent back at any time, without giving a reason.";
    error_mark: "Hata: ", "Error: ";
    thanks_title: "Kaydınız alındı", "We have received it";
    thanks: "Onayınız kaydedildi. İstediğiniz an geri alabilirsiniz.", "Your consent is recorded. You can take it back at any time.";
    confirm_title: "Onayınız gerekiyor", "Please confirm";
    code: "6 haneli kod", "6-digit code";
    code_hint: "Kod şu numaraya SMS ile gönderildi ve 3 dakika geçerlidir:",
        "Sent by text message and good for 3 minutes; it went to";
    sent_to: "Kodun gönderildiği numara:", "Sent to";
    new_code: "Yeni kod gönder", "Send a new code";
    do_not_confirm: "Onaylamak istemiyorsanız bu sayfayı kapatın; size ticari ileti gönderilmez.",
        "If you do not want to agree, close this page; no commercial messages are sent to you.";
    no_such_confirmation: "Bağlantı geçerli değil ya da süresi dolmuş.", "The link is not valid, or too old.";
    mail_title: "E-postanıza bakın", "Look at your e-mail";
    mail_sent: "Adresinize bir bağlantı gönderdik. Açıp onayladığınızda kaydınız tamamlanır; bağlantı 72 saat geçerlidir.",
        "We have sent a link to your address. Open it and confirm to finish; the link is good for 72 hours.";
    code_sent: "Telefonunuza 6 haneli bir kod gönderdik. Kodu girdiğinizde kaydınız tamamlanır.",
        "We have sent a code of 6 digits to your phone. Enter it to finish.";
    by_registry: "Kodu ve onayı İYS (İleti Yönetim Sistemi) yönetir: kod İYS'den gelir, onayınız İYS'ye kaydedilir.",
        "The national registry (İYS) sends the code and records your consent.";
    registry_code: "İYS'den gelen kod", "The code from İYS";
    registry_title: "İYS'den gelen bağlantıya bakın", "Look for the link from İYS";
    registry_sent: "İYS (İleti Yönetim Sistemi) size bir bağlantı gönderiyor. Açıp onayladığınızda kaydınız tamamlanır; bağlantı 24 saat geçerlidir. Onaylamazsanız size ticari ileti gönderilmez.",
        "The national registry (İYS) is sending you a link. Open it and approve to finish; it is good for 24 hours. If you do not approve, no commercial messages are sent to you.";
    follow: "Nasıl ilerlediğine bak", "See how far it has come";
    enter_code: "Kodu gir", "Enter the code";
    no_confirmation_title: "Şu anda kayıt alamıyoruz", "We cannot take this now";
    no_confirmation: "Bu form adresinizin doğrulanmasını istiyor ve doğrulama şu anda kullanılamıyor. Hiçbir bilginiz kaydedilmedi.",
        "This form wants your address confirmed, and confirmation is not available now. Nothing of yours was kept.";
    closed_title: "Bu form kapatıldı", "This form is closed";
    closed: "Bu formla artık kayıt alınmıyor.", "This form takes nothing any more.";
    ended_title: "Bu bağlantının süresi doldu", "This link has ended";
    ended: "Onay vermek isterseniz bağlantıyı gönderenden yenisini isteyin.",
        "If you want to consent, ask whoever sent the link for a new one.";
    missing_title: "Böyle bir sayfa yok", "There is no such page";
    missing: "Bağlantıyı eksiksiz açtığınızdan emin olun.", "Make sure that you have opened the whole link.";
    slow_title: "Çok fazla istek", "Too many requests";
    slow: "Kısa sürede çok fazla deneme yapıldı. Biraz sonra yeniden deneyin; kaydınız alınmadı.",
        "There were too many tries in a short time. Try again in a little while; nothing was recorded.";
    failed_title: "Bir sorun oldu", "Something went wrong";
    failed: "Kaydınız alınmadı. Biraz sonra yeniden deneyin.", "Nothing was recorded. Try again in a little while.";
    foreign_title: "Bu sayfadan gönderilemez", "It cannot be sent from there";
    foreign: "Bu form yalnızca izin verilen sayfalardan gönderilebilir.", "This form can be sent from allowed pages only.";
    your_number: "Telefon numaranız", "Your phone number";
    confirm: "Onaylıyorum", "I consent";
    reject: "İstemiyorum", "I do not want it";
    refusal_title: "Bu iletileri artık almak istemiyor musunuz?", "Do you want no more of these messages?";
    refusal_text: "Düğmeye bastığınızda bu adrese bu yolla ticari ileti gönderilmez. Ücretsizdir, gerekçe göstermeniz gerekmez.",
        "When you press the button, no commercial messages are sent to this address this way. It is free, and you need give no reason.";
    refuse: "İleti almak istemiyorum", "I want no more messages";
    refused_title: "Ret talebiniz alındı", "Your refusal is recorded";
    refused: "Bu adrese bu yolla artık ticari ileti gönderilmeyecek.", "No more commercial messages will be sent to this address this way.";
    not_agreed_title: "Onay vermediniz", "You did not consent";
    not_agreed: "Ret talebiniz kaydedildi. Size bu yolla ticari ileti gönderilmez.",
        "Your refusal is recorded. No commercial messages are sent to you this way.";
}

impl Words {
    /// The other language.
    pub fn other(self) -> Lang {
        if self.0 == Lang::Tr { Lang::En } else { Lang::Tr }
    }

    /// What the address of a channel is called.
    pub fn address(self, channel: Channel) -> &'static str {
        if channel == Channel::Email { self.email() } else { self.your_number() }
    }

    /// What a channel is called.
    pub fn channel(self, channel: Channel) -> &'static str {
        match (channel, self.0) {
            (Channel::Call, Lang::Tr) => "Telefonla arama",
            (Channel::Call, Lang::En) => "Phone calls",
            (Channel::Message, _) => "SMS",
            (Channel::Email, Lang::Tr) => "E-posta",
            (Channel::Email, Lang::En) => "E-mail",
        }
    }
}

/// A clause as a sentence of its own.
pub(super) fn sentence(clause: &str, lang: Lang) -> String {
    let mut letters = clause.chars();
    let first = match letters.next() {
        Some('i') if lang == Lang::Tr => "İ".to_owned(),
        Some(letter) => letter.to_uppercase().collect(),
        None => return String::new(),
    };
    let end = if clause.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_begins_in_its_own_language() {
        assert_eq!(sentence("izin gerekli", Lang::Tr), "İzin gerekli.");
        assert_eq!(sentence("it is needed.", Lang::En), "It is needed.");
        assert_eq!(sentence("", Lang::Tr), "");
    }
}
