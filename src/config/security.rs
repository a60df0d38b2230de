//! Section `[security]`, and where the master key comes from.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use kopru_store::MasterKey;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{Config, files, value};

/// Keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Security {
    /// The master key, 64 hexadecimal digits; `None` = the file `{data_dir}/master.key`.
    #[serde(deserialize_with = "value::secret")]
    pub master_key: Option<SecretString>,
    /// A file with the master key in it.
    #[serde(deserialize_with = "value::optional_path")]
    pub master_key_file: Option<PathBuf>,
}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// None is set, and on PostgreSQL none is made: replicas would each make their own.
    #[error(
        "no master key: make one with `kopru config new-master-key`, keep a copy outside the database, and set security.master_key_file"
    )]
    Missing,
    /// The key file is gone, but the database was written with a key.
    #[error(
        "the master key {id} of this database is missing: put your copy of it back at {path}, or set security.master_key_file; without it personal data cannot be read"
    )]
    Lost {
        /// Id of the key that the database expects.
        id: String,
        /// Where the key file should be.
        path: PathBuf,
    },
    /// The text is no key.
    #[error("the master key in {origin} must be 64 hexadecimal digits")]
    Unreadable {
        /// Setting or file.
        origin: String,
    },
    /// The key file cannot be read or written.
    #[error("the master key file {path} cannot be used: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl MasterKeyError {
    /// Why there is none, in Turkish.
    pub fn turkish(&self) -> String {
        match self {
            Self::Missing => "ana anahtar yok: `kopru config new-master-key` ile üretin, bir kopyasını veritabanından ayrı saklayın \
                 ve security.master_key_file ayarlayın"
                .to_owned(),
            Self::Lost { id, path } => format!(
                "bu veritabanının ana anahtarı {id} yok: kopyasını {} yoluna geri koyun ya da security.master_key_file \
                 ayarlayın; onsuz kişisel veriler okunamaz",
                path.display()
            ),
            Self::Unreadable { origin } => {
                format!("{origin} içindeki ana anahtar 64 onaltılık rakam olmalıdır")
            }
            Self::File { path, source } => {
                format!("{} ana anahtar dosyası kullanılamıyor: {source}", path.display())
            }
        }
    }
}

/// The default place of the master key.
pub fn master_key_path(config: &Config) -> PathBuf {
    config.data_dir.join("master.key")
}

/// The master key: from `security.master_key(_file)`, else from `{data_dir}/master.key`, which is made with mode 0600
/// where the database is a new SQLite file.
///
/// `existing` is the id of the key that the database was created with, if it was: then none is made.
pub fn master_key(config: &Config, existing: Option<String>) -> Result<MasterKey, MasterKeyError> {
    if let Some(text) = &config.security.master_key {
        return parse(text.expose_secret(), "security.master_key");
    }
    let path = master_key_path(config);
    match fs::read_to_string(&path) {
        Ok(text) => parse(&text, &path.display().to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => match existing {
            Some(id) => Err(MasterKeyError::Lost { id, path }),
            None if config.is_sqlite() => generate(&path),
            None => Err(MasterKeyError::Missing),
        },
        Err(source) => Err(MasterKeyError::File { path, source }),
    }
}

fn parse(text: &str, origin: &str) -> Result<MasterKey, MasterKeyError> {
    MasterKey::from_text(text).map_err(|_| MasterKeyError::Unreadable { origin: origin.to_owned() })
}

/// Writes a new key where there is none. Two processes that start at once agree: the second reads what the first wrote.
fn generate(path: &Path) -> Result<MasterKey, MasterKeyError> {
    let failed = |source| MasterKeyError::File { path: path.to_owned(), source };
    let key = MasterKey::generate();
    if files::write_new_private(path, format!("{}\n", key.to_text()).as_bytes()).map_err(failed)? {
        return Ok(key);
    }
    parse(&fs::read_to_string(path).map_err(failed)?, &path.display().to_string())
}
