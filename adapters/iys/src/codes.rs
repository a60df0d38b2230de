//! The registry's error codes (registry-protocol 5.1): what each one means, what to do, and who must do it.

use crate::{ErrorClass, PauseScope};

/// What is known about one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeInfo {
    /// `H###`.
    pub code: &'static str,
    /// The HTTP status that the registry's error table gives. Some methods answer with another one: branch on the code.
    pub http: u16,
    /// What to do.
    pub class: ErrorClass,
    /// Cause and remedy in Turkish.
    pub tr: &'static str,
    /// Cause and remedy in English.
    pub en: &'static str,
    /// Who must act.
    pub who: Actor,
    /// Whether sending the same consent again can help: at once, later, or after somebody has acted.
    pub redrive_helps: bool,
}

/// Who must act on a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Actor {
    /// The service provider whose consents they are: correct the data, or the authorisation and package at the registry.
    Client,
    /// Whoever runs the program: codes, accounts, settings.
    Operator,
    /// The business partner as the registry's contract party.
    Partner,
    /// The registry.
    Registry,
    /// Nobody: the matter is settled, or settles itself.
    Nobody,
    /// Whoever wrote the program.
    Developer,
}

/// All codes, in ascending order.
pub fn all() -> impl Iterator<Item = &'static CodeInfo> {
    [].iter()
}

/// What is known about a code; `None` for one that is not in the registry's core table.
pub fn lookup(code: &str) -> Option<&'static CodeInfo> {
    all().find(|info| info.code == code)
}
