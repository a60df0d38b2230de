//! What must be free before the service starts: ports, and on SQLite the database file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use kopru_domain::Text;
use tokio::net::TcpListener;

use super::Role;
use crate::cli::Failure;
use crate::config::Config;

/// On SQLite the right to be the only server; `None` on PostgreSQL, where there may be many. It is given back when the
/// process ends, however it ends.
pub(super) fn lock(config: &Config, role: Role) -> Result<Option<File>, Failure> {
    let Some(file) = config.sqlite_file() else { return Ok(None) };
    if role != Role::All {
        let message = Text::fixed(
            "SQLite ile tek süreç her işi görür; --role yazmayın ya da database.url ile PostgreSQL'e geçin",
            "on SQLite one process does everything; leave --role out, or move to PostgreSQL with database.url",
        );
        return Err(Failure::new("role", message));
    }
    file_lock(&file).map(Some)
}

/// The file that is locked in the place of a data file.
pub(in crate::cli) fn lock_of(data: &Path) -> PathBuf {
    let mut name = data.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    data.with_file_name(name)
}

/// Locks a data file for one process, through a file beside it: a lock on the file itself would disturb SQLite's own.
pub(in crate::cli) fn file_lock(data: &Path) -> Result<File, Failure> {
    let path = lock_of(data);
    let failed = |error: std::io::Error| {
        let message = Text::new(
            format!("{} kilit dosyası kullanılamıyor", path.display()),
            format!("the lock file {} cannot be used", path.display()),
        );
        Failure::new("lock", message).because(error)
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        crate::config::files::make_private_dir(folder).map_err(failed)?;
    }
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(data, &mut file)),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    file.set_len(0).map_err(failed)?;
    file.rewind().map_err(failed)?;
    writeln!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(file)
}

fn in_use(data: &Path, lock: &mut File) -> Failure {
    let mut holder = String::new();
    // Only a hint: where it cannot be read, the message is as true without it.
    let holder = match lock.read_to_string(&mut holder) {
        Ok(_) if !holder.trim().is_empty() => format!(" (pid {})", holder.trim()),
        _ => String::new(),
    };
    let data = data.display();
    let message = Text::new(
        format!(
            "{data} dosyasını başka bir kopru süreci{holder} kullanıyor; onu durdurun. Birden çok süreç için PostgreSQL gerekir"
        ),
        format!("another kopru process{holder} serves {data}; stop it. Several processes need PostgreSQL"),
    );
    Failure::new("in_use", message)
}

/// Opens a port; `key` and `variable` are the settings that say where.
pub(in crate::cli) async fn bind(
    address: SocketAddr,
    key: &str,
    variable: &str,
) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let message = if error.kind() == ErrorKind::AddrInUse {
            Text::new(
                format!("{address} kullanımda; orada dinleyen programı durdurun ya da {variable} ile başka bir kapı verin (0: boş bir kapı)"),
                format!("{address} is in use; stop what listens there, or give another port with {variable} (0 takes a free one)"),
            )
        } else {
            Text::new(
                format!("{address} adresinde dinlenemiyor; {key} ayarını ya da {variable} değişkenini denetleyin"),
                format!("cannot listen on {address}; check {key} or {variable}"),
            )
        };
        Failure::new("listen", message).because(error)
    })
}

/// The address of an open port as this machine reaches it.
pub(in crate::cli) fn local_url(listener: &TcpListener) -> Result<String, Failure> {
    let mut address = listener.local_addr().map_err(|error| {
        Failure::new("listen", Text::fixed("kapının adresi bilinmiyor", "the port has no address"))
            .because(error)
    })?;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    Ok(format!("http://{address}"))
}

#[cfg(test)]
mod tests {
    use kopru_domain::Lang;

    use super::*;

    #[test]
    fn one_process_serves_a_sqlite_file() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::for_tests(&dir.path().join("data"));
        let first = lock(&config, Role::All).unwrap().unwrap();
        let refused = lock(&config, Role::All).unwrap_err().line(Lang::En);
        assert!(
            refused.contains(&format!("pid {}", std::process::id())) && refused.contains("kopru.db"),
            "{refused}"
        );
        drop(first);
        assert!(lock(&config, Role::All).unwrap().is_some());
    }

    #[test]
    fn roles_are_for_postgres() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::for_tests(dir.path());
        assert!(lock(&config, Role::Api).unwrap_err().line(Lang::En).contains("PostgreSQL"));
        config.database.url = Some("postgres://db/kopru".to_owned());
        assert!(lock(&config, Role::Api).unwrap().is_none());
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named_with_its_setting() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let refused = bind(address, "http.listen", "KOPRU__HTTP__LISTEN").await.unwrap_err().line(Lang::En);
        assert!(
            refused.contains(&address.to_string()) && refused.contains("KOPRU__HTTP__LISTEN"),
            "{refused}"
        );
        assert_eq!(local_url(&taken).unwrap(), format!("http://{address}"));
    }

    #[tokio::test]
    async fn a_port_on_all_addresses_is_reached_on_this_machine() {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(local_url(&listener).unwrap(), format!("http://127.0.0.1:{port}"));
    }
}
