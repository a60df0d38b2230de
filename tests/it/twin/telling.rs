//! Tells one history to both sides, step by step.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::permission::Merge;
use kopru_domain::time::format_registry;
use kopru_domain::twin::Verdict;
use kopru_domain::{ConsentStatus, Permission, RegistryKnowledge, RegistrySide, Source};
use serde_json::Value;

use super::agreement::{Agreement, Filing, Opinion, Reading, compare, mask};
use super::history::{Act, History};
use super::world::{Answer, World};

/// How often what was seen.
pub type Tally = RefCell<BTreeMap<String, usize>>;

/// One history, being told to both sides.
pub struct Telling<'a> {
    world: World,
    reading: Reading,
    history: &'a History,
    /// What the registry has confirmed.
    permission: Permission,
    /// Everything that was filed.
    filed: Vec<Filing<'a>>,
    /// Bodies that were taken, and the first answer to each.
    taken: Vec<(Value, Answer)>,
    tally: &'a Tally,
}

/// The second may turn while both are asked, on a machine that is busy elsewhere. What was found then
/// proves nothing.
const SECOND: Duration = Duration::from_millis(900);

impl<'a> Telling<'a> {
    /// Opens an empty registry for a history.
    pub async fn begin(
        history: &'a History,
        reading: Reading,
        without: &[&'static str],
        tally: &'a Tally,
    ) -> Self {
        let world = World::open(reading.word(), without).await;
        Self {
            world,
            reading,
            history,
            permission: Permission::not_known(),
            filed: Vec::new(),
            taken: Vec::new(),
            tally,
        }
    }

    /// Tells the history; the error says where they disagree.
    pub async fn tell(&mut self) -> Result<(), String> {
        let mut clock = self.history.start;
        if self.history.asked {
            let answer = self.world.status(&self.history.key).await;
            self.permission.answer_status(clock - TimeDelta::seconds(1), answer);
        }
        for (number, step) in self.history.steps.iter().enumerate() {
            let began = Instant::now();
            clock = self.world.go_to(clock).await;
            let told = self.act(&step.act, clock).await;
            if began.elapsed() >= SECOND {
                return Ok(());
            }
            told.map_err(|why| format!("step {number} at {}: {why}", format_registry(clock)))?;
            clock = step.wait.after(clock);
        }
        self.compare_records().await
    }

    /// What is left at the end must be the same record.
    async fn compare_records(&self) -> Result<(), String> {
        if self.permission.registry == RegistryKnowledge::NotKnown {
            return Ok(());
        }
        let known = self.permission.registry.side();
        let held = self.world.status(&self.history.key).await;
        if known == held.as_ref() {
            Ok(())
        } else {
            Err(format!("at the end we know {known:?}, and the registry holds {held:?}"))
        }
    }

    async fn act(&mut self, act: &Act, now: DateTime<Utc>) -> Result<(), String> {
        let recorded = self.permission.registry.side().and_then(|side| side.consent_date);
        match *act {
            Act::File { status, source, date } => {
                let filing = Filing::new(self.history, status, source, date.resolve(now, recorded));
                self.filed.push(filing.clone());
                self.file(&filing, now).await
            }
            Act::FileAgain(_) if self.filed.is_empty() => Ok(()),
            Act::FileAgain(index) => {
                let filing = index.get(&self.filed).clone();
                self.file(&filing, now).await
            }
            Act::Decide { status, source, date } => {
                self.count("citizen");
                let date = date.resolve(now, recorded);
                let written = self.world.act(&self.history.key, status, source, date).await;
                self.hear(written)
            }
            Act::CloseLine => {
                let (ret, source) = (ConsentStatus::Rejection, Source::LINE_CLOSURE);
                let written = self.world.act(&self.history.key, ret, source, None).await;
                self.hear(written.inspect(|_| self.count("closed line")))
            }
        }
    }

    /// The registry tells what it wrote by itself, unless it is one that nobody asked yet.
    fn hear(&mut self, written: Option<RegistrySide>) -> Result<(), String> {
        match written.filter(|_| self.permission.registry != RegistryKnowledge::NotKnown) {
            Some(side) => self.merge(side),
            None => Ok(()),
        }
    }

    /// Asks the domain, then files, and compares.
    async fn file(&mut self, filing: &Filing<'_>, now: DateTime<Utc>) -> Result<(), String> {
        let body = filing.body();
        let [opinion, later] = [0, 999_999].map(|micros| {
            let now = now + TimeDelta::microseconds(micros);
            Opinion::of(filing, &self.permission.registry, now, self.reading)
        });
        let answer = self.world.add(&body, self.history.v2).await;
        let told = format!("{body}: {opinion:?}, and the registry {answer:?}");
        let settled = if let Some(first) = self.taken_before(&body) {
            self.settle_repeated(filing, &first, answer)
        } else if later != opinion {
            Err(format!("within the second it turns to {later:?}"))
        } else {
            self.settle(filing, body, &opinion, answer, now).await
        };
        settled.map_err(|why| format!("{why}: {told}"))
    }

    /// The first answer to a body, where the method remembers it.
    fn taken_before(&self, body: &Value) -> Option<Answer> {
        let same = self.taken.iter().find(|(taken, _)| taken == body)?;
        self.history.v2.then(|| same.1.clone())
    }

    /// A repeated answer is the first one, and about the past.
    fn settle_repeated(&mut self, filing: &Filing<'_>, first: &Answer, answer: Answer) -> Result<(), String> {
        self.count("repeated");
        if *first != answer {
            return Err(format!("v2 answered {first:?} before"));
        }
        match self.permission.merge(side_of(filing, answer)) {
            Merge::Same | Merge::Stale => Ok(()),
            Merge::Applied => Err("a repeated answer was taken for news".to_owned()),
        }
    }

    async fn settle(
        &mut self,
        filing: &Filing<'_>,
        body: Value,
        opinion: &Opinion,
        answer: Answer,
        now: DateTime<Utc>,
    ) -> Result<(), String> {
        let agreement = compare(opinion, filing.status, answer.codes())?;
        self.note(agreement, opinion, &answer);
        match (agreement, &answer) {
            (Agreement::Masked, _) => self.unmask(&body, opinion, answer).await,
            (Agreement::Uninformed, _) => {
                let held = self.world.status(&self.history.key).await;
                self.permission.answer_status(now, held);
                Ok(())
            }
            (_, Answer::Refused(_)) => Ok(()),
            (_, Answer::Taken { .. }) => {
                self.taken.push((body, answer.clone()));
                self.merge(side_of(filing, answer))
            }
        }
    }

    /// Asks again without the rules that speak before the twin's, until its code shows.
    async fn unmask(&self, body: &Value, opinion: &Opinion, mut answer: Answer) -> Result<(), String> {
        let Some(Verdict::Refuse(code) | Verdict::NotNeeded(code)) = &opinion.verdict else {
            return Err("nothing to look for".to_owned());
        };
        let mut out = Vec::new();
        while !answer.codes().iter().any(|found| found == code.as_str()) {
            let rules: Vec<&str> = answer
                .codes()
                .iter()
                .filter_map(|found| mask(found, code.as_str()))
                .map(|mask| mask.rule)
                .filter(|rule| !out.contains(rule))
                .collect();
            if rules.is_empty() {
                return Err(format!("without {out:?} the registry says {answer:?}"));
            }
            out.extend(rules);
            self.world.take_out(&out).await;
            answer = self.world.add(body, self.history.v2).await;
        }
        self.world.take_out(&[]).await;
        Ok(())
    }

    /// A movement that the registry has just written is the newest there is.
    fn merge(&mut self, side: RegistrySide) -> Result<(), String> {
        let told = format!("{side:?}");
        match self.permission.merge(side) {
            Merge::Applied => Ok(()),
            merge => Err(format!("{merge:?} instead of applied: {told}")),
        }
    }

    fn note(&self, agreement: Agreement, opinion: &Opinion, answer: &Answer) {
        let codes = answer.codes().join("+");
        match (&opinion.verdict, agreement) {
            (Some(Verdict::Refuse(code) | Verdict::NotNeeded(code)), Agreement::Masked) => {
                self.count(&format!("{code} behind {codes}"));
            }
            (_, Agreement::Gap) => self.count("gap"),
            (_, Agreement::Uninformed) => self.count("uninformed"),
            (Some(Verdict::File), _) => self.count("taken"),
            (Some(Verdict::Expired(_)), _) => self.count("expired"),
            (Some(Verdict::Refuse(code) | Verdict::NotNeeded(code)), _) => self.count(code.as_str()),
            (None, _) => self.count("H119"),
        }
    }

    fn count(&self, what: &str) {
        *self.tally.borrow_mut().entry(what.to_owned()).or_default() += 1;
    }
}

/// What the registry holds after it took a filing.
fn side_of(filing: &Filing<'_>, answer: Answer) -> RegistrySide {
    let Answer::Taken { transaction_id, creation_date } = answer else {
        panic!("{answer:?} is no confirmation")
    };
    RegistrySide {
        status: filing.status,
        consent_date: filing.date,
        source: filing.source.map(|word| word.parse().expect("a source the registry took")),
        creation_date,
        transaction_id,
    }
}
