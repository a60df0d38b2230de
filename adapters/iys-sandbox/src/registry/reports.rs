//! Reports on the days that are over: counts (protocol 4.16), the hash that provider and registry agree on
//! and its time stamp (4.17), and the file behind it (4.18).

use serde_json::{Value, json};
use sha2::{Digest, Sha384};

use super::Desk;
use super::access::Access;
use super::add;
use super::answer::{Answer, Content, Download, Outcome, Stop};
use super::operation::Call;
use super::{batch, movement_file};
use crate::error::Result;
use crate::rules::report::{REPORT, ReportCase};
use crate::rules::shape::Wanted;
use crate::store::reports::{self, Day, Report};
use crate::tsa::Authority;
use crate::wire_time;
use crate::words::{Channel, RecipientType};

const DAY: i64 = 24 * 60 * 60;
/// How far back reports reach (protocol 4.16).
const REPORTED_DAYS: i64 = 7;

/// The day of the path, once caller, path and body have passed the rules.
fn asked_day(desk: &Desk<'_>, call: &Call, access: &Access, body: Option<&Value>) -> Result<Day, Stop> {
    access.permit_reports(desk)?;
    let case = ReportCase {
        day: call.variable("reportDate"),
        today: wire_time::local(desk.now()).date(),
        recipient_type: call.path.get("recipientType").map(String::as_str),
        body,
    };
    desk.settings.all(REPORT, |check| check(&case))?;
    let Some(day) = case.day() else { return Err(add::impossible()) };
    let start = wire_time::day_start(day);
    Ok(Day { brand_code: access.brand_code, start, end: start + DAY })
}

/// How many movements there were, by channel and by who made them. All channels and both sides are told,
/// also where nothing was.
pub(crate) fn summary(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let day = asked_day(desk, call, access, None)?;
    let Some(recipient_type) = RecipientType::parse(call.variable("recipientType")) else {
        return Err(add::impossible());
    };
    let tallies = reports::tally(desk.db, day, recipient_type)?;
    let waiting = batch::waiting_keys(desk, day.brand_code, day.start, day.end)?;
    let count = |channel: Channel, side: &str| {
        let tally = tallies.iter().find(|tally| tally.channel == channel && tally.side == side);
        let (approval, rejection, movements) =
            tally.map_or((0, 0, 0), |tally| (tally.approvals, tally.rejections, tally.movements));
        let waits =
            waiting.iter().filter(|key| key.channel == channel && key.recipient_type == recipient_type);
        let pending = if side == "HS" { waits.count() as i64 } else { 0 };
        json!({
            "source": side,
            "approval": approval,
            "rejection": rejection,
            "pending": pending,
            "total": movements + pending,
        })
    };
    let stats: Vec<Value> = [Channel::Call, Channel::Message, Channel::Email]
        .into_iter()
        .map(|channel| {
            json!({
                "type": channel.as_str(),
                "consents": [count(channel, "HS"), count(channel, "IYS")],
            })
        })
        .collect();
    Ok(Answer::Json(200, json!({ "changeStats": stats })))
}

/// How far a day's report has come.
#[derive(Debug)]
pub(crate) enum Progress {
    /// There was no movement.
    Nothing,
    /// It comes in the early morning (protocol 11, U31).
    Awaited,
    Done(Report),
}

/// The report of a day that is over. It is made when it is asked for first.
pub(crate) fn progress(desk: &Desk<'_>, day: Day) -> Result<Progress> {
    if !reports::has_movements(desk.db, day)? {
        return Ok(Progress::Nothing);
    }
    let ready_at = day.end.saturating_add(desk.settings.settings.report_delay_seconds.max(0));
    if desk.now() < ready_at {
        return Ok(Progress::Awaited);
    }
    if let Some(report) = reports::find(desk.db, day)? {
        return Ok(Progress::Done(report));
    }
    let mut hash = Sha384::new();
    let mut after = None;
    while let Some((text, last)) = movement_file::part(desk.db, day, after)? {
        hash.update(text);
        after = Some(last);
    }
    let hash = hash.finalize().to_vec();
    let time_stamp = Authority::open(desk.db)?.stamp(&hash, ready_at)?;
    let report = Report { hash, time_stamp, agreed: false };
    reports::put(desk.db, day, &report)?;
    Ok(Progress::Done(report))
}

/// The hash of a day's movement file.
pub(crate) fn agreement(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let day = asked_day(desk, call, access, None)?;
    Ok(match progress(desk, day)? {
        Progress::Nothing => Answer::Empty(204),
        Progress::Awaited => Answer::Json(
            200,
            json!({ "processStatus": "inprogress", "hashMethod": "SHA-384", "agreementStatus": false }),
        ),
        Progress::Done(report) => Answer::Json(
            200,
            json!({
                "processStatus": "completed",
                "hashValue": hex::encode(report.hash),
                "hashMethod": "SHA-384",
                "agreementStatus": report.agreed,
            }),
        ),
    })
}

/// The provider agrees. The document has 204 for a day without movements; one whose report is still
/// awaited is answered alike (assumption).
pub(crate) fn agree(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let body = call.json(desk, Wanted::Object)?;
    let day = asked_day(desk, call, access, Some(&body))?;
    if agree_on(desk, day)? {
        Ok(Answer::Json(200, json!({ "agreementCaptured": true })))
    } else {
        Ok(Answer::Empty(204))
    }
}

/// Notes that the provider agrees; whether there was a report to agree on.
pub(crate) fn agree_on(desk: &Desk<'_>, day: Day) -> Result<bool> {
    let Progress::Done(report) = progress(desk, day)? else { return Ok(false) };
    reports::put(desk.db, day, &Report { agreed: true, ..report })?;
    Ok(true)
}

/// The days of a brand that reports are about, the latest first.
pub(crate) fn reported_days(desk: &Desk<'_>, brand_code: i64) -> impl Iterator<Item = Day> {
    let today = wire_time::day_start(wire_time::local(desk.now()).date());
    (1..=REPORTED_DAYS).map(move |back| {
        let start = today - back * DAY;
        Day { brand_code, start, end: start + DAY }
    })
}

/// The time stamp of a day's movement file. Where there is no file there is none: 204, as for the file
/// (assumption).
pub(crate) fn time_stamp(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let day = asked_day(desk, call, access, None)?;
    let Progress::Done(report) = progress(desk, day)? else { return Ok(Answer::Empty(204)) };
    Ok(Answer::File(Download {
        media_type: "text/plain",
        name: Some(file_name(day, "tsr")),
        content: Content::Bytes(report.time_stamp.into()),
    }))
}

/// A day's movement file. A partner gets all of it, whichever channels it may read: the hash that is
/// agreed on is that of the whole (assumption).
pub(crate) fn file(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let day = asked_day(desk, call, access, None)?;
    let Progress::Done(_) = progress(desk, day)? else { return Ok(Answer::Empty(204)) };
    Ok(Answer::File(Download {
        media_type: "text/csv; charset=utf-8",
        name: Some(file_name(day, "csv")),
        content: Content::Movements(day),
    }))
}

fn file_name(day: Day, extension: &str) -> String {
    format!("{}-{}.{extension}", day.brand_code, wire_time::local(day.start).date())
}
