//! What each metric tells, for the HELP lines. A metric is made where it is counted; a test finds those that are missing here.

const COUNTERS: [(&str, &str); 42] = [
    ("calls_undecided_total", "Calls that ended without a decision, by reason"),
    ("claims_failed_total", "Claims of submissions that failed and are tried again"),
    ("daily_agreements_total", "Days that were agreed to at the registry"),
    ("daily_differences_total", "Differences between a day's file and what was filed from here, by kind"),
    (
        "daily_hash_mismatches_total",
        "Daily files whose content does not fit the hash that the registry names",
    ),
    ("daily_repairs_total", "Differences of daily files that were repaired"),
    ("daily_reports_total", "Daily files compared, by outcome"),
    ("daily_stamps_unfit_total", "Time stamps that do not belong to their daily file"),
    ("form_posts_total", "Posts of the public forms, by outcome"),
    ("http_refused_total", "Requests without a usable key, by reason"),
    ("http_requests_total", "Requests to the API, by method, route and status"),
    ("inbound_messages_total", "Messages of citizens, by vendor and what they did"),
    ("inbound_polled_total", "Messages found in inboxes of vendors that are asked, by vendor"),
    ("inbound_posts_total", "Posts of SMS vendors, by vendor and outcome"),
    ("messages_reported_total", "Delivery reports of vendors, by vendor, purpose and outcome"),
    ("messages_total", "SMS and e-mails that were sent or given up, by channel, purpose and outcome"),
    ("mirror_gaps_total", "Gaps in reading the registry's changes that the feed cannot fill"),
    ("notices_late_total", "Notices that were not sent on their day"),
    ("opt_in_attempts_total", "Answers to double opt-ins, by outcome"),
    ("opt_ins_refused_total", "Confirmed opt-ins whose consent the rules refused"),
    ("pulls_silent_total", "Brands that were found unread for three days"),
    (
        "push_connections_lost_total",
        "Push connections that the registry had dropped and that were registered anew",
    ),
    ("push_missed_total", "Movements that the registry's feed tells and its push did not"),
    ("push_movements_total", "Movements pushed by the registry, by outcome"),
    ("pushes_received_total", "Pushes of the registry, by outcome"),
    ("registry_held_back_total", "Requests not made because they were likely to fail, by what they were for"),
    ("registry_movements_total", "Movements read from the registry, by feed"),
    ("registry_movements_unreadable_total", "Movements of the registry's feed that could not be read"),
    ("registry_requests_total", "Requests to the registry that file consents, by operation and outcome"),
    ("registry_silences_total", "Times that the registry was left alone because it did not answer"),
    ("registry_throttled_total", "Requests that the registry refused for its limits, by operation"),
    ("registry_turned_away_total", "Requests that found no place in the budget in time, by class"),
    ("submissions_redriven_total", "Submissions that were filed once more"),
    ("sweeps_total", "Brands whose addresses were all asked for anew after a gap"),
    ("via_evidence_stored_total", "Evidence files of the registry's own opt-ins that were kept"),
    ("via_held_total", "Opt-ins through the registry that were held, by code"),
    ("via_processes_total", "Opt-ins through the registry that ended, by state"),
    (
        "via_starts_unknown_total",
        "Opt-ins through the registry of which it is unknown whether they were started",
    ),
    ("webhook_attempts_total", "Webhook calls, by outcome"),
    ("webhook_endpoints_disabled_total", "Webhook endpoints that were disabled, by reason"),
    ("work_failed_total", "Pieces of work that failed, by kind"),
    ("worker_restarts_total", "Workers that ended and were started again"),
];

