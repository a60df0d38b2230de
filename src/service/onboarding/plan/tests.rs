use chrono::DateTime;
use kopru_domain::{BrandPolicy, Right};

use super::*;

const PROVIDER: IysCode = IysCode(600_100);
const BRAND: BrandCode = BrandCode(600_101);

fn subscription(status: &str, code: Option<&str>) -> SubscriptionRow {
    SubscriptionRow {
        iys_code: PROVIDER,
        status: status.to_owned(),
        package: None,
        expires_at: None,
        code: code.map(ToOwned::to_owned),
        synced_at: DateTime::UNIX_EPOCH,
    }
}

fn told(rights: Option<BrandRights>) -> Told {
    let brand = rights.map(|rights| (BRAND, ToldBrand { name: "Atlas".to_owned(), rights }));
    Told {
        title: Some("ATLAS A.Ş.".to_owned()),
        brands: Some(brand.into_iter().collect()),
        subscription: Some(subscription("ACTIVE", None)),
        ..Told::default()
    }
}

fn known(rights: Option<BrandRights>) -> Known {
    let provider = ProviderRow {
        iys_code: PROVIDER,
        title: "ATLAS A.Ş.".to_owned(),
        active: true,
        own_credentials: false,
        credentials: None,
        created_at: DateTime::UNIX_EPOCH,
        tested_at: None,
    };
    let brand = BrandRow {
        iys_code: PROVIDER,
        brand_code: BRAND,
        name: "Atlas".to_owned(),
        active: true,
        policy: BrandPolicy::default(),
        allowed_sources: None,
        daily_agreement: kopru_domain::DailyAgreement::default(),
        created_at: DateTime::UNIX_EPOCH,
    };
    Known {
        provider: Some(provider),
        brands: [(BRAND, brand)].into(),
        rights: rights.map(|rights| (BRAND, rights)).into_iter().collect(),
        subscription: rights.map(|_| subscription("ACTIVE", None)),
        holds: HashMap::new(),
    }
}

fn with_hold(mut known: Known, cause: &str, code: &str, listed: bool) -> Known {
    let hold = HoldRow {
        iys_code: PROVIDER,
        brand_code: BRAND,
        channel: Channel::Message,
        cause: cause.to_owned(),
        code: code.to_owned(),
        since: DateTime::UNIX_EPOCH,
        probe_at: DateTime::UNIX_EPOCH,
        listed,
    };
    known.holds.insert((BRAND, Channel::Message), hold);
    known
}

fn outcome(known: &Known, told: &Told) -> (Vec<Act>, SyncReport) {
    plan(PROVIDER, known, told, Reach::default())
}

fn lifts(acts: &[Act]) -> usize {
    acts.iter().filter(|act| matches!(act, Act::Lift(..))).count()
}

#[test]
fn a_new_provider_comes_with_its_brands_and_what_cannot_be_filed() {
    let rights = BrandRights { message: Right::Read, ..BrandRights::ALL };
    let (acts, report) = outcome(&Known::default(), &told(Some(rights)));
    assert_eq!(report.created.len(), 2);
    assert_eq!((report.changed.len(), report.withdrawn.len()), (0, 0));
    assert_eq!((report.held.len(), report.held[0].code.as_deref()), (1, Some("H355")));
    assert_eq!(acts[0], Act::AddProvider("ATLAS A.Ş.".to_owned()));
    assert!(acts.contains(&Act::AddBrand(BRAND, "Atlas".to_owned())));
    assert!(acts.contains(&Act::SaveRights(BRAND, rights)));
    let (acts, _) = plan(
        PROVIDER,
        &Known::default(),
        &told(Some(rights)),
        Reach { known_only: true, ..Reach::default() },
    );
    assert!(acts.is_empty(), "{acts:?}");
}

