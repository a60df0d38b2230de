//! A simulator of İYS, Turkey's consent registry.
//!
//! It serves the registry's own HTTP methods with the registry's rules, codes and limits, keeps what it
//! is told in SQLite, and has a control interface under `/_sandbox`: act as the citizen, advance the
//! clock, order failures, change what the registry's documents leave open. It knows only the wire types
//! of the client crate [`iys`]; every rule here is written from the protocol, by its own hand, so that it
//! can disagree with the programs tested against it.
//!
//! ```no_run
//! # async fn demo() -> Result<(), Box<dyn std::error::Error>> {
//! use iys_sandbox::{Sandbox, SandboxConfig, Seed};
//!
//! let sandbox = Sandbox::open(SandboxConfig { seed: Seed::demo(), ..SandboxConfig::default() })?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:9090").await?;
//! sandbox.serve(listener, std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! | below `/_sandbox` | |
//! |---|---|
//! | `GET consents?brandCode=&recipient=` | the current records, each with its history |
//! | `GET movements?brandCode=&after=&limit=` | every movement in the order of writing, nothing hidden |
//! | `DELETE movements/{transactionId}` | the registry loses what it wrote under this id |
//! | `POST citizen/movements` | the citizen or an operator acts, with a source of the registry's own (`IYS_WEB`, …) |
//! | `GET`, `POST clock` | `{"advance": "65m"}` or `{"set": "2026-11-30T09:00:00+03:00"}`; never back (409) |
//! | `GET`, `POST`, `DELETE faults` | `{operation, kind, count, code?, delayMillis?, every?}` |
//! | `GET`, `PUT settings` | [`Settings`]; a `PUT` names what changes |
//! | `GET outbox?recipient=` | what the registry "sent": codes and links of opt-ins, confirmations |
//! | `POST 3338`, `voice`, `line-closure` | the citizen's text message and call, the operator's report |
//! | `GET pushes` | movements that wait to be delivered to push connections |
//! | `GET stats` | calls, answers and codes per operation, concurrency, success rate of each address |
//! | `GET time-stamp-authority` | the certificate behind the time stamps of daily reports, as PEM |
//! | `GET`, `POST providers`, `partners`; `DELETE users/{username}` | what the real registry's web panel does |
//! | `GET`, `POST complaints`; `POST complaints/{id}` | complaints of citizens and their way: `received`, `sent`, `answered`, `closed` |
//!
//! For people there are pages in Turkish: `/vatandas`, where the citizen sees, gives and withdraws consents
//! and complains, and `/hizmet-saglayici`, which stands for the web panel of the providers. What an empty
//! simulator begins with can be written into a [`Scenario`] file.
//!
//! Links in the outbox open small pages, outside of `/_sandbox`, on which the citizen approves or rejects.
//!
//! How a request is judged: [`rules()`] lists every rule in the order of asking. Where the
//! registry's document is silent, the assumption is a field of [`Settings`] with the assumed default.
//!
#![doc = include_str!("../CODES.md")]

mod address;
mod calendar;
mod clock;
mod control;
mod draft;
mod error;
mod evidence;
mod http;
mod identity;
mod links;
mod messages;
mod panel;
mod places;
mod push;
mod registry;
mod rules;
mod sandbox;
mod scenario;
mod settings;
mod store;
mod tsa;
mod wire_time;
mod words;

pub use calendar::AgePolicy;
pub use error::{Error, Result};
pub use rules::{RuleInfo, rules};
pub use sandbox::{Sandbox, SandboxConfig, Seed, SeedInfo};
pub use scenario::{Scenario, ScenarioError};
pub use settings::{BatchPending, MissingStatus, Settings};
