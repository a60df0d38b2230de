//! What the registry lets us file: whether it was ever asked, and what it refuses. Looks at what is kept here and asks nobody.

use kopru_domain::{BrandCode, IysCode, Lang, Text};
use kopru_store::StoreError;

use super::{Finding, chain};
use crate::bootstrap::App;
use crate::service::brands::{self, Brand};
use crate::service::providers;
use crate::service::{Caller, ServiceError, ServiceResult};

/// As many brands are named.
const NAMED: usize = 5;

pub(super) async fn examine(app: &App) -> Vec<Finding> {
    match all(app).await {
        Ok(brands) => judge(&brands),
        Err(ServiceError::Store(error)) => vec![unreadable(&error)],
        Err(_) => Vec::new(),
    }
}

fn unreadable(error: &StoreError) -> Finding {
    let text = chain(error);
    Finding::fail("rights", Text::new(text.clone(), text))
}

/// Every brand that takes consents in.
async fn all(app: &App) -> ServiceResult<Vec<Brand>> {
    let caller = Caller::system("doctor");
    let mut found = Vec::new();
    let mut after = IysCode(0);
    loop {
        let page = providers::list(app, &caller, after).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after = IysCode(last.iys_code);
        for provider in page.iter().filter(|provider| provider.active) {
            let brands = brands::list(app, &caller, Some(IysCode(provider.iys_code)), BrandCode(0)).await?;
            found.extend(brands.into_iter().filter(|brand| brand.active));
        }
    }
}

fn judge(brands: &[Brand]) -> Vec<Finding> {
    let unknown: Vec<String> = brands
        .iter()
        .filter(|brand| brand.standing.rights.is_none())
        .map(|brand| brand.brand_code.to_string())
        .collect();
    let held: Vec<String> = brands
        .iter()
        .flat_map(|brand| {
            let hold = |hold: &crate::service::standing::HoldView| {
                format!("{} {} ({})", brand.brand_code, hold.channel, hold.code)
            };
            brand.standing.held.iter().map(hold)
        })
        .collect();
    let mut findings = Vec::new();
    if !unknown.is_empty() {
        let text = Text::new(
            format!(
                "{} markanın yetkileri İYS'ye hiç sorulmadı: {}",
                unknown.len(),
                named(&unknown, Lang::Tr)
            ),
            format!(
                "the rights of {} brands were never asked for: {}",
                unknown.len(),
                named(&unknown, Lang::En)
            ),
        );
        findings.push(
            Finding::warn("rights", text)
                .advise("`kopru provider sync` çalıştırın", "run `kopru provider sync`"),
        );
    }
    if !held.is_empty() {
        let text = Text::new(
            format!("alınıp bildirilemeyen izinler: {}", named(&held, Lang::Tr)),
            format!("taken in but not to be filed: {}", named(&held, Lang::En)),
        );
        findings.push(Finding::warn("rights", text).advise(
            "`kopru brand show` nedeni ve yapılacağı gösterir",
            "`kopru brand show` tells why and what to do",
        ));
    }
    if findings.is_empty() && !brands.is_empty() {
        let count = brands.len();
        let text = Text::new(
            format!("{count} marka için her tür bildirilebilir"),
            format!("every channel of {count} brands can be filed"),
        );
        findings.push(Finding::ok("rights", text));
    }
    findings
}

/// The first few, and how many more there are.
fn named(all: &[String], lang: Lang) -> String {
    let first = all.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match (all.len().saturating_sub(NAMED), lang) {
        (0, _) => first,
        (more, Lang::Tr) => format!("{first} ve {more} tane daha"),
        (more, Lang::En) => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut() {
        let all: Vec<String> = (1..=7).map(|n| n.to_string()).collect();
        assert_eq!(named(&all, Lang::En), "1, 2, 3, 4, 5 and 2 more");
        assert_eq!(named(&all[..2], Lang::Tr), "1, 2");
        assert!(judge(&[]).is_empty());
    }
}
