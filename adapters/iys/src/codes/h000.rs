//! H001 to H107: accounts, limits, whole requests, the registry's own failures.

use super::*;

codes! {
    "H001" 404 CONFIG Operator HELPS
        "Hizmet sağlayıcı İYS'de bulunamadı. iysCode değerini denetleyin."
        "The registry knows no such service provider. Check the iysCode."
    "H014" 400 BUG Developer HELPS
        "Gönderilen gövde JSON olarak okunamadı. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The body sent could not be read as JSON. This is a fault of the program; tell its developer."
    "H015" 500 RETRY Registry HELPS
        "İYS beklenmedik bir hatayla karşılaştı. İstek bir süre sonra yinelenmelidir."
        "The registry met an unexpected error. The request should be repeated after a while."
    "H016" 400 REPAIR Client FUTILE
        "Bayi bilgilerinde zorunlu alanlar eksik. Eksik alanları tamamlayın."
        "Required fields of the retailer are missing. Fill them in."
    "H017" 400 REPAIR Client FUTILE
        "Bir alan izin verilen uzunluğu aşıyor. Değeri kısaltın."
        "A field is longer than allowed. Shorten it."
    "H018" 404 CONFIG Operator HELPS
        "Marka İYS'de bulunamadı. brandCode değerini denetleyin."
        "The registry knows no such brand. Check the brandCode."
    "H031" 404 CONFIG Partner HELPS
        "API kullanıcısı İYS'de bulunamadı. Kullanıcının açık olduğunu İYS'den doğrulayın."
        "The registry does not find the API user. Ask the registry whether the user is active."
    "H058" 404 REPAIR Client HELPS
        "Bayi bulunamadı. Bayi kodunu düzeltin ya da bayiyi önce İYS'ye ekleyin."
        "There is no such retailer. Correct its code, or add the retailer to the registry first."
    "H060" 500 RETRY Registry HELPS
        "İYS bayiyi güncelleyemedi. İstek bir süre sonra yinelenmelidir."
        "The registry could not update the retailer. The request should be repeated after a while."
    "H061" 500 RETRY Registry HELPS
        "İYS bayiyi silemedi. İstek bir süre sonra yinelenmelidir."
        "The registry could not delete the retailer. The request should be repeated after a while."
    "H062" 500 RETRY Registry HELPS
        "İYS bayiyi kaydedemedi. İstek bir süre sonra yinelenmelidir."
        "The registry could not save the retailer. The request should be repeated after a while."
    "H067" 400 CONFIG Registry HELPS
        "İYS'de verilebilecek boş bayi kodu kalmadı. İYS desteğine başvurun."
        "The registry has no retailer code left to give. Contact its support."
    "H082" 400 RETRY Registry HELPS
        "İYS değer listesini veremedi. İstek bir süre sonra yinelenmelidir."
        "The registry could not list the values. The request should be repeated after a while."
    "H083" 429 WAIT_SECOND Nobody HELPS
        "Saniyedeki istek sınırı aşıldı. Kısa bir beklemeden sonra daha düşük hızla sürdürülür."
        "The limit of requests a second was passed. Work goes on at a lower rate after a short wait."
    "H084" 429 WAIT_HOUR Nobody HELPS
        "Saatlik jeton isteği sınırı aşıldı. Bir saat boyunca hiç jeton istenmemelidir; her deneme süreyi baştan başlatır."
        "The hourly limit of token requests was passed. No token may be asked for during one hour; each attempt starts the hour anew."
    "H085" 400 BUG Developer HELPS
        "İzin ekleme isteği bir bütün olarak geçersiz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The request to add a consent is not valid as a whole. This is a fault of the program; tell its developer."
    "H086" 429 WAIT_HOUR Nobody HELPS
        "Tekil izin sorgusunun saatlik sınırı aşıldı. Yeni saat beklenir; çok sayıda adres çoklu sorguyla sorulmalıdır."
        "The hourly limit of single status queries was passed. Wait for the next hour; ask for many addresses by the multi-status query."
    "H089" 429 WAIT_HOUR Nobody HELPS
        "İzin geçmişi sorgusunun saatlik sınırı aşıldı. Yeni saat beklenir."
        "The hourly limit of history queries was passed. Wait for the next hour."
    "H090" 400 BUG Developer HELPS
        "İzne bayi erişimi ekleme isteği bir bütün olarak geçersiz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The request to let a retailer use a consent is not valid as a whole. This is a fault of the program; tell its developer."
    "H091" 422 BUG Developer HELPS
        "Bir listede 1000'den çok izin gönderildi. Liste bölünerek gönderilmelidir."
        "More than 1000 consents were sent in one list. The list must be split."
    "H092" 400 BUG Developer HELPS
        "Çoklu izin ekleme isteği bir bütün olarak geçersiz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The request to add many consents is not valid as a whole. This is a fault of the program; tell its developer."
    "H093" 422 BUG Developer HELPS
        "İstekte transactionId eksik. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The request lacks the transactionId. This is a fault of the program; tell its developer."
    "H095" 400 BUG Developer HELPS
        "Hareket isteği geçersiz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The request about a movement is not valid. This is a fault of the program; tell its developer."
    "H097" 400 BUG Developer HELPS
        "İzin durumu sorgusu geçersiz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The status query is not valid. This is a fault of the program; tell its developer."
    "H098" 400 BUG Developer HELPS
        "Günlük hareket sorgusu geçersiz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The query for a day's movements is not valid. This is a fault of the program; tell its developer."
    "H100" 500 RETRY Registry HELPS
        "İYS yedek kaydı yazamadı. İstek bir süre sonra yinelenmelidir."
        "The registry could not write its backup record. The request should be repeated after a while."
    "H101" 500 RETRY Registry HELPS
        "İYS esas kaydı yazamadı. İstek bir süre sonra aynı içerikle yinelenmelidir."
        "The registry could not write its main record. The request should be repeated unchanged after a while."
    "H102" 500 RETRY Registry HELPS
        "İYS veriyi şifreleyemedi. İstek bir süre sonra yinelenmelidir."
        "The registry could not encrypt the data. The request should be repeated after a while."
    "H103" 500 RETRY Registry HELPS
        "İYS arama yapamadı. İstek bir süre sonra yinelenmelidir."
        "The registry could not search. The request should be repeated after a while."
    "H105" 500 RETRY Registry HELPS
        "İYS verinin şifresini çözemedi. İstek bir süre sonra yinelenmelidir."
        "The registry could not decrypt the data. The request should be repeated after a while."
    "H106" 500 RETRY Registry HELPS
        "İYS durum raporunu hazırlayamadı. İstek bir süre sonra yinelenmelidir."
        "The registry could not make the status report. The request should be repeated after a while."
    "H107" 500 RETRY Registry HELPS
        "İYS listeyi veremedi. İstek bir süre sonra yinelenmelidir."
        "The registry could not make the list. The request should be repeated after a while."
}
