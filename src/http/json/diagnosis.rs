//! The slow look at a body that could not be read.

use std::fmt;

use kopru_domain::Text;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::suggestion::suggestion;
use super::{Field, Kind};
use crate::service::FieldProblem;

/// Entries of an object in their order; a name may stand there twice, which a map would hide.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry::<String, &'de RawValue>()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// Everything that is wrong with an object, in the order of its fields, then what is missing.
pub fn diagnose(raw: &RawValue, fields: &'static [Field], index: Option<usize>) -> Vec<FieldProblem> {
    let mut look = Look { index, problems: Vec::new() };
    look.object("", raw, fields);
    look.problems
}

struct Look {
    index: Option<usize>,
    problems: Vec<FieldProblem>,
}

impl Look {
    fn object(&mut self, path: &str, raw: &RawValue, fields: &'static [Field]) {
        let Ok(Entries(entries)) = serde_json::from_str::<Entries<'_>>(raw.get()) else {
            return self.wrong_type(path, "{ } içinde bir nesne", "an object in { }");
        };
        for (place, (name, value)) in entries.iter().enumerate() {
            let path = join(path, name);
            match fields.iter().find(|field| field.name == name) {
                None => self.unknown(&path, name, fields),
                Some(_) if entries[..place].iter().any(|(before, _)| before == name) => {
                    self.refuse(
                        &path,
                        "duplicate_field",
                        Text::fixed("alan iki kez yazılmış", "the field stands there twice"),
                    );
                }
                Some(field) => self.value(&path, value, field),
            }
        }
        for field in fields.iter().filter(|field| field.required) {
            if !entries.iter().any(|(name, _)| name == field.name) {
                self.missing(&join(path, field.name));
            }
        }
    }

    fn value(&mut self, path: &str, raw: &RawValue, field: &Field) {
        if raw.get() == "null" {
            if field.required {
                self.missing(path);
            }
            return;
        }
        match field.kind {
            Kind::Text => self.text(path, raw),
            Kind::Code => {
                if serde_json::from_str::<u32>(raw.get()).is_err() {
                    self.text(path, raw);
                }
            }
            Kind::Word(words) => self.word(path, raw, words),
            Kind::Number => self.number(path, raw),
            Kind::Flag => {
                if !matches!(raw.get(), "true" | "false") {
                    self.wrong_type(path, "true ya da false (tırnaksız)", "true or false, without quotes");
                }
            }
            Kind::Texts => self.list(path, raw, Self::text),
            Kind::Numbers => self.list(path, raw, Self::number),
            Kind::Words(words) => self.list(path, raw, |look, path, item| look.word(path, item, words)),
            Kind::Object(fields) => self.object(path, raw, fields),
        }
    }

    fn text(&mut self, path: &str, raw: &RawValue) {
        if raw.get().starts_with('"') {
            return;
        }
        let title = match raw.get().bytes().next() {
            Some(b'-' | b'0'..=b'9') => Text::fixed(
                "sayı değil metin olmalı: değeri çift tırnak içinde yazın",
                "it must be a text and not a number: put the value into double quotes",
            ),
            _ => Text::fixed("metin olmalı, çift tırnak içinde", "it must be a text, in double quotes"),
        };
        self.refuse(path, "wrong_type", title);
    }

    fn number(&mut self, path: &str, raw: &RawValue) {
        if serde_json::from_str::<i64>(raw.get()).is_err() {
            self.wrong_type(path, "tırnaksız bir tam sayı", "a whole number without quotes");
        }
    }

    fn word(&mut self, path: &str, raw: &RawValue, words: &[&str]) {
        let Ok(word) = serde_json::from_str::<String>(raw.get()) else { return self.text(path, raw) };
        if words.contains(&word.as_str()) {
            return;
        }
        let list = words.join(", ");
        let title = Text::new(format!("şunlardan biri olmalı: {list}"), format!("it must be one of: {list}"));
        self.refuse(path, "unknown_value", title);
    }

    fn list(&mut self, path: &str, raw: &RawValue, item: impl Fn(&mut Self, &str, &RawValue)) {
        match serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
            Ok(items) => {
                for (place, raw) in items.into_iter().enumerate() {
                    item(self, &format!("{path}[{place}]"), raw);
                }
            }
            Err(_) => self.wrong_type(path, "[ ] içinde bir liste", "a list in [ ]"),
        }
    }

    fn unknown(&mut self, path: &str, name: &str, fields: &[Field]) {
        let list = fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ");
        let title = match suggestion(name, fields) {
            Some(meant) => Text::new(
                format!("böyle bir alan yok; {meant} mi demek istediniz? Kullanılabilenler: {list}"),
                format!("there is no such field; did you mean {meant}? These are: {list}"),
            ),
            None => Text::new(
                format!("böyle bir alan yok; kullanılabilenler: {list}"),
                format!("there is no such field; these are: {list}"),
            ),
        };
        self.refuse(path, "unknown_field", title);
    }

    fn missing(&mut self, path: &str) {
        self.refuse(path, "missing", Text::fixed("bu alan gerekli", "this field is needed"));
    }

    fn wrong_type(&mut self, path: &str, tr: &str, en: &str) {
        self.refuse(path, "wrong_type", Text::new(format!("{tr} olmalı"), format!("it must be {en}")));
    }

    fn refuse(&mut self, path: &str, code: &str, title: Text) {
        let field = path.chars().take(100).collect();
        self.problems.push(FieldProblem { index: self.index, field, code: code.to_owned(), title });
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kopru_domain::Lang;
    use proptest::prelude::*;

    const INNER: &[Field] = &[Field::optional("textVersion", Kind::Text)];
    const FIELDS: &[Field] = &[
        Field::optional("recipient", Kind::Text).also(&["phone", "gsm"]),
        Field::optional("type", Kind::Word(&["ARAMA", "MESAJ"])),
        Field::optional("tags", Kind::Texts),
        Field::optional("kinds", Kind::Words(&["a", "b"])),
        Field::optional("on", Kind::Flag),
        Field::optional("place", Kind::Code),
        Field::optional("evidence", Kind::Object(INNER)),
    ];

    fn look(json: &str) -> Vec<FieldProblem> {
        diagnose(serde_json::from_str(json).unwrap(), FIELDS, Some(3))
    }

    #[test]
    fn a_code_is_a_text_or_a_whole_number() {
        for good in [r#"{"place": "34"}"#, r#"{"place": 34}"#] {
            assert!(codes(good).is_empty(), "{good}");
        }
        for bad in [r#"{"place": 3.5}"#, r#"{"place": -1}"#, r#"{"place": [34]}"#] {
            assert_eq!(codes(bad), [("place".to_owned(), "wrong_type".to_owned())], "{bad}");
        }
    }

    fn codes(json: &str) -> Vec<(String, String)> {
        look(json).into_iter().map(|problem| (problem.field, problem.code)).collect()
    }

    #[test]
    fn a_number_for_a_text_is_told_to_be_quoted() {
        let problems = look(r#"{"recipient": 5321234567}"#);
        assert_eq!((problems[0].field.as_str(), problems[0].code.as_str()), ("recipient", "wrong_type"));
        assert_eq!(problems[0].index, Some(3));
        assert!(problems[0].title.get(Lang::En).contains("double quotes"));
        assert!(problems[0].title.get(Lang::Tr).contains("çift tırnak"));
        assert!(!problems[0].title.get(Lang::En).contains("532"), "the value is not repeated");
    }

    #[test]
    fn an_unknown_field_names_the_known_ones_and_the_one_that_was_meant() {
        for (name, meant) in
            [("Recipient", "recipient"), ("gsm", "recipient"), ("recipent", "recipient"), ("typ", "type")]
        {
            let problems = look(&format!(r#"{{"{name}": 1}}"#));
            let text = problems[0].title.get(Lang::En);
            assert!(text.contains(&format!("did you mean {meant}?")), "{name}: {text}");
            assert!(text.contains("recipient, type, tags"), "{text}");
        }
        assert!(!look(r#"{"weather": 1}"#)[0].title.get(Lang::En).contains("did you mean"));
    }

    #[test]
    fn inner_fields_have_their_path() {
        let found = codes(
            r#"{"evidence": {"text_version": "1"}, "tags": ["a", 1], "kinds": ["a", "c"], "on": "true"}"#,
        );
        let expected = [
            ("evidence.text_version", "unknown_field"),
            ("tags[1]", "wrong_type"),
            ("kinds[1]", "unknown_value"),
            ("on", "wrong_type"),
        ];
        assert_eq!(found, expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
    }

    #[test]
    fn a_field_that_stands_twice_is_told() {
        let found = codes(r#"{"recipient": "a", "recipient": "b"}"#);
        assert_eq!(found, [("recipient".to_owned(), "duplicate_field".to_owned())]);
    }

    #[test]
    fn null_is_as_good_as_missing() {
        assert!(codes(r#"{"recipient": null, "type": null, "tags": null, "evidence": null}"#).is_empty());
    }

    proptest! {
        #[test]
        fn any_json_is_diagnosed(
            keys in proptest::collection::vec("[a-zA-Z_ğş]{0,12}", 0..6),
            value in prop_oneof![Just("1"), Just("\"x\""), Just("null"), Just("[1,\"a\"]"), Just("{\"a\":{}}"), Just("true")],
        ) {
            let entries: Vec<String> = keys.iter().map(|key| format!("\"{key}\": {value}")).collect();
            let json = format!("{{{}}}", entries.join(","));
            for problem in look(&json) {
                prop_assert!(!problem.title.get(Lang::Tr).is_empty());
            }
        }
    }
}
