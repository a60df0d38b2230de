//! Evidence of what a citizen decided: a summary as PDF and its time stamp, in a ZIP file (protocol 10.5
//! and 10.8). It is made when a process ends and stays as it is.

mod summary;

use std::io::{Cursor, Write};

use chrono::{Datelike, NaiveDateTime, Timelike};
use sha2::{Digest, Sha384};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::error::{Error, Result};
use crate::registry::Desk;
use crate::store::evidence as store;
use crate::tsa::Authority;
use crate::wire_time;

/// The summary's name in the pack, which only the second-factor service documents.
const SUMMARY: &str = "report.pdf";
/// The time stamp's name in the pack.
const TIME_STAMP: &str = "result.tsr";

/// Makes and keeps the evidence of a process: a heading, and lines of label and value.
pub(crate) fn keep(desk: &Desk<'_>, request_id: &str, heading: &str, lines: &[(&str, String)]) -> Result<()> {
    let summary = summary::write(heading, lines);
    let time_stamp = Authority::open(desk.db)?.stamp(&Sha384::digest(&summary), desk.now())?;
    let pack = pack(&[(SUMMARY, &summary), (TIME_STAMP, &time_stamp)], wire_time::local(desk.now()))?;
    store::put(desk.db, request_id, &pack)
}

/// A ZIP file of these files.
fn pack(files: &[(&str, &[u8])], made_at: NaiveDateTime) -> Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip_time(made_at));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, options)?;
        zip.write_all(content)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// ZIP knows the years from 1980 to 2107; other times get its first one.
fn zip_time(time: NaiveDateTime) -> DateTime {
    let small = |number: u32| u8::try_from(number).unwrap_or_default();
    let (month, day) = (small(time.month()), small(time.day()));
    let (hour, minute, second) = (small(time.hour()), small(time.minute()), small(time.second()));
    let year = u16::try_from(time.year()).unwrap_or_default();
    DateTime::from_date_and_time(year, month, day, hour, minute, second).unwrap_or_default()
}

impl From<zip::result::ZipError> for Error {
    fn from(error: zip::result::ZipError) -> Self {
        Self::Io(error.into())
    }
}