#[test]
fn nothing_new_changes_nothing() {
    let (acts, report) = outcome(&known(Some(BrandRights::ALL)), &told(Some(BrandRights::ALL)));
    assert!(!report.has_changes(), "{report:?}");
    assert!(acts.iter().all(|act| matches!(act, Act::SaveRights(..) | Act::SaveSubscription(_))), "{acts:?}");
}

#[test]
fn what_is_withdrawn_is_held_and_what_comes_back_is_released() {
    let (_, report) = outcome(&known(Some(BrandRights::ALL)), &told(None));
    assert_eq!((report.withdrawn.len(), report.held.len()), (1, 3));
    assert!(report.held.iter().all(|item| item.code.as_deref() == Some("H353")));
    let without = BrandRights { message: Right::None, ..BrandRights::ALL };
    let (_, report) = outcome(&known(Some(BrandRights::ALL)), &told(Some(without)));
    assert_eq!(
        (report.withdrawn[0].channel, report.held[0].cause),
        (Some(Channel::Message), Some("type_right"))
    );
    let held = with_hold(known(Some(without)), "type_right", "H355", true);
    let (acts, report) = outcome(&held, &told(Some(without)));
    assert!(!report.has_changes() && lifts(&acts) == 0, "{report:?}");
    let (acts, report) = outcome(&held, &told(Some(BrandRights::ALL)));
    assert_eq!((lifts(&acts), report.released.len(), report.changed.len()), (1, 1, 1));
}

/// Otherwise a registry that refuses what its own list allows would be asked and refuse again without end.
#[test]
fn a_refusal_that_the_list_has_contradicted_before_is_left_to_its_probe() {
    let refused = with_hold(known(Some(BrandRights::ALL)), "type_right", "H355", false);
    assert_eq!(lifts(&outcome(&refused, &told(Some(BrandRights::ALL))).0), 0);
    let first = with_hold(known(None), "type_right", "H355", false);
    assert_eq!(lifts(&outcome(&first, &told(Some(BrandRights::ALL))).0), 1);
    let quota = with_hold(known(None), "quota", "H525", false);
    assert_eq!(
        lifts(&outcome(&quota, &told(Some(BrandRights::ALL))).0),
        0,
        "the list says nothing of quotas"
    );
}

#[test]
fn a_resting_subscription_holds_everything() {
    let paused =
        Told { subscription: Some(subscription("PAUSED", Some("H520"))), ..told(Some(BrandRights::ALL)) };
    let (_, report) = outcome(&known(Some(BrandRights::ALL)), &paused);
    assert_eq!(report.held.len(), 3);
    assert!(report.held.iter().all(|item| item.cause == Some("subscription")));
    assert_eq!(report.changed[0].field, Some("subscription"));
    // Not told at all: as it was.
    let silent = Told { subscription: None, ..told(Some(BrandRights::ALL)) };
    assert!(!outcome(&known(Some(BrandRights::ALL)), &silent).1.has_changes());
    let code = Code::new("H520");
    let reach = Reach { partner: Some(&code), known_only: false };
    let (_, report) = plan(PROVIDER, &known(Some(BrandRights::ALL)), &told(Some(BrandRights::ALL)), reach);
    assert_eq!(report.held.len(), 3, "the partner's own rests");
}

#[test]
fn what_was_disabled_here_is_left_alone() {
    let mut disabled = known(Some(BrandRights::ALL));
    disabled.brands.get_mut(&BRAND).unwrap().active = false;
    let (acts, report) = outcome(&disabled, &told(None));
    assert!(report.held.is_empty() && !acts.iter().any(|act| matches!(act, Act::Hold(..))));
    disabled.provider.as_mut().unwrap().active = false;
    assert!(outcome(&disabled, &told(None)).0.is_empty());
}

#[test]
fn names_fit_into_one_line() {
    assert_eq!(usable(" A\n B\t"), Some("A  B".to_owned()));
    assert_eq!(usable(" \n"), None);
    assert_eq!(usable(&"x".repeat(500)).unwrap().len(), super::super::LONGEST_NAME);
}
