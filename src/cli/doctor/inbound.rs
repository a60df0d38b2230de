//! Texts of citizens that wait for a person: not understood, for a number that is no brand's, or unreadable.

use kopru_domain::Text;
use kopru_domain::time::format_rfc3339;

use super::{Finding, chain};
use crate::bootstrap::App;
use crate::service::inbound::{self, Waiting};

const CHECK: &str = "inbound";

pub(super) async fn examine(app: &App) -> Vec<Finding> {
    match inbound::waiting(app).await {
        Ok(waiting) => findings(&waiting),
        Err(error) => {
            let text = chain(&error);
            vec![Finding::fail(CHECK, Text::new(text.clone(), text))]
        }
    }
}

fn findings(waiting: &Waiting) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (brand, count, oldest) in &waiting.unknown {
        let since = format_rfc3339(*oldest);
        let text = Text::new(
            format!("marka {brand}: anlaşılamayan {count} SMS bir kişiyi bekliyor, en eskisi {since}"),
            format!(
                "brand {brand}: {count} SMS that were not understood wait for a person, the oldest since {since}"
            ),
        );
        findings.push(Finding::warn(CHECK, text).advise(
            "`kopru inbound list --brand …` gösterir, `kopru inbound reject | dismiss` karara bağlar; ret süresi işler",
            "`kopru inbound list --brand …` shows them, `kopru inbound reject | dismiss` decides; the time for a rejection runs",
        ));
    }
    for unread in &waiting.unread {
        let (vendor, count, since) = (&unread.vendor, unread.count, format_rfc3339(unread.oldest));
        let finding = if unread.unplaced {
            let text = Text::new(
                format!("{vendor}: markası olmayan numaraya {count} SMS geldi, en eskisi {since}"),
                format!("{vendor}: {count} SMS came for a number that is no brand's, the oldest {since}"),
            );
            Finding::warn(CHECK, text).advise(
                "numarayı `kopru keyword add` ile tanımlayın; kendiliğinden yeniden okunur",
                "add the number with `kopru keyword add`; they are read again by themselves",
            )
        } else {
            let text = Text::new(
                format!("{vendor}: okunamayan {count} gönderi var, en eskisi {since}"),
                format!("{vendor}: {count} pushes cannot be read, the oldest {since}"),
            );
            let (tr, en) = (
                format!("alan adlarını [sms.inbound.{vendor}] altında verin"),
                format!("name its fields under [sms.inbound.{vendor}]"),
            );
            Finding::warn(CHECK, text).advise(tr, en)
        };
        findings.push(finding);
    }
    if findings.is_empty() {
        let text = Text::fixed("kişi bekleyen gelen SMS yok", "no inbound SMS wait for a person");
        findings.push(Finding::ok(CHECK, text));
    }
    findings
}
