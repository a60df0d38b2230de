//! Which retailers may use which consents (registry-protocol section 4.15). The registry takes 100 addresses and 100 retailers a
//! call; longer lists are split here, and each call stands for itself.

use iys::wire::{
    Retailer as ToldRetailer, RetailerAccessChange, RetailerAccessRemoval, RetailerAccessRequest,
    StatusRequest,
};
use iys::{Account, BrandCodes, IysError, MAX_PAGE, MAX_RETAILER_ACCESS};
use kopru_domain::{Channel, Recipient, RecipientType, RetailerCode, Text};
use kopru_store::brands::BrandRow;

use super::refusal::refused;
use super::{Retailer, asked};
use crate::bootstrap::App;
use crate::registry::codes as place;
use crate::service::consents::{Showing, note_shown};
use crate::service::filing::counted;
use crate::service::permissions::account;
use crate::service::{Caller, FieldProblem, Scope, ServiceError, ServiceResult, providers};

/// Calls of one request at most: each takes its place in the registry's budget of some calls a second.
pub const MOST_CALLS: usize = 100;
/// The registry's limit of retailers of a brand (registry-protocol section 4.14).
const MOST_RETAILERS: usize = 3_000;

/// What to do with the access to consents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// These retailers may, besides those who may already.
    Grant,
    /// These may and nobody else, not even the one who took the consent.
    Replace,
    /// These may not any more; without any, nobody may.
    Revoke,
}

/// Consents by address, and retailers.
#[derive(Debug, Clone)]
pub struct Access {
    /// Addresses, as people write them.
    pub recipients: Vec<String>,
    /// In which capacity they were recorded.
    pub recipient_type: RecipientType,
    /// The channel.
    pub channel: Channel,
    /// The retailers.
    pub retailers: Vec<i64>,
}

/// What became of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessReport {
    /// Addresses for which the registry took the whole change.
    pub done: usize,
    /// What it refused, by place in the list sent.
    pub refused: Vec<FieldProblem>,
}

/// Lets retailers use consents, or not any more. The registry carries a replacement or revocation out a little later. Doing it
/// twice changes nothing.
pub async fn change(
    app: &App,
    caller: &Caller,
    brand: &BrandRow,
    change: Change,
    access: Access,
) -> ServiceResult<AccessReport> {
    caller.require(Scope::ConsentsWrite)?;
    let (recipients, retailers) = checked(change, &access)?;
    let asking = Asking {
        account: account(app, brand.iys_code).await?,
        place: place(brand.iys_code, brand.brand_code),
        recipient_type: access.recipient_type.as_str().to_owned(),
        channel: access.channel.as_str().to_owned(),
    };
    let (word, report) = match change {
        Change::Grant => ("granted", asked(asking.grant(&recipients, &retailers)).await?),
        Change::Replace => ("replaced", asked(asking.replace(&recipients, &retailers)).await?),
        Change::Revoke => ("revoked", asked(asking.revoke(&recipients, &retailers)).await?),
    };
    let mut tx = app.db.begin(kopru_store::Priority::Interactive).await?;
    let subject = format!("{} consents of brand {}", report.done, brand.brand_code);
    providers::note(&mut tx, app, caller, brand.iys_code, &format!("retailer_access.{word}"), &subject)
        .await?;
    tx.commit().await?;
    if report.done == 0 && !report.refused.is_empty() {
        return Err(ServiceError::Invalid(report.refused));
    }
    Ok(report)
}

/// The retailers that may use one consent, as the registry has them now.
pub async fn of_consent(
    app: &App,
    caller: &Caller,
    brand: &BrandRow,
    recipient: &str,
    recipient_type: RecipientType,
    channel: Channel,
) -> ServiceResult<Vec<Retailer>> {
    caller.require(Scope::ConsentsRead)?;
    let recipient =
        parse(recipient, channel, None).map_err(|problem| ServiceError::Invalid(vec![problem]))?;
    let account = account(app, brand.iys_code).await?;
    let question = StatusRequest {
        recipient,
        recipient_type: recipient_type.as_str().to_owned(),
        r#type: channel.as_str().to_owned(),
    };
    let mut found: Vec<ToldRetailer> = Vec::new();
    loop {
        let offset = u32::try_from(found.len()).unwrap_or(u32::MAX);
        let place = place(brand.iys_code, brand.brand_code);
        let answer = asked(account.retailer_access(place, &question, offset, MAX_PAGE)).await;
        let page = counted("retailer_access", answer).map_err(|error| refused(error, 0))?;
        let done = page.list.is_empty();
        found.extend(page.list);
        if done || found.len() as i64 >= page.pagination.total_count {
            break;
        }
    }
    let showing = Showing::to(caller);
    if showing == Showing::Full && !found.is_empty() {
        let subject = format!("{} retailers of brand {}", found.len(), brand.brand_code);
        note_shown(app, caller, brand.iys_code, "retailer.shown", &subject).await?;
    }
    let view = |told: ToldRetailer| Some(Retailer::new(RetailerCode(told.retailer_code?), told, showing));
    Ok(found.into_iter().filter_map(view).collect())
}

