//! Köprü: the bridge between clients and the consent registry.
