//! No vendor: each text is a line of a file, for trials with a sandbox. It holds addresses and codes in the open.

use std::path::PathBuf;

use serde_json::json;
use tokio::fs::OpenOptions;
use tokio::io::AsyncWriteExt as _;

use crate::account::{Outgoing, Sent};
use crate::{Answer, Failure, FailureKind};

/// The file, made with mode 0600.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Where it is.
    pub file: PathBuf,
}

impl Account {
    pub(crate) async fn send(&self, outgoing: Outgoing<'_>) -> Result<Sent, Failure> {
        let line = json!({
            "channel": "sms",
            "at": outgoing.now.to_rfc3339(),
            "reference": outgoing.reference,
            "from": outgoing.from,
            "to": outgoing.to,
            "text": outgoing.text,
        });
        self.append(format!("{line}\n"))
            .await
            .map_err(|error| Failure::silent(FailureKind::Retry, "file", error))?;
        Ok(Sent { id: Some(outgoing.reference.to_owned()), answer: Answer::new(200, "") })
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