/// The canonical addresses and the retailers, each once and in their order.
fn checked(change: Change, access: &Access) -> ServiceResult<(Vec<String>, Vec<i64>)> {
    let mut problems = Vec::new();
    let mut recipients = Vec::with_capacity(access.recipients.len());
    for (index, raw) in access.recipients.iter().enumerate() {
        match parse(raw, access.channel, Some(index)) {
            Ok(recipient) => recipients.push(recipient),
            Err(problem) => problems.push(problem),
        }
    }
    let mut field = |index: Option<usize>, field: &str, code: &str, title: Text| {
        problems.push(FieldProblem { index, field: field.to_owned(), code: code.to_owned(), title });
    };
    if access.recipients.is_empty() {
        field(
            None,
            "recipients",
            "H164",
            Text::fixed("en az bir adres gerekir", "at least one address is needed"),
        );
    }
    if access.retailers.is_empty() && change != Change::Revoke {
        field(
            None,
            "retailers",
            "H163",
            Text::fixed("en az bir bayi gerekir", "at least one retailer is needed"),
        );
    }
    if access.retailers.len() > MOST_RETAILERS {
        let title = Text::fixed("bir markanın en çok 3000 bayisi olur", "a brand has at most 3000 retailers");
        field(None, "retailers", "H126", title);
    }
    let retailers = once(&access.retailers);
    let calls = calls(change, recipients.len(), retailers.len());
    if calls > MOST_CALLS {
        let title = Text::new(
            format!("İYS'ye {calls} çağrı gerekir, bir istekte en çok {MOST_CALLS} yapılır; listeyi bölün"),
            format!(
                "this takes {calls} calls to the registry and one request makes {MOST_CALLS}; split the list"
            ),
        );
        field(None, "recipients", "too_many", title);
    }
    if problems.is_empty() { Ok((recipients, retailers)) } else { Err(ServiceError::Invalid(problems)) }
}

/// How many calls a change takes.
fn calls(change: Change, recipients: usize, retailers: usize) -> usize {
    let (lists, parts) = (recipients.div_ceil(MAX_RETAILER_ACCESS), retailers.div_ceil(MAX_RETAILER_ACCESS));
    match change {
        Change::Grant => recipients * parts,
        Change::Replace => lists + recipients * parts.saturating_sub(1),
        Change::Revoke => lists * parts.max(1),
    }
}

/// Each once: the registry refuses repetitions (H193).
fn once<T: Clone + Eq + std::hash::Hash>(list: &[T]) -> Vec<T> {
    let mut seen = std::collections::HashSet::new();
    list.iter().filter(|entry| seen.insert((*entry).clone())).cloned().collect()
}

fn parse(raw: &str, channel: Channel, index: Option<usize>) -> Result<String, FieldProblem> {
    let field = if index.is_some() { "recipients" } else { "recipient" };
    Recipient::parse(raw, channel).map(|recipient| recipient.as_str().to_owned()).map_err(|error| {
        FieldProblem { index, field: field.to_owned(), code: error.h_code().to_owned(), title: error.text() }
    })
}

/// A change under way.
struct Asking {
    account: Account,
    place: BrandCodes,
    recipient_type: String,
    channel: String,
}

impl Asking {
    async fn grant(&self, recipients: &[String], retailers: &[i64]) -> ServiceResult<AccessReport> {
        let mut report = AccessReport::default();
        for (index, recipient) in recipients.iter().enumerate() {
            self.grant_one(index, recipient, retailers, 0, &mut report).await?;
        }
        Ok(report)
    }

    /// One consent; `shift` is how many retailers of the list it has been given already.
    async fn grant_one(
        &self,
        index: usize,
        recipient: &str,
        retailers: &[i64],
        shift: usize,
        report: &mut AccessReport,
    ) -> ServiceResult<()> {
        for (number, part) in retailers.chunks(MAX_RETAILER_ACCESS).enumerate() {
            let request = RetailerAccessRequest {
                recipient: recipient.to_owned(),
                recipient_type: self.recipient_type.clone(),
                r#type: self.channel.clone(),
                retailer_access: part.to_vec(),
            };
            let answer = self.account.add_retailer_access(self.place, &request).await;
            if let Err(error) = counted("add_retailer_access", answer) {
                let shift = shift + number * MAX_RETAILER_ACCESS;
                return keep(report, refused(error, shift), Some(index));
            }
        }
        report.done += 1;
        Ok(())
    }

