//! The registry's list query (registry-protocol section 4.8): which of up to 1 000 addresses are approved. The answers are
//! observations with the time of asking, not movements (design.md section 4.10).

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use kopru_domain::governor::CallClass;
use kopru_domain::{BrandCode, Channel, IysCode, Observation, RecipientType};
use kopru_store::permissions::{self, PermissionRow};
use kopru_store::{Key, Tx, heads};

use crate::bootstrap::App;
use crate::registry::{RegistryError, codes, priority};
use crate::service::events::{EventLog, Subject};
use crate::service::mirror::{self, KeyStates};
use crate::service::permissions::account;
use crate::service::{ServiceResult, filing};

/// What one list asks about: one kind of recipient on one channel of a brand.
#[derive(Debug, Clone, Copy)]
pub struct List {
    /// Provider.
    pub iys_code: IysCode,
    /// Brand.
    pub brand_code: BrandCode,
    /// Channel.
    pub channel: Channel,
    /// Person or merchant.
    pub recipient_type: RecipientType,
}

impl List {
    /// Which of the addresses, each once, are approved at the registry. The class says who waits for the answer.
    pub async fn ask(
        self,
        app: &App,
        class: CallClass,
        recipients: Vec<String>,
    ) -> ServiceResult<HashSet<String>> {
        let account = account(app, self.iys_code).await?;
        let place = codes(self.iys_code, self.brand_code);
        let asking = filing::approved(&account, place, self.recipient_type, self.channel, recipients);
        Ok(priority::run(class, asking).await.map_err(RegistryError::Iys)?)
    }

    /// Keeps the answers about addresses, and tells where one changed what may be done. Locks the provider's head.
    pub async fn record(
        self,
        tx: &mut Tx,
        app: &App,
        asked: HashMap<Key, String>,
        approved: &HashSet<String>,
        asked_at: DateTime<Utc>,
    ) -> ServiceResult<()> {
        let provider = self.iys_code;
        let keys = app.vault.keys(tx, provider).await?;
        let mut head = heads::lock(tx, provider).await?;
        let mut states = KeyStates::load(tx, provider, asked.keys().copied().collect()).await?;
        let now = app.clocks.business();
        let mut events = EventLog::new(provider, keys.clone(), now);
        let mut rows = Vec::with_capacity(asked.len());
        for (key, recipient) in asked {
            let permission = &mut states.of(key).permission;
            let before = permission.effective(self.recipient_type);
            permission.observe(Observation { asked_at, approved: approved.contains(&recipient) });
            rows.push(PermissionRow {
                key,
                brand_code: self.brand_code,
                recipient_type: self.recipient_type,
                channel: self.channel,
                recipient: mirror::seal_recipient(&keys, &recipient),
                permission: permission.clone(),
            });
            let subject = Subject {
                brand_code: self.brand_code,
                key,
                recipient,
                recipient_type: self.recipient_type,
                channel: self.channel,
            };
            events.permission_changed(subject, before, permission, "status_query", None);
        }
        permissions::save(tx, provider, rows, now).await?;
        events.append(tx, &mut head).await?;
        Ok(heads::advance(tx, provider, &head).await?)
    }
}
