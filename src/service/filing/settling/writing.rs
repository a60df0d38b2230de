//! What a provider's part of a transaction writes.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use kopru_domain::{HeldCause, RegistryAnswer, SubmissionState};
use kopru_store::heads::{self, Head};
use kopru_store::submissions::{self, SubmissionRow};
use kopru_store::{Step, Tx, changes, holds, permissions};

use crate::service::events::{EventLog, Numbered};
use crate::service::filing::release::release;
use crate::service::filing::settling::Settling;
use crate::service::{SLICE, ServiceError, ServiceResult, onboarding, redrive};

/// More events than this are worth a thread.
const EVENTS_AT_ONCE: usize = 64;

impl Settling<'_> {
    /// As [`Settling::answered`] for many, which must be each of another key: the next are worked out while the database writes
    /// those before.
    pub async fn all_answered(
        &mut self,
        tx: &mut Tx,
        answers: Vec<(SubmissionRow, RegistryAnswer)>,
    ) -> ServiceResult<()> {
        let mut answers = answers.into_iter().peekable();
        while answers.peek().is_some() {
            let ready = self.ready();
            let work = async {
                answers.by_ref().take(SLICE).try_for_each(|(row, answer)| self.answered(row, &answer))
            };
            // The order is sent with the first poll; only then is worked.
            let (written, worked) = futures::join!(tx.run(ready), work);
            written?;
            worked?;
        }
        Ok(())
    }

    /// What was registered so far, with its permissions.
    fn ready(&mut self) -> Vec<Step> {
        let saved = last_of_each(std::mem::take(&mut self.saved));
        let (registered, others): (Vec<_>, Vec<_>) =
            saved.into_iter().partition(|row| row.state == SubmissionState::Registered);
        self.saved = others;
        let permissions = std::mem::take(&mut self.permissions).into_values().collect();
        vec![
            submissions::register_step(registered, self.now),
            permissions::save_step(self.provider, permissions, self.now),
        ]
    }

    /// Writes everything. The caller commits.
    pub async fn finish(mut self, tx: &mut Tx) -> ServiceResult<()> {
        let (provider, now) = (self.provider, self.now);
        let ready = self.ready();
        // Many events are sealed beside the database's work.
        let events = seal(self.events, self.head.clone());
        tx.run(ready).await?;
        submissions::save(tx, self.saved, now).await?;
        if !self.warned.is_empty() {
            submissions::warned(tx, provider, self.warned).await?;
        }
        for ((brand, channel), (approval, written)) in self.lifted {
            // What the registry wrote before it refused shows nothing of today. It tells whole seconds.
            if holds::lift(tx, provider, brand, channel, approval, written + TimeDelta::seconds(1)).await? {
                release(tx, self.app, (provider, brand, channel)).await?;
                // What the list said is out of date.
                onboarding::enqueue(tx, self.app, provider).await?;
            }
        }
        let mut refused_first = false;
        for hold in &self.holds {
            refused_first |= holds::set(tx, hold).await? && hold.cause != HeldCause::Quota.as_str();
        }
        if refused_first {
            // Whatever else was withdrawn with it is known at once.
            onboarding::enqueue(tx, self.app, provider).await?;
        }
        for consent in self.redriven {
            redrive::rejection(tx, self.app, provider, consent, now).await?;
        }
        let (events, head) = events.await?;
        let Some((first, last)) = events.numbers else { return Ok(()) };
        tx.run(vec![changes::append_step(provider, events.rows), heads::advance_step(provider, &head)])
            .await?;
        Ok(tx.run(vec![changes::fan_out_step(provider, first, last, now)]).await?)
    }
}

/// Numbers and seals events: few at once, many on a thread of their own that starts now.
fn seal(events: EventLog, mut head: Head) -> impl Future<Output = ServiceResult<(Numbered, Head)>> {
    let many = events.count() > EVENTS_AT_ONCE;
    let number = move || (events.number(&mut head), head);
    let task = if many { Ok(tokio::task::spawn_blocking(number)) } else { Err(number()) };
    async move {
        match task {
            Ok(task) => task.await.map_err(|_| ServiceError::Overloaded),
            Err(done) => Ok(done),
        }
    }
}

/// One upsert names each row once: the last word counts.
fn last_of_each(rows: Vec<SubmissionRow>) -> Vec<SubmissionRow> {
    let mut seen = BTreeSet::new();
    let mut kept: Vec<SubmissionRow> =
        rows.into_iter().rev().filter(|row| seen.insert((row.consent_id, row.generation))).collect();
    kept.reverse();
    kept
}
