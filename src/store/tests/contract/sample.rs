//! Rows to begin with: tests change what they are about by struct update.

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::{
    BrandCode, BrandPolicy, Channel, ConsentStatus, DailyAgreement, IysCode, Permission, ProviderSource,
    RecipientType, SubmissionState,
};
use kopru_store::brands::BrandRow;
use kopru_store::changes::ChangeRow;
use kopru_store::consents::ConsentRow;
use kopru_store::endpoints::EndpointRow;
use kopru_store::permissions::PermissionRow;
use kopru_store::submissions::{Portion, SubmissionRow};
use kopru_store::{Claim, Key};
use uuid::Uuid;

pub const PROVIDER: IysCode = IysCode(700_001);
pub const OTHER_PROVIDER: IysCode = IysCode(700_002);
pub const BRAND: BrandCode = BrandCode(900_001);
pub const OTHER_BRAND: BrandCode = BrandCode(900_002);

/// Seconds after 22 November 2026, 09:00 UTC.
pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_338_000, 0).unwrap() + TimeDelta::seconds(seconds)
}

pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A blind name that looks as random as a real one.
pub fn key(number: u64) -> Key {
    let spread = |number: u64| number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&spread(number));
    bytes[8..].copy_from_slice(&spread(number.rotate_left(32)));
    Key(bytes)
}

/// So many rows at most, none of them in a batch.
pub fn singles(limit: i64) -> Portion {
    Portion { limit, singles: i64::MAX, batch: Uuid::nil() }
}

pub fn claim(by: u128, until: i64) -> Claim {
    Claim { by: id(by), until: at(until) }
}

/// A queued ONAY that is due at once; each number is a consent and a key of its own.
pub fn submission(number: u64) -> SubmissionRow {
    SubmissionRow {
        iys_code: PROVIDER,
        consent_id: id(u128::from(number)),
        generation: 1,
        brand_code: BRAND,
        key: key(number),
        channel: Channel::Message,
        status: ConsentStatus::Approval,
        state: SubmissionState::Queued,
        code: None,
        ordered_at: at(0),
        wire_date: Some(at(0)),
        target_at: at(1_000),
        legal_at: at(2_000),
        latest_at: at(3_000),
        calendar: "2026.1".to_owned(),
        late: false,
        at_risk: false,
        attempt: 0,
        next_attempt_at: at(0),
        wire: None,
        batch_id: None,
        batch_index: None,
        transaction_id: None,
        creation_date: None,
        cause: None,
        claim: None,
    }
}

/// The ledger row of a submission, at this place of the chain.
pub fn consent(seq: i64, of: &SubmissionRow) -> ConsentRow {
    ConsentRow {
        id: of.consent_id,
        seq,
        brand_code: of.brand_code,
        key: of.key,
        recipient_type: RecipientType::Individual,
        channel: of.channel,
        status: of.status,
        source: Some(ProviderSource::Web),
        consent_date: Some(of.ordered_at),
        retailer_code: None,
        door: "api".to_owned(),
        received_at: at(0),
        recorded_at: at(0),
        sealed: b"sealed".to_vec(),
        recipient_hash: [1; 32],
        evidence_hash: [2; 32],
        hash: [3; 32],
        evidence: Some(b"evidence".to_vec()),
    }
}

/// A key of which nothing is known.
pub fn permission(number: u64) -> PermissionRow {
    PermissionRow {
        key: key(number),
        brand_code: BRAND,
        recipient_type: RecipientType::Individual,
        channel: Channel::Message,
        recipient: b"sealed".to_vec(),
        permission: Permission::not_known(),
    }
}

pub fn change(seq: i64) -> ChangeRow {
    ChangeRow {
        seq,
        brand_code: BRAND,
        key: key(seq.unsigned_abs()),
        id: id(0xC0_0000 + u128::from(seq.unsigned_abs())),
        kind: "permission.changed".to_owned(),
        sealed: b"sealed".to_vec(),
        created_at: at(seq),
    }
}

pub fn endpoint(number: u128) -> EndpointRow {
    EndpointRow {
        iys_code: PROVIDER,
        id: id(number),
        brand_code: None,
        url: "https://example.com/hook".to_owned(),
        description: "İzin değişiklikleri".to_owned(),
        secret: b"secret".to_vec(),
        old_secret: None,
        old_secret_until: None,
        active: true,
        disabled_reason: None,
        failing_since: None,
        failures: 0,
        wait_until: None,
        created_at: at(0),
    }
}

pub fn brand(code: BrandCode) -> BrandRow {
    BrandRow {
        iys_code: PROVIDER,
        brand_code: code,
        name: "Çiçek Sepeti".to_owned(),
        active: true,
        policy: BrandPolicy::default(),
        allowed_sources: None,
        daily_agreement: DailyAgreement::Off,
        created_at: at(0),
    }
}

/// Asserts that two rows are the same in every field.
macro_rules! assert_same {
    ($left:expr, $right:expr $(,)?) => {
        assert_eq!(format!("{:#?}", $left), format!("{:#?}", $right))
    };
}
pub(crate) use assert_same;
