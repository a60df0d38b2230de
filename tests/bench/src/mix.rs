//! What is taken in: ONAY for addresses never seen before, and every tenth consent a RET for one that was approved earlier.

use std::collections::VecDeque;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use iys::wire::ConsentRequest;
use kopru::service::intake::{ConsentInput, IntakeItem};
use kopru_domain::evidence::Door;
use kopru_domain::time::{format_registry, format_rfc3339};
use kopru_domain::{ConsentStatus, Evidence};

/// Of ten consents one is a RET.
const REJECTION_EVERY: u64 = 10;
/// Mobile numbers with one leading digit after `+905`.
const NUMBERS: u64 = 100_000_000;
/// Has no divisor in common with [`NUMBERS`], so that every number is used once, in no order.
const STRIDE: u64 = 38_196_601;

/// Numbers never used before in this process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Addresses(Arc<AtomicU64>);

impl Addresses {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) % NUMBERS * STRIDE % NUMBERS
    }
}

/// The dates of a run: an approval some minutes ago, a rejection after it.
#[derive(Debug, Clone)]
pub struct Dates {
    approval: DateTime<Utc>,
    rejection: DateTime<Utc>,
    approval_text: String,
    rejection_text: String,
}

impl Dates {
    /// As seen from business time.
    pub fn at(now: DateTime<Utc>) -> Self {
        let (approval, rejection) = (now - TimeDelta::minutes(10), now - TimeDelta::minutes(1));
        let (approval_text, rejection_text) = (format_rfc3339(approval), format_rfc3339(rejection));
        Self { approval, rejection, approval_text, rejection_text }
    }

    fn text(&self, status: ConsentStatus) -> &str {
        match status {
            ConsentStatus::Approval => &self.approval_text,
            ConsentStatus::Rejection => &self.rejection_text,
        }
    }

    fn instant(&self, status: ConsentStatus) -> DateTime<Utc> {
        match status {
            ConsentStatus::Approval => self.approval,
            ConsentStatus::Rejection => self.rejection,
        }
    }
}

/// One consent, before it takes the form of a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consent {
    number: u64,
    status: ConsentStatus,
}

impl Consent {
    fn recipient(self) -> String {
        format!("+9053{:08}", self.number)
    }

    /// Appends it as the API takes it.
    pub fn write(self, dates: &Dates, out: &mut Vec<u8>) {
        let (status, date) = (self.status.as_str(), dates.text(self.status));
        // Writing to a Vec does not fail.
        let _ = write!(
            out,
            r#"{{"recipient":"+9053{0:08}","recipientType":"BIREYSEL","type":"MESAJ","source":"HS_WEB","status":"{status}","consentDate":"{date}","reference":"crm-{0:08}"}}"#,
            self.number
        );
    }

    /// As the API's door hands it to the service.
    pub fn item(self, index: usize, dates: &Dates) -> IntakeItem {
        let home = IpAddr::V4(Ipv4Addr::LOCALHOST);
        IntakeItem {
            index,
            consent: ConsentInput {
                recipient: Some(self.recipient()),
                channel: Some("MESAJ".to_owned()),
                status: Some(self.status.as_str().to_owned()),
                source: Some("HS_WEB".to_owned()),
                consent_date: Some(dates.text(self.status).to_owned()),
                recipient_type: Some("BIREYSEL".to_owned()),
                ..ConsentInput::default()
            },
            reference: Some(format!("crm-{:08}", self.number)),
            evidence: Evidence {
                declared: true,
                door: Some(Door::Api),
                actor: Some("key bench".to_owned()),
                peer: Some(home),
                resolved_address: Some(home),
                user_agent: Some("kopru-bench".to_owned()),
                ..Evidence::default()
            },
            own_channel: false,
        }
    }

    /// As the registry takes it.
    pub fn request(self, dates: &Dates) -> ConsentRequest {
        ConsentRequest {
            recipient: self.recipient(),
            r#type: "MESAJ".to_owned(),
            source: Some("HS_WEB".to_owned()),
            status: self.status.as_str().to_owned(),
            consent_date: Some(format_registry(dates.instant(self.status))),
            recipient_type: Some("BIREYSEL".to_owned()),
            ..ConsentRequest::default()
        }
    }
}

