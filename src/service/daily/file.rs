//! The movement file: fetched to know its hash, and gone through once the hash is known to be the registry's.

use iys::wire::MovementReader;
use iys::{Account, BrandCodes, IysError};

use crate::service::ServiceResult;
use crate::service::daily::Reading;
use crate::service::daily::compare::Comparison;
use crate::service::filing::counted;

/// A file up to this size is kept in memory between the two; a longer one is fetched a second time.
const KEPT: usize = 4 * 1024 * 1024;
/// How many pieces are read between two signs of life.
const PIECES: usize = 1_000;

/// A file with its hash.
pub(super) struct Fetched {
    /// SHA-384, lower-case hexadecimal.
    pub hash: String,
    /// The file, where it is short.
    kept: Option<Vec<u8>>,
    day: chrono::NaiveDate,
}

/// Fetches a day's file, for its hash; `None` when the registry has none.
pub(super) async fn fetch(
    reading: &mut Reading<'_>,
    account: &Account,
    brand: BrandCodes,
) -> ServiceResult<Option<Fetched>> {
    let day = reading.row.day;
    let opened = account.movement_file(brand, day).await;
    let Some(mut file) = counted("movement_file", opened)? else { return Ok(None) };
    let mut kept = Some(Vec::new());
    let mut pieces = 0_usize;
    while let Some(piece) = file.chunk().await? {
        kept = kept.filter(|kept| kept.len() + piece.len() <= KEPT).map(|mut kept| {
            kept.extend_from_slice(&piece);
            kept
        });
        pieces += 1;
        if pieces.is_multiple_of(PIECES) {
            reading.keep().await?;
        }
    }
    let hash = file.sha384().unwrap_or_default();
    Ok(Some(Fetched { hash, kept, day }))
}

/// Gives the comparison every movement of the file, and its end. False when the bytes of the second reading are others.
pub(super) async fn replay(
    fetched: &Fetched,
    account: &Account,
    brand: BrandCodes,
    comparison: &mut Comparison<'_>,
) -> ServiceResult<bool> {
    if let Some(kept) = &fetched.kept {
        let mut reader = MovementReader::new();
        let malformed = |source| IysError::Malformed { operation: iys::Operation::MovementFile, source };
        for piece in kept.chunks(64 * 1024) {
            reader.feed(piece).map_err(malformed)?;
            while let Some(movement) = reader.take() {
                comparison.push(movement).await?;
            }
        }
        reader.finish().map_err(malformed)?;
        while let Some(movement) = reader.take() {
            comparison.push(movement).await?;
        }
        comparison.end().await?;
        return Ok(true);
    }
    let opened = account.movement_file(brand, fetched.day).await?;
    let Some(file) = opened else { return Ok(false) };
    let mut movements = file.movements();
    while let Some(movement) = movements.next().await? {
        comparison.push(movement).await?;
    }
    if movements.sha384().as_deref() != Some(&fetched.hash) {
        return Ok(false);
    }
    comparison.end().await?;
    Ok(true)
}
