//! The page as HTML.

use std::fmt::Write as _;

use kopru_domain::Lang;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::{OpenApi, RefOr, Required};

use super::schema::{self, Row};
use super::words::{EXAMPLE, INTRODUCTION, Words};
use crate::http::html::escape;
use crate::http::openapi::{DESCRIPTION_TR, SCOPE, SUMMARY_TR, TAGS, operations};
use crate::http::problem::{CATALOGUE, TYPE_PREFIX};

/// The whole page in one language.
pub(super) fn page(document: &OpenApi, lang: Lang, style: &str) -> String {
    let writer = Writer { document, words: Words(lang), lang, html: String::with_capacity(200_000) };
    writer.page(style)
}

/// Text with `code` between back-ticks, as the descriptions are written.
fn prose(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 32);
    for (place, part) in text.split('`').enumerate() {
        let part = escape(part);
        if place % 2 == 1 {
            html.extend(["<code>", part.as_str(), "</code>"]);
        } else {
            html.push_str(&part);
        }
    }
    html
}

struct Writer<'a> {
    document: &'a OpenApi,
    words: Words,
    lang: Lang,
    html: String,
}

impl Writer<'_> {
    fn page(mut self, style: &str) -> String {
        let (title, lead) = (self.words.title(), self.words.lead());
        let lang = self.lang.as_str();
        self.push(&format!(
            "<!doctype html>\n<html lang=\"{lang}\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width, initial-scale=1\"><title>{title}</title>\n<style>{style}</style></head>\n<body><div class=\"page\">\n"
        ));
        self.navigation();
        let version = escape(&self.document.info.version);
        self.push(&format!(
            "<main>\n<h1>{title} <span class=\"dim\">{version}</span></h1>\n<p class=\"lead\">{lead}</p>\n"
        ));
        self.introduction();
        for tag in TAGS {
            self.group(tag);
        }
        self.problems();
        self.objects();
        self.push("</main></div></body></html>\n");
        self.html
    }

    fn push(&mut self, html: &str) {
        self.html.push_str(html);
    }

    fn navigation(&mut self) {
        let other = match self.lang {
            Lang::Tr => Lang::En,
            Lang::En => Lang::Tr,
        };
        let (language, description) = (self.words.other_language(), self.words.description());
        self.push(&format!(
            "<nav><ul><li><a href=\"?lang={}\">{language}</a></li><li><a href=\"/openapi.json\">{description}</a></li>\
             <li><a href=\"#introduction\">{}</a></li><li><a href=\"#problems\">{}</a></li><li><a href=\"#schemas\">{}</a></li></ul>\n",
            other.as_str(),
            self.words.introduction(),
            self.words.problems(),
            self.words.schemas()
        ));
        // Closed on a phone, where the text would begin screens below; the style opens it beside the text.
        self.push(&format!("<details><summary>{}</summary>\n", self.words.operations()));
        for tag in TAGS {
            let heading = self.pick(tag.1, tag.2);
            self.push(&format!("<strong><a href=\"#{}\">{heading}</a></strong><ul>\n", tag.0));
            for (_, _, operation) in self.of_tag(tag.0) {
                let entry =
                    format!("<li><a href=\"#{}\">{}</a></li>\n", id(operation), self.summary(operation));
                self.push(&entry);
            }
            self.push("</ul>\n");
        }
        self.push("</details></nav>\n");
    }

    fn introduction(&mut self) {
        self.push(&format!(
            "<h2 id=\"introduction\">{}</h2>\n<pre>{}</pre>\n",
            self.words.introduction(),
            escape(EXAMPLE)
        ));
        for (heading, text) in INTRODUCTION {
            let html = format!(
                "<h3>{}</h3>\n<p>{}</p>\n",
                escape(heading.get(self.lang)),
                escape(text.get(self.lang))
            );
            self.push(&html);
        }
        self.push(&format!("<p class=\"dim\">{}</p>\n", self.words.reference_note()));
    }

    fn group(&mut self, (name, turkish, english): (&str, &'static str, &'static str)) {
        self.push(&format!("<h2 id=\"{name}\">{}</h2>\n", self.pick(turkish, english)));
        for (path, method, operation) in self.of_tag(name) {
            self.operation(path, method, operation);
        }
    }

    fn operation(&mut self, path: &str, method: &str, operation: &Operation) {
        let html = format!(
            "<h3 id=\"{}\">{}</h3>\n<p class=\"operation\"><span class=\"method {method}\">{method}</span>{}</p>\n",
            id(operation),
            self.summary(operation),
            escape(path)
        );
        self.push(&html);
        let description = self.own(operation, DESCRIPTION_TR, operation.description.as_deref());
        if !description.is_empty() {
            self.push(&format!("<p>{}</p>\n", prose(description)));
        }
        if let Some(scope) = extension(operation, SCOPE) {
            let html =
                format!("<p class=\"dim\">{}: <code>{}</code></p>\n", self.words.scope(), escape(scope));
            self.push(&html);
        }
        self.parameters(operation);
        self.body(operation);
        self.answers(operation);
    }

    fn parameters(&mut self, operation: &Operation) {
        let rows: Vec<Row> = operation
            .parameters
            .iter()
            .flatten()
            .filter_map(|parameter| match parameter {
                RefOr::T(parameter) => Some(self.parameter(parameter)),
                RefOr::Ref(_) => None,
            })
            .collect();
        if !rows.is_empty() {
            self.push(&format!("<h4>{}</h4>\n", self.words.parameters()));
            self.table(self.words.name(), &rows);
        }
    }

    fn parameter(&self, parameter: &Parameter) -> Row {
        let place = match parameter.parameter_in {
            ParameterIn::Path => "path",
            ParameterIn::Header => "header",
            _ => "query",
        };
        let kind =
            parameter.schema.as_ref().map(|schema| schema::kind(schema, &self.words)).unwrap_or_default();
        Row {
            name: parameter.name.clone(),
            kind: format!("{kind} <span class=\"dim\">{place}</span>"),
            needed: parameter.required == Required::True,
            description: parameter.description.clone().unwrap_or_default(),
        }
    }

    fn body(&mut self, operation: &Operation) {
        let Some(RefOr::T(body)) = &operation.request_body else { return };
        let kinds: Vec<String> = body.content.values().filter_map(|content| self.content(content)).collect();
        let text = body.description.as_deref().map(prose).unwrap_or_default();
        let html = format!("<h4>{}</h4>\n<p>{} {text}</p>\n", self.words.body(), kinds.join(", "));
        self.push(&html);
    }

    fn answers(&mut self, operation: &Operation) {
        let mut rows = Vec::new();
        for (status, response) in &operation.responses.responses {
            let RefOr::T(response) = response else { continue };
            let kinds: Vec<String> =
                response.content.values().filter_map(|content| self.content(content)).collect();
            rows.push(Row {
                name: status.clone(),
                kind: kinds.join(", "),
                needed: false,
                description: response.description.clone(),
            });
        }
        self.push(&format!("<h4>{}</h4>\n", self.words.answers()));
        self.table(self.words.status(), &rows);
    }

    fn content(&self, content: &RefOr<utoipa::openapi::Content>) -> Option<String> {
        let RefOr::T(content) = content else { return None };
        content.schema.as_ref().map(|schema| schema::kind(schema, &self.words))
    }

    fn problems(&mut self) {
        let html = format!(
            "<h2 id=\"problems\">{}</h2>\n<p>{}</p>\n<table><thead><tr><th>type</th><th>{}</th><th>{}</th></tr></thead><tbody>\n",
            self.words.problems(),
            self.words.problems_lead(),
            self.words.status(),
            self.words.meaning()
        );
        self.push(&html);
        for kind in CATALOGUE {
            let html = format!(
                "<tr><td><code>{TYPE_PREFIX}{}</code></td><td>{}</td><td>{}</td></tr>\n",
                kind.slug,
                kind.status.as_u16(),
                escape(kind.title.get(self.lang))
            );
            self.push(&html);
        }
        self.push("</tbody></table>\n");
    }

    fn objects(&mut self) {
        let document = self.document;
        self.push(&format!("<h2 id=\"schemas\">{}</h2>\n", self.words.schemas()));
        let Some(components) = &document.components else { return };
        for (name, schema) in &components.schemas {
            let RefOr::T(schema) = schema else { continue };
            let name = escape(name);
            let html =
                format!("<h3 id=\"schema-{name}\">{name}</h3>\n<p>{}</p>\n", prose(schema::about(schema)));
            self.push(&html);
            let rows = schema::rows(document, schema, &self.words);
            if rows.is_empty() {
                let kind = schema::kind(&RefOr::T(schema.clone()), &self.words);
                self.push(&format!("<p>{kind}</p>\n"));
            } else {
                self.table(self.words.name(), &rows);
            }
        }
    }

    fn table(&mut self, name: &str, rows: &[Row]) {
        let (kind, meaning, needed) = (self.words.kind(), self.words.meaning(), self.words.needed());
        let _ = writeln!(
            self.html,
            "<table><thead><tr><th>{name}</th><th>{kind}</th><th>{meaning}</th></tr></thead><tbody>"
        );
        for row in rows {
            let mark =
                if row.needed { format!(" <span class=\"needed\">{needed}</span>") } else { String::new() };
            let _ = writeln!(
                self.html,
                "<tr><td><code>{}</code>{mark}</td><td>{}</td><td>{}</td></tr>",
                escape(&row.name),
                row.kind,
                prose(&row.description)
            );
        }
        self.push("</tbody></table>\n");
    }

    fn pick(&self, turkish: &'static str, english: &'static str) -> &'static str {
        match self.lang {
            Lang::Tr => turkish,
            Lang::En => english,
        }
    }

    fn summary(&self, operation: &Operation) -> String {
        escape(self.own(operation, SUMMARY_TR, operation.summary.as_deref()))
    }

    /// A text of an operation in the page's language.
    fn own<'o>(&self, operation: &'o Operation, turkish: &str, english: Option<&'o str>) -> &'o str {
        let turkish = extension(operation, turkish).filter(|_| self.lang == Lang::Tr);
        turkish.or(english).unwrap_or_default()
    }
}

impl<'a> Writer<'a> {
    /// The operations of a group in the order of the routes.
    fn of_tag(&self, tag: &str) -> Vec<(&'a str, &'static str, &'a Operation)> {
        let document: &'a OpenApi = self.document;
        let all = document.paths.paths.iter().flat_map(|(path, item)| {
            operations(item).map(move |(method, operation)| (path.as_str(), method, operation))
        });
        all.filter(|(_, _, operation)| operation.tags.iter().flatten().any(|name| name == tag)).collect()
    }
}

fn id(operation: &Operation) -> String {
    escape(operation.operation_id.as_deref().unwrap_or_default())
}

fn extension<'a>(operation: &'a Operation, name: &str) -> Option<&'a str> {
    operation.extensions.as_ref()?.get(name)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escape("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
        assert_eq!(prose("send `a<b` now"), "send <code>a&lt;b</code> now");
    }
}
