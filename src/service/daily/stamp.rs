//! As much of an RFC 3161 time-stamp response as tells what it is about: the hash that was stamped, and when. Who signed is
//! for the one to whom the stamp is shown, with the certificates of the day.

use chrono::{DateTime, NaiveDateTime, Utc};

/// No time stamp is longer (RFC 3161 responses have a few kilobytes).
pub(super) const LONGEST: usize = 256 * 1024;

/// `id-ct-TSTInfo`, 1.2.840.113549.1.9.16.1.4.
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const TAGGED_0: u8 = 0xa0;

/// What a time stamp says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The hash that was stamped.
    pub imprint: Vec<u8>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Reads a response that was granted; `None` where it is none.
pub(super) fn read(response: &[u8]) -> Option<Stamp> {
    // TimeStampResp: status, token
    let mut response = Der(Der(response).value(SEQUENCE)?);
    let status = Der(response.value(SEQUENCE)?).value(INTEGER)?;
    if !matches!(status, [0 | 1]) {
        return None;
    }
    // ContentInfo: type, [0] SignedData: version, algorithms, content
    let mut token = Der(response.value(SEQUENCE)?);
    token.value(OBJECT_IDENTIFIER)?;
    let mut signed = Der(Der(token.value(TAGGED_0)?).value(SEQUENCE)?);
    signed.value(INTEGER)?;
    signed.value(SET)?;
    let mut content = Der(signed.value(SEQUENCE)?);
    if content.value(OBJECT_IDENTIFIER)? != TST_INFO {
        return None;
    }
    // TSTInfo: version, policy, imprint (algorithm, hash), serial, time
    let info = Der(content.value(TAGGED_0)?).value(OCTET_STRING)?;
    let mut info = Der(Der(info).value(SEQUENCE)?);
    info.value(INTEGER)?;
    info.value(OBJECT_IDENTIFIER)?;
    let mut imprint = Der(info.value(SEQUENCE)?);
    imprint.value(SEQUENCE)?;
    let imprint = imprint.value(OCTET_STRING)?.to_vec();
    info.value(INTEGER)?;
    let at = time(info.value(GENERALIZED_TIME)?)?;
    Some(Stamp { imprint, at })
}

/// `YYYYMMDDhhmmss[.f…]Z`
fn time(text: &[u8]) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%S%.f").ok().map(|time| time.and_utc())
}

/// The rest of a DER value's content.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the next value, if it has this tag and its length is definite.
    fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_first()?;
        if *first != tag {
            return None;
        }
        let (length, rest) = rest.split_first()?;
        let (length, rest) = match *length {
            short @ 0..=0x7f => (usize::from(short), rest),
            long @ 0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
                (digits.iter().fold(0, |sum, digit| (sum << 8) | usize::from(*digit)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let length = content.len();
        let head: Vec<u8> = if length < 128 {
            vec![tag, length as u8]
        } else {
            vec![tag, 0x82, (length >> 8) as u8, (length & 0xff) as u8]
        };
        [head, content].concat()
    }

    fn response(status: u8, imprint: &[u8], time: &[u8]) -> Vec<u8> {
        let oid = |bytes: &[u8]| der(OBJECT_IDENTIFIER, &[bytes]);
        let algorithm = der(SEQUENCE, &[&oid(&[0x60, 0x86])]);
        let imprint = der(SEQUENCE, &[&algorithm, &der(OCTET_STRING, &[imprint])]);
        let one = der(INTEGER, &[&[1]]);
        let info = der(SEQUENCE, &[&one, &oid(&[0x2a]), &imprint, &one, &der(GENERALIZED_TIME, &[time])]);
        let info = der(TAGGED_0, &[&der(OCTET_STRING, &[&info])]);
        let content = der(SEQUENCE, &[&oid(TST_INFO), &info]);
        let padding = der(SET, &[&[0; 200]]);
        let signed = der(SEQUENCE, &[&one, &der(SET, &[]), &content, &padding]);
        let token = der(SEQUENCE, &[&oid(&[0x2a]), &der(TAGGED_0, &[&signed])]);
        let status = der(SEQUENCE, &[&der(INTEGER, &[&[status]])]);
        der(SEQUENCE, &[&status, &token])
    }

    #[test]
    fn hash_and_time_are_read() {
        let stamp = read(&response(0, &[7; 48], b"20261121030000Z")).unwrap();
        assert_eq!(stamp.imprint, [7; 48]);
        assert_eq!(stamp.at, "2026-11-21T03:00:00Z".parse::<DateTime<Utc>>().unwrap());
        let fraction = read(&response(1, &[7; 48], b"20261121030000.25Z")).unwrap();
        assert_eq!(fraction.at, "2026-11-21T03:00:00.25Z".parse::<DateTime<Utc>>().unwrap());
    }

    #[test]
    fn what_was_not_granted_or_is_cut_says_nothing() {
        assert_eq!(read(&response(2, &[7; 48], b"20261121030000Z")), None);
        assert_eq!(read(b"<html>"), None);
        let whole = response(0, &[7; 48], b"20261121030000Z");
        assert!((0..whole.len()).all(|length| read(&whole[..length]).is_none()));
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
        }
    }
}
