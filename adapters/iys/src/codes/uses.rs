//! Codes that mean something else as the answer to certain operations.

use super::*;

/// Operations with the codes that have a meaning of their own there.
pub(super) const USES: &[(&[Operation], &[CodeInfo])] = &[
    (&[Operation::PushRegister, Operation::PushUnregister], push::CODES),
    (&[Operation::Brands], provider_only::CODES),
    (&[Operation::PartnerBrands, Operation::PartnerSubscription], partner_only::CODES),
    (&[Operation::RejectLinks], reject_links::CODES),
];

mod push {
    use super::*;

    codes! {
        "H093" 422 REPAIR Operator HELPS
            "İletim adresinin kullanıcı adı ya da parolası eksik. Eksik değeri tamamlayın."
            "The user name or the password of the receiving address is missing. Supply it."
        "H191" 422 CONFIG Operator HELPS
            "İletim adresi beş saniye içinde yanıt vermedi. Adresin dışarıdan erişilebildiğini ve hızlı yanıt verdiğini denetleyin."
            "The receiving address did not answer within five seconds. Check that it can be reached from outside and answers fast."
    }
}

mod provider_only {
    use super::*;

    codes! {
        "H363" 400 CONFIG Operator HELPS
            "Bu yöntem hizmet sağlayıcının kendi API kullanıcısına açıktır; iş ortağı hesabı yetkili markalarını iş ortağı yöntemiyle sorar. Hesap türünü denetleyin."
            "This method is open to the service provider's own API user; a partner's account asks for its brands by the partner's method. Check the kind of account."
    }
}

mod partner_only {
    use super::*;

    codes! {
        "H363" 400 CONFIG Operator HELPS
            "Bu yöntem iş ortağının API kullanıcısına açıktır; hizmet sağlayıcı hesabı markalarını kendi yöntemiyle sorar. Hesap türünü denetleyin."
            "This method is open to a business partner's API user; a provider's account asks for its brands by its own method. Check the kind of account."
    }
}

mod reject_links {
    use super::*;

    codes! {
        "H097" 400 BUG Developer HELPS
            "Ret bağlantısı isteği bir bütün olarak geçersiz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
            "The request for links to withdraw is not valid as a whole. This is a fault of the program; tell its developer."
    }
}
