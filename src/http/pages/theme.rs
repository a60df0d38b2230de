//! The colours of the pages as custom properties: those of a form's theme, and what follows from them so that everything on the
//! page can be read (WCAG 2.2). Nothing gets there but colours that were checked.

use crate::service::forms::Theme;
use crate::service::forms::colour::{Colour, EDGE, TEXT};

/// The colours on a ground of their own, for our own pages: light, and dark where the person wants it so. Who has chosen
/// a ground or a logo gets what he has chosen.
pub(super) fn root(theme: &Theme) -> String {
    let light = properties(theme.accent(), theme.background(), theme.text());
    let own = theme.background.is_some() || theme.text.is_some() || theme.logo.is_some();
    if own {
        return format!(":root{{{light}}}");
    }
    let dark = properties(theme.accent(), Colour([0x14, 0x17, 0x1a]), Colour([0xe9, 0xec, 0xef]));
    format!(":root{{color-scheme:light dark;{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}")
}

/// The colours in a page of somebody else.
pub(super) fn host(theme: &Theme) -> String {
    format!(":host{{{}}}", properties(theme.accent(), theme.background(), theme.text()))
}

fn properties(accent: Colour, ground: Colour, ink: Colour) -> String {
    // A shade on which the text can still be read.
    let shade = ground.mixed(ink, 5);
    let soft = if ink.contrast(shade) >= TEXT { shade } else { ground };
    let readable = |colour: Colour| {
        let on_soft = colour.readable(soft, TEXT);
        if on_soft.contrast(ground) >= TEXT { on_soft } else { on_soft.readable(ground, TEXT) }
    };
    let (bad, good) = (Colour([0xb4, 0x23, 0x18]), Colour([0x14, 0x7a, 0x47]));
    [
        ("accent", accent),
        ("bg", ground),
        ("fg", ink),
        ("soft", soft),
        ("hair", ground.mixed(ink, 18)),
        ("line", ground.mixed(ink, 50).readable(ground, EDGE)),
        ("dim", readable(ink.mixed(ground, 30))),
        ("link", readable(accent)),
        ("bad", readable(bad)),
        ("good", readable(good)),
    ]
    .map(|(name, colour)| format!("--{name}:{colour}"))
    .join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_client_chooses_can_be_read() {
        let colour = |text: &str| Some(text.to_owned());
        let themes = [
            (None, None, None),
            (colour("#7a1f1f"), None, None),
            (colour("#000000"), colour("#111111"), colour("#fafafa")),
            (colour("#555500"), colour("#757575"), colour("#ffffff")),
            (colour("#333333"), colour("#ffffff"), colour("#767676")),
        ];
        for (accent, background, text) in themes {
            let theme = Theme { accent, background, text, logo: None };
            let css = host(&theme);
            let of = |name: &str| {
                let start = css.find(&format!("--{name}:")).unwrap() + name.len() + 3;
                Colour::parse(&css[start..start + 7]).unwrap()
            };
            for name in ["fg", "dim", "link", "bad", "good"] {
                assert!(of(name).contrast(of("bg")) >= TEXT, "{name}: {css}");
                assert!(of(name).contrast(of("soft")) >= TEXT, "{name} on soft: {css}");
            }
            assert!(of("line").contrast(of("bg")) >= EDGE, "{css}");
        }
    }

    #[test]
    fn who_has_chosen_a_ground_keeps_it_in_the_dark() {
        assert!(root(&Theme::default()).contains("prefers-color-scheme:dark"));
        let chosen = Theme { background: Some("#ffeecc".to_owned()), ..Theme::default() };
        assert!(!root(&chosen).contains("dark") && root(&chosen).contains("--bg:#ffeecc"));
    }
}
