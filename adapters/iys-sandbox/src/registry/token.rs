//! `POST /oauth2/token` (protocol 1.2).

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iys::wire::TokenResponse;
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::Desk;
use super::access::Access;
use super::answer::{Answer, Outcome, Stop};
use super::operation::Call;
use crate::error::Result;
use crate::rules::effect;
use crate::rules::token::{Credentials, Field, TOKEN, TokenCase};
use crate::store::accounts::{self, Account, Family};
use crate::store::providers;

/// Serves the token endpoint: both grants, as JSON and as a form.
pub(crate) fn token(desk: &Desk<'_>, call: &Call, _: &Access) -> Outcome {
    let mut case = read(call);
    let account = if case.is_password() { login(desk, &mut case)? } else { refresh(desk, &mut case)? };
    if let Err(refusal) = desk.settings.first(TOKEN, |check| check(&case)) {
        let Some(item) = refusal.errors.into_iter().next() else { return Ok(Answer::Empty(400)) };
        return Ok(Answer::OAuth { error: item.code, description: item.message });
    }
    // Only with rules taken out can a login pass that leads to no account.
    let Some(account) = account else { return Ok(Answer::Empty(500)) };
    if let Some(used) = case.refresh_token.as_text().filter(|_| case.is_refresh())
        && desk.settings.settings.refresh_rotation
        && desk.settings.is_on(effect::REFRESH_ONCE)
    {
        accounts::end_token(desk.db, used)?;
    }
    let answer = issue(desk, &account)?;
    Ok(Answer::ok(&answer)?)
}

/// Reads the request; what its credentials are worth is found out afterwards.
fn read(call: &Call) -> TokenCase {
    let mut fields: HashMap<String, Field> = HashMap::new();
    let mut readable = true;
    if call.media_type == "application/x-www-form-urlencoded" {
        fields.extend(
            form_urlencoded::parse(&call.body).map(|(key, value)| (key.into_owned(), Field::text(&value))),
        );
    } else {
        let json: Option<Map<String, Value>> = serde_json::from_slice(&call.body).ok();
        readable = json.is_some();
        fields.extend(json.into_iter().flatten().map(|(key, value)| (key, Field::of(&value))));
    }
    let mut field = |name: &str| fields.remove(name).unwrap_or(Field::Missing);
    TokenCase {
        readable,
        grant: field("grant_type"),
        username: field("username"),
        password: field("password"),
        refresh_token: field("refresh_token"),
        login: Credentials::NotAsked,
        refresh: Credentials::NotAsked,
    }
}

fn login(desk: &Desk<'_>, case: &mut TokenCase) -> Result<Option<Account>, Stop> {
    let (Some(username), Some(password)) = (case.username.as_text(), case.password.as_text()) else {
        return Ok(None);
    };
    let account = accounts::find(desk.db, username)?.filter(|account| account.password == password);
    case.login = match &account {
        None => Credentials::Wrong,
        Some(account) if account.admin => Credentials::Admin,
        Some(_) => Credentials::Right,
    };
    Ok(account)
}

fn refresh(desk: &Desk<'_>, case: &mut TokenCase) -> Result<Option<Account>, Stop> {
    let Some(token) = case.refresh_token.as_text().filter(|_| case.is_refresh()) else { return Ok(None) };
    let user = accounts::token_user(desk.db, token, true, desk.now_millis)?;
    let account = user.map(|name| accounts::find(desk.db, &name)).transpose()?.flatten();
    case.refresh = if account.is_some() { Credentials::Right } else { Credentials::Wrong };
    Ok(account)
}

/// Makes a pair of tokens that lives from now.
fn issue(desk: &Desk<'_>, account: &Account) -> Result<TokenResponse> {
    let settings = &desk.settings.settings;
    accounts::forget_dead_tokens(desk.db, desk.now_millis)?;
    let make = |refresh: bool, seconds: i64| -> Result<SecretString> {
        let text = jwt(desk, account, seconds)?;
        let expires = desk.now_millis.saturating_add(seconds.saturating_mul(1000));
        accounts::add_token(desk.db, &text, refresh, &account.username, expires)?;
        Ok(text.into())
    };
    Ok(TokenResponse {
        access_token: make(false, settings.access_token_seconds)?,
        refresh_token: make(true, settings.refresh_token_seconds)?,
        expires_in: settings.access_token_seconds,
        refresh_expires_in: settings.refresh_token_seconds,
        token_type: "bearer".to_owned(),
    })
}

/// A text of the shape of the registry's tokens. Its payload informs, its signature is random: this
/// registry knows its tokens by heart.
fn jwt(desk: &Desk<'_>, account: &Account, seconds: i64) -> Result<String> {
    let mut payload = json!({
        "jti": crate::store::random_text(16)?,
        "iat": desk.now(),
        "exp": desk.now().saturating_add(seconds),
        "iss": "iys-sandbox",
        "preferred_username": account.username,
    });
    match account.family {
        Family::Partner => {
            payload["userType"] = "integrator".into();
            payload["azp"] = "integrator-client".into();
        }
        Family::Provider => {
            // Codes are texts here, and may have leading zeros.
            let code = |code: i64| format!("{code:06}");
            let brands: Vec<Value> = providers::list_brands(desk.db, account.code)?
                .into_iter()
                .map(|brand| json!({"brandCode": code(brand.code), "name": brand.name}))
                .collect();
            let title = providers::find(desk.db, account.code)?.map(|provider| provider.title);
            payload["realm_access"] = json!({"roles": ["API_USER"]});
            payload["brands"] = brands.into();
            payload["serviceProvider"] = json!({"title": title, "iysCode": code(account.code)});
        }
    }
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let header = part(br#"{"alg":"RS256","typ":"JWT"}"#);
    let signature = part(crate::store::random_text(32)?.as_bytes());
    Ok(format!("{header}.{}.{signature}", part(payload.to_string().as_bytes())))
}
