//! Deserialisers for what the registry's documents spell in more than one way.

use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, Error, Visitor};
use serde::{Deserialize, Serializer};
use serde_json::Value;

/// Text from a string, a number or a boolean; absent, `null` and other shapes are the empty string.
pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(from.deserialize_any(TextVisitor)?.unwrap_or_default())
}

/// Text as in [`text`], where `null` and the empty string both mean "none".
pub(crate) fn optional_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(from.deserialize_any(TextVisitor)?.filter(|text| !text.is_empty()))
}

/// A whole number from a number or a numeric string; anything else is an error.
pub(crate) fn int<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    optional_int(from)?.ok_or_else(|| D::Error::custom("a whole number was expected"))
}

/// A whole number as in [`int`]; `null`, the empty string and what is no number mean "none".
pub(crate) fn optional_int<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Ok(int_of(&Value::deserialize(from)?))
}

/// A truth value from a boolean, `"true"`/`"false"` in any case, or 0/1; anything else is `false`.
pub(crate) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(optional_flag(from)?.unwrap_or_default())
}

/// A truth value as in [`flag`]; anything else is "none".
pub(crate) fn optional_flag<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Bool(flag) => Some(flag),
        Value::String(text) if text.trim().eq_ignore_ascii_case("true") || text.trim() == "1" => Some(true),
        Value::String(text) if text.trim().eq_ignore_ascii_case("false") || text.trim() == "0" => Some(false),
        Value::Number(number) => number.as_i64().map(|number| number != 0),
        _ => None,
    })
}

/// A list; `null`, `""` and `{}` stand for an empty one (the history answer is typed "string or array").
pub(crate) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    match Value::deserialize(from)? {
        Value::Array(items) => {
            items.into_iter().map(|item| serde_json::from_value(item).map_err(D::Error::custom)).collect()
        }
        Value::Null => Ok(Vec::new()),
        Value::String(text) if text.trim().is_empty() => Ok(Vec::new()),
        Value::Object(fields) if fields.is_empty() => Ok(Vec::new()),
        _ => Err(D::Error::custom("a list was expected")),
    }
}

/// A list as in [`list`], where a single object stands for a list of one.
pub(crate) fn list_or_one<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    match Value::deserialize(from)? {
        one @ Value::Object(_) if one.as_object().is_some_and(|fields| !fields.is_empty()) => {
            serde_json::from_value(one).map(|one| vec![one]).map_err(D::Error::custom)
        }
        other => list(other).map_err(D::Error::custom),
    }
}

/// A list of whole numbers, each as in [`int`]; what is no number is dropped.
pub(crate) fn ints<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<i64>, D::Error> {
    let values: Vec<Value> = list(from)?;
    Ok(values.iter().filter_map(int_of).collect())
}

/// An object; `null`, `""` and anything else that is no object stand for the default one.
pub(crate) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    from: D,
) -> Result<T, D::Error> {
    match Value::deserialize(from)? {
        object @ Value::Object(_) => serde_json::from_value(object).map_err(D::Error::custom),
        _ => Ok(T::default()),
    }
}

/// An object as in [`object`]; anything else is "none".
pub(crate) fn optional_object<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
) -> Result<Option<T>, D::Error> {
    match Value::deserialize(from)? {
        object @ Value::Object(_) => serde_json::from_value(object).map(Some).map_err(D::Error::custom),
        _ => Ok(None),
    }
}

/// Writes a truth value as the string `"true"` or `"false"`, the spelling of the documented examples.
#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde's serialize_with asks for"
)]
pub(crate) fn flag_as_text<S: Serializer>(flag: &Option<bool>, to: S) -> Result<S::Ok, S::Error> {
    match flag {
        Some(flag) => to.serialize_str(if *flag { "true" } else { "false" }),
        None => to.serialize_none(),
    }
}

fn int_of(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number
            .as_i64()
            .or_else(|| number.as_f64().filter(|float| float.fract() == 0.0).map(|float| float as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Option<String>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Some(text))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Some(flag.to_string()))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}