    /// The first hundred replace what is there, the others join them.
    async fn replace(&self, recipients: &[String], retailers: &[i64]) -> ServiceResult<AccessReport> {
        let mut report = AccessReport::default();
        let (first, rest) = retailers.split_at(retailers.len().min(MAX_RETAILER_ACCESS));
        for (number, part) in recipients.chunks(MAX_RETAILER_ACCESS).enumerate() {
            let request = self.several(part, first);
            let answer = self.account.set_retailer_access(self.place, &request).await;
            if !Self::taken("set_retailer_access", answer, 0, &mut report)? {
                continue;
            }
            if rest.is_empty() {
                report.done += part.len();
                continue;
            }
            for (index, recipient) in part.iter().enumerate() {
                let index = number * MAX_RETAILER_ACCESS + index;
                self.grant_one(index, recipient, rest, first.len(), &mut report).await?;
            }
        }
        Ok(report)
    }

    async fn revoke(&self, recipients: &[String], retailers: &[i64]) -> ServiceResult<AccessReport> {
        let mut report = AccessReport::default();
        for part in recipients.chunks(MAX_RETAILER_ACCESS) {
            let mut taken = true;
            if retailers.is_empty() {
                let request = RetailerAccessRemoval {
                    recipients: part.to_vec(),
                    recipient_type: self.recipient_type.clone(),
                    r#type: self.channel.clone(),
                };
                let answer = self.account.clear_retailer_access(self.place, &request).await;
                taken = Self::taken("clear_retailer_access", answer, 0, &mut report)?;
            }
            for (number, some) in retailers.chunks(MAX_RETAILER_ACCESS).enumerate() {
                let request = self.several(part, some);
                let answer = self.account.remove_retailer_access(self.place, &request).await;
                let shift = number * MAX_RETAILER_ACCESS;
                taken &= Self::taken("remove_retailer_access", answer, shift, &mut report)?;
            }
            report.done += if taken { part.len() } else { 0 };
        }
        Ok(report)
    }

    fn several(&self, recipients: &[String], retailers: &[i64]) -> RetailerAccessChange {
        RetailerAccessChange {
            recipients: recipients.to_vec(),
            recipient_type: self.recipient_type.clone(),
            r#type: self.channel.clone(),
            retailer_access: retailers.to_vec(),
        }
    }

    fn taken(
        operation: &'static str,
        answer: Result<(), IysError>,
        shift: usize,
        report: &mut AccessReport,
    ) -> ServiceResult<bool> {
        match counted(operation, answer) {
            Ok(()) => Ok(true),
            Err(error) => keep(report, refused(error, shift), None).map(|()| false),
        }
    }
}

/// Keeps what the registry refused, each once, and goes on; what it did not say ends the request. `index` is the place of the
/// one address that the call was about.
fn keep(report: &mut AccessReport, error: ServiceError, index: Option<usize>) -> ServiceResult<()> {
    let ServiceError::Invalid(problems) = error else { return Err(error) };
    for mut problem in problems {
        if problem.field == "recipients" {
            problem.index = problem.index.or(index);
        }
        if !report.refused.contains(&problem) {
            report.refused.push(problem);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_split_and_counted() {
        assert_eq!(calls(Change::Grant, 3, 250), 9);
        assert_eq!(calls(Change::Replace, 250, 100), 3);
        assert_eq!(calls(Change::Replace, 10, 101), 11);
        assert_eq!(calls(Change::Revoke, 250, 0), 3);
        assert_eq!(calls(Change::Revoke, 250, 101), 6);
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let access = Access {
            recipients: vec!["0532 123 45 67".to_owned(), "0212 123 45 67".to_owned()],
            recipient_type: RecipientType::Individual,
            channel: Channel::Message,
            retailers: Vec::new(),
        };
        let Err(ServiceError::Invalid(problems)) = checked(Change::Grant, &access) else { panic!("taken") };
        let told: Vec<_> =
            problems.iter().map(|it| (it.field.as_str(), it.index, it.code.as_str())).collect();
        assert_eq!(told, [("recipients", Some(1), "H121"), ("retailers", None, "H163")]);
        let many =
            Access { recipients: vec!["0532 123 45 67".to_owned(); 101], retailers: vec![1, 1], ..access };
        assert!(
            matches!(checked(Change::Grant, &many), Err(ServiceError::Invalid(problems)) if problems[0].code == "too_many")
        );
        assert_eq!(checked(Change::Revoke, &many).unwrap().1, [1], "each once");
    }
}
