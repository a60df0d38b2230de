//! The native API, version 1.

pub mod brands;
pub mod calls;
pub mod changes;
pub mod check;
pub mod consents;
pub mod endpoints;
pub mod forecast;
pub mod forms;
pub mod inbound;
pub mod keys;
pub mod keywords;
pub mod links;
pub mod messages;
pub mod opt_ins;
pub mod papers;
pub mod permissions;
pub mod providers;
pub mod push;
pub mod redrive;
pub mod reports;
pub mod retailers;
pub mod texts;
pub mod via;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::cursor::{List, Place};
use crate::http::openapi;
use crate::http::state::HttpState;

/// All routes with their description.
pub fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(consents::submit, consents::list))
        .routes(routes!(consents::get))
        .routes(routes!(consents::evidence))
        .routes(routes!(calls::report, calls::list))
        .routes(routes!(calls::check))
        .routes(routes!(calls::settings, calls::change_settings))
        .routes(routes!(papers::take))
        .routes(routes!(forms::list))
        .routes(routes!(forms::get, forms::put, forms::disable))
        .routes(routes!(links::add, links::list))
        .routes(routes!(links::get, links::disable))
        .routes(routes!(links::qr_code))
        .routes(routes!(forecast::get))
        .routes(routes!(redrive::consent))
        .routes(routes!(redrive::brand))
        .routes(routes!(permissions::query))
        .routes(routes!(check::check))
        .routes(routes!(changes::read))
        .routes(routes!(reports::list))
        .routes(routes!(reports::get))
        .routes(routes!(reports::timestamp))
        .routes(routes!(reports::repair))
        .routes(routes!(reports::read_again))
        .routes(routes!(endpoints::add, endpoints::list))
        .routes(routes!(endpoints::get, endpoints::disable))
        .routes(routes!(endpoints::enable))
        .routes(routes!(endpoints::rotate))
        .routes(routes!(endpoints::test))
        .routes(routes!(endpoints::replay))
        .routes(routes!(endpoints::deliveries))
        .routes(routes!(providers::add, providers::list))
        .routes(routes!(providers::sync))
        .routes(routes!(providers::get, providers::disable))
        .routes(routes!(providers::set_credentials))
        .routes(routes!(brands::add, brands::list))
        .routes(routes!(brands::get, brands::change, brands::disable))
        .routes(routes!(retailers::add, retailers::list))
        .routes(routes!(retailers::get, retailers::delete))
        .routes(routes!(retailers::grant))
        .routes(routes!(retailers::replace))
        .routes(routes!(retailers::revoke))
        .routes(routes!(retailers::query))
        .routes(routes!(texts::add, texts::list))
        .routes(routes!(texts::history))
        .routes(routes!(texts::get))
        .routes(routes!(messages::set_sender, messages::get_sender, messages::remove_sender))
        .routes(routes!(messages::list))
        .routes(routes!(opt_ins::start, opt_ins::list))
        .routes(routes!(opt_ins::confirm))
        .routes(routes!(opt_ins::get))
        .routes(routes!(opt_ins::evidence))
        .routes(routes!(via::get, via::set, via::remove))
        .routes(routes!(push::add, push::list))
        .routes(routes!(push::get, push::remove))
        .routes(routes!(keywords::add, keywords::list))
        .routes(routes!(keywords::try_text))
        .routes(routes!(keywords::get, keywords::change, keywords::remove))
        .routes(routes!(inbound::connect, inbound::connections))
        .routes(routes!(inbound::disconnect))
        .routes(routes!(inbound::list))
        .routes(routes!(inbound::decide))
        .routes(routes!(keys::add, keys::list))
        .routes(routes!(keys::get, keys::disable))
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Cursor of the next page: send it as `after`. Missing on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Whether there is more.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// A page of at most `limit` of the entries read, one of which was read beyond it to see whether there is more.
    fn cut(mut items: Vec<T>, limit: i64, list: List, place: impl Fn(&T) -> Place) -> Self {
        let limit = usize::try_from(limit).unwrap_or_default();
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = if has_more { items.last().map(|last| list.cursor(place(last))) } else { None };
        Self { items, next, has_more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_whether_there_is_more_and_from_where() {
        let page = |items: Vec<i64>| Page::cut(items, 2, List::Providers, |number| Place::Number(*number));
        let first = page(vec![1, 2, 3]);
        assert_eq!((first.items.as_slice(), first.has_more), ([1, 2].as_slice(), true));
        assert_eq!(List::Providers.number(&first.next.unwrap()), Some(2));
        let last = page(vec![3, 4]);
        assert_eq!((last.has_more, last.next), (false, None));
        assert_eq!(page(Vec::new()).next, None);
    }
}
