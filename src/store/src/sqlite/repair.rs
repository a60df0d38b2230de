//! What a start makes good that an earlier process may have left: after a failed sync the kernel shows what is on no disk, and calls
//! the next sync a success.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::Result;
use crate::sqlite::{BUSY, wal};

/// Bytes that are written again at once.
const PIECE: usize = 1 << 20;

/// Brings the log that was left to the disk before anything is built on it or copied from it, and then carries it into the
/// database. A database that was written from a log which is on no disk would be torn by a loss of power.
pub(super) fn make_good(database: &Path) -> Result<()> {
    let log = wal::log_of(database);
    if std::fs::metadata(&log).map_or(true, |log| log.len() == 0) {
        return Ok(());
    }
    // Alone, SQLite makes the log's index from the file itself: what others remember of earlier checkpoints, whose sync may have
    // failed, does not count.
    let connection = open(database)?;
    match connection.execute_batch("PRAGMA locking_mode = exclusive; BEGIN IMMEDIATE") {
        Ok(()) => {
            write_again(&log).map_err(sqlx::Error::Io)?;
            connection.execute_batch("ROLLBACK")?;
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            Ok(())
        }
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
            tracing::warn!(
                "another process uses the database; its log is brought to the disk and copied later"
            );
            drop(connection);
            let connection = open(database)?;
            connection.execute_batch("BEGIN IMMEDIATE")?;
            write_again(&log).map_err(sqlx::Error::Io)?;
            Ok(connection.execute_batch("ROLLBACK")?)
        }
        Err(error) => Err(error.into()),
    }
}

fn open(database: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

/// The same bytes in the same places: what the kernel holds for written it has to write once more. Nobody else may write meanwhile.
fn write_again(log: &Path) -> io::Result<()> {
    let mut file = File::options().read(true).write(true).open(log)?;
    let mut piece = vec![0; PIECE];
    loop {
        let place = file.stream_position()?;
        let length = file.read(&mut piece)?;
        if length == 0 {
            return file.sync_data();
        }
        file.seek(SeekFrom::Start(place))?;
        file.write_all(&piece[..length])?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(connection: &Connection) -> i64 {
        connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    /// A log as a killed process leaves it, longer than a piece.
    fn left(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("a.db");
        let connection = open_new(&path);
        for _ in 0..500 {
            connection.execute_batch("INSERT INTO t VALUES (randomblob(3000))").unwrap();
        }
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
        path
    }

    fn open_new(path: &Path) -> Connection {
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x BLOB NOT NULL);",
            )
            .unwrap();
        connection
    }

    #[test]
    fn a_log_that_was_left_is_carried_into_the_database() {
        let folder = tempfile::tempdir().unwrap();
        let path = left(folder.path());
        assert!(std::fs::metadata(wal::log_of(&path)).unwrap().len() > PIECE as u64);
        make_good(&path).unwrap();
        assert_eq!(std::fs::metadata(wal::log_of(&path)).map_or(0, |log| log.len()), 0);
        assert_eq!(rows(&Connection::open(&path).unwrap()), 500);
        make_good(&path).unwrap();
        make_good(&folder.path().join("none.db")).unwrap();
    }

    #[test]
    fn written_again_a_log_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let log = wal::log_of(&left(folder.path()));
        let before = std::fs::read(&log).unwrap();
        write_again(&log).unwrap();
        assert!(std::fs::read(&log).unwrap() == before);
    }
}
