//! Daily reconciliation: days that differ, that were refused, or that nobody could read.

use kopru_domain::Text;
use kopru_store::daily_reports::{DailyProblem, DailyState};

use super::{Finding, chain};
use crate::bootstrap::App;
use crate::service::daily::{self, Standing};

const CHECK: &str = "daily";

/// How the days of the last week stand.
pub(super) async fn examine(app: &App) -> Vec<Finding> {
    match daily::standings(app).await {
        Ok(standings) => findings(&standings),
        Err(error) => {
            let text = chain(&error);
            vec![Finding::fail(CHECK, Text::new(text.clone(), text))]
        }
    }
}

fn findings(standings: &[Standing]) -> Vec<Finding> {
    let count = |wanted: &dyn Fn(&Standing) -> bool| -> i64 {
        standings.iter().filter(|day| wanted(day)).map(|day| day.days).sum()
    };
    let mut findings = Vec::new();
    let mismatches = count(&|day| day.problem == Some(DailyProblem::HashMismatch));
    if mismatches > 0 {
        let text = Text::new(
            format!("{mismatches} günün dosyası İYS'nin bildirdiği özete uymuyor"),
            format!("{mismatches} days have a file without the hash that the registry names"),
        );
        findings.push(Finding::fail(CHECK, text).advise(
            "İYS'ye bildirin; `kopru reconcile --brand … --date … --again` yeniden okutur",
            "tell the registry; `kopru reconcile --brand … --date … --again` has it read again",
        ));
    }
    let lapsed = count(&|day| day.state == DailyState::Lapsed);
    if lapsed > 0 {
        let text = Text::new(
            format!("{lapsed} gün karşılaştırılamadan geçti"),
            format!("{lapsed} days passed without being compared"),
        );
        findings.push(Finding::warn(CHECK, text).advise(
            "çalışanların (worker) sürekli açık olduğunu denetleyin",
            "see that the workers run all the time",
        ));
    }
    let refused = count(&|day| day.state == DailyState::NotPermitted);
    if refused > 0 {
        let text = Text::new(
            format!("{refused} günde hesabın mutabakat yetkisi yok"),
            format!("on {refused} days the account may not read the daily reports"),
        );
        findings.push(Finding::warn(CHECK, text).advise(
            "hizmet sağlayıcı İYS panelinde \"Mutabakat Yönetimi\" yetkisini vermelidir",
            "the provider grants \"Mutabakat Yönetimi\" in the registry's panel",
        ));
    }
    let unrepaired: i64 = standings.iter().map(|day| day.unrepaired).sum();
    if unrepaired > 0 {
        let text = Text::new(
            format!("{unrepaired} günde onarılmamış fark var"),
            format!("{unrepaired} days have differences that nothing was done about"),
        );
        findings.push(Finding::warn(CHECK, text).advise(
            "`kopru reconcile --brand …` gösterir, --apply onarır",
            "`kopru reconcile --brand …` shows them, --apply repairs them",
        ));
    }
    if findings.is_empty() {
        let done = count(&|day| day.state == DailyState::Done);
        let text = Text::new(
            format!("son haftada {done} gün karşılaştırıldı, sorun yok"),
            format!("{done} days of the last week compared, nothing wrong"),
        );
        findings.push(Finding::ok(CHECK, text));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    fn standing(state: DailyState, problem: Option<DailyProblem>, unrepaired: i64) -> Standing {
        Standing { state, problem, days: 2, unrepaired }
    }

    #[test]
    fn what_is_wrong_is_told_with_what_to_do() {
        assert_eq!(findings(&[])[0].status, Status::Ok);
        assert_eq!(findings(&[standing(DailyState::Done, None, 0)])[0].status, Status::Ok);
        let wrong = findings(&[
            standing(DailyState::Due, Some(DailyProblem::HashMismatch), 0),
            standing(DailyState::Done, None, 1),
            standing(DailyState::NotPermitted, None, 0),
            standing(DailyState::Lapsed, None, 0),
        ]);
        assert_eq!(wrong.len(), 4);
        assert!(wrong.iter().all(|finding| finding.advice.is_some()));
        assert_eq!(wrong[0].status, Status::Fail);
    }
}
