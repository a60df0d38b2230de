//! Files that only this program's user may read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Makes a folder (and those above it) that only its owner may enter. One that is there already stays as it is.
pub fn make_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// Writes a file of mode 0600 where there is none, all of it or nothing; false when one is there already.
pub fn write_new_private(path: &Path, contents: &[u8]) -> io::Result<bool> {
    let draft = write_draft(path, contents)?;
    // A link, unlike a rename, never replaces what another process has just put there.
    let outcome = match fs::hard_link(&draft, path) {
        Ok(()) => sync_dir(path).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    };
    fs::remove_file(&draft)?;
    outcome
}

/// Writes a file of mode 0600 in place of the one that is there; a reader sees the old one or the new one.
pub fn replace_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    let draft = write_draft(path, contents)?;
    fs::rename(&draft, path)?;
    sync_dir(path)
}

/// Whether people other than the owner may read the file or enter the folder. Always false where there are no modes.
pub fn is_open_to_others(path: &Path) -> io::Result<bool> {
    let metadata = fs::metadata(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        Ok(metadata.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        drop(metadata);
        Ok(false)
    }
}

fn write_draft(path: &Path, contents: &[u8]) -> io::Result<PathBuf> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_private_dir(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}.new", u64::from_be_bytes(kopru_store::random())));
    let draft = path.with_file_name(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&draft)?;
    file.write_all(contents)?;
    file.sync_all()?;
    Ok(draft)
}

/// Makes a new name in a folder last through a power cut.
fn sync_dir(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_once_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/master.key");
        assert!(write_new_private(&path, b"first").unwrap());
        assert!(!write_new_private(&path, b"second").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert!(!is_open_to_others(&path).unwrap());
        assert!(!is_open_to_others(path.parent().unwrap()).unwrap());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("demo.json");
        replace_private(&path, b"a long first version").unwrap();
        replace_private(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert!(!is_open_to_others(&path).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn what_others_may_read_is_noticed() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        fs::write(&path, b"x").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(is_open_to_others(&path).unwrap());
    }
}
