//! The reports of one day: summary, agreement, time stamp, movement file (registry-protocol 4.16 to 4.18).

use std::fmt;

use bytes::Bytes;
use chrono::NaiveDate;
use futures::stream::{self, Stream};
use reqwest::StatusCode;
use sha2::{Digest, Sha384};

use super::{Account, body_of, day};
use crate::transport::{Call, Opened};
use crate::wire::{
    Agreement, AgreementCaptured, AgreementConfirmation, Change, DailySummary, MovementError, MovementReader,
};
use crate::{BrandCodes, IysError, Operation};

/// Reports are there for yesterday and the six days before, by Turkey's calendar; a partner needs the right
/// `agreementControl` (4.12).
impl Account {
    /// How many movements a brand had on a day, for one kind of recipient (4.16).
    ///
    /// # Errors
    /// [`IysError`]; H502 for a day without reports.
    pub async fn daily_summary(
        &self,
        brand: BrandCodes,
        date: NaiveDate,
        recipient_type: &str,
    ) -> Result<DailySummary, IysError> {
        let path = brand.path(&[], &["changes", &day(date), "recipients", recipient_type]);
        let call = Call::get(Operation::DailySummary, path);
        Ok(self.call(&call).await?.parse_optional()?.unwrap_or_default())
    }

    /// The hash of a day's movement file and whether the day is confirmed (4.17); `None` when the brand had no
    /// movements, or while the registry has not begun.
    ///
    /// # Errors
    /// As [`daily_summary`](Self::daily_summary).
    pub async fn agreement(&self, brand: BrandCodes, date: NaiveDate) -> Result<Option<Agreement>, IysError> {
        let path = brand.path(&[], &["agreements", &day(date)]);
        self.call(&Call::get(Operation::Agreement, path)).await?.parse_optional()
    }

    /// Confirms that a day's movements are as the provider has them (4.17): `true` when the registry has noted it,
    /// `false` when there were none to confirm. Confirm only after the hash of one's own file was equal
    /// ([`Agreement::matches`]). It cannot be taken back; a repetition does no harm.
    ///
    /// # Errors
    /// As [`daily_summary`](Self::daily_summary).
    pub async fn confirm_agreement(&self, brand: BrandCodes, date: NaiveDate) -> Result<bool, IysError> {
        let body = body_of(Operation::ConfirmAgreement, &AgreementConfirmation { agreement_status: true })?;
        let call = Call::put(Operation::ConfirmAgreement, brand.path(&[], &["agreements", &day(date)]), body);
        let captured: Option<AgreementCaptured> = self.call(&call).await?.parse_optional()?;
        Ok(captured.is_some_and(|answer| answer.agreement_captured))
    }

    /// The time stamp of a day's movement file (4.17): a time-stamp response by RFC 3161 (`.tsr`), in DER; `None` when
    /// there is none.
    ///
    /// # Errors
    /// As [`daily_summary`](Self::daily_summary).
    pub async fn agreement_timestamp(
        &self,
        brand: BrandCodes,
        date: NaiveDate,
    ) -> Result<Option<Bytes>, IysError> {
        let path = brand.path(&[], &["agreements", &day(date), "timestamp"]);
        Ok(self.call(&Call::get(Operation::AgreementTimestamp, path).for_file()).await?.file())
    }

    /// All movements of a day, the provider's and the citizens' (4.18), `None` when there were none.
    ///
    /// The file comes piece by piece while it is read and is never in memory as a whole. The client's time-out counts
    /// for each silence of the registry, not for the whole file.
    ///
    /// # Errors
    /// As [`daily_summary`](Self::daily_summary).
    pub async fn movement_file(
        &self,
        brand: BrandCodes,
        date: NaiveDate,
    ) -> Result<Option<MovementFile>, IysError> {
        let path = brand.path(&[], &["changes", &day(date), "file"]);
        let opened = self.open(&Call::get(Operation::MovementFile, path).for_file().streamed()).await?;
        let is_there = opened.status() != StatusCode::NO_CONTENT;
        Ok(is_there.then(|| MovementFile { opened, hasher: Sha384::new(), ended: false }))
    }
}

/// A day's movement file as bytes. Read them by [`chunk`](Self::chunk), or go on by [`movements`](Self::movements).
pub struct MovementFile {
    opened: Opened,
    hasher: Sha384,
    ended: bool,
}

impl MovementFile {
    /// The next piece, `None` at the end.
    ///
    /// # Errors
    /// [`IysError::Interrupted`] when the file breaks off.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, IysError> {
        if self.ended {
            return Ok(None);
        }
        let piece = self.opened.chunk().await?;
        match &piece {
            Some(bytes) => self.hasher.update(bytes),
            None => self.ended = true,
        }
        Ok(piece)
    }

    /// The SHA-384 of the whole file in lower-case hexadecimal, to be compared by
    /// [`Agreement::matches`]; `None` before the end was reached.
    pub fn sha384(&self) -> Option<String> {
        self.ended.then(|| hex::encode(self.hasher.clone().finalize()))
    }

    /// The same file as movements.
    pub fn movements(self) -> Movements {
        Movements { file: self, reader: MovementReader::new() }
    }
}

impl fmt::Debug for MovementFile {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("MovementFile").field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// The movements of a day, in the registry's order: by creation date, then transaction id.
#[derive(Debug)]
pub struct Movements {
    file: MovementFile,
    reader: MovementReader,
}

impl Movements {
    /// The next movement, `None` at the end.
    ///
    /// # Errors
    /// [`IysError::Interrupted`] when the file breaks off, [`IysError::Malformed`] with a [`MovementError`] when it
    /// cannot be read on. What came before is good, but the day is not complete.
    pub async fn next(&mut self) -> Result<Option<Change>, IysError> {
        loop {
            if let Some(movement) = self.reader.take() {
                return Ok(Some(movement));
            }
            if self.file.ended {
                // A file that could not be read on has no good end, however often one asks.
                return self.reader.finish().map(|()| None).map_err(malformed);
            }
            match self.file.chunk().await? {
                Some(piece) => self.reader.feed(&piece).map_err(malformed)?,
                None => self.reader.finish().map_err(malformed)?,
            }
        }
    }

    /// As [`MovementFile::sha384`].
    pub fn sha384(&self) -> Option<String> {
        self.file.sha384()
    }

    /// The movements as a [`Stream`], which ends after the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Change, IysError>> + Send {
        stream::unfold(Some(self), |movements| async {
            let mut movements = movements?;
            match movements.next().await {
                Ok(Some(movement)) => Some((Ok(movement), Some(movements))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
    }
}

fn malformed(source: MovementError) -> IysError {
    IysError::Malformed { operation: Operation::MovementFile, source }
}
