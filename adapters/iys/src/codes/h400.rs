//! H400 to H586: later additions: state rules for merchants, reports, push, subscriptions.

use super::*;

codes! {
    "H400" 422 BUG Developer HELPS
        "requestId yalnızca rakamlardan oluşuyor. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The requestId consists of digits only. This is a fault of the program; tell its developer."
    "H401" 400 REPAIR Client HELPS
        "Bayi erişimi verilecek izin İYS'de yok. Önce izni ekleyin."
        "The consent to which retailers should get access does not exist. Add the consent first."
    "H402" 400 BUG Developer HELPS
        "Marka sorgusu geçersiz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The brand query is not valid. This is a fault of the program; tell its developer."
    "H403" 400 BUG Developer HELPS
        "Durum sorgusu geçersiz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The status query is not valid. This is a fault of the program; tell its developer."
    "H404" 422 BUG Developer HELPS
        "Aranacak metin boş. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The text to search for is empty. This is a fault of the program; tell its developer."
    "H405" 400 BUG Developer HELPS
        "Marka bilgisi sorgusu geçersiz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The query for a brand's data is not valid. This is a fault of the program; tell its developer."
    "H408" 422 REPAIR Client FUTILE
        "HS_KARAR kaynağı yalnızca RET ile kullanılabilir. Kaynağı ya da durumu düzeltin."
        "The source HS_KARAR goes only with RET. Correct the source or the status."
    "H412" 500 RETRY Registry HELPS
        "İYS beklenmedik bir hatayla karşılaştı. İstek bir süre sonra yinelenmelidir."
        "The registry met an unexpected error. The request should be repeated after a while."
    "H437" 404 PAUSE_TENANT Client HELPS
        "Bu numara için İYS aboneliği bulunamadı. Hizmet sağlayıcı aboneliğini İYS'den doğrulamalıdır."
        "The registry has no subscription for this number. The service provider must check its subscription there."
    "H450" 422 REPAIR Client FUTILE
        "İzin türü geçersiz. Değeri düzeltin."
        "The type is not valid. Correct it."
    "H452" 422 REPAIR Client FUTILE
        "Bu izin türü seçilen onay yöntemiyle alınamaz. Türü ya da yöntemi değiştirin."
        "This type cannot be taken by the chosen way of approval. Change one of them."
    "H453" 422 WAIT_DAY Nobody HELPS
        "Alıcı için bugün yapılabilecek işlem sayısı doldu. Ertesi gün yeniden denenebilir."
        "The recipient's number of operations for today is used up. It can be tried again the next day."
    "H454" 422 REPAIR Client FUTILE
        "Onay işleminin requestId değeri eksik ya da yanlış. Değeri düzeltin."
        "The requestId of the approval is missing or wrong. Correct it."
    "H455" 422 REPAIR Client FUTILE
        "Doğrulama kodu eksik ya da yanlış. Kodu düzeltin."
        "The verification code is missing or wrong. Correct it."
    "H456" 422 REPAIR Client FUTILE
        "Bu onay işlemi bilinmiyor. İşlemi yeniden başlatın."
        "This approval is not known. Start a new one."
    "H459" 422 REPAIR Client FUTILE
        "Onay işleminin türü geçersiz. Değeri düzeltin."
        "The type of the approval is not valid. Correct it."
    "H460" 422 REPAIR Client FUTILE
        "Bilgiler doğrulanamadı. Bilgileri denetleyin."
        "The data could not be verified. Check them."
    "H462" 400 REPAIR Client FUTILE
        "Tacir kaydı güncellenirken izin tarihi (consentDate) zorunludur. Tarihi bildirin."
        "An update of a merchant's record needs the consentDate. Give it."
    "H463" 400 REPAIR Client FUTILE
        "Tacir kaydı güncellenirken izin kaynağı (source) zorunludur. Kaynağı bildirin."
        "An update of a merchant's record needs the source. Give it."
    "H464" 422 REPAIR Client FUTILE
        "Alıcı, sorulan izin türüne uymuyor. ARAMA ve MESAJ telefon, EPOSTA e-posta adresi ister."
        "The recipient does not fit the type asked for. ARAMA and MESAJ need a phone number, EPOSTA an e-mail address."
    "H465" 422 WAIT_MINUTES Nobody HELPS
        "Aynı alıcı için üç dakika dolmadan yeni işlem başlatılamaz. Bekleyip yeniden deneyin."
        "No new operation for the same recipient can start within three minutes. Wait and try again."
    "H467" 422 TOO_LATE Client FUTILE
        "İzin tarihi üç iş gününden eski; bu izin artık kaydedilemez. Alıcıdan yeni bir izin alınmalıdır."
        "The consentDate is more than three business days old; this consent can no longer be recorded. A new consent must be taken."
    "H470" 500 RETRY Registry HELPS
        "İYS beklenmedik bir hatayla karşılaştı. İstek bir süre sonra yinelenmelidir."
        "The registry met an unexpected error. The request should be repeated after a while."
    "H476" 500 RETRY Registry HELPS
        "İYS izni eklerken beklenmedik bir hatayla karşılaştı. İstek bir süre sonra aynı içerikle yinelenmelidir."
        "The registry met an unexpected error while adding the consent. The request should be repeated unchanged after a while."
    "H478" 422 BUG Developer HELPS
        "Alıcı listesi (recipients) bir liste değil. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The recipients are not a list. This is a fault of the program; tell its developer."
    "H486" 400 REPAIR Client FUTILE
        "İzin kaynağı (source) bu kayıt için kullanılamaz; HS_KARAR ilk kayıtta ve ONAY ile geçerli değildir. Kaynağı düzeltin."
        "The source cannot be used for this record; HS_KARAR is not open to a first record or an ONAY. Correct the source."
    "H501" 422 BUG Developer HELPS
        "Rapor tarihinin biçimi yanlış. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The report's date has a wrong form. This is a fault of the program; tell its developer."
    "H502" 422 REPAIR Operator FUTILE
        "Rapor yalnızca dünden geriye doğru yedi gün için alınabilir. Başka bir gün seçin."
        "A report is to be had for the last seven days up to yesterday. Choose another day."
    "H503" 422 BUG Developer HELPS
        "Raporun alıcı tipi BIREYSEL ya da TACIR olmalıdır. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The report's recipientType must be BIREYSEL or TACIR. This is a fault of the program; tell its developer."
    "H506" 422 BUG Developer HELPS
        "Hareket sorgusunun kaynağı HS ya da IYS olmalıdır. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The source of a change query must be HS or IYS. This is a fault of the program; tell its developer."
    "H507" 422 BUG Developer HELPS
        "Hareket sorgusunda bir sayfada en çok 1000 kayıt istenebilir. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "A page of the change feed has at most 1000 entries. This is a fault of the program; tell its developer."
    "H512" 422 BUG Developer HELPS
        "Mutabakat yalnızca onaylanabilir; agreementStatus true olmalıdır. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "An agreement can only be confirmed: agreementStatus must be true. This is a fault of the program; tell its developer."
    "H520" 403 PAUSE_TENANT Client HELPS
        "İYS aboneliği duraklatılmış ya da süresi dolmuş. Hizmet sağlayıcı aboneliğini yenilemelidir."
        "The subscription at the registry is paused or has expired. The service provider must renew it."
    "H521" 403 PAUSE_TENANT Client HELPS
        "İYS aboneliği kapatılmış. Hizmet sağlayıcı yeni bir abonelik açmalıdır."
        "The subscription at the registry is closed. The service provider must open a new one."
    "H522" 400 CONFIG Operator HELPS
        "Bu işlem yalnızca iş ortağının API kullanıcısına açıktır. Hesap ayarlarını denetleyin."
        "This operation is open to a business partner's API user only. Check the account's settings."
    "H524" 403 PAUSE_TENANT Client HELPS
        "Hizmet sağlayıcının İYS aboneliği yok. Abonelik açılmalıdır."
        "The service provider has no subscription at the registry. One must be opened."
    "H525" 422 PAUSE_QUOTA Client HELPS
        "Aboneliğin izin kotası doldu; yeni adresler kaydedilemiyor. Hizmet sağlayıcı paketini yükseltmelidir."
        "The subscription's quota of consents is used up; new addresses are not recorded. The service provider must enlarge its package."
    "H530" 422 CONFIG Operator HELPS
        "İzin hareketi iletim bağlantısı kurulamadı ya da kaldırılamadı. Adresin dışarıdan erişilebildiğini ve parola sorduğunu denetleyin."
        "The push connection could not be made or removed. Check that the address can be reached from outside and asks for a password."
    "H531" 422 CONFIG Operator HELPS
        "İzin hareketi iletim adresi https ile başlamalıdır. Adresi düzeltin."
        "The address of a push connection must begin with https. Correct it."
    "H568" 200 ALREADY_SO Nobody FUTILE
        "Alıcı ONAY durumunda değil. Ret bağlantısı yalnızca onaylı alıcılar için istenmelidir."
        "The recipient is not in ONAY. Ask for links to withdraw for approved recipients only."
    "H586" 403 PAUSE_TENANT Client HELPS
        "İYS paketi API kullanımını kapsamıyor. Hizmet sağlayıcı API içeren bir pakete geçmelidir."
        "The package at the registry does not cover the API. The service provider must change to one that does."
}
