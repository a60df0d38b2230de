//! H201 to H363: retailers' data, accounts, authorisation.

use super::*;

codes! {
    "H201" 400 REPAIR Client FUTILE
        "Bayi durumu active, passive ya da suspended olmalıdır. Değeri düzeltin."
        "A retailer's status must be active, passive or suspended. Correct it."
    "H214" 400 REPAIR Client FUTILE
        "Bayi unvanı (title) boş. Unvanı bildirin."
        "The retailer's title is blank. Give it."
    "H215" 400 REPAIR Client FUTILE
        "Bayi yetkilisinin adı (name) boş. Adı bildirin."
        "The retailer's name is blank. Give it."
    "H216" 400 REPAIR Client FUTILE
        "Bayi TC kimlik numarası (tckn) boş. Numarayı bildirin."
        "The retailer's citizen number (tckn) is blank. Give it."
    "H217" 400 REPAIR Client FUTILE
        "Bayinin ili (city) boş. İli bildirin."
        "The retailer's province (city) is blank. Give it."
    "H218" 400 REPAIR Client FUTILE
        "Bayinin il kodu (city.code) boş. Kodu bildirin."
        "The code of the retailer's province (city.code) is blank. Give it."
    "H219" 400 REPAIR Client FUTILE
        "Bayinin il adı (city.name) boş. Adı bildirin."
        "The name of the retailer's province (city.name) is blank. Give it."
    "H220" 400 REPAIR Client FUTILE
        "Bayinin ilçesi (town) boş. İlçeyi bildirin."
        "The retailer's district (town) is blank. Give it."
    "H221" 400 REPAIR Client FUTILE
        "Bayinin ilçe kodu (town.code) boş. Kodu bildirin."
        "The code of the retailer's district (town.code) is blank. Give it."
    "H222" 400 REPAIR Client FUTILE
        "Bayinin ilçe adı (town.name) boş. Adı bildirin."
        "The name of the retailer's district (town.name) is blank. Give it."
    "H224" 400 REPAIR Client FUTILE
        "Bayinin telefon numarası geçersiz. Numarayı uluslararası biçimde bildirin."
        "The retailer's phone number is not valid. Give it in the international form."
    "H225" 400 REPAIR Client FUTILE
        "TC kimlik numarası (tckn) geçersiz. Numarayı düzeltin."
        "The citizen number (tckn) is not valid. Correct it."
    "H226" 400 REPAIR Client FUTILE
        "TC kimlik numarası (tckn) 11 haneli olmalıdır. Numarayı düzeltin."
        "A citizen number (tckn) has 11 digits. Correct it."
    "H227" 400 REPAIR Client FUTILE
        "MERSİS numarası geçersiz. Numarayı düzeltin."
        "The MERSIS number is not valid. Correct it."
    "H228" 400 REPAIR Client FUTILE
        "MERSİS numarası 16 haneli olmalıdır. Numarayı düzeltin."
        "A MERSIS number has 16 digits. Correct it."
    "H229" 400 REPAIR Client FUTILE
        "Alan yalnızca harf ve rakam içerebilir. Değeri düzeltin."
        "The field may hold letters and digits only. Correct it."
    "H230" 400 REPAIR Client FUTILE
        "Bu MERSİS numarasıyla kayıtlı başka bir bayi var. Numarayı denetleyin."
        "Another retailer has this MERSIS number. Check it."
    "H231" 400 REPAIR Client FUTILE
        "Bu TC kimlik numarasıyla kayıtlı başka bir bayi var. Numarayı denetleyin."
        "Another retailer has this citizen number. Check it."
    "H241" 400 RETRY Registry HELPS
        "İYS değeri getiremedi. İstek bir süre sonra yinelenmelidir."
        "The registry could not look the value up. The request should be repeated after a while."
    "H243" 400 REPAIR Client FUTILE
        "Vergi numarası geçersiz. Numarayı düzeltin."
        "The tax number is not valid. Correct it."
    "H244" 400 REPAIR Client FUTILE
        "Vergi numarasının uzunluğu yanlış. 10 haneli vergi ya da 11 haneli kimlik numarası bildirin."
        "The tax number has a wrong length. Give a tax number of 10 or a citizen number of 11 digits."
    "H245" 400 CONFIG Operator HELPS
        "Bu kod bir iş ortağına ait değil. İş ortağı kodunu denetleyin."
        "This code does not belong to a business partner. Check the partner's code."
    "H250" 400 CONFIG Operator HELPS
        "İstekte kullanıcı bilgileri eksik. Hesap ayarlarını denetleyin."
        "The request lacks the user's credentials. Check the account's settings."
    "H251" 401 REAUTHENTICATE Operator HELPS
        "Kullanıcı bilgileri kabul edilmedi. Hesap ayarlarını denetleyin; oturum yeniden açılır."
        "The user's credentials were not accepted. Check the account's settings; a new login is made."
    "H252" 400 CONFIG Operator HELPS
        "İstekte kullanıcı bilgileri bulunamadı. Hesap ayarlarını denetleyin."
        "The request shows no user's credentials. Check the account's settings."
    "H253" 400 REPAIR Client HELPS
        "Aynı kimlikle pasif bir bayi var. O bayiyi İYS panelinden etkinleştirin."
        "A passive retailer with the same identity exists. Activate it in the registry's panel."
    "H266" 400 BUG Developer HELPS
        "İstekte gereken bir kod (iysCode ya da retailerCode) bulunamadı. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "A code that the request needs (iysCode or retailerCode) was not found. This is a fault of the program; tell its developer."
    "H267" 400 BUG Developer HELPS
        "Boş bırakılan bir alan boş metin olarak gönderildi. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "A field without a value was sent as an empty text. This is a fault of the program; tell its developer."
    "H268" 404 CONFIG Partner HELPS
        "Koda bağlı bir iş ortağı kullanıcısı yok. İş ortağı İYS'den API kullanıcısı istemelidir."
        "No partner user is bound to the code. The business partner must ask the registry for an API user."
    "H288" 400 REPAIR Client FUTILE
        "Vergi numarası boş. Numarayı bildirin."
        "The tax number is empty. Give it."
    "H351" 401 REAUTHENTICATE Operator HELPS
        "Jeton eksik ya da geçersiz. Oturum yenilenir; sürerse hesap bilgilerini denetleyin."
        "The token is missing or not valid. It is renewed; if this goes on, check the account's credentials."
    "H353" 403 PAUSE_BRAND Client HELPS
        "Hesabın bu hizmet sağlayıcı ya da marka için yetkisi yok. Hizmet sağlayıcı, İYS panelinden iş ortağını yetkilendirmelidir."
        "The account has no right to this service provider or brand. The provider must authorise the business partner in the registry's panel."
    "H355" 404 PAUSE_TYPE Client HELPS
        "Hesabın bu izin türü için yetkisi yok. Hizmet sağlayıcı, İYS panelinden bu tür için yetki vermelidir."
        "The account has no right to this type of consent. The provider must grant it in the registry's panel."
    "H363" 400 BUG Developer HELPS
        "Yöntem bu hesap türüne kapalı (iş ortağı ya da hizmet sağlayıcı). Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The method is closed to this kind of account (business partner or service provider). This is a fault of the program; tell its developer."
}
