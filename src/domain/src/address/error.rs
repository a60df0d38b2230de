//! Why an address was refused, and what to do about it.

use crate::lang::{Lang, Text};
use crate::words::{Channel, words};

words! {
    /// What is wrong with an address. The words are stable: programs may branch on them.
    pub enum AddressErrorCode("address error") {
        /// Nothing there.
        Missing = "missing",
        /// Longer than any address.
        TooLong = "too_long",
        /// Too few digits.
        TooShort = "too_short",
        /// A spreadsheet turned the number into `5,32E+09`.
        DigitsLost = "digits_lost",
        /// Several numbers in one field.
        TwoNumbers = "two_numbers",
        /// Letters in a number (an extension, a name).
        Letters = "letters",
        /// Some digits are hidden by `*` or `x`.
        Masked = "masked",
        /// A character that has no place in the address.
        UnexpectedCharacter = "unexpected_character",
        /// A number outside Turkey.
        Foreign = "foreign",
        /// A short number (3338, 112).
        ShortCode = "short_code",
        /// 444 …, 800 …, 900 …: a firm's or a service's number, not a person's.
        ServiceNumber = "service_number",
        /// SMS to a number that is no mobile.
        LandlineForMessage = "landline_for_message",
        /// No number in Turkey begins like this.
        UnknownPrefix = "unknown_prefix",
        /// An e-mail address where a phone number belongs.
        EmailForPhone = "email_for_phone",
        /// A phone number where an e-mail address belongs.
        PhoneForEmail = "phone_for_email",
        /// No `@`.
        EmailWithoutAt = "email_without_at",
        /// Several e-mail addresses in one field, or several `@`.
        TwoAddresses = "two_addresses",
        /// A blank inside.
        EmailBlank = "email_blank",
        /// A display name: `Ali <ali@example.com>`.
        EmailDisplayName = "email_display_name",
        /// A quoted local part or a comment.
        EmailQuoted = "email_quoted",
        /// Nothing, or more than 64 characters, before `@`.
        EmailLocalLength = "email_local_length",
        /// A letter outside ASCII before `@`.
        EmailNonAsciiLocal = "email_non_ascii_local",
        /// A character before `@` that the registry does not take.
        EmailLocalCharacter = "email_local_character",
        /// A dot at the beginning or end of the part before `@`, or two in a row.
        EmailDots = "email_dots",
        /// An internet address (digits) instead of a domain.
        EmailIpLiteral = "email_ip_literal",
        /// No such domain can exist.
        EmailDomain = "email_domain",
        /// Neither a canonical phone nor a canonical e-mail.
        NotCanonical = "not_canonical",
    }
}

/// An address that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("address refused: {code}")]
pub struct AddressError {
    /// What is wrong.
    pub code: AddressErrorCode,
    /// The channel it was meant for.
    pub channel: Channel,
}

