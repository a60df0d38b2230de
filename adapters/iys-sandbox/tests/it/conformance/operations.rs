//! Every operation with success, through the client's function for it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use iys::wire::{
    ConsentRequest, KvkQuery, PushConnection, RejectLinkRecipient, RetailerAccessChange,
    RetailerAccessRemoval, RetailerAccessRequest, RetailerRequest, StatusRequest, StatusesRequest,
    ViaConfirmRequest, ViaPassCompleteRequest, ViaPassEmailRequest, ViaPassSmsRequest, ViaStartRequest,
    item_status, process_status,
};
use iys::{Account, BoxError, BrandCodes, ChangeSource, Credentials, IysClient, Operation, Pacer};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::world::{PHONE, World, retailer, send};

const IYS: i64 = 600_100;
const PARTNER: i64 = 900_001;
const EMAIL: &str = "ayse@ornek.com";

/// Remembers what was asked for, and holds nothing back.
#[derive(Debug, Default)]
struct Recorder {
    asked: Mutex<HashSet<Operation>>,
}

impl Pacer for Recorder {
    fn acquire(&self, operation: Operation) -> BoxFuture<'_, Result<(), BoxError>> {
        self.asked.lock().unwrap().insert(operation);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A simulator and two accounts at it.
struct Stage {
    world: World,
    partner: Account,
    provider: Account,
    brand: BrandCodes,
}

impl Stage {
    async fn open(recorder: Arc<Recorder>) -> Self {
        let world = World::start().await;
        world
            .settings(json!({
                "perSecondLimit": null, "accessTokenSeconds": 1_000_000_000, "pushAllowHttp": true,
            }))
            .await;
        let client = IysClient::builder(&*world.base).pacer(recorder).build().unwrap();
        let seed = &world.seed;
        let partner = client.account(Credentials::new(&*seed.username, &*seed.password));
        let provider = client.account(Credentials::new(&*seed.provider_username, &*seed.provider_password));
        let brand = BrandCodes::new(seed.iys_code, seed.brand_code);
        Self { world, partner, provider, brand }
    }

    async fn consent(&self, status: &str, ago: i64) -> ConsentRequest {
        read(self.world.consent(status, ago).await)
    }

    /// What was sent to an address last.
    async fn letter(&self, recipient: &str) -> Value {
        let path = format!("/outbox?recipient={}", recipient.trim_start_matches('+'));
        self.world.control("GET", &path, Value::Null).await["list"].as_array_mut().unwrap().pop().unwrap()
    }

