//! The language of an answer, by `Accept-Language`; Turkish unless English is liked better.

use axum::http::{HeaderMap, header};
use kopru_domain::Lang;

/// The language that a request asks for.
pub fn of(headers: &HeaderMap) -> Lang {
    let wish = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    wish.map_or_else(Lang::default, choose)
}

/// Chooses by quality; among equals the first named wins.
pub fn choose(wish: &str) -> Lang {
    let mut best = (0_u16, Lang::default());
    for entry in wish.split(',') {
        let mut parts = entry.split(';');
        let tag = parts.next().unwrap_or_default().trim();
        let quality = parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(1_000, thousandths);
        let language = match tag.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "tr" | "*" => Lang::Tr,
            "en" => Lang::En,
            _ => continue,
        };
        if quality > best.0 {
            best = (quality, language);
        }
    }
    best.1
}

fn thousandths(quality: &str) -> u16 {
    let value: f32 = quality.trim().parse().unwrap_or_default();
    if value.is_finite() { (value.clamp(0.0, 1.0) * 1_000.0) as u16 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turkish_unless_english_is_liked_better() {
        for wish in
            ["", "tr", "tr-TR,tr;q=0.9,en;q=0.8", "de", "*", "de, tr;q=0.1", "en;q=0", "en;q=x", "tr, en"]
        {
            assert_eq!(choose(wish), Lang::Tr, "{wish}");
        }
        for wish in
            ["en", "EN-gb", "en-US,en;q=0.9,tr;q=0.8", "de, en;q=0.5", "tr;q=0.4, en;q=0.6", "en;q=0.5, de"]
        {
            assert_eq!(choose(wish), Lang::En, "{wish}");
        }
    }
}
