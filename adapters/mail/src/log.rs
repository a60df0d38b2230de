//! No server: each message is a line of a file, for trials with a sandbox. It holds addresses and links in the open.

use std::path::PathBuf;

use serde_json::json;
use tokio::fs::OpenOptions;
use tokio::io::AsyncWriteExt as _;

use crate::{Failure, FailureKind, Mail, Sent};

/// The file, made with mode 0600.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Where it is.
    pub file: PathBuf,
}

impl Log {
    pub(crate) async fn send(&self, mail: Mail<'_>) -> Result<Sent, Failure> {
        let line = json!({
            "channel": "email",
            "at": mail.now.to_rfc3339(),
            "reference": mail.reference,
            "from": mail.from,
            "to": mail.to,
            "subject": mail.subject,
            "text": mail.text,
            "unsubscribe": mail.unsubscribe,
        });
        let written = self.append(format!("{line}\n")).await;
        written.map_err(|error| Failure::new(FailureKind::Retry, "file", error))?;
        Ok(Sent { id: Some(mail.reference.to_owned()), answer: String::new() })
    }

    /// One write of one line: lines of several processes do not mix.
    async fn append(&self, line: String) -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        options.mode(0o600);
        let mut file = options.open(&self.file).await?;
        file.write_all(line.as_bytes()).await?;
        file.flush().await
    }
}
