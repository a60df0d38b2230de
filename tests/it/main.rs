//! Journeys over the running program, each on SQLite and on PostgreSQL.
//!
//! Time is moved, queues are drained, nothing sleeps. PostgreSQL is the cluster of `KOPRU_TEST_POSTGRES_URL` (see
//! `tests/run`); without it that half fails, or is skipped with `KOPRU_TEST_POSTGRES=skip`.

#![expect(clippy::unwrap_used, reason = "a step of a test that fails is a test that fails")]

mod support;

mod abuse;
mod answers;
mod channels;
mod containers;
mod crash;
mod credentials;
mod daily;
mod faults;
mod forecast;
mod forms;
mod governor;
mod hostile;
mod hourly;
mod inbound;
mod inbox;
mod journey;
mod keywords;
mod ledger;
mod messages;
mod mirror;
mod onboarding;
mod opt_in;
mod order;
mod outage;
mod portions;
mod power;
mod push;
mod redrive;
mod replicas;
mod reports;
mod resent;
mod retailers;
mod retention;
mod rules;
mod simulation;
mod stop;
mod texts;
mod trial;
mod twin;
mod unread;
mod via;
mod webhooks;
