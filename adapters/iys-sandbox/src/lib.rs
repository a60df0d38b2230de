//! A simulator of İYS, Turkey's consent registry
