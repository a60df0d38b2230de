//! Outgoing messages: accounts that fail, notices that were not sent, and what nobody has confirmed of the vendors in use.

use kopru_domain::Text;

use super::{Finding, chain};
use crate::bootstrap::App;
use crate::service::messages::{self, MessageChannel, Standing};

const CHECK: &str = "messages";

pub(super) async fn examine(app: &App) -> Vec<Finding> {
    let mut findings = match messages::standing(app).await {
        Ok(standing) => of_standing(&standing),
        Err(error) => {
            let text = chain(&error);
            vec![Finding::fail(CHECK, Text::new(text.clone(), text))]
        }
    };
    let real = app.config.registry.is_real();
    for channel in app.couriers.only_written().filter(|_| real).map(MessageChannel::as_str) {
        let text = Text::new(
            format!("{channel}: iletiler gönderilmiyor, dosyaya yazılıyor"),
            format!("{channel}: messages are written to a file instead of being sent"),
        );
        findings.push(Finding::warn(CHECK, text).advise(
            "sms.default ve mail.default için gerçek bir hesap tanımlayın",
            "define a real account for sms.default and mail.default",
        ));
    }
    for (vendor, note) in app.couriers.unverified() {
        let text = Text::new(
            format!("{vendor}: doğrulanmadı: {}", note.tr),
            format!("{vendor}: unverified: {}", note.en),
        );
        findings.push(Finding::warn(CHECK, text).advise(
            "hesabınızla bir deneme yapın ve sonucu bize bildirin",
            "try it with your account, and tell us how it went",
        ));
    }
    findings
}

fn of_standing(standing: &Standing) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (account, code, count) in &standing.failing {
        let account = account.as_deref().unwrap_or("-");
        let text = Text::new(
            format!("{account} hesabı: {count} ileti bekliyor, son hata {code}"),
            format!("account {account}: {count} messages wait, last error {code}"),
        );
        findings.push(Finding::warn(CHECK, text).advise(
            "`kopru message list --brand …` sağlayıcının yanıtını gösterir; parola, IP izni, kredi ve başlığı denetleyin",
            "`kopru message list --brand …` shows what the vendor said; check password, allowed IP, credit and sender",
        ));
    }
    for (brand, count) in &standing.late {
        let text = Text::new(
            format!("marka {brand}: son bir haftada {count} izin bildirimi gününde gitmedi ya da ulaşmadı"),
            format!(
                "brand {brand}: {count} notices of consents were not sent on their day, or did not arrive, in the last week"
            ),
        );
        findings.push(Finding::warn(CHECK, text).advise(
            "`kopru message list --brand …` nedenini gösterir; bildirim aynı gün verilmelidir",
            "`kopru message list --brand …` shows why; a notice is due on the same day",
        ));
    }
    if findings.is_empty() {
        let text = Text::new(
            format!("{} ileti bekliyor", standing.open),
            format!("{} messages wait", standing.open),
        );
        findings.push(Finding::ok(CHECK, text));
    }
    findings
}

#[cfg(test)]
mod tests {
    use kopru_domain::BrandCode;

    use super::super::Status;
    use super::*;

    #[test]
    fn an_account_that_fails_is_told_with_its_last_error() {
        let quiet = of_standing(&Standing { open: 3, failing: Vec::new(), late: Vec::new() });
        assert_eq!((quiet.len(), quiet[0].status), (1, Status::Ok));
        let failing = vec![(Some("main".to_owned()), "INSUFFICIENT_CREDITS".to_owned(), 7)];
        let loud = of_standing(&Standing { open: 7, failing, late: vec![(BrandCode(9), 2)] });
        assert_eq!((loud.len(), loud[0].status, loud[1].status), (2, Status::Warn, Status::Warn));
        assert!(loud[1].text.en.contains("brand 9: 2 notices"), "{:?}", loud[1]);
        assert!(loud[0].text.en.contains("main") && loud[0].text.en.contains("INSUFFICIENT_CREDITS"));
    }
}