impl AddressError {
    /// The registry's code for it: H114 missing, H120 no e-mail, H121 no phone, H122 neither.
    pub const fn h_code(&self) -> &'static str {
        match (self.code, self.channel) {
            (AddressErrorCode::Missing, _) => "H114",
            (AddressErrorCode::NotCanonical, _) => "H122",
            (_, Channel::Email) => "H120",
            (_, Channel::Call | Channel::Message) => "H121",
        }
    }

    /// What is wrong and what to do, in one language.
    pub fn message(&self, lang: Lang) -> String {
        self.text().get(lang).to_owned()
    }

    /// What is wrong and what to do.
    pub const fn text(&self) -> Text {
        match self.code {
            AddressErrorCode::Missing => Text::fixed("adres boş", "the address is empty"),
            AddressErrorCode::TooLong => match self.channel {
                Channel::Email => Text::fixed(
                    "adres 254 karakterden uzun; fazlalığı silin",
                    "the address is longer than 254 characters; remove what does not belong to it",
                ),
                Channel::Call | Channel::Message => Text::fixed(
                    "numarada fazla hane var; alan kodu ve numara 10 hane olmalıdır, örneğin 0532 123 45 67",
                    "the number has too many digits; area code and number are 10, for example 0532 123 45 67",
                ),
            },
            AddressErrorCode::TooShort => Text::fixed(
                "numarada hane eksik; alan koduyla birlikte 10 hane olmalıdır, örneğin 0532 123 45 67",
                "digits are missing; area code and number are 10, for example 0532 123 45 67",
            ),
            AddressErrorCode::DigitsLost => Text::fixed(
                "tablolama programı numarayı 5,32E+09 gibi yazmış, haneler kaybolmuş; sütunu metin yapıp numarayı yeniden alın",
                "a spreadsheet turned the number into something like 5,32E+09 and lost digits; make the column text and take the number again",
            ),
            AddressErrorCode::TwoNumbers => Text::fixed(
                "alanda birden çok numara var; her numara için ayrı kayıt gönderin",
                "the field holds more than one number; send one record per number",
            ),
            AddressErrorCode::Letters => Text::fixed(
                "numarada harf var; dahili numara ve adı silin",
                "the number contains letters; remove extensions and names",
            ),
            AddressErrorCode::Masked => Text::fixed(
                "numaranın bir bölümü gizlenmiş; tam numara gerekir",
                "some digits are hidden; the full number is needed",
            ),
            AddressErrorCode::UnexpectedCharacter => Text::fixed(
                "numarada beklenmeyen bir karakter var; yalnızca rakam, boşluk, +, -, ., / ve parantez kullanın",
                "the number contains an unexpected character; use only digits, blanks, +, -, ., / and brackets",
            ),
            AddressErrorCode::Foreign => Text::fixed(
                "yurt dışı numarası; yalnızca Türkiye numaraları (+90) kabul edilir",
                "this is a foreign number; only numbers in Turkey (+90) are taken",
            ),
            AddressErrorCode::ShortCode => Text::fixed(
                "kısa numara; kişinin kendi numarası gerekir",
                "this is a short number; the person's own number is needed",
            ),
            AddressErrorCode::ServiceNumber => Text::fixed(
                "444, 800 ve 900 gibi hizmet numaraları bir kişinin adresi değildir; kişinin kendi numarasını yazın",
                "service numbers such as 444, 800 and 900 are not a person's address; give the person's own number",
            ),
            AddressErrorCode::LandlineForMessage => Text::fixed(
                "MESAJ izni için cep telefonu gerekir (5 ile başlayan 10 hane); sabit hat için izin türü ARAMA olmalıdır",
                "MESAJ needs a mobile number (10 digits beginning with 5); for a landline use type ARAMA",
            ),
            AddressErrorCode::UnknownPrefix => Text::fixed(
                "Türkiye'de bu alan koduyla başlayan numara yok; numarayı denetleyin",
                "no number in Turkey begins with this area code; check the number",
            ),
            AddressErrorCode::EmailForPhone => Text::fixed(
                "e-posta adresi yazılmış; ARAMA ve MESAJ için telefon numarası gerekir",
                "this is an e-mail address; ARAMA and MESAJ need a phone number",
            ),
            AddressErrorCode::PhoneForEmail => Text::fixed(
                "telefon numarası yazılmış; EPOSTA için e-posta adresi gerekir",
                "this is a phone number; EPOSTA needs an e-mail address",
            ),
            AddressErrorCode::EmailWithoutAt => {
                Text::fixed("e-posta adresinde @ işareti yok", "the e-mail address has no @")
            }
            AddressErrorCode::TwoAddresses => Text::fixed(
                "alanda birden çok @ işareti var; her adres için ayrı kayıt gönderin",
                "the field holds more than one @; send one record per address",
            ),
            AddressErrorCode::EmailBlank => Text::fixed(
                "e-posta adresinin içinde boşluk var; silin",
                "there is a blank inside the e-mail address; remove it",
            ),
            AddressErrorCode::EmailDisplayName => Text::fixed(
                "yalnızca adresi yazın; ad ve < > işaretlerini silin",
                "write the bare address, without a name and without < >",
            ),
            AddressErrorCode::EmailQuoted => Text::fixed(
                "tırnak ya da parantez içeren e-posta adresini İYS kabul etmez",
                "the registry takes no e-mail address with quotes or brackets",
            ),
            AddressErrorCode::EmailLocalLength => Text::fixed(
                "@ işaretinden önce 1 ile 64 arasında karakter olmalıdır",
                "there must be 1 to 64 characters before the @",
            ),
            AddressErrorCode::EmailNonAsciiLocal => Text::fixed(
                "@ işaretinden önce Türkçe harf kullanılamaz; ı, ş, ğ, ü, ö, ç yerine i, s, g, u, o, c ile yazılışını kişiye sorun",
                "letters such as ı, ş, ğ, ü, ö, ç cannot stand before the @; ask the person for the spelling with i, s, g, u, o, c",
            ),
            AddressErrorCode::EmailLocalCharacter => Text::fixed(
                "@ işaretinden önce yalnızca harf, rakam, nokta, -, _ ve + kullanılabilir",
                "only letters, digits, dots, -, _ and + can stand before the @",
            ),
            AddressErrorCode::EmailDots => Text::fixed(
                "@ işaretinden önceki bölüm noktayla başlayamaz, bitemez ve art arda iki nokta içeremez",
                "the part before the @ cannot begin or end with a dot, nor have two in a row",
            ),
            AddressErrorCode::EmailIpLiteral => Text::fixed(
                "alan adı yerine IP adresi yazılmış",
                "there is an IP address where the domain belongs",
            ),
            AddressErrorCode::EmailDomain => Text::fixed(
                "@ işaretinden sonraki alan adı geçersiz; örneğin ornek.com biçiminde olmalıdır",
                "the domain after the @ is not valid; it should look like example.com",
            ),
            AddressErrorCode::NotCanonical => Text::fixed(
                "ne telefon numarası (+90…) ne de e-posta adresi",
                "neither a phone number (+90…) nor an e-mail address",
            ),
        }
    }
}
