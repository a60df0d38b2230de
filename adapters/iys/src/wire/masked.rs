//! `Debug` for types that carry an address or a name: it shows that the field is there, never what is in it. And the
//! one way by which a secret gets onto the wire.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::Serializer;

/// Writes a secret in clear: for `serialize_with` of what the registry must see.
pub(super) fn exposed<S: Serializer>(secret: &SecretString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose_secret())
}

/// How a personal field appears in `Debug`: presence and length, no content.
pub(super) struct Hidden<'a, T: ?Sized>(pub(super) &'a T);

impl fmt::Debug for Hidden<'_, String> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "<{} characters>", self.0.chars().count())
    }
}

impl fmt::Debug for Hidden<'_, Option<String>> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(text) => Hidden(text).fmt(to),
            None => to.write_str("None"),
        }
    }
}

impl fmt::Debug for Hidden<'_, Vec<String>> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "<{} entries>", self.0.len())
    }
}

/// Implements `Debug` with the fields before the semicolon hidden and those after it shown.
macro_rules! masked_debug {
    ($type:ident: $($hidden:ident),* ; $($shown:ident),*) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                to.debug_struct(stringify!($type))
                    $(.field(stringify!($hidden), &$crate::wire::masked::Hidden(&self.$hidden)))*
                    $(.field(stringify!($shown), &self.$shown))*
                    .finish()
            }
        }
    };
}

pub(super) use masked_debug;
