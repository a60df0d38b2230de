//! Köprü: the bridge between clients and Turkey's consent registry (İYS).
//!
//! From the door down to the ground: [`cli`], [`http`] and [`worker`] are doors; they call [`service`], which works with the
//! store, the [`registry`] client and the rules of `kopru-domain`. [`bootstrap`] builds everything once and hands it down.

pub mod bootstrap;
pub mod cli;
pub mod clocks;
pub mod config;
pub mod http;
pub mod lifecycle;
pub mod registry;
pub mod service;
pub mod telemetry;
pub mod worker;
