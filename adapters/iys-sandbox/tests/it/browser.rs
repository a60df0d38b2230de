//! Somebody with a browser: keeps cookies, follows nothing by itself, and looks each page over.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};

use crate::world::World;

/// What the browser shows.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub html: String,
    /// Where it is sent on to; empty when nowhere.
    pub location: String,
}

impl Page {
    pub fn has(&self, text: &str) -> bool {
        self.html.contains(text)
    }

    /// What stands in the first element that begins with `start`, up to the next tag.
    pub fn after(&self, start: &str) -> &str {
        let rest = self.html.split_once(start).unwrap_or_else(|| panic!("no {start} in {}", self.html)).1;
        rest.split(['<', '"']).next().unwrap()
    }

    fn form_token(&self) -> &str {
        self.after("name=\"_anahtar\" value=\"")
    }
}

pub struct Browser {
    client: Client,
    base: String,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    pub fn new(world: &World) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { client, base: world.base.clone(), cookies: BTreeMap::new() }
    }

    pub async fn get(&mut self, path: &str) -> Page {
        let page = self.ask(Method::GET, path, None).await;
        if page.location.is_empty() {
            look_over(&page.html);
        }
        page
    }

    /// Sends a form as the page had it.
    pub async fn submit(&mut self, from: &Page, path: &str, fields: &[(&str, &str)]) -> Page {
        self.post(path, from.form_token(), fields).await
    }

    /// Sends a form that must succeed, and shows where it leads.
    pub async fn submit_through(&mut self, from: &Page, path: &str, fields: &[(&str, &str)]) -> Page {
        let sent = self.submit(from, path, fields).await;
        assert_eq!(sent.status, 303, "{path}: {}", sent.html);
        self.get(&sent.location).await
    }

    /// Sends a form with a token of one's own making.
    pub async fn post(&mut self, path: &str, token: &str, fields: &[(&str, &str)]) -> Page {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair("_anahtar", token).extend_pairs(fields);
        let page = self.ask(Method::POST, path, Some(body.finish())).await;
        if page.location.is_empty() {
            look_over(&page.html);
        }
        page
    }

    pub fn forget_cookies(&mut self) {
        self.cookies.clear();
    }

    pub fn cookies(&self) -> &BTreeMap<String, String> {
        &self.cookies
    }

    async fn ask(&mut self, method: Method, path: &str, body: Option<String>) -> Page {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request =
            self.client.request(method, format!("{}{path}", self.base)).header("cookie", cookies.join("; "));
        if let Some(body) = body {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        }
        let response = request.send().await.unwrap();
        self.keep_cookies(&response);
        let status = response.status().as_u16();
        let header = |name: &str| {
            let value = response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            value.unwrap_or_default()
        };
        let location = header("location");
        if location.is_empty() {
            assert!(header("content-security-policy").starts_with("default-src 'none'; style-src 'sha256-"));
            assert_eq!(header("cache-control"), "no-store");
        }
        Page { status, location, html: response.text().await.unwrap() }
    }

    fn keep_cookies(&mut self, response: &Response) {
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Logs in as a citizen and shows the consents.
    pub async fn citizen(world: &World, address: &str) -> (Self, Page) {
        let mut browser = Self::new(world);
        let page = browser.get("/vatandas/giris").await;
        let page = browser.submit_through(&page, "/vatandas/giris", &[("adres", address)]).await;
        let code = page.after("class=\"code\">").to_owned();
        let page = browser.submit_through(&page, "/vatandas/kod", &[("kod", &code)]).await;
        assert_eq!(page.status, 200, "{}", page.html);
        (browser, page)
    }

    /// Logs in as a provider and shows its overview.
    pub async fn provider(world: &World, iys_code: &str) -> (Self, Page) {
        let mut browser = Self::new(world);
        let page = browser.get("/hizmet-saglayici/giris").await;
        let fields = [("saglayici", iys_code)];
        let page = browser.submit_through(&page, "/hizmet-saglayici/giris", &fields).await;
        assert_eq!(page.status, 200, "{}", page.html);
        (browser, page)
    }
}

/// What holds for every page: its language, one heading of the first order, a title, ids that are there once, labels and
/// links that lead to one, no script and no style but the one sheet.
fn look_over(html: &str) {
    assert!(html.starts_with("<!DOCTYPE html><html lang=\"tr\">"), "{html}");
    for (part, times) in [("<h1>", 1), ("<title>", 1), ("<main ", 1), ("class=\"skip\"", 1)] {
        assert_eq!(html.matches(part).count(), times, "{part} in {html}");
    }
    for bad in ["<script", "style=\"", "javascript:", "src=\""] {
        assert!(!html.contains(bad), "{bad} in {html}");
    }
    let values = |attribute: &str| -> Vec<String> {
        let start = format!(" {attribute}=\"");
        let parts = html.split(&start).skip(1);
        parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
    };
    let ids: BTreeSet<String> = values("id").into_iter().collect();
    assert_eq!(ids.len(), values("id").len(), "an id stands twice in {html}");
    let links = values("href").into_iter().filter_map(|href| href.strip_prefix('#').map(str::to_owned));
    let described = values("aria-describedby")
        .into_iter()
        .flat_map(|list| list.split(' ').map(str::to_owned).collect::<Vec<_>>());
    for wanted in values("for").into_iter().chain(links).chain(described) {
        assert!(ids.contains(&wanted), "nothing has the id {wanted} in {html}");
    }
    let posts = html.matches("method=\"post\"").count();
    assert_eq!(html.matches("name=\"_anahtar\"").count(), posts, "a form without its token in {html}");
}