    /// The citizen decides behind a link.
    async fn decide(&self, link: &Value, form: &'static str) {
        let reply = send(self.world.client.post(link.as_str().unwrap()).body(form)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
}

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn key() -> StatusRequest {
    StatusRequest { recipient: PHONE.into(), recipient_type: "BIREYSEL".into(), r#type: "MESAJ".into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_is_driven() {
    let recorder = Arc::new(Recorder::default());
    let stages = [(); 6].map(|()| Stage::open(Arc::clone(&recorder)));
    let [consents, accounts, retailers, reports, opt_ins, verifications] = stages;
    futures::join!(
        async { consents_are_added_and_found(consents.await).await },
        async { accounts_see_what_is_theirs(accounts.await).await },
        async { retailers_are_given_and_taken_consents(retailers.await).await },
        async { a_day_is_reported_and_pushed(reports.await).await },
        async { opt_ins_are_approved(opt_ins.await).await },
        async { addresses_are_verified(verifications.await).await },
    );
    let asked = recorder.asked.lock().unwrap();
    let missing: Vec<Operation> = Operation::ALL.into_iter().filter(|known| !asked.contains(known)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

async fn consents_are_added_and_found(stage: Stage) {
    let (account, brand) = (&stage.partner, stage.brand);
    let consent = stage.consent("ONAY", 120).await;
    let added = account.add_consent(brand, &consent).await.unwrap();
    assert_eq!((added.transaction_id.len(), added.creation_date.len()), (64, 19));
    stage.world.advance("1m").await;
    assert_eq!(account.add_consent(brand, &consent).await.unwrap(), added, "a repetition");

    let email = ConsentRequest { recipient: EMAIL.into(), r#type: "EPOSTA".into(), ..consent.clone() };
    let unrecorded =
        ConsentRequest { recipient: "+905551112299".into(), status: "RET".into(), ..consent.clone() };
    let sent = account.add_batch(brand, &[email, unrecorded]).await.unwrap();
    let recipients: Vec<&str> = sent.sub_requests.iter().map(|item| item.recipient.as_str()).collect();
    assert_eq!(recipients, [EMAIL, "+905551112299"]);
    stage.world.advance("2m").await;
    let results = account.batch_result(brand, &sent.request_id).await.unwrap();
    let states: Vec<_> = results.iter().map(|item| (item.status.as_str(), item.index)).collect();
    assert_eq!(states, [(item_status::SUCCESS, Some(0)), (item_status::FAILURE, Some(1))]);
    assert_eq!(results[0].sub_request_id.as_ref(), Some(&sent.sub_requests[0].sub_request_id));
    assert_eq!(results[1].error.as_ref().unwrap().code.as_deref(), Some("H175"));

    let record = account.status(brand, &key()).await.unwrap().unwrap();
    assert_eq!((record.status.as_str(), record.source.as_deref()), ("ONAY", Some("HS_WEB")));
    assert_eq!(record.transaction_id.as_ref(), Some(&added.transaction_id));
    assert_eq!(record.consent_date, consent.consent_date);
    let nobody = StatusRequest { recipient: "+905551112298".into(), ..key() };
    assert_eq!(account.status(brand, &nobody).await.unwrap(), None);
    let asked = StatusesRequest { recipients: vec![PHONE.into(), nobody.recipient] };
    let approved = account.statuses(brand, "BIREYSEL", "MESAJ", &asked).await.unwrap();
    assert_eq!((approved.list, approved.request_id.is_empty()), (vec![PHONE.to_owned()], false));

    let written = stage.world.reject_as_citizen("IYS_WEB").await;
    let history = account.history(brand, &key(), 0, 10).await.unwrap();
    let mut states: Vec<&str> = history.list.iter().map(|movement| movement.status.as_str()).collect();
    states.sort_unstable();
    assert_eq!((states, history.pagination.total_count), (vec!["ONAY", "RET"], 2));
    stage.world.advance("65m").await;
    let own = account.changes(brand, ChangeSource::Provider, None, 1).await.unwrap();
    assert_eq!(own.list[0].transaction_id, added.transaction_id);
    let next = account.changes(brand, ChangeSource::Provider, own.after.as_deref(), 10).await.unwrap();
    assert_eq!((next.list.len(), next.list[0].recipient.as_str()), (1, EMAIL));
    let citizens = account.changes(brand, ChangeSource::Registry, None, 10).await.unwrap();
    assert_eq!(citizens.list[0].transaction_id, written["transactionId"].as_str().unwrap());
}

async fn accounts_see_what_is_theirs(stage: Stage) {
    let login = stage.partner.login_check().await.unwrap();
    assert!(login.refresh_expires_at > stage.world.now().await.and_utc());
    let brands = stage.provider.brands(IYS).await.unwrap();
    assert!(brands.iter().any(|brand| brand.brand_code == IYS && brand.master), "{brands:?}");
    let authorised = stage.partner.all_partner_brands(PARTNER).await.unwrap();
    assert_eq!(authorised[0].iys_code, IYS);
    assert_eq!(authorised[0].message.as_deref(), Some("write"));
    let one = stage.partner.partner_brand(PARTNER, IYS, 0, 1).await.unwrap();
    assert_eq!((one.list.len(), one.list[0].brand_code), (1, authorised[0].brand_code));
    assert_eq!(stage.partner.subscription(IYS).await.unwrap().status, "ACTIVE");
    let seen = stage.provider.subscription(IYS).await.unwrap();
    assert!(seen.consent_limit.is_some() && seen.subscription_id.is_some(), "{seen:?}");
    assert_eq!(stage.partner.partner_subscription(PARTNER).await.unwrap().status, "ACTIVE");

    let cities = stage.partner.cities().await.unwrap();
    let istanbul = stage.partner.city(34).await.unwrap().unwrap();
    assert_eq!((cities.len(), istanbul.name.as_str()), (81, "İstanbul"));
    let towns = stage.partner.towns().await.unwrap();
    let last = stage.partner.town(towns[969].code).await.unwrap().unwrap();
    assert_eq!((&last, last.city_code), (&towns[969], 81));
}

async fn retailers_are_given_and_taken_consents(stage: Stage) {
    let (account, brand) = (&stage.partner, stage.brand);
    let profile: RetailerRequest = read(retailer());
    let first = account.add_retailer(brand, &profile).await.unwrap().retailer_code;
    let other = RetailerRequest { tckn: "57703411244".into(), title: "Bayi".into(), ..profile.clone() };
    let second = account.add_retailer(brand, &other).await.unwrap().retailer_code;
    let shown = account.retailer(brand, first).await.unwrap().unwrap();
    assert_eq!(
        (&shown.title, shown.tckn.as_ref(), shown.city.as_ref()),
        (&profile.title, Some(&profile.tckn), Some(&profile.city))
    );
    let short = account.retailers_short(brand, 0, 10).await.unwrap();
    assert_eq!((short.pagination.total_count, &short.list[0].tckn), (2, &None));
    let mut all: Vec<_> =
        account.all_retailers(brand).await.unwrap().iter().map(|shop| shop.retailer_code).collect();
    all.sort_unstable();
    assert_eq!(all, [Some(first.min(second)), Some(first.max(second))]);

    account.add_consent(brand, &stage.consent("ONAY", 60).await).await.unwrap();
    let seeing = || async {
        let page = account.retailer_access(brand, &key(), 0, 10).await.unwrap();
        page.list.iter().filter_map(|shop| shop.retailer_code).collect::<Vec<_>>()
    };
    let StatusRequest { recipient, recipient_type, r#type } = key();
    let grant = RetailerAccessRequest {
        recipient: recipient.clone(),
        recipient_type: recipient_type.clone(),
        r#type: r#type.clone(),
        retailer_access: vec![first],
    };
    let granted = account.add_retailer_access(brand, &grant).await.unwrap();
    assert_eq!((granted.transaction_id.len(), seeing().await), (64, vec![first]));
    let mut change = RetailerAccessChange {
        recipients: vec![recipient.clone()],
        recipient_type: recipient_type.clone(),
        r#type: r#type.clone(),
        retailer_access: vec![first, second],
    };
    account.set_retailer_access(brand, &change).await.unwrap();
    assert_eq!(seeing().await.len(), 2);
    change.retailer_access = vec![first];
    account.remove_retailer_access(brand, &change).await.unwrap();
    assert_eq!(seeing().await, [second]);
    let clear = RetailerAccessRemoval { recipients: vec![recipient], recipient_type, r#type };
    account.clear_retailer_access(brand, &clear).await.unwrap();
    assert_eq!(seeing().await, [0; 0]);
    account.delete_retailer(brand, first).await.unwrap();
    assert_eq!(account.retailer(brand, first).await.unwrap(), None);
}

async fn a_day_is_reported_and_pushed(stage: Stage) {
    let (account, brand, receiver) = (&stage.partner, stage.brand, Receiver::start().await);
    let day = stage.world.day(1).await;
    stage.world.control("POST", "/clock", json!({"set": format!("{day}T12:00:00+03:00")})).await;
    let added = account.add_consent(brand, &stage.consent("ONAY", 60).await).await.unwrap();
    let connection: PushConnection = read(receiver.connection("/good", "MESAJ"));
    let connected = account.register_push(brand, std::slice::from_ref(&connection)).await.unwrap();
    assert!(!connected.message.is_empty());
    let connections = account.push_registrations(brand).await.unwrap();
    assert_eq!((connections.len(), &connections[0].url), (1, &connection.url));
    stage.world.reject_as_citizen("IYS_MOBIL").await;
    assert_eq!(receiver.posts(2).await[1][0]["status"], "RET");
    account.unregister_push(brand, &connection).await.unwrap();
    assert_eq!(account.push_registrations(brand).await.unwrap(), []);

    stage.world.advance("17h").await;
    let waiting = account.agreement(brand, day).await.unwrap().unwrap();
    assert_eq!((waiting.process_status.as_str(), waiting.hash_value), (process_status::IN_PROGRESS, None));
    assert!(account.movement_file(brand, day).await.unwrap().is_none());
    assert_eq!(account.agreement_timestamp(brand, day).await.unwrap(), None);
    stage.world.advance("2h").await;
    let summary = account.daily_summary(brand, day, "BIREYSEL").await.unwrap();
    let messages = summary.change_stats.iter().find(|channel| channel.r#type == "MESAJ").unwrap();
    let counts: Vec<_> = messages.consents.iter().map(|side| (side.source.as_str(), side.total)).collect();
    assert_eq!(counts, [("HS", 1), ("IYS", 1)]);
    let agreement = account.agreement(brand, day).await.unwrap().unwrap();
    assert_eq!(agreement.hash_method.as_deref(), Some("SHA-384"));
    let mut movements = account.movement_file(brand, day).await.unwrap().unwrap().movements();
    let mut found = Vec::new();
    while let Some(movement) = movements.next().await.unwrap() {
        found.push(movement);
    }
    assert_eq!((found.len(), &found[0].transaction_id), (2, &added.transaction_id));
    assert_eq!(movements.sha384(), agreement.hash_value);
    assert!(account.confirm_agreement(brand, day).await.unwrap());
    assert!(account.agreement(brand, day).await.unwrap().unwrap().agreement_status);
    assert!(account.agreement_timestamp(brand, day).await.unwrap().unwrap().len() > 100);
}

/// Gives the provider the opt-in services.
async fn with_opt_in_services(stage: &Stage) {
    let titles = json!({"ETK": ["MESAJ", "ARAMA", "EPOSTA"], "KVK": ["ACIK_RIZA_METNI"]});
    let template = |id: &str, method: &str| json!({"templateId": id, "method": method});
    let services = json!({
        "iysCode": IYS, "via": {"credit": 10}, "viaPass": {},
        "authorisations": [{"integratorCode": PARTNER, "brandCode": IYS, "viaControl": true}],
        "forms": [{"formId": 1, "kind": "OTP", "titles": titles}, {"formId": 2, "kind": "SHORTURL", "titles": titles}],
        "templates": [
            template("T1", "SMS_OTP"), template("T2", "EMAIL_OTP"), template("T3", "SMS_SHORT_URL"),
            template("T4", "EMAIL_SHORT_URL"),
        ],
    });
    stage.world.control("POST", "/providers", services).await;
}

async fn opt_ins_are_approved(stage: Stage) {
    with_opt_in_services(&stage).await;
    let (account, brand) = (&stage.partner, stage.brand);
    let start = |form: &str, method: &str, recipient: &str, kind: &str| -> ViaStartRequest {
        read(json!({
            "formId": form, "recipient": recipient, "verificationType": method,
            "consentTypes": [
                {"title": "ETK", "brandCodes": [IYS], "types": [kind], "recipientType": "BIREYSEL"},
                {"title": "KVK", "types": ["ACIK_RIZA_METNI"],
                 "personData": {"name": "Ayşe Örnek", "recipientIdNumber": "11111111111"}},
            ],
        }))
    };
    let started = account.via_start(IYS, &start("1", "SMS_OTP", PHONE, "MESAJ")).await.unwrap();
    let codes = stage.letter(PHONE).await["codes"].clone();
    let confirm: ViaConfirmRequest = read(json!({
        "requestId": started.request_id, "verificationType": "SMS_OTP",
        "consentTypes": [{"title": "ETK", "otpCode": codes["ETK"]}, {"title": "KVK", "otpCode": codes["KVK"]}],
    }));
    let recorded = account.via_confirm(IYS, &confirm).await.unwrap();
    let recorded: Vec<_> = recorded.iter().map(|item| (item.r#type.as_str(), item.brand_code)).collect();
    assert_eq!(recorded, [("MESAJ", Some(IYS)), ("ACIK_RIZA_METNI", None)]);
    let status = account.via_status(IYS, &started.request_id).await.unwrap();
    assert_eq!(
        (status.last_status.stage.as_str(), status.last_status.status.as_str()),
        ("COMPLETED", "SUCCESS")
    );
    assert_eq!((status.request_details.len(), status.recipient.as_str()), (2, PHONE));
    let record = account.status(brand, &key()).await.unwrap().unwrap();
    assert_eq!(record.source.as_deref(), Some("IYS_KISAMESAJ"));
    let texts = account.kvk_consents(IYS, &started.request_id).await.unwrap();
    assert_eq!((texts.len(), texts[0].recipient_name.as_deref()), (1, Some("Ayşe Örnek")));
    let question = KvkQuery { r#type: "ACIK_RIZA_METNI".into(), recipient: PHONE.into() };
    assert_eq!(account.kvk_requests(IYS, &question).await.unwrap(), [started.request_id]);

    let started = account.via_start(IYS, &start("2", "EPOSTA_SHORTURL", EMAIL, "EPOSTA")).await.unwrap();
    let link = stage.letter(EMAIL).await["link"].clone();
    stage.decide(&link, "karar=onay&kalem=0").await;
    assert!(account.via_evidence(IYS, &started.request_id).await.unwrap().len() > 1_000);

    let recipients = [EMAIL, "baska@ornek.com"].map(|recipient| RejectLinkRecipient {
        recipient: recipient.into(),
        recipient_type: "BIREYSEL".into(),
    });
    let links = account.reject_links(brand, &recipients).await.unwrap();
    assert_eq!((links[0].recipient.as_str(), links[1].code.as_deref()), (EMAIL, Some("H568")));
    stage.decide(&json!(links[0].url), "").await;
    let asked = StatusRequest { recipient: EMAIL.into(), r#type: "EPOSTA".into(), ..key() };
    assert_eq!(account.status(brand, &asked).await.unwrap().unwrap().status, "RET");
}

async fn addresses_are_verified(stage: Stage) {
    with_opt_in_services(&stage).await;
    let account = &stage.partner;
    let by_sms = |template: &str| ViaPassSmsRequest {
        phone_number: PHONE.into(),
        template_id: template.into(),
        vkn: "1234567890".into(),
    };
    let by_email = |template: &str| ViaPassEmailRequest {
        email: EMAIL.into(),
        template_id: template.into(),
        vkn: "1234567890".into(),
    };
    let complete = |request_id: String, letter: Value| ViaPassCompleteRequest {
        request_id,
        otp_code: letter["code"].as_str().unwrap().to_owned(),
    };
    let sms = account.via_pass_sms(IYS, &by_sms("T1")).await.unwrap();
    let code = complete(sms.request_id.clone(), stage.letter(PHONE).await);
    account.via_pass_complete_sms(&code).await.unwrap();
    let email = account.via_pass_email(IYS, &by_email("T2")).await.unwrap();
    let code = complete(email.request_id, stage.letter(EMAIL).await);
    account.via_pass_complete_email(&code).await.unwrap();
    let history = account.via_pass_history(&sms.request_id, 1, 10).await.unwrap();
    let steps: Vec<&str> = history.content.iter().map(|step| step.status.as_str()).collect();
    assert_eq!((steps, history.pagination.total_items), (vec!["OTP Generation", "SUCCESS"], 2));

    let link = account.via_pass_sms_link(IYS, &by_sms("T3")).await.unwrap();
    let sent = stage.letter(PHONE).await["link"].clone();
    assert!(sent.as_str().unwrap().ends_with(link.short_url.as_deref().unwrap()));
    stage.decide(&sent, "").await;
    assert!(account.via_pass_evidence(IYS, &link.request_id).await.unwrap().len() > 1_000);
    account.via_pass_email_link(IYS, &by_email("T4")).await.unwrap();
    stage.decide(&stage.letter(EMAIL).await["link"], "").await;
    let seen = account.via_pass_subscription(IYS).await.unwrap();
    assert_eq!((seen[0].iys_code, seen[0].via_credit), (Some(IYS), Some(996)));
}
