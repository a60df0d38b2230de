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
    mersis: "MERSİS no", "MERSİS number";
    consent_text: "Onay metni", "Consent text";
    notice: "Aydınlatma metni", "Privacy notice";
    channels: "Hangi yolla ulaşabiliriz?", "How may we reach you?";
    channels_hint: "Her kutu ayrı bir onaydır. Hiçbiri zorunlu değildir; onayınızı istediğiniz an geri alabilirsiniz.",
        "Each box is a consent of its own. None is compulsory; you can take your consent back at any time.";
    full_name: "Adınız ve soyadınız", "Your name and surname";
    phone: "Cep telefonunuz", "Your mobile number";
    phone_hint: "Arama ya da SMS kutusunu işaretlediyseniz", "If you ticked calls or text messages";
    email: "E-posta adresiniz", "Your e-mail address";
    email_hint: "E-posta kutusunu işaretlediyseniz", "If you ticked e-mail";
    send: "Onaylıyorum", "I consent";
    leave_empty: "Bu alanı boş bırakın", "Leave this field empty";
    errors: "Lütfen düzeltin", "Please put this right";
    thanks_title: "Kaydınız alındı", "We have received it";
    thanks: "Onayınız kaydedildi. İstediğiniz an geri alabilirsiniz.", "Your consent is recorded. You can take it back at any time.";
    confirm_title: "Onayınız gerekiyor", "Please confirm";
    code: "6 haneli kod", "Code of 6 digits";
    code_hint: "Kodun gönderildiği numara:", "Sent to";
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
    closed: "Artık kayıt alınmıyor.", "Nothing is taken any more.";
    ended_title: "Bu bağlantının süresi doldu", "This link has ended";
    ended: "Yeni bir bağlantı isteyin.", "Ask for a new one.";
    missing_title: "Böyle bir sayfa yok", "There is no such page";
    missing: "Bağlantıyı eksiksiz açtığınızdan emin olun.", "Make sure that you have opened the whole link.";
    slow_title: "Çok fazla istek", "Too many requests";
    slow: "Biraz sonra yeniden deneyin.", "Try again in a little while.";
    failed_title: "Bir sorun oldu", "Something went wrong";
    failed: "Biraz sonra yeniden deneyin. Kaydınız alınmadı.", "Try again in a little while. It was not recorded.";
    foreign_title: "Bu sayfadan gönderilemez", "It cannot be sent from there";
    foreign: "Bu form yalnızca izin verilen sayfalardan gönderilebilir.", "This form can be sent from allowed pages only.";
    your_address: "Adresiniz", "Your address";
    confirm: "Onaylıyorum", "I consent";
    reject: "İstemiyorum", "I do not want it";
    refusal_title: "İleti almak istemiyorum", "No more messages";
    refusal_text: "Düğmeye basınca bu adrese bu yolla ticari ileti gönderilmez. Gerekçe göstermeniz gerekmez.",
        "When you press the button, no commercial messages are sent to this address this way. You need give no reason.";
    refuse: "İleti almak istemiyorum", "I want no more messages";
    refused_title: "Ret talebiniz alındı", "Your refusal is recorded";
    refused: "Bu adrese bu yolla artık ticari ileti gönderilmeyecek.", "No more commercial messages will be sent to this address this way.";
    not_agreed_title: "Onay vermediniz", "You did not consent";
    not_agreed: "Ret talebiniz kaydedildi; onay kaydı yoktur.", "Your refusal is recorded; there is no consent.";
}

impl Words {
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