const GAUGES: [(&str, &str); 30] = [
    ("batches_open", "Batches at the registry without a final result, by state"),
    ("brands_silent", "Brands without a successful pull for three days"),
    ("daily_reports_recent", "Daily files of the last days, by state"),
    ("daily_reports_unrepaired", "Differences of daily files that are not repaired"),
    ("deliveries_open", "Webhook deliveries that wait"),
    ("inbound_waiting", "Messages of citizens that wait, by what for"),
    ("messages_failing", "SMS and e-mails whose last attempt failed and that are tried again"),
    ("messages_open", "SMS and e-mails that wait to be sent"),
    ("mirror_age_seconds", "Age of the oldest mirror of the registry, of all brands and of those in use"),
    ("pushes_open", "Pushes of the registry that wait, by state"),
    ("pushes_open_age_seconds", "Age of the oldest push of the registry that waits, by state"),
    ("registry_accounts_refused", "Accounts in use whose password the registry refused"),
    ("registry_brands_held_back", "Brands whose filings wait because they are likely to fail"),
    ("registry_holding_back", "1 while the share of success at the registry is too low, else 0"),
    ("registry_holds", "Brands and channels that may not be filed, by cause"),
    ("registry_pace_ratio", "Share of the configured pace that failures of the registry have left"),
    ("registry_requests_24h", "Requests to the registry in the last 24 hours"),
    ("registry_requests_failed_24h", "Requests to the registry that failed in the last 24 hours"),
    ("registry_silent", "1 while the registry is left alone because it does not answer, else 0"),
    ("registry_success_ratio", "Share of requests to the registry that succeeded in the last 24 hours"),
    ("submission_deadline_slack_seconds", "Least time left to any target; negative once one is missed"),
    ("submissions_at_risk", "1 while not every target can be met at the present budget, else 0"),
    ("submissions_forecast_empty_seconds", "Time until the queue is empty at the present budget"),
    ("submissions_forecast_late", "Queued submissions that would miss their target at the present budget"),
    ("submissions_forecast_requests", "Requests that the queue needs"),
    ("submissions_open", "Submissions without a final state, by state"),
    ("sweeps_open", "Brands whose addresses are being asked for anew"),
    ("via_credit_lowest", "Least credit for opt-ins through the registry of any provider"),
    ("via_holds", "Brands whose opt-ins through the registry are held"),
    ("via_processes_open", "Opt-ins through the registry that have not ended, by state"),
];

const HISTOGRAMS: [(&str, &str); 2] = [
    ("http_request_duration_seconds", "Time to answer requests to the API, by method and route"),
    ("push_lag_seconds", "Time from a movement at the registry to its push"),
];

/// Alarms without labels: there from the start, so that the first one is seen to rise.
const FROM_ZERO: [&str; 5] = [
    "claims_failed_total",
    "daily_hash_mismatches_total",
    "notices_late_total",
    "push_missed_total",
    "via_starts_unknown_total",
];

/// Tells the recorder that is installed.
pub(super) fn describe() {
    for name in FROM_ZERO {
        metrics::counter!(name).increment(0);
    }
    for (name, help) in COUNTERS {
        metrics::describe_counter!(name, help);
    }
    for (name, help) in GAUGES {
        metrics::describe_gauge!(name, help);
    }
    for (name, help) in HISTOGRAMS {
        metrics::describe_histogram!(name, help);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// The names that follow a macro in the sources of a folder.
    fn made(folder: &Path, macro_name: &str, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                made(&path, macro_name, names);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let start = format!("metrics::{macro_name}!(");
                let calls = text.split(&start).skip(1);
                let quoted = calls.filter_map(|call| call.trim_start().strip_prefix('"')?.split('"').next());
                names.extend(quoted.filter(|name| *name != "things_total").map(str::to_owned));
            }
        }
    }

    /// No metric had a HELP line.
    #[test]
    fn every_metric_is_described_and_no_other() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        for (macro_name, table) in
            [("counter", &COUNTERS[..]), ("gauge", &GAUGES), ("histogram", &HISTOGRAMS)]
        {
            let mut names = BTreeSet::new();
            made(&source, macro_name, &mut names);
            let described: BTreeSet<String> = table.iter().map(|(name, _)| (*name).to_owned()).collect();
            assert_eq!(names, described, "{macro_name}");
            assert_eq!(described.len(), table.len(), "one is described twice");
        }
    }
}