/// A stream of consents.
#[derive(Debug)]
pub struct Mix {
    addresses: Addresses,
    count: u64,
    /// Approved and not yet rejected, oldest first.
    approved: VecDeque<u64>,
    /// How many approvals lie between an approval and its rejection; `None` = no rejections at all.
    lag: Option<usize>,
}

impl Mix {
    /// Nine ONAY and one RET, which withdraws what was approved at least `lag` approvals ago. Until there are so many, the RET
    /// is for a new address.
    pub fn new(addresses: &Addresses, lag: usize) -> Self {
        Self {
            addresses: addresses.clone(),
            count: 0,
            approved: VecDeque::with_capacity(lag + 1),
            lag: Some(lag),
        }
    }

    /// ONAY alone, so that everything taken in is filed.
    pub fn approvals(addresses: &Addresses) -> Self {
        Self { addresses: addresses.clone(), count: 0, approved: VecDeque::new(), lag: None }
    }

    /// The next consent.
    pub fn next(&mut self) -> Consent {
        self.count += 1;
        let Some(lag) = self.lag else {
            return Consent { number: self.addresses.next(), status: ConsentStatus::Approval };
        };
        if self.count.is_multiple_of(REJECTION_EVERY) {
            let number = if self.approved.len() > lag { self.approved.pop_front() } else { None };
            let number = number.unwrap_or_else(|| self.addresses.next());
            return Consent { number, status: ConsentStatus::Rejection };
        }
        let number = self.addresses.next();
        // One in nine is withdrawn later; the others need not be remembered.
        if self.count % REJECTION_EVERY == 1 {
            self.approved.push_back(number);
        }
        Consent { number, status: ConsentStatus::Approval }
    }

    /// A chunk as the service takes it.
    pub fn items(&mut self, size: usize, dates: &Dates) -> Vec<IntakeItem> {
        (0..size).map(|index| self.next().item(index, dates)).collect()
    }

    /// Appends a JSON array as the API takes it.
    pub fn write_array(&mut self, size: usize, dates: &Dates, out: &mut Vec<u8>) {
        out.push(b'[');
        for index in 0..size {
            if index > 0 {
                out.push(b',');
            }
            self.next().write(dates, out);
        }
        out.push(b']');
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_tenth_withdraws_what_was_approved_before() {
        let mut mix = Mix::new(&Addresses::default(), 3);
        let consents: Vec<Consent> = (0..1_000).map(|_| mix.next()).collect();
        let mut approved = HashSet::new();
        let (mut rejected, mut of_known) = (0, 0);
        for consent in &consents {
            match consent.status {
                ConsentStatus::Approval => assert!(approved.insert(consent.number), "an address comes twice"),
                ConsentStatus::Rejection => {
                    rejected += 1;
                    of_known += i32::from(approved.contains(&consent.number));
                }
            }
        }
        assert_eq!((rejected, of_known), (100, 97));
    }

    #[test]
    fn numbers_do_not_repeat_over_several_streams() {
        let addresses = Addresses::default();
        let mut streams = [Mix::approvals(&addresses), Mix::approvals(&addresses)];
        let numbers: HashSet<u64> = (0..20_000).map(|n| streams[n % 2].next().number).collect();
        assert_eq!(numbers.len(), 20_000);
        assert_eq!((STRIDE % 2, STRIDE % 5), (1, 1), "shares a divisor with the number of numbers");
    }

    #[test]
    fn the_three_forms_say_the_same() {
        let dates = Dates::at(DateTime::from_timestamp(1_790_000_000, 0).unwrap());
        let consent = Consent { number: 1_234_567, status: ConsentStatus::Rejection };
        let mut json = Vec::new();
        consent.write(&dates, &mut json);
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let (item, request) = (consent.item(0, &dates), consent.request(&dates));
        assert_eq!(json["recipient"], "+905301234567");
        assert_eq!(item.consent.recipient.as_deref(), json["recipient"].as_str());
        assert_eq!(item.consent.consent_date.as_deref(), json["consentDate"].as_str());
        assert_eq!(item.reference.as_deref(), json["reference"].as_str());
        assert_eq!((request.recipient.as_str(), request.status.as_str()), ("+905301234567", "RET"));
    }
}
