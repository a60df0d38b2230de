//! Confirmations by the registry (ViA): what stops them, and whether the credit runs out.

use kopru_domain::{Lang, Text};

use super::{Finding as Told, chain};
use crate::bootstrap::App;
use crate::service::ServiceError;
use crate::service::consents::explain;
use crate::service::via::{self, Finding};

const CHECK: &str = "via";

/// Nothing where no brand uses it or all is well.
pub(super) async fn examine(app: &App) -> Vec<Told> {
    match via::findings(app).await {
        Ok(findings) => findings.iter().map(judge).collect(),
        Err(ServiceError::Store(error)) => {
            let text = chain(&error);
            vec![Told::fail(CHECK, Text::new(text.clone(), text))]
        }
        Err(_) => Vec::new(),
    }
}

fn judge(finding: &Finding) -> Told {
    match finding {
        Finding::Stopped { provider, brand, code } => {
            let [whose_tr, whose_en] = match brand {
                0 => [
                    format!("{provider} sağlayıcısının markaları"),
                    format!("the brands of provider {provider}"),
                ],
                brand => [format!("{brand} markası"), format!("brand {brand}")],
            };
            let [tr, en] =
                [Lang::Tr, Lang::En].map(|lang| explain(code, lang).map_or("", |known| known.title));
            let text = Text::new(
                format!("İYS {whose_tr} için ViA doğrulaması başlatmıyor ({code})"),
                format!("the registry starts no ViA confirmations for {whose_en} ({code})"),
            );
            Told::warn(CHECK, text).advise(tr, en)
        }
        Finding::Low { provider, credit } => {
            let text = Text::new(
                format!("{provider} sağlayıcısının {credit} ViA kontörü kaldı"),
                format!("provider {provider} has {credit} ViA credits left"),
            );
            Told::warn(CHECK, text).advise(
                "hizmet sağlayıcı İYS'den kontör almalı",
                "the provider should buy more from the registry",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    #[test]
    fn what_stops_it_is_told_with_who_must_act() {
        let told = judge(&Finding::Stopped { provider: 1, brand: 0, code: "H1015".to_owned() });
        assert!(
            told.status == Status::Warn && told.text.en.contains("provider 1 (H1015)"),
            "{}",
            told.text.en
        );
        assert!(told.advice.unwrap().en.contains("credit"));
        let told = judge(&Finding::Low { provider: 1, credit: 7 });
        assert!(told.text.en.contains("7 ViA credits"), "{}", told.text.en);
    }
}
