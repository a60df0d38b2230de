//! The contract of the store: what it promises, on SQLite and on PostgreSQL alike.
//!
//! Each test is one async function over a fresh [`Store`](fixture::Store); [`on_both`] runs it on a temporary SQLite
//! file and in a fresh schema of the PostgreSQL server that `KOPRU_TEST_POSTGRES_URL` names. Without that variable the
//! PostgreSQL half fails, or with `KOPRU_TEST_POSTGRES=skip` says that it was skipped:
//! `./tests/run --only postgres -- cargo nextest run -p kopru-store` brings a server.

#![expect(clippy::unwrap_used, reason = "the helpers of the tests may panic like the tests themselves")]

/// Expands each named test for both databases. A test that is not named here is dead code, and the compiler says so.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { $crate::fixture::on_sqlite(super::$name); })+
        }
        mod postgres {
            $(#[test] fn $name() { $crate::fixture::on_postgres(super::$name); })+
        }
    };
}

/// Expands tests of what only one of the databases has.
macro_rules! on_postgres {
    ($($name:ident),+ $(,)?) => {
        mod postgres_only {
            $(#[test] fn $name() { $crate::fixture::on_postgres(super::$name); })+
        }
    };
}

/// Expands tests of what only one of the databases has.
macro_rules! on_sqlite {
    ($($name:ident),+ $(,)?) => {
        mod sqlite_only {
            $(#[test] fn $name() { $crate::fixture::on_sqlite(super::$name); })+
        }
    };
}

mod fixture;
mod sample;

mod batches;
mod bulk;
mod channels;
mod claim_model;
mod claims;
mod daily;
mod deliveries;
mod feed;
mod forms;
mod idempotency;
mod ids;
mod inbound;
mod keywords;
mod ledger;
mod look_ups;
mod masters;
mod messages;
mod opt_ins;
mod permissions;
mod plans;
mod pulls;
mod push;
mod queue;
mod replays;
mod schema;
mod shared;
mod standing;
mod statements;
mod steps;
mod submissions;
mod sweeps;
mod texts;
mod transactions;
mod turns;
mod unresolved;
mod values;
mod vault;
mod via;
mod wake;
