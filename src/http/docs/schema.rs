//! What an object holds, as rows of a table.

use utoipa::openapi::schema::{ArrayItems, Schema, SchemaType, Type};
use utoipa::openapi::{OpenApi, RefOr};

use super::words::Words;
use crate::http::html::escape;

/// Where the schemas stand in the description.
const HOME: &str = "#/components/schemas/";

/// One field of an object.
pub(super) struct Row {
    pub name: String,
    /// HTML.
    pub kind: String,
    pub needed: bool,
    pub description: String,
}

/// A schema by its name.
pub(super) fn named<'a>(document: &'a OpenApi, name: &str) -> Option<&'a Schema> {
    match document.components.as_ref()?.schemas.get(name)? {
        RefOr::T(schema) => Some(schema),
        RefOr::Ref(_) => None,
    }
}

/// The name behind a reference.
pub(super) fn target(reference: &str) -> &str {
    reference.strip_prefix(HOME).unwrap_or(reference)
}

/// The fields of an object, those of the objects it is put together from included.
pub(super) fn rows(document: &OpenApi, schema: &Schema, words: &Words) -> Vec<Row> {
    match schema {
        Schema::Object(object) => object
            .properties
            .iter()
            .map(|(name, property)| Row {
                name: name.clone(),
                kind: kind(property, words),
                needed: object.required.contains(name),
                description: description(property),
            })
            .collect(),
        Schema::AllOf(all) => all.items.iter().flat_map(|part| rows_of(document, part, words)).collect(),
        _ => Vec::new(),
    }
}

fn rows_of(document: &OpenApi, schema: &RefOr<Schema>, words: &Words) -> Vec<Row> {
    match schema {
        RefOr::Ref(reference) => named(document, target(&reference.ref_location))
            .map(|schema| rows(document, schema, words))
            .unwrap_or_default(),
        RefOr::T(schema) => rows(document, schema, words),
    }
}

/// What a value is, as HTML with links to the objects.
pub(super) fn kind(schema: &RefOr<Schema>, words: &Words) -> String {
    match schema {
        RefOr::Ref(reference) => {
            let name = escape(target(&reference.ref_location));
            format!("<a href=\"#schema-{name}\">{name}</a>")
        }
        RefOr::T(schema) => kind_of(schema, words),
    }
}

fn kind_of(schema: &Schema, words: &Words) -> String {
    let list = |items: &[RefOr<Schema>]| {
        let named: Vec<String> =
            items.iter().filter(|item| !is_null(item)).map(|item| kind(item, words)).collect();
        match named.as_slice() {
            [one] if items.len() > 1 => format!("{one} {}", words.or_null()),
            [one] => one.clone(),
            many => format!("{} {}", words.one_of(), many.join(", ")),
        }
    };
    match schema {
        Schema::Array(array) => match &array.items {
            ArrayItems::RefOrSchema(items) => format!("{} {}", words.list_of(), kind(items, words)),
            ArrayItems::False => words.list_of().to_owned(),
        },
        Schema::Object(object) => {
            let base = type_word(&object.schema_type, words);
            match &object.enum_values {
                Some(values) => {
                    let values: Vec<String> = values.iter().map(|value| escape(&value.to_string())).collect();
                    format!("{base}: <code>{}</code>", values.join("</code> <code>"))
                }
                None => base,
            }
        }
        Schema::OneOf(one) => list(&one.items),
        Schema::AnyOf(any) => list(&any.items),
        Schema::AllOf(all) => list(&all.items),
        _ => String::new(),
    }
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object)) if matches!(&object.schema_type, SchemaType::Type(Type::Null)))
}

fn type_word(kind: &SchemaType, words: &Words) -> String {
    match kind {
        SchemaType::Type(one) => word(one).to_owned(),
        SchemaType::Array(several) => {
            let named: Vec<&str> = several.iter().filter(|one| **one != Type::Null).map(word).collect();
            let null =
                if named.len() < several.len() { format!(" {}", words.or_null()) } else { String::new() };
            format!("{}{null}", named.join(" | "))
        }
        SchemaType::AnyValue => "any".to_owned(),
    }
}

fn word(kind: &Type) -> &'static str {
    match kind {
        Type::Object => "object",
        Type::String => "string",
        Type::Integer => "integer",
        Type::Number => "number",
        Type::Boolean => "boolean",
        Type::Array => "array",
        Type::Null => "null",
    }
}

fn description(schema: &RefOr<Schema>) -> String {
    let text = match schema {
        RefOr::Ref(reference) => Some(reference.description.clone()),
        RefOr::T(Schema::Object(object)) => object.description.clone(),
        RefOr::T(Schema::Array(array)) => array.description.clone(),
        RefOr::T(Schema::OneOf(one)) => one.description.clone(),
        RefOr::T(Schema::AllOf(all)) => all.description.clone(),
        RefOr::T(_) => None,
    };
    text.unwrap_or_default()
}

/// What an object as a whole is.
pub(super) fn about(schema: &Schema) -> &str {
    let text = match schema {
        Schema::Object(object) => object.description.as_deref(),
        Schema::AllOf(all) => all.description.as_deref(),
        Schema::OneOf(one) => one.description.as_deref(),
        _ => None,
    };
    text.unwrap_or_default()
}
