//! H1000 to H1113: the registry's opt-in services, ViA (registry-protocol 5.3).

use super::*;

codes! {
    "H1000" 400 CONFIG Client HELPS
        "Onay formu yayımlanmamış. Formu İYS panelinde onaya gönderip yayımlayın."
        "The approval form is not published. Publish it in the registry's panel."
    "H1001" 500 RETRY Registry HELPS
        "İYS'nin ViA yönetim hizmetine ulaşılamadı. İstek bir süre sonra yinelenmelidir."
        "The registry could not reach its ViA management. The request should be repeated after a while."
    "H1002" 500 RETRY Registry HELPS
        "İYS'nin izin hizmetine ulaşılamadı. İstek bir süre sonra yinelenmelidir."
        "The registry could not reach its consent service. The request should be repeated after a while."
    "H1003" 500 RETRY Registry HELPS
        "İYS'nin abonelik hizmetine ulaşılamadı. İstek bir süre sonra yinelenmelidir."
        "The registry could not reach its subscription service. The request should be repeated after a while."
    "H1004" 500 RETRY Registry HELPS
        "İYS'nin yönetim hizmetine ulaşılamadı. İstek bir süre sonra yinelenmelidir."
        "The registry could not reach its management service. The request should be repeated after a while."
    "H1005" 400 BUG Developer HELPS
        "İstekte zorunlu bir alan bulunamadı. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The request lacks a required field. This is a fault of the program; tell its developer."
    "H1007" 500 RETRY Registry HELPS
        "İYS'nin kısa bağlantı hizmetine ulaşılamadı. İstek bir süre sonra yinelenmelidir."
        "The registry could not reach its short-link service. The request should be repeated after a while."
    "H1008" 400 RETRY Registry HELPS
        "İYS'nin kısa bağlantı hizmeti beklenen yanıtı vermedi. İstek bir süre sonra yinelenmelidir."
        "The registry's short-link service did not answer as expected. The request should be repeated after a while."
    "H1009" 400 RETRY Registry HELPS
        "İYS'nin SMS ve e-posta hizmeti beklenen yanıtı vermedi. İstek bir süre sonra yinelenmelidir."
        "The registry's SMS and e-mail service did not answer as expected. The request should be repeated after a while."
    "H1010" 400 REPAIR Client FUTILE
        "Onay yönteminin ya da izin türlerinin değeri uygun değil. Değeri düzeltin."
        "The way of approval or the types hold a value that does not fit. Correct it."
    "H1011" 400 REPAIR Client FUTILE
        "İzin türlerinden bazıları İYS'de bulunmuyor. Türleri düzeltin."
        "Some of the types are unknown to the registry. Correct them."
    "H1012" 400 REPAIR Client FUTILE
        "Onay yöntemi (verificationType) tanınmıyor. Belgelenmiş yöntemlerden birini seçin."
        "The way of approval (verificationType) is not known. Choose a documented one."
    "H1013" 400 REPAIR Client FUTILE
        "Başlık (title) tanınmıyor. ETK, KVK ya da formdaki bir başlığı kullanın."
        "The title is not known. Use ETK, KVK or a title of the form."
    "H1014" 400 CONFIG Operator HELPS
        "Marka kodlarından biri bu hizmet sağlayıcıya ait değil. Kodları denetleyin."
        "One of the brands does not belong to this service provider. Check the codes."
    "H1015" 400 PAUSE_OPT_IN Client HELPS
        "ViA kontörü yetmiyor. Hizmet sağlayıcı İYS'den kontör almalıdır."
        "The ViA credit does not suffice. The service provider must buy more from the registry."
    "H1016" 400 BUG Developer HELPS
        "Gönderilen gövde JSON olarak okunamadı. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The body sent could not be read as JSON. This is a fault of the program; tell its developer."
    "H1017" 500 RETRY Registry HELPS
        "İYS'nin SMS ve e-posta hizmetine ulaşılamadı. İstek bir süre sonra yinelenmelidir."
        "The registry could not reach its SMS and e-mail service. The request should be repeated after a while."
    "H1018" 400 RETRY Registry HELPS
        "İYS'nin abonelik şablonu hizmeti beklenen yanıtı vermedi. İstek bir süre sonra yinelenmelidir."
        "The registry's template service did not answer as expected. The request should be repeated after a while."
    "H1019" 500 RETRY Registry HELPS
        "İYS beklenmedik bir hatayla karşılaştı. İstek bir süre sonra yinelenmelidir."
        "The registry met an unexpected error. The request should be repeated after a while."
    "H1020" 409 RETRY Registry HELPS
        "İYS veriyi kaydederken bir sorunla karşılaştı. İstek bir süre sonra yinelenmelidir."
        "The registry met a problem while storing. The request should be repeated after a while."
    "H1021" 409 REPAIR Client FUTILE
        "Boş bırakılamayacak bir alan boş. Alanı doldurun."
        "A field that must not be blank is blank. Fill it in."
    "H1022" 400 BUG Developer HELPS
        "Kayıt, ayrıntıları silinmeden silinemez. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "A record cannot be deleted before its details. This is a fault of the program; tell its developer."
    "H1023" 400 REPAIR Developer HELPS
        "Tekil olması gereken bir değer daha önce kullanılmış. Yeni bir değer kullanılmalıdır."
        "A value that must be unique has been used before. A new one must be used."
    "H1024" 400 REPAIR Client FUTILE
        "Bir alan istenen biçimde değil. Değeri düzeltin."
        "A field has a wrong form. Correct it."
    "H1025" 400 BUG Developer HELPS
        "İstekte İYS'nin tanımadığı bir alan var. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The request carries a key that the registry does not know. This is a fault of the program; tell its developer."
    "H1026" 400 REPAIR Client FUTILE
        "Alıcı geçerli bir uluslararası telefon numarası değil. Numarayı +905XXXXXXXXX biçiminde bildirin."
        "The recipient is not a valid international phone number. Give it like +905XXXXXXXXX."
    "H1027" 400 REPAIR Client FUTILE
        "Alıcı geçerli bir e-posta adresi değil. Adresi düzeltin."
        "The recipient is not a valid e-mail address. Correct it."
    "H1028" 400 WAIT_MINUTES Nobody HELPS
        "Bu işlem için henüz bir adım atılmadı. Bekleyip yeniden sorun."
        "Nothing has been done for this operation yet. Wait and ask again."
    "H1029" 400 BUG Developer HELPS
        "Bir alan yanlış veri türüyle gönderildi. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "A field was sent with a wrong data type. This is a fault of the program; tell its developer."
    "H1030" 400 REPAIR Client FUTILE
        "Bu requestId ile başlatılmış bir işlem yok. Değeri düzeltin ya da işlemi yeniden başlatın."
        "No operation was started with this requestId. Correct it, or start a new one."
    "H1031" 400 PAUSE_QUOTA Client HELPS
        "Aboneliğin izin kotası doldu; yeni adresler kaydedilemiyor. Hizmet sağlayıcı paketini yükseltmelidir."
        "The subscription's quota of consents is used up; new addresses are not recorded. The service provider must enlarge its package."
    "H1032" 400 ALREADY_SO Nobody FUTILE
        "Bu işlem daha önce tamamlanmış. Yapılacak bir şey kalmadı."
        "This operation was completed before. There is nothing left to do."
    "H1033" 400 CONFIG Client HELPS
        "ViA yönetim bilgileri güncel olmadığından işlem tamamlanamıyor. Bilgileri İYS panelinden güncelleyin."
        "The operation cannot be completed because the ViA settings are out of date. Bring them up to date in the registry's panel."
    "H1034" 400 REPAIR Client FUTILE
        "Bu işlem için kısa bağlantı gönderildiğine dair kayıt yok. İşlemi yeniden başlatın."
        "Nothing shows that a short link was sent for this operation. Start a new one."
    "H1035" 400 REPAIR Client FUTILE
        "Bu işlemin geçmişi bulunamadı. requestId değerini düzeltin ya da işlemi yeniden başlatın."
        "This operation has no history. Correct the requestId, or start a new one."
    "H1036" 400 CONFIG Registry HELPS
        "İYS kontör düşmek için gereken değerleri alamadı. Sürerse İYS desteğine bildirin."
        "The registry lacks the settings by which credit is taken. If this goes on, tell its support."
    "H1037" 400 CONFIG Client HELPS
        "Onay formunda gereken bir alan yok. Formu İYS panelinden düzeltin."
        "The approval form lacks a field that is needed. Correct the form in the registry's panel."
    "H1038" 401 REAUTHENTICATE Operator HELPS
        "İstek jetonsuz ulaştı. Oturum yenilenir; sürerse hesap bilgilerini denetleyin."
        "The request arrived without a token. It is renewed; if this goes on, check the account's credentials."
    "H1039" 400 CONFIG Operator HELPS
        "iysCode 15 haneden uzun. Hizmet sağlayıcının kodunu denetleyin."
        "The iysCode is longer than 15 digits. Check the service provider's code."
    "H1040" 403 PAUSE_TENANT Client HELPS
        "Hesabın bu hizmet sağlayıcı için yetkisi yok. Hizmet sağlayıcı, İYS panelinden ViA yetkisi vermelidir."
        "The account has no right to this service provider. The provider must grant the ViA right in the registry's panel."
    "H1041" 400 BUG Developer HELPS
        "İstek gövdesi geçerli bir JSON değil. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The body is not valid JSON. This is a fault of the program; tell its developer."
    "H1042" 400 BUG Developer HELPS
        "İstek gövdesi boş gönderildi. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The request was sent without a body. This is a fault of the program; tell its developer."
    "H1043" 400 BUG Developer HELPS
        "İstek geçerli bir JSON içermiyor. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The request holds no valid JSON. This is a fault of the program; tell its developer."
    "H1044" 405 BUG Developer HELPS
        "Yöntem yanlış HTTP isteğiyle çağrıldı. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The method was called by a wrong kind of HTTP request. This is a fault of the program; tell its developer."
    "H1045" 401 REAUTHENTICATE Operator HELPS
        "Jeton eksik ya da geçersiz. Oturum yenilenir; sürerse hesap bilgilerini denetleyin."
        "The token is missing or not valid. It is renewed; if this goes on, check the account's credentials."
    "H1046" 403 CONFIG Operator HELPS
        "İYS, API kullanıcısının bilgilerini alamadı. Kullanıcının açık ve ViA için yetkili olduğunu doğrulayın; sürerse İYS desteğine bildirin."
        "The registry could not get the API user's data. Check that the user is active and has the ViA right; if this goes on, tell the registry's support."
    "H1047" 500 RETRY Registry HELPS
        "İYS kimlik doğrularken beklenmedik bir hatayla karşılaştı. İstek bir süre sonra yinelenmelidir."
        "The registry met an unexpected error while checking the user. The request should be repeated after a while."
    "H1048" 400 REPAIR Client FUTILE
        "Alıcı, işlemin başlatıldığı alıcı değil. Alıcıyı düzeltin ya da işlemi yeniden başlatın."
        "The recipient is not the one of the start. Correct it, or start a new operation."
    "H1049" 400 REPAIR Client FUTILE
        "İşlem başlatılırken hata oluştuğundan sürdürülemiyor. İşlemi yeniden başlatın."
        "The operation cannot go on because its start had failed. Start a new one."
    "H1050" 400 REPAIR Client FUTILE
        "Kod üç kez yanlış girildi. İşlemi yeniden başlatın."
        "A wrong code was given three times. Start a new operation."
    "H1051" 400 REPAIR Client FUTILE
        "Kod süresi içinde girilmedi. İşlemi yeniden başlatın."
        "The code was not given in time. Start a new operation."
    "H1052" 400 REPAIR Client FUTILE
        "Girilen kod yanlış. Alıcıdan kodu yeniden isteyin; en çok üç deneme hakkı vardır."
        "The code is wrong. Ask the recipient for it again; there are three tries at most."
    "H1053" 400 RETRY Registry HELPS
        "İYS'nin kod hizmeti beklenen yanıtı vermedi. İstek bir süre sonra yinelenmelidir."
        "The registry's code service did not answer as expected. The request should be repeated after a while."
    "H1054" 400 REPAIR Client FUTILE
        "Başlık ya da türlerden biri onay formunun şablonunda yok. Türleri ya da formu düzeltin."
        "One of the titles or types is not in the form's template. Correct them or the form."
    "H1055" 400 CONFIG Operator HELPS
        "Onay formu (formId) bulunamadı. Form numarasını İYS panelinden denetleyin."
        "There is no such approval form (formId). Check its number in the registry's panel."
    "H1056" 400 BUG Developer HELPS
        "Kodla tamamlama, kodsuz bir onay yöntemi için istendi. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "Completion by code was asked for a way without codes. This is a fault of the program; tell its developer."
    "H1057" 400 REPAIR Client FUTILE
        "Zorunlu bir alan boş. Alanı doldurun."
        "A required field is blank. Fill it in."
    "H1058" 500 RETRY Registry HELPS
        "İYS'nin kod hizmetine ulaşılamadı. İstek bir süre sonra yinelenmelidir."
        "The registry could not reach its code service. The request should be repeated after a while."
    "H1059" 400 RETRY Registry HELPS
        "İşlem tamamlanırken beklenmedik bir hata oluştu. İstek bir süre sonra yinelenmelidir."
        "An unexpected error came up during completion. The request should be repeated after a while."
    "H1060" 400 REPAIR Developer HELPS
        "Aynı başlık (title) birden çok kez gönderildi. Her başlık bir kez yer almalıdır."
        "A title was sent more than once. Each may be there once."
    "H1061" 400 REPAIR Developer HELPS
        "Aynı izin türü listede birden çok kez var. Yinelenenler çıkarılmalıdır."
        "The list holds a type more than once. Duplicates must be taken out."
    "H1062" 400 CONFIG Operator HELPS
        "Onay formu bu hizmet sağlayıcıya ait değil. Form numarasını ve iysCode değerini denetleyin."
        "The approval form does not belong to this service provider. Check the form's number and the iysCode."
    "H1063" 400 REPAIR Client FUTILE
        "Alıcı tipi (recipientType) yalnızca BIREYSEL ya da TACIR olabilir. Değeri düzeltin."
        "The recipientType can only be BIREYSEL or TACIR. Correct it."
    "H1064" 400 REPAIR Developer HELPS
        "Onay yöntemi, işlemin başlatıldığı yöntemle aynı değil. Başlangıçtaki yöntem kullanılmalıdır."
        "The way of approval is not the one of the start. That one must be used."
    "H1065" 400 REPAIR Client FUTILE
        "Onay yöntemi, formun türüne uymuyor. Forma uyan yöntemi seçin ya da başka bir form kullanın."
        "The way of approval does not fit the form's kind. Choose one that does, or another form."
    "H1066" 400 REPAIR Client FUTILE
        "EPOSTA türü başka bir türle birlikte istenemez. Türleri ayrı işlemlerle isteyin."
        "The type EPOSTA cannot be asked for together with others. Ask by separate operations."
    "H1067" 409 ALREADY_SO Nobody FUTILE
        "Bağlantı daha önce kullanılmış. Yapılacak bir şey kalmadı."
        "The link has been used before. There is nothing left to do."
    "H1068" 500 RETRY Registry HELPS
        "İYS'nin onay bağlantısı hizmetine ulaşılamadı. İstek bir süre sonra yinelenmelidir."
        "The registry could not reach its approval-link service. The request should be repeated after a while."
    "H1069" 400 REPAIR Client FUTILE
        "Bağlantı geçersiz. Yeni bir bağlantı üretin."
        "The link is not valid. Make a new one."
    "H1070" 500 RETRY Registry HELPS
        "İYS esas kaydı yazamadı. İstek bir süre sonra yinelenmelidir."
        "The registry could not write its main record. The request should be repeated after a while."
    "H1072" 400 REPAIR Client HELPS
        "Bu işlemin belgesi yok; belge ancak işlem tamamlanınca oluşur. requestId değerini ve işlemin durumunu denetleyin."
        "There is no document of this operation; it is made only on completion. Check the requestId and the operation's state."
    "H1073" 500 RETRY Registry HELPS
        "İYS'nin dosya hizmeti hata verdi. İstek bir süre sonra yinelenmelidir."
        "The registry's file service has failed. The request should be repeated after a while."
    "H1074" 400 REPAIR Client FUTILE
        "Bağlantı süresi içinde kullanılmadı. İşlemi yeniden başlatın."
        "The link was not used in time. Start a new operation."
    "H1075" 500 RETRY Registry HELPS
        "İYS ret isteğini kaydedemedi. İstek bir süre sonra yinelenmelidir."
        "The registry could not store the withdrawal. The request should be repeated after a while."
    "H1076" 400 REPAIR Client FUTILE
        "Bu işlemle ilgili bir izin bulunamadı. requestId değerini denetleyin."
        "There is no consent of this operation. Check the requestId."
    "H1077" 500 RETRY Registry HELPS
        "İYS bağlantı üretemedi. İstek bir süre sonra yinelenmelidir."
        "The registry could not make the link. The request should be repeated after a while."
    "H1079" 400 ALREADY_SO Nobody FUTILE
        "Alıcı İYS'de zaten RET durumunda. Yapılacak bir şey kalmadı."
        "The recipient is in RET at the registry already. There is nothing left to do."
    "H1080" 400 ALREADY_SO Nobody FUTILE
        "Alıcının İYS'de kaydı yok ve ilk kayıt RET olamaz. Geri alınacak bir onay yok; yapılacak bir şey de yok."
        "The registry has no record of the recipient, and a first record cannot be RET. There is no approval to withdraw and nothing to do."
    "H1081" 400 REPAIR Client FUTILE
        "İzin başka bir kaynakla güncellenemez. Kaynağı düzeltin."
        "A consent cannot be updated from another source. Correct the source."
    "H1082" 400 ALREADY_SO Nobody FUTILE
        "İYS'de daha yeni tarihli bir hareket var. Güncel durum İYS'den sorgulanıp eşitlenir."
        "The registry holds a movement of a later date. Its present record is asked for and taken over."
    "H1083" 400 REPAIR Client FUTILE
        "Güncellenecek izin İYS'de yok. Alıcıyı ve türü denetleyin."
        "The consent to be updated does not exist. Check recipient and type."
    "H1084" 400 REPAIR Client FUTILE
        "Alıcı İYS'de bulunmuyor. Alıcıyı denetleyin."
        "The registry does not know the recipient. Check it."
    "H1085" 400 REPAIR Client FUTILE
        "İzin türü geçersiz. Belgelenmiş türlerden birini kullanın."
        "The type is not valid. Use a documented one."
    "H1086" 400 REPAIR Client FUTILE
        "İzin türü onay yöntemine uymuyor. Türü ya da yöntemi değiştirin."
        "The type does not fit the way of approval. Change one of them."
    "H1087" 400 REPAIR Client FUTILE
        "Bağlantının kimliği eksik ya da geçersiz. Yeni bir bağlantı üretin."
        "The link's id is missing or not valid. Make a new link."
    "H1088" 400 BUG Developer HELPS
        "Sayfa numarası sıfırdan büyük olmalıdır. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "A page number must be above zero. This is a fault of the program; tell its developer."
    "H1089" 400 BUG Developer HELPS
        "Sayfa boyutu sıfırdan büyük olmalıdır. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "A page size must be above zero. This is a fault of the program; tell its developer."
    "H1090" 400 BUG Developer HELPS
        "Gönderilen JSON'da alanlar eksik. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The JSON sent lacks fields. This is a fault of the program; tell its developer."
    "H1091" 400 BUG Developer HELPS
        "Gönderilen JSON çok derin. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The JSON sent is nested too deeply. This is a fault of the program; tell its developer."
    "H1092" 400 PAUSE_OPT_IN Client HELPS
        "ViA aboneliği etkin değil. Hizmet sağlayıcı aboneliğini İYS'den etkinleştirmelidir."
        "The ViA subscription is not active. The service provider must activate it with the registry."
    "H1093" 400 PAUSE_OPT_IN Client HELPS
        "Hizmet sağlayıcının ViA aboneliği yok. Abonelik açılmalıdır."
        "The service provider has no ViA subscription. One must be opened."
    "H1094" 400 BUG Developer HELPS
        "Bir alan yanlış veri türüyle gönderildi. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "A field was sent with a wrong data type. This is a fault of the program; tell its developer."
    "H1095" 400 BUG Developer HELPS
        "İstekte beklenmeyen bir alan var. Bu bir yazılım hatasıdır; geliştiriciye bildirin."
        "The request holds an unexpected field. This is a fault of the program; tell its developer."
    "H1096" 400 REPAIR Client FUTILE
        "TC kimlik numarası geçersiz. Numarayı düzeltin."
        "The citizen number is not valid. Correct it."
    "H1097" 409 REPAIR Client FUTILE
        "Tekil olması gereken bir değer daha önce girilmiş. Değeri düzeltin."
        "A value that must be unique was given before. Correct it."
    "H1104" 404 PAUSE_OPT_IN Client HELPS
        "Hesabın ViA yetkisi yok. Hizmet sağlayıcı, İYS panelinden ViA yetkisi vermelidir."
        "The account has no ViA right. The service provider must grant it in the registry's panel."
    "H1105" 400 REPAIR Client FUTILE
        "Bağlantının kimliği geçersiz. Yeni bir bağlantı üretin."
        "The link's id is not valid. Make a new link."
    "H1107" 404 CONFIG Operator HELPS
        "Metin şablonu (templateId) bulunamadı. Şablon numarasını İYS panelinden denetleyin."
        "There is no such text template (templateId). Check its number in the registry's panel."
    "H1110" 400 ALREADY_SO Nobody FUTILE
        "Bu işlemin kod adımı tamamlanmış. Yeni bir işlem gerekiyorsa yeniden başlatın."
        "The code of this operation has been used. Start a new one if another is needed."
    "H1111" 400 ALREADY_SO Nobody FUTILE
        "Bu bağlantıyla daha önce işlem yapılmış. Yapılacak bir şey kalmadı."
        "This link has been acted upon before. There is nothing left to do."
    "H1112" 404 REPAIR Client FUTILE
        "Bu isteğin ayrıntıları bulunamadı. requestId değerini denetleyin."
        "The details of this request were not found. Check the requestId."
    "H1113" 404 REPAIR Client FUTILE
        "Bu istek için gönderilmiş bir kod bulunamadı. İşlemi yeniden başlatın."
        "No code was found for this request. Start a new operation."
}
