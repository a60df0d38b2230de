//! A submitted form, and what is wrong with it.

use url::form_urlencoded;

/// The fields of a form, in the order in which they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body of `application/x-www-form-urlencoded`.
    pub(crate) fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// A form that is filled in already.
    pub(crate) fn of<'a>(fields: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// A field without the blanks around it; empty when it did not come.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// Every value of a field that may come more than once.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.trim())
    }

    /// Whether a box is ticked.
    pub(crate) fn is_ticked(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// A field that holds a number.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.get(name).parse().ok()
    }
}

/// What is wrong with a form, field by field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mistakes(Vec<(&'static str, String)>);

impl Mistakes {
    /// One mistake.
    pub(crate) fn of(field: &'static str, sentence: impl Into<String>) -> Self {
        let mut mistakes = Self::default();
        mistakes.add(field, sentence);
        mistakes
    }

    /// Notes a mistake.
    pub(crate) fn add(&mut self, field: &'static str, sentence: impl Into<String>) {
        self.0.push((field, sentence.into()));
    }

    /// What is wrong with a field.
    pub(crate) fn at(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == field).map(|(_, sentence)| sentence.as_str())
    }

    /// All mistakes with their fields.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(field, sentence)| (*field, sentence.as_str()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read() {
        let form = Form::read("ad=+Ay%C5%9Fe+&tip=ARAMA&tip=MESAJ&marka=600100&bos=".as_bytes());
        assert_eq!((form.get("ad"), form.get("yok")), ("Ayşe", ""));
        assert_eq!(form.all("tip").collect::<Vec<_>>(), ["ARAMA", "MESAJ"]);
        assert_eq!(
            (form.number("marka"), form.number("ad"), form.number("bos")),
            (Some(600_100), None, None)
        );
        assert!(form.is_ticked("tip") && !form.is_ticked("yok"));
    }
}
