//! H110 to H199: fields of a consent, dates, the state rules, query parameters.

use super::*;

codes! {
    "H110" 422 REPAIR Client FUTILE
        "İzin durumu (status) eksik. ONAY ya da RET olarak belirtin."
        "The status is missing. Give ONAY or RET."
    "H111" 422 REPAIR Client FUTILE
        "İzin türü (type) eksik. ARAMA, MESAJ ya da EPOSTA olarak belirtin."
        "The type is missing. Give ARAMA, MESAJ or EPOSTA."
    "H112" 422 REPAIR Client FUTILE
        "İzin tarihi (consentDate) eksik. İznin alındığı anı bildirin."
        "The consentDate is missing. Give the instant at which the consent was taken."
    "H113" 422 REPAIR Client FUTILE
        "İzin kaynağı (source) eksik. İznin nereden alındığını bildirin."
        "The source is missing. Say where the consent was taken."
    "H114" 422 REPAIR Client FUTILE
        "Alıcı (recipient) eksik. Telefon numarasını ya da e-posta adresini bildirin."
        "The recipient is missing. Give the phone number or the e-mail address."
    "H115" 422 REPAIR Client FUTILE
        "İzin durumu (status) yalnızca ONAY ya da RET olabilir. Değeri düzeltin."
        "The status can only be ONAY or RET. Correct it."
    "H116" 422 REPAIR Client FUTILE
        "Alıcı tipi (recipientType) yalnızca BIREYSEL ya da TACIR olabilir. Değeri düzeltin."
        "The recipientType can only be BIREYSEL or TACIR. Correct it."
    "H117" 422 REPAIR Client FUTILE
        "İzin türü (type) yalnızca ARAMA, MESAJ ya da EPOSTA olabilir. Değeri düzeltin."
        "The type can only be ARAMA, MESAJ or EPOSTA. Correct it."
    "H118" 422 BUG Developer HELPS
        "İzinde İYS'nin tanımadığı bir alan var. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The consent carries a key that the registry does not know. This is a fault of the program; tell its developer."
    "H119" 422 REPAIR Client FUTILE
        "İzin kaynağı (source) hizmet sağlayıcının kullanabileceği HS_ değerlerinden biri değil. Kaynağı düzeltin."
        "The source is none of the HS_ values open to a service provider. Correct it."
    "H120" 422 REPAIR Client FUTILE
        "Alıcı geçerli bir e-posta adresi değil. Adresi ya da izin türünü düzeltin."
        "The recipient is not a valid e-mail address. Correct the address or the type."
    "H121" 422 REPAIR Client FUTILE
        "Alıcı geçerli bir uluslararası telefon numarası değil. Numarayı +905XXXXXXXXX biçiminde bildirin ya da izin türünü düzeltin."
        "The recipient is not a valid international phone number. Give it like +905XXXXXXXXX, or correct the type."
    "H122" 422 REPAIR Client FUTILE
        "Alıcı ne telefon numarası ne de e-posta adresi. Alıcıyı düzeltin."
        "The recipient is neither a phone number nor an e-mail address. Correct it."
    "H123" 400 RETRY Registry HELPS
        "İYS şu anda yoğun. İstek bir süre sonra aynı içerikle yinelenmelidir."
        "The registry is busy. The request should be repeated unchanged after a while."
    "H124" 429 WAIT_SECOND Nobody HELPS
        "Saniyedeki istek sınırına ulaşıldı. Kısa bir beklemeden sonra daha düşük hızla sürdürülür."
        "The limit of requests a second was reached. Work goes on at a lower rate after a short wait."
    "H125" 422 BUG Developer HELPS
        "Bir kerede en çok 1000 izin gönderilebilir. Liste bölünerek gönderilmelidir."
        "At most 1000 consents can be sent at once. The list must be split."
    "H126" 422 REPAIR Client FUTILE
        "Bayi erişim listesi (retailerAccess) çok uzun. Listeyi kısaltın."
        "The list of retailers with access (retailerAccess) is too long. Shorten it."
    "H127" 422 BUG Developer HELPS
        "Bayi erişimi bir kerede en çok 100 alıcı için değiştirilebilir. Liste bölünerek gönderilmelidir."
        "Retailer access can be changed for at most 100 recipients at once. The list must be split."
    "H129" 404 CONFIG Operator HELPS
        "İş ortağı İYS'de bulunamadı. İş ortağı kodunu denetleyin."
        "The registry knows no such business partner. Check the partner's code."
    "H155" 422 REPAIR Client FUTILE
        "HS_2015 kaynağı yalnızca 2015-05-01 00:00:00 tarihiyle kullanılabilir. Kaynağı ya da tarihi düzeltin."
        "The source HS_2015 goes only with the date 2015-05-01 00:00:00. Correct the source or the date."
    "H156" 422 REPAIR Client FUTILE
        "İzin tarihi 1 Mayıs 2015'ten önce. Daha eski onaylar HS_2015 kaynağı ve 2015-05-01 00:00:00 tarihiyle bildirilir."
        "The consentDate lies before 1 May 2015. Older approvals are given with the source HS_2015 and the date 2015-05-01 00:00:00."
    "H157" 422 REPAIR Client FUTILE
        "İzin tarihi takvimde olmayan bir gün ya da saat. Tarihi düzeltin."
        "The consentDate is no date of the calendar. Correct it."
    "H158" 422 REPAIR Client FUTILE
        "İzin tarihinin biçimi yanlış. Tarihi YYYY-AA-GG SS:DD:SS biçiminde bildirin."
        "The consentDate has a wrong form. Give it as YYYY-MM-DD HH:mm:ss."
    "H160" 422 REPAIR Client FUTILE
        "Telefon numarası 15 karakterden uzun. Numarayı düzeltin."
        "The phone number is longer than 15 characters. Correct it."
    "H162" 422 REPAIR Client HELPS
        "İzin tarihi gelecekte. Saatler uyuşmuyorsa izin, tarihi geçtikten sonra yeniden gönderilebilir; değilse tarihi düzeltin."
        "The consentDate lies in the future. If clocks disagree the consent can be sent again once its date has passed; otherwise correct the date."
    "H163" 422 REPAIR Client FUTILE
        "Bayi erişim listesi (retailerAccess) boş. Alanı doldurun ya da hiç göndermeyin."
        "The list of retailers with access (retailerAccess) is empty. Fill it or leave the key out."
    "H164" 422 BUG Developer HELPS
        "Alıcı listesi (recipients) boş. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The list of recipients is empty. This is a fault of the program; tell its developer."
    "H166" 422 REPAIR Client FUTILE
        "Sorgulanan telefon numarası 15 karakterden uzun. Numarayı düzeltin."
        "The phone number asked for is longer than 15 characters. Correct it."
    "H168" 422 BUG Developer HELPS
        "Alıcı listesi (recipients) gönderilmedi. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The list of recipients was not sent. This is a fault of the program; tell its developer."
    "H169" 422 BUG Developer HELPS
        "Bayi erişim listesi (retailerAccess) gönderilmedi. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The list of retailers with access (retailerAccess) was not sent. This is a fault of the program; tell its developer."
    "H170" 422 BUG Developer HELPS
        "Alıcı tipi (recipientType) gönderilmedi. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The recipientType was not sent. This is a fault of the program; tell its developer."
    "H171" 400 BUG Developer HELPS
        "Bayi erişimi verme isteği geçersiz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The request to grant retailer access is not valid. This is a fault of the program; tell its developer."
    "H172" 400 BUG Developer HELPS
        "Bayi erişimi kaldırma isteği geçersiz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The request to remove retailer access is not valid. This is a fault of the program; tell its developer."
    "H173" 400 BUG Developer HELPS
        "Bayi erişimi sorgusu geçersiz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The query for retailer access is not valid. This is a fault of the program; tell its developer."
    "H174" 400 ALREADY_SO Nobody FUTILE
        "Alıcı İYS'de zaten bu durumda. Bildirilecek yeni bir şey yok."
        "The recipient already has this status at the registry. There is nothing left to report."
    "H175" 400 ALREADY_SO Nobody FUTILE
        "Alıcının İYS'de kaydı yok ve ilk kayıt RET olamaz; reddedilecek bir onay bulunmuyor. RET yerelde geçerlidir."
        "The registry has no record of the recipient, and a first record cannot be RET: there is no approval to withdraw. The RET holds locally."
    "H176" 400 CONFIG Operator HELPS
        "Bu işlem için yönetici hesabı gerekiyor. Hesabı denetleyin."
        "This operation needs an administrator's account. Check the account."
    "H178" 400 ALREADY_SO Nobody FUTILE
        "İYS'de aynı ya da daha yeni tarihli bir hareket var. Güncel durum İYS'den sorgulanıp eşitlenir."
        "The registry holds a movement of the same or a later date. Its present record is asked for and taken over."
    "H179" 500 RETRY Registry HELPS
        "İYS tarihleri karşılaştıramadı. İstek bir süre sonra yinelenmelidir."
        "The registry could not compare the dates. The request should be repeated after a while."
    "H180" 403 REPAIR Client HELPS
        "Bayi kodu bu markaya ait değil. Kodu düzeltin ya da bayiyi önce İYS'ye ekleyin."
        "The retailer's code does not belong to this brand. Correct the code, or add the retailer to the registry first."
    "H181" 500 RETRY Registry HELPS
        "İYS bayi bilgilerini listeleyemedi. İstek bir süre sonra yinelenmelidir."
        "The registry could not list the retailers. The request should be repeated after a while."
    "H182" 422 BUG Developer HELPS
        "Sayfalama değeri (limit ya da offset) geçersiz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "A paging value (limit or offset) is not valid. This is a fault of the program; tell its developer."
    "H183" 422 BUG Developer HELPS
        "Sayfalama değeri (offset ya da limit) geçersiz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "A paging value (offset or limit) is not valid. This is a fault of the program; tell its developer."
    "H184" 422 BUG Developer HELPS
        "all parametresi geçersiz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The parameter all is not valid. This is a fault of the program; tell its developer."
    "H185" 422 BUG Developer HELPS
        "short parametresi geçersiz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The parameter short is not valid. This is a fault of the program; tell its developer."
    "H186" 422 BUG Developer HELPS
        "Bir sayfada en çok 100 kayıt istenebilir. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "A page has at most 100 entries. This is a fault of the program; tell its developer."
    "H187" 422 BUG Developer HELPS
        "Sayfa boyutu sıfır olamaz. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "A page cannot have zero entries. This is a fault of the program; tell its developer."
    "H190" 422 CONFIG Operator HELPS
        "iysCode bir tam sayı değil. Hizmet sağlayıcının kodunu denetleyin."
        "The iysCode is not a whole number. Check the service provider's code."
    "H191" 422 CONFIG Operator HELPS
        "brandCode bir tam sayı değil. Markanın kodunu denetleyin."
        "The brandCode is not a whole number. Check the brand's code."
    "H192" 503 RETRY Registry HELPS
        "İYS'de istek zaman aşımına uğradı. İstek bir süre sonra aynı içerikle yinelenmelidir."
        "The request timed out inside the registry. It should be repeated unchanged after a while."
    "H193" 422 BUG Developer HELPS
        "Listede aynı alıcı ya da bayi birden çok kez var. Yinelenenler çıkarılmalıdır."
        "The list holds a recipient or retailer more than once. Duplicates must be taken out."
    "H194" 422 REPAIR Developer HELPS
        "Listede aynı alıcı, tip ve tür birden çok kez var. Hareketler ayrı isteklerle, tarih sırasıyla gönderilmelidir."
        "The list holds the same recipient, kind and type more than once. Such movements must go in separate requests, in the order of their dates."
    "H195" 403 RETRY Registry HELPS
        "İYS markayı sorgulayamadı. İstek birkaç kez yinelenmeli, sürerse İYS desteğine bildirilmelidir."
        "The registry could not look the brand up. The request should be repeated a few times; if it goes on, tell the registry's support."
    "H196" 403 RETRY Registry HELPS
        "İYS hizmet sağlayıcıyı sorgulayamadı. İstek birkaç kez yinelenmeli, sürerse İYS desteğine bildirilmelidir."
        "The registry could not look the service provider up. The request should be repeated a few times; if it goes on, tell the registry's support."
    "H197" 422 BUG Developer HELPS
        "Aranacak metin gönderilmedi. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The text to search for was not sent. This is a fault of the program; tell its developer."
    "H198" 422 BUG Developer HELPS
        "requestId 36 karakterden uzun. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The requestId is longer than 36 characters. This is a fault of the program; tell its developer."
    "H199" 422 BUG Developer HELPS
        "requestId yalnızca harflerden oluşuyor. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The requestId consists of letters only. This is a fault of the program; tell its developer."
}
