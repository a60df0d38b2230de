//! What each command does.

pub(super) const COMMANDS: &[(&str, &str)] = &[
    (
        "The bridge between a business partner's clients and Turkey's consent registry (İYS)",
        "İş ortağının müşterileri ile İleti Yönetim Sistemi (İYS) arasındaki köprü",
    ),
    ("Run the service: the API, the workers, or both", "Hizmeti çalıştırır: API'yi, işçileri ya da ikisini"),
    ("Run the registry sandbox alone", "İYS deneme ortamını tek başına çalıştırır"),
    ("Bring the database's schema up to date", "Veritabanı şemasını günceller"),
    (
        "Look for what is wrong with this installation, and say what to do",
        "Kurulumda neyin yanlış olduğuna bakar ve yapılacağı söyler",
    ),
    ("Look at the settings, make keys", "Ayarlara bakar, anahtar üretir"),
    (
        "Read the settings from all sources, check them, and show what matters most; secrets are not shown",
        "Ayarları bütün kaynaklardan okur, denetler, en önemlilerini gösterir; gizli değerler gösterilmez",
    ),
    ("Print every setting with its default and a comment", "Her ayarı varsayılanı ve açıklamasıyla yazar"),
    (
        "Print a new master key, for a file of mode 0600 and a copy apart from the database",
        "Yeni bir ana anahtar yazar: 0600 kipli bir dosya ve veritabanından ayrı duracak bir kopya için",
    ),
    ("Print the OpenAPI document of the HTTP API", "HTTP API'nin OpenAPI belgesini yazar"),
    (
        "Tell until when a consent must be filed, and why",
        "Bir iznin ne zamana kadar bildirilmesi gerektiğini ve nedenini söyler",
    ),
    (
        "Tell what becomes of an address, or why it is refused",
        "Bir adresin nasıl kaydedileceğini ya da neden kabul edilmediğini söyler",
    ),
    ("Short numbers and their keywords", "Kısa numaralar ve anahtar kelimeleri"),
    (
        "Tell what an SMS to a short number would do, and why; asks no database",
        "Kısa numaraya gelecek bir SMS'in ne yapacağını ve nedenini söyler; veritabanına sormaz",
    ),
    (
        "Give a brand a short number, or a keyword on a shared one",
        "Markaya bir kısa numara ya da ortak numarada bir anahtar kelime verir",
    ),
    (
        "List a brand's short numbers and keywords",
        "Markanın kısa numaralarını ve anahtar kelimelerini listeler",
    ),
    ("Take a short number or keyword from a brand", "Kısa numarayı ya da anahtar kelimeyi markadan alır"),
    (
        "Tell what a code of the registry or of this service means, and what to do",
        "İYS'nin ya da bu hizmetin bir kodunun ne demek olduğunu ve yapılacağı söyler",
    ),
    ("Consents", "İzinler"),
    (
        "Show one consent: where its filing stands, why, who must act and what to do",
        "Bir izni gösterir: bildirimi ne durumda, neden, kim ne yapmalı",
    ),
    (
        "Print all that proves one consent, as JSON; it is personal data, and leaves an audit row",
        "Bir izni ispatlayan her şeyi JSON olarak yazar; kişisel veridir ve denetim kaydı bırakır",
    ),
    (
        "Tell when the queue is empty at the present budget, and what would miss its target",
        "Kuyruğun bugünkü bütçeyle ne zaman boşalacağını ve neyin hedefini kaçıracağını söyler",
    ),
    (
        "File once more what has ended without the registry's record; tells what it would do unless --yes",
        "İYS kaydı olmadan bitenleri yeniden bildirir; --yes yoksa yalnız ne yapacağını söyler",
    ),
    ("Service providers (hizmet sağlayıcı)", "Hizmet sağlayıcılar"),
    ("Add a provider", "Hizmet sağlayıcı ekler"),
    ("List all providers", "Bütün hizmet sağlayıcıları listeler"),
    ("Show one provider", "Bir hizmet sağlayıcıyı gösterir"),
    (
        "Set or take away a provider's own registry user; the registry is asked whether it accepts it",
        "Hizmet sağlayıcının kendi İYS kullanıcısını ayarlar ya da kaldırır; kabul edilip edilmediği İYS'ye sorulur",
    ),
    (
        "Read from the registry who has authorised us for what, and do what follows",
        "Kimin neye yetki verdiğini İYS'den okur ve gereğini yapar",
    ),
    (
        "Disable a provider for good: nothing is taken in or filed for it any more",
        "Hizmet sağlayıcıyı temelli kapatır: onun için artık hiçbir şey alınmaz ve bildirilmez",
    ),
    ("Brands (marka) of the providers", "Hizmet sağlayıcıların markaları"),
    ("Add a brand", "Marka ekler"),
    ("List a provider's brands", "Bir hizmet sağlayıcının markalarını listeler"),
    ("Show one brand", "Bir markayı gösterir"),
    ("Change a brand", "Bir markayı değiştirir"),
    (
        "Disable a brand for good: nothing is taken in for it and its changes are no longer read",
        "Markayı temelli kapatır: onun için hiçbir şey alınmaz, değişiklikleri artık okunmaz",
    ),
    ("Retailers (bayi) of the brands", "Markaların bayileri"),
    (
        "Make a retailer at the registry, from a JSON object with the fields of POST …/retailers",
        "İYS'de bayi oluşturur; bilgileri POST …/retailers alanlarıyla bir JSON nesnesinden okur",
    ),
    ("List a brand's retailers", "Bir markanın bayilerini listeler"),
    ("Show one retailer as the registry has it now", "Bir bayiyi İYS'deki şimdiki haliyle gösterir"),
    ("Delete a retailer to which no consent refers", "Hiçbir iznin bağlı olmadığı bir bayiyi siler"),
    (
        "Let retailers use consents, besides those that may",
        "İzinleri kullanabilen bayilere başkalarını ekler",
    ),
    ("Let these retailers use consents and no others", "İzinleri yalnız bu bayilere kullandırır"),
    ("Take consents away from retailers, or from all", "İzinleri bayilerden ya da hepsinden geri alır"),
    ("Tell which retailers may use a consent", "Bir izni hangi bayilerin kullanabildiğini söyler"),
    (
        "Consent texts, privacy notices, call scripts and paper forms of the brands",
        "Markaların onay metinleri, aydınlatma metinleri, çağrı metinleri ve kâğıt formları",
    ),
    (
        "Add a text, or the next version of one; a version is never changed",
        "Metin ya da bir metnin yeni sürümünü ekler; bir sürüm hiç değişmez",
    ),
    (
        "List a brand's texts, the newest version of each",
        "Bir markanın metinlerini son sürümleriyle listeler",
    ),
    (
        "Show all versions of a text (CODE), or one in full (CODE/VERSION)",
        "Bir metnin bütün sürümlerini (KOD) ya da birinin tamamını (KOD/SÜRÜM) gösterir",
    ),
    ("Web forms of the brands", "Markaların web formları"),
    (
        "Add a form, or change all that it holds: a new version, under the same address",
        "Form ekler ya da içindekilerin tümünü değiştirir: aynı adreste yeni bir sürüm",
    ),
    ("List a brand's forms", "Bir markanın formlarını listeler"),
    ("Show a form", "Bir formu gösterir"),
    (
        "End a form: its page says so and takes nothing; `set` opens it again",
        "Formu kapatır: sayfası bunu söyler ve kayıt almaz; `set` yeniden açar",
    ),
    (
        "Links of the brands: of campaigns, of one person, and for refusals",
        "Markaların bağlantıları: kampanyalar için, tek kişi için ve ret için",
    ),
    ("Make a link", "Bağlantı oluşturur"),
    (
        "List a brand's links with their counters, oldest first",
        "Bir markanın bağlantılarını sayaçlarıyla, eskiden yeniye listeler",
    ),
    ("Show a link", "Bir bağlantıyı gösterir"),
    ("End a link; one for refusals cannot be ended", "Bağlantıyı kapatır; ret bağlantısı kapatılamaz"),
    ("Double opt-ins of the brands", "Markaların çift onayları"),
    (
        "List a brand's double opt-ins in one state, oldest first; by itself those that nobody confirmed",
        "Bir markanın bir durumdaki çift onaylarını eskiden yeniye listeler; seçilmezse kimsenin onaylamadıklarını",
    ),
    ("Outgoing SMS and e-mail of the brands", "Markaların giden SMS ve e-postaları"),
    (
        "List a brand's messages, newest first, with what the vendor said",
        "Bir markanın iletilerini yeniden eskiye, operatörün bildirdiğiyle listeler",
    ),
    ("On whose behalf a brand's messages go out", "Bir markanın iletileri kimin adına gider"),
    ("Set a brand's sender, all of it", "Bir markanın gönderenini bütünüyle ayarlar"),
    ("Show a brand's sender", "Bir markanın gönderenini gösterir"),
    ("Remove a brand's sender", "Bir markanın gönderenini kaldırır"),
    (
        "What the registry pushes: connections of the brands",
        "İYS'nin ilettikleri: markaların bildirim bağlantıları",
    ),
    (
        "Let the registry push what citizens decide; the service must be running and reachable at http.public_url",
        "Vatandaş kararlarını İYS'nin iletmesini sağlar; hizmet çalışıyor ve http.public_url adresinde erişilebilir olmalıdır",
    ),
    ("List a brand's connections", "Bir markanın bağlantılarını listeler"),
    ("Show one connection", "Bir bağlantıyı gösterir"),
    ("Let the registry push no more", "İYS'nin iletmesini sonlandırır"),
    (
        "What citizens send to short numbers, and where SMS vendors push it to",
        "Vatandaşların kısa numaralara yazdıkları ve operatörlerin bunu ilettiği adresler",
    ),
    (
        "Make an address for a vendor's pushes; its token is shown this once",
        "Bir operatörün iletimleri için adres oluşturur; jetonu yalnız bu kez gösterilir",
    ),
    ("List the addresses for vendors' pushes", "Operatörlerin iletimleri için adresleri listeler"),
    ("Take nothing more through an address", "Bir adresten artık hiçbir şey almaz"),
    (
        "List what citizens wrote to a brand; by itself what waits for a person",
        "Vatandaşların bir markaya yazdıklarını listeler; seçilmezse bir insanı bekleyenleri",
    ),
    ("Take a message that was not understood for a rejection", "Anlaşılamamış bir iletiyi ret sayar"),
    ("Take a message that was not understood for nothing", "Anlaşılamamış bir iletiyi yok sayar"),
    ("Keys to the HTTP API", "HTTP API'nin anahtarları"),
    ("Make a key; it is shown once", "Anahtar oluşturur; bir kez gösterilir"),
    (
        "List the keys of a provider, or the partner-wide ones",
        "Bir hizmet sağlayıcının anahtarlarını ya da iş ortağı genelindekileri listeler",
    ),
    ("Show one key, without its secret", "Bir anahtarı gizli bölümü olmadan gösterir"),
    ("Disable a key for good", "Bir anahtarı temelli kapatır"),
    ("Webhook endpoints of clients", "Müşterilerin webhook uç noktaları"),
    ("Add an endpoint; its signing secret is shown once", "Uç nokta ekler; imza sırrı bir kez gösterilir"),
    ("List a provider's endpoints", "Bir hizmet sağlayıcının uç noktalarını listeler"),
    ("Show one endpoint, without its secret", "Bir uç noktayı sırrı olmadan gösterir"),
    (
        "Send one signed call now and tell what came back",
        "Şimdi imzalı bir çağrı gönderir ve ne yanıt geldiğini söyler",
    ),
    (
        "Stop deliveries; what waits stays until the endpoint is enabled again",
        "Teslimi durdurur; bekleyenler uç nokta yeniden açılana kadar durur",
    ),
    (
        "Deliver past events once more, marked as replayed",
        "Geçmiş olayları, yinelendiği belirtilerek yeniden iletir",
    ),
    ("Start deliveries again", "Teslimi yeniden başlatır"),
    ("The ledger of consents", "İzin defteri"),
    (
        "Prove that no row of the ledger was changed, taken out or put in between",
        "Defterde hiçbir kaydın değiştirilmediğini, çıkarılmadığını ya da araya eklenmediğini ispatlar",
    ),
    (
        "Compare a day at the registry with what was filed from here, and repair what differs",
        "İYS'deki bir günü buradan bildirilenlerle karşılaştırır ve farkları onarır",
    ),
    (
        "Print this message or the help of the given subcommand(s)",
        "Bu yardımı ya da verilen komutunkini yazar",
    ),
];
