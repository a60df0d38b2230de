//! `/_sandbox/settings` and `/_sandbox/stats`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use serde_json::Value;

use super::problem::{Problem, read};
use crate::http::App;
use crate::http::stats::StatsView;
use crate::rules;
use crate::settings::Settings;
use crate::store::facts;

pub(super) async fn show(State(app): State<Arc<App>>) -> Json<Settings> {
    Json(app.registry.settings.get().settings.clone())
}

/// Changes the settings that the body names. They hold once they are stored.
pub(super) async fn change(State(app): State<Arc<App>>, body: Bytes) -> Result<Json<Settings>, Problem> {
    let wanted = patched(&app.registry.settings.get().settings, read(&body)?)?;
    let cell = app.registry.settings.clone();
    let stored = wanted.clone();
    app.registry
        .run(move |desk| {
            facts::put(desk.db, facts::SETTINGS, &stored)?;
            cell.put(stored);
            Ok(())
        })
        .await?;
    Ok(Json(wanted))
}

/// The settings with a patch put over them, once it names only what there is.
pub(crate) fn patched(present: &Settings, patch: Value) -> Result<Settings, Problem> {
    // One by one first, so that what is wrong has a name.
    for (name, value) in patch.as_object().into_iter().flatten() {
        if value.as_i64().is_some_and(|number| number < 0) {
            let texts = ("sıfırdan küçük olamaz".to_owned(), "must not be below zero".to_owned());
            return Err(Problem::unusable(name, texts));
        }
        let alone = present.patched(Value::Object([(name.clone(), value.clone())].into_iter().collect()));
        let texts = |error| (format!("okunamadı: {error}"), format!("it cannot be read: {error}"));
        alone.map_err(|error| Problem::unusable(name, texts(error)))?;
    }
    let wanted = present.patched(patch).map_err(|error| Problem::unreadable(&error))?;
    let known = rules::rules();
    match wanted.disabled_rules.iter().find(|name| known.iter().all(|rule| rule.name != **name)) {
        None => Ok(wanted),
        Some(name) => Err(Problem::invalid("disabledRules", &format!("a rule's name, not {name}"))),
    }
}

pub(super) async fn stats(State(app): State<Arc<App>>) -> Json<StatsView> {
    Json(app.statistics())
}
