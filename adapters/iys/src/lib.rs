//! A client for the HTTP API of İYS, Turkey's consent registry
