//! A disk as it may be found after a loss of power, put together from the recorder's notes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::support::Dice;

/// Of such a piece a disk writes all or nothing.
const SECTOR: usize = 512;

/// One note: what the kernel has done.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    kind: u8,
    thread: u32,
    offset: u64,
    path: &'a str,
    bytes: &'a [u8],
    /// How long the notes were with it.
    pub end: u64,
}

impl Record<'_> {
    /// Whether a sync has ended.
    pub fn is_synced(&self) -> bool {
        self.kind == b's'
    }
}

/// The notes, in their order; the last may have been cut off by the end of the program.
pub fn records(notes: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut rest = notes;
    std::iter::from_fn(move || {
        let (head, after) = rest.split_at_checked(24)?;
        let number = |from: usize| u32::from_ne_bytes(head[from..from + 4].try_into().unwrap());
        let (path, after) = after.split_at_checked(number(16) as usize)?;
        let (bytes, after) = after.split_at_checked(number(20) as usize)?;
        rest = after;
        Some(Record {
            kind: head[0],
            thread: number(4),
            offset: u64::from_ne_bytes(head[8..16].try_into().unwrap()),
            path: std::str::from_utf8(path).unwrap(),
            bytes,
            end: (notes.len() - after.len()) as u64,
        })
    })
}

/// What became of all that was not synced.
#[derive(Debug, Clone, Copy)]
pub enum Rest {
    Nothing,
    /// Chosen by chance; the number makes it repeatable.
    Some(u64),
    All,
}

impl Rest {
    fn apply(self, changes: &[Change], bytes: &mut Vec<u8>) {
        let mut dice = match self {
            Self::Nothing => return,
            Self::All => return changes.iter().for_each(|change| change.apply(bytes)),
            Self::Some(seed) => Dice(seed),
        };
        for change in changes {
            match dice.below(5) {
                0 | 1 => {}
                2 => change.torn(&mut dice).apply(bytes),
                _ => change.apply(bytes),
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Length(u64),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, written) => {
                let (from, to) = (*offset as usize, *offset as usize + written.len());
                if bytes.len() < to {
                    bytes.resize(to, 0);
                }
                bytes[from..to].copy_from_slice(written);
            }
            Self::Length(length) => bytes.resize(*length as usize, 0),
        }
    }

    /// As much of it as came through: whole sectors.
    fn torn(&self, dice: &mut Dice) -> Self {
        match self {
            Self::Write(offset, written) => {
                let sectors = dice.below(u32::try_from(written.len() / SECTOR).unwrap() + 1);
                Self::Write(*offset, written[..sectors * SECTOR].to_vec())
            }
            Self::Length(length) => Self::Length(*length),
        }
    }
}

#[derive(Debug, Default)]
struct File {
    /// Whether its folder knows it for good.
    named: bool,
    synced: Vec<u8>,
    /// What is not synced.
    changes: Vec<Change>,
    /// How many changes were made before the syncs that are under way, by thread.
    syncs: BTreeMap<u32, usize>,
}

impl File {
    fn sync_begins(&mut self, thread: u32) {
        self.syncs.insert(thread, self.changes.len());
    }

    /// Of a sync that fails the kernel tells once; then it holds for written what it could not write. Some of it may have come
    /// through.
    fn sync_ends(&mut self, thread: u32, well: bool) {
        let done = self.syncs.remove(&thread).unwrap();
        let changes: Vec<Change> = self.changes.drain(..done).collect();
        let rest = if well { Rest::All } else { Rest::Some(done as u64) };
        rest.apply(&changes, &mut self.synced);
        self.syncs.values_mut().for_each(|before| *before = before.saturating_sub(done));
    }
}

/// What is on the disk for good, and what is not yet.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
    files: BTreeMap<PathBuf, File>,
    /// Files that were there when the sync of their folder that is under way began.
    seen: BTreeSet<PathBuf>,
}

/// Made anew by whoever opens the database first, and no part of it.
fn is_passing(path: &Path) -> bool {
    path.extension().is_none_or(|kind| kind != "db" && kind != "db-wal")
}

impl Disk {
    /// All that lies in the folder is on the disk.
    pub fn begin(folder: &Path) -> Self {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|path| !is_passing(path)).map(|path| {
            let file = File { named: true, synced: std::fs::read(&path).unwrap(), ..File::default() };
            (path, file)
        });
        Self { folder: folder.to_owned(), files: files.collect(), seen: BTreeSet::new() }
    }

    /// Takes in what the kernel did next.
    pub fn apply(&mut self, record: &Record<'_>) {
        let path = Path::new(record.path);
        if path == self.folder {
            match record.kind {
                b'b' => self.seen = self.files.keys().cloned().collect(),
                _ => self.seen.iter().for_each(|path| self.files.get_mut(path).unwrap().named = true),
            }
            return;
        }
        if is_passing(path) {
            return;
        }
        let file = self.files.entry(path.to_owned()).or_default();
        match record.kind {
            b'w' => file.changes.push(Change::Write(record.offset, record.bytes.to_vec())),
            b't' => file.changes.push(Change::Length(record.offset)),
            b'b' => file.sync_begins(record.thread),
            _ => file.sync_ends(record.thread, record.is_synced()),
        }
    }

    /// Writes what is found when the power is back.
    pub fn leave(&self, to: &Path, rest: Rest) {
        for (path, file) in &self.files {
            if !file.named && !matches!(rest, Rest::All) {
                continue;
            }
            let mut bytes = file.synced.clone();
            rest.apply(&file.changes, &mut bytes);
            std::fs::write(to.join(path.file_name().unwrap()), bytes).unwrap();
        }
    }
}
