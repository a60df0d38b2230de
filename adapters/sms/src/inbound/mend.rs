//! JSON that is nearly JSON. Verimor's own guide had a sample without a comma between two members, and hand-made senders
//! forget to escape the line breaks of a text.

use std::fmt::Write as _;

/// The text with a comma where one is missing, without those that are too many, and with control characters inside
/// texts escaped. What was JSON stays what it means.
pub(super) fn mend(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + 16);
    let mut chars = json.chars().peekable();
    // Whether what was written last ends a value, so that a new one wants a comma
    let mut ended = false;
    while let Some(next) = chars.next() {
        match next {
            '"' => {
                if ended {
                    out.push(',');
                }
                out.push('"');
                string(&mut chars, &mut out);
                ended = true;
            }
            '{' | '[' => {
                if ended {
                    out.push(',');
                }
                out.push(next);
                ended = false;
            }
            '}' | ']' => {
                drop_comma(&mut out);
                out.push(next);
                ended = true;
            }
            ',' | ':' => {
                if !(next == ',' && out.trim_end().ends_with([',', '[', '{'])) {
                    out.push(next);
                }
                ended = false;
            }
            space if space.is_whitespace() => out.push(space),
            // A number, true, false or null
            _ => {
                if ended {
                    out.push(',');
                }
                out.push(next);
                while let Some(more) =
                    chars.next_if(|more| more.is_alphanumeric() || matches!(more, '.' | '-' | '+'))
                {
                    out.push(more);
                }
                ended = true;
            }
        }
    }
    drop_comma(&mut out);
    out
}

/// The rest of a text, up to its closing quotation mark.
fn string(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    while let Some(next) = chars.next() {
        match next {
            '\\' => {
                out.push('\\');
                if let Some(escaped) = chars.next() {
                    out.push(escaped);
                }
            }
            '"' => {
                out.push('"');
                return;
            }
            control if control.is_control() && u32::from(control) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
}

/// Takes back a comma that nothing follows.
fn drop_comma(out: &mut String) {
    let kept = out.trim_end();
    if kept.ends_with(',') {
        out.truncate(kept.len() - 1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_people_forget_is_mended() {
        for (broken, meant) in [
            (r#"[{"a": 1 "b": "x"}]"#, json!([{"a": 1, "b": "x"}])),
            (
                r#"{"a": "x" "b": null "c": [1 2] "d": {} "e": true}"#,
                json!({"a": "x", "b": null, "c": [1, 2], "d": {}, "e": true}),
            ),
            (r#"[{"a": 1} {"a": 2},]"#, json!([{"a": 1}, {"a": 2}])),
            (r#"{"a": 1,, "b": 2,}"#, json!({"a": 1, "b": 2})),
            ("{\"a\": \"one\ntwo\tthree\"}", json!({"a": "one\ntwo\tthree"})),
            (r#"{"a": "a \"quoted\" , b"}"#, json!({"a": "a \"quoted\" , b"})),
        ] {
            let mended: Value =
                serde_json::from_str(&mend(broken)).unwrap_or_else(|error| panic!("{broken}: {error}"));
            assert_eq!(mended, meant, "{broken}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(".{0,6}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_json_keeps_its_meaning(value in value()) {
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                prop_assert_eq!(serde_json::from_str::<Value>(&mend(&text)).unwrap(), value.clone());
            }
        }

        #[test]
        fn nothing_makes_it_panic(text in ".{0,60}") {
            mend(&text);
        }
    }
}
