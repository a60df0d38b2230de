//! Text as it may stand in HTML.

/// Text as it may stand in HTML, in an attribute's quotes as well.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_opens_a_tag_or_ends_an_attribute_passes() {
        assert_eq!(escape("<a href=\"x\" y='z'>&"), "&lt;a href=&quot;x&quot; y=&#39;z&#39;&gt;&amp;");
    }
}
