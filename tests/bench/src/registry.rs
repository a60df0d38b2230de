//! The registry sandbox in this process, in memory.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use iys_sandbox::{Sandbox, SandboxConfig, Seed, SeedInfo};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use crate::wire;

/// The sandbox behind its HTTP door.
#[derive(Debug)]
pub struct Registry {
    /// Its numbers and passwords.
    pub seed: SeedInfo,
    /// The simulator.
    pub sandbox: Sandbox,
    address: SocketAddr,
}

impl Registry {
    /// With the registry's own limits.
    pub async fn limited() -> Result<Self> {
        let sandbox = Sandbox::open(SandboxConfig { seed: Seed::demo(), ..SandboxConfig::default() })?;
        let seed = sandbox.seed_info().context("the sandbox has no demo seed")?.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let serving = sandbox.clone();
        Handle::current().spawn(async move { serving.serve(listener, std::future::pending()).await });
        Ok(Self { seed, sandbox, address })
    }

    /// As fast as it can.
    pub async fn unlimited() -> Result<Self> {
        let registry = Self::limited().await?;
        let off = json!({"perSecondLimit": null, "tokenLimitPerHour": null, "statusLimitPerHour": null, "historyLimitPerHour": null});
        registry.control("PUT", "settings", &off).await?;
        Ok(registry)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Moves its clock forward: `6m`, `65m` …
    pub async fn advance(&self, step: &str) -> Result<()> {
        self.control("POST", "clock", &json!({ "advance": step })).await.map(drop)
    }

    /// How often it was called, by operation, and what it refused.
    pub async fn stats(&self) -> Result<Value> {
        self.control("GET", "stats", &Value::Null).await
    }

    async fn control(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body)? };
        let (status, answer) =
            wire::call(self.address, method, &format!("/_sandbox/{path}"), None, &body).await?;
        ensure!((200..300).contains(&status), "{path}: HTTP {status} {}", String::from_utf8_lossy(&answer));
        if answer.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&answer)?) }
    }
}
