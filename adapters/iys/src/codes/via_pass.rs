//! The codes of ViA Pass (registry-protocol 5.4). Failures of the services behind it come as `ERR-SYS-0007` with a
//! core or ViA code inside, which then decides.

use super::*;

codes! {
    "ERR-SYS-0001" 400 BUG Developer HELPS
        "ViA Pass isteği geçersiz buldu. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "ViA Pass takes the request for invalid. This is a fault of the program; tell its developer."
    "ERR-SYS-0002" 503 RETRY Registry HELPS
        "ViA Pass şu anda hizmet veremiyor. İstek bir süre sonra yinelenmelidir."
        "ViA Pass is not available at present. The request should be repeated after a while."
    "ERR-SYS-0003" 504 RETRY Registry HELPS
        "ViA Pass içinde istek zaman aşımına uğradı. İşlemin durumuna bakın, sonra isteği yineleyin."
        "The request timed out inside ViA Pass. Look at the operation's state, then repeat the request."
    "ERR-SYS-0004" 400 RETRY Registry HELPS
        "ViA Pass teknik bir hatayla karşılaştı. İstek bir süre sonra yinelenmelidir."
        "ViA Pass met a technical error. The request should be repeated after a while."
    "ERR-SYS-0005" 403 PAUSE_TENANT Client HELPS
        "Hesabın bu iysCode için yetkisi yok. Hizmet sağlayıcı, İYS panelinden iş ortağını yetkilendirmelidir."
        "The account has no right to this iysCode. The provider must authorise the business partner in the registry's panel."
    "ERR-SYS-0006" 401 REAUTHENTICATE Operator HELPS
        "ViA Pass jetonu kabul etmedi. Oturum yenilenir; sürerse hesap bilgilerini denetleyin."
        "ViA Pass did not accept the token. It is renewed; if this goes on, check the account's credentials."
    "ERR-SYS-0007" 400 RETRY Registry HELPS
        "ViA Pass'in dayandığı bir hizmet hata verdi. İstek bir süre sonra yinelenmelidir."
        "A service that ViA Pass relies on has failed. The request should be repeated after a while."
    "ERR-SYS-0009" 400 BUG Developer HELPS
        "İstekte requestId bulunamadı. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The request lacks the requestId. This is a fault of the program; tell its developer."
    "ERR-VLD-001" 400 REPAIR Client FUTILE
        "İstekteki bir alan geçersiz. Hata ayrıntısında adı geçen alanı düzeltin."
        "A field of the request is not valid. Correct the one that the details name."
    "ERR-VLD-002" 400 REPAIR Client FUTILE
        "İstek bir kısıtlama kuralına uymuyor. Hata ayrıntısında adı geçen alanı düzeltin."
        "The request breaks a rule. Correct the field that the details name."
    "OTP-ERROR-001" 404 REPAIR Client FUTILE
        "Bu doğrulama hiç başlatılmamış. Doğrulamayı yeniden başlatın."
        "This check was never started. Start a new one."
    "OTP-ERROR-002" 404 REPAIR Client FUTILE
        "Bu requestId ile bir işlem bulunamadı. Değeri düzeltin."
        "There is no operation with this requestId. Correct it."
    "OTP-ERROR-003" 400 REPAIR Client FUTILE
        "Doğrulama tamamlanamadı. Kodu denetleyin; sürerse doğrulamayı yeniden başlatın."
        "The check could not be completed. Check the code; if that does not help, start a new check."
    "OTP-ERROR-004" 400 BUG Developer HELPS
        "İstekte requestId bulunamadı. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The request lacks the requestId. This is a fault of the program; tell its developer."
    "OTP-ERROR-005" 403 BUG Developer HELPS
        "İstek gövdesi boş gönderildi. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The request was sent without a body. This is a fault of the program; tell its developer."
    "OTP-ERROR-006" 400 BUG Developer HELPS
        "İstekte requestId boş gönderildi. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The requestId was sent empty. This is a fault of the program; tell its developer."
    "OTP-ERROR-007" 403 PAUSE_TENANT Client HELPS
        "Hesabın bu iysCode için yetkisi yok. Hizmet sağlayıcı, İYS panelinden iş ortağını yetkilendirmelidir."
        "The account has no right to this iysCode. The provider must authorise the business partner in the registry's panel."
    "OTP-ERROR-008" 403 BUG Developer HELPS
        "İstekte requestId bulunamadı. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The request lacks the requestId. This is a fault of the program; tell its developer."
    "OTP-ERROR-009" 400 BUG Developer HELPS
        "İstek gövdesinde requestId bulunamadı. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The body lacks the requestId. This is a fault of the program; tell its developer."
    "OTP-ERROR-010" 403 BUG Developer HELPS
        "İstek gövdesinde requestId dışında alan var. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The body has other fields than the requestId. This is a fault of the program; tell its developer."
    "OTP-ERROR-012" 400 RETRY Registry HELPS
        "ViA Pass beklenmedik bir hatayla karşılaştı. İstek bir süre sonra yinelenmelidir."
        "ViA Pass met an unexpected error. The request should be repeated after a while."
}
