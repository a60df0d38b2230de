//! The daily movement file, read piece by piece (registry-protocol 4.18).

use std::collections::VecDeque;
use std::fmt;

use csv_core::{ReadRecordResult, Reader};

use super::Change;

/// The documented columns in their order.
const COLUMNS: [&str; 8] = [
    "creationDate",
    "transactionId",
    "recipient",
    "recipientType",
    "type",
    "status",
    "consentDate",
    "source",
];

/// The columns without which a row says nothing.
const NEEDED: [usize; 6] = [0, 1, 2, 3, 4, 5];

/// No documented row comes near this (about 200 bytes); more means that something else is being read.
const LONGEST_ROW: usize = 64 * 1024;

/// More fields than any row may have.
const MOST_FIELDS: usize = 64;

/// Why a movement file cannot be read on. No content is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MovementError {
    /// The header line lacks a column that is needed.
    #[error("the movement file's header lacks the column {0}")]
    Column(&'static str),
    /// A row has too few fields.
    #[error("row {0} of the movement file has too few fields")]
    Fields(u64),
    /// A row is not UTF-8.
    #[error("row {0} of the movement file is not UTF-8")]
    Encoding(u64),
    /// A row is longer than any row of the registry, or has more fields.
    #[error("row {0} of the movement file is too long")]
    Length(u64),
}

/// Reads a movement file from pieces of any size, in little memory: what is fed comes out as movements at once, and
/// only the row that is not yet whole is kept.
///
/// Columns are found by the names in the header, in any order; columns not known are ignored. A file without a header
/// is taken to have the documented columns. Quoted fields, a byte order mark and a missing last line break are
/// accepted.
///
/// ```
/// use iys::wire::MovementReader;
///
/// let mut reader = MovementReader::new();
/// reader.feed(b"creationDate,transactionId,recipient,recipientType,type,status,consentDate,source\n2026-11")?;
/// assert!(reader.take().is_none());
/// reader.feed(b"-20 10:05:04,5f0c,a@b.co,BIREYSEL,EPOSTA,RET,2026-11-20 10:05:00,IYS_WEB\n")?;
/// reader.finish()?;
/// let movement = reader.take().expect("the row is whole now");
/// assert_eq!((movement.status.as_str(), movement.source.as_deref()), ("RET", Some("IYS_WEB")));
/// # Ok::<(), iys::wire::MovementError>(())
/// ```
pub struct MovementReader {
    csv: Box<Reader>,
    /// The fields of the row being read, end to end, and where each ends.
    text: Vec<u8>,
    text_len: usize,
    ends: [usize; MOST_FIELDS],
    fields: usize,
    /// Position of each documented column, once the first row is there.
    places: Option<[Option<usize>; COLUMNS.len()]>,
    rows: u64,
    whole: VecDeque<Change>,
    broken: Option<MovementError>,
}

// The row that is not yet whole holds an address.
impl fmt::Debug for MovementReader {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("MovementReader").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Default for MovementReader {
    fn default() -> Self {
        Self::new()
    }
}

impl MovementReader {
    /// A reader at the start of a file.
    pub fn new() -> Self {
        Self {
            csv: Box::new(Reader::new()),
            text: vec![0; 1_024],
            text_len: 0,
            ends: [0; MOST_FIELDS],
            fields: 0,
            places: None,
            rows: 0,
            whole: VecDeque::new(),
            broken: None,
        }
    }

    /// Reads the next piece of the file.
    ///
    /// # Errors
    /// [`MovementError`]; the rows before the bad one can still be taken, nothing after it is read: every further call
    /// has the same error.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), MovementError> {
        self.go_on(piece, false)
    }

    /// The file has ended: reads a last row that has no line break.
    ///
    /// # Errors
    /// [`MovementError`] when that row is not whole, or one before was not.
    pub fn finish(&mut self) -> Result<(), MovementError> {
        self.go_on(b"", true)
    }

    /// The next movement that is whole, in the order of the file.
    pub fn take(&mut self) -> Option<Change> {
        self.whole.pop_front()
    }

    /// How many rows have been read, the header among them.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    fn go_on(&mut self, piece: &[u8], at_end: bool) -> Result<(), MovementError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        self.read(piece, at_end).inspect_err(|error| self.broken = Some(*error))
    }

    fn read(&mut self, mut piece: &[u8], at_end: bool) -> Result<(), MovementError> {
        // To the CSV reader an empty piece is the end of the file.
        while at_end || !piece.is_empty() {
            let (result, read, written, ended) =
                self.csv.read_record(piece, &mut self.text[self.text_len..], &mut self.ends[self.fields..]);
            piece = &piece[read..];
            self.text_len += written;
            self.fields += ended;
            match result {
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return Ok(()),
                ReadRecordResult::OutputFull if self.text.len() < LONGEST_ROW => {
                    self.text.resize(self.text.len() * 2, 0);
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Err(MovementError::Length(self.rows + 1));
                }
                ReadRecordResult::Record => {
                    self.rows += 1;
                    let row = self.row();
                    (self.text_len, self.fields) = (0, 0);
                    self.whole.extend(row?);
                }
            }
        }
        Ok(())
    }

    /// The row that has just become whole; none when it is the header.
    fn row(&mut self) -> Result<Option<Change>, MovementError> {
        let number = self.rows;
        let text =
            std::str::from_utf8(&self.text[..self.text_len]).map_err(|_| MovementError::Encoding(number))?;
        let mut start = 0;
        let fields: Vec<&str> = self.ends[..self.fields]
            .iter()
            .map(|end| text.get(std::mem::replace(&mut start, *end)..*end).unwrap_or_default())
            .collect();
        let places = match self.places {
            Some(places) => places,
            None => {
                let header = header(&fields)?;
                let is_header = header.is_some();
                let places = header.unwrap_or(std::array::from_fn(Some));
                self.places = Some(places);
                if is_header {
                    return Ok(None);
                }
                places
            }
        };
        let field = |column: usize| places[column].and_then(|place| fields.get(place)).copied();
        if NEEDED.iter().any(|column| field(*column).is_none()) {
            return Err(MovementError::Fields(number));
        }
        let owned = |column: usize| field(column).unwrap_or_default().trim().to_owned();
        let optional = |column: usize| Some(owned(column)).filter(|text| !text.is_empty());
        Ok(Some(Change {
            creation_date: owned(0),
            transaction_id: owned(1),
            recipient: owned(2),
            recipient_type: owned(3),
            r#type: owned(4),
            status: owned(5),
            consent_date: optional(6),
            source: optional(7),
            citizen_name: None,
        }))
    }
}

/// Where the documented columns stand by a header line; `None` when the line is a row already.
fn header(fields: &[&str]) -> Result<Option<[Option<usize>; COLUMNS.len()]>, MovementError> {
    let places = COLUMNS.map(|column| {
        fields.iter().position(|field| field.trim_matches('\u{feff}').trim().eq_ignore_ascii_case(column))
    });
    if places.iter().all(Option::is_none) {
        return Ok(None);
    }
    match NEEDED.iter().find(|column| places[**column].is_none()) {
        Some(column) => Err(MovementError::Column(COLUMNS[*column])),
        None => Ok(Some(places)),
    }
}
