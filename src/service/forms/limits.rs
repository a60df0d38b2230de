//! How often one network may send a form, and one address stand in a brand's forms: counted in the database, so that replicas share
//! the limits, under the name that the address has once it is normalised. A door counts in its process first, so that a flood does
//! not come here.

use std::net::IpAddr;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use kopru_domain::{Channel, Recipient};
use kopru_store::{Key, Priority, form_posts};

use super::ShownForm;
use super::filing::{Sent, Visitor};
use crate::bootstrap::App;
use crate::service::ServiceResult;

/// So much within a time. A minute counts until its last instant is so old.
#[derive(Debug, Clone, Copy)]
struct Limit {
    most: i64,
    within: TimeDelta,
}

impl Limit {
    /// Before this the minutes count no more.
    fn since(self, minute: DateTime<Utc>) -> DateTime<Utc> {
        minute - self.within - TimeDelta::minutes(1)
    }
}

/// Of one network, for each form.
const BY_NETWORK: Limit = Limit { most: 15, within: TimeDelta::minutes(1) };
/// Of one address, for each brand.
const BY_ADDRESS: Limit = Limit { most: 5, within: TimeDelta::hours(1) };

/// The addresses that somebody typed, canonical; what is no address is not counted.
pub fn addresses(sent: &Sent) -> Vec<Recipient> {
    let typed = [(&sent.phone, Channel::Call), (&sent.email, Channel::Email)];
    typed.into_iter().filter_map(|(typed, channel)| Recipient::parse(typed, channel).ok()).collect()
}

/// What counts as one client: an IPv6 network has as many addresses as it likes.
pub fn network(address: Option<IpAddr>) -> Option<IpAddr> {
    address.map(|address| match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    })
}

/// Counts what was sent; where it is too much, nothing is counted, and the instant is told at which it is less (wire time).
pub(super) async fn count(
    app: &App,
    form: &ShownForm,
    visitor: &Visitor,
    sent: &Sent,
) -> ServiceResult<Option<DateTime<Utc>>> {
    let brand = &form.brand.row;
    let now = app.clocks.wire();
    let minute = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let keys = app.vault.keys(&mut tx, brand.iys_code).await?;
    let client = network(visitor.client.or(visitor.peer));
    let by_network = client.map(|client| (keys.client_key(&format!("{} {client}", form.row.id)), BY_NETWORK));
    let by_address = addresses(sent)
        .into_iter()
        .map(|address| (keys.client_key(&format!("{} {}", brand.brand_code, address.as_str())), BY_ADDRESS));
    let limits: Vec<(Key, Limit)> = by_network.into_iter().chain(by_address).collect();
    let names = limits.iter().map(|(name, _)| *name).collect();
    let rows = form_posts::add(&mut tx, brand.iys_code, names, minute, BY_ADDRESS.since(minute)).await?;
    let again_at = limits.iter().filter_map(|(name, limit)| {
        let counted = || rows.iter().filter(|row| row.name == *name && row.minute > limit.since(minute));
        let posts: i64 = counted().map(|row| row.posts).sum();
        let oldest = counted().map(|row| row.minute).min()?;
        (posts > limit.most).then(|| oldest + limit.within + TimeDelta::minutes(1))
    });
    let again_at = again_at.max();
    if again_at.is_none() {
        tx.commit().await?;
    }
    Ok(again_at)
}

/// Before this nothing counts any more.
pub fn forgotten_before(now: DateTime<Utc>) -> DateTime<Utc> {
    BY_ADDRESS.since(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_is_one_address() {
        let of = |text: &str| network(Some(text.parse().unwrap()));
        assert_eq!(of("2001:db8:1:2:3::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }

    #[test]
    fn spellings_of_a_number_are_one_address() {
        let of = |phone: &str| addresses(&Sent { phone: phone.to_owned(), ..Sent::default() });
        assert_eq!(of("0533 999 99 99"), of("+90 (533) 9999999"));
        assert!(of("12").is_empty());
    }
}
