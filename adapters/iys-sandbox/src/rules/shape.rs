//! Whether a body has the outer form a method needs (protocol 4).

use serde_json::{Map, Value};

use super::{Finding, Rule};

/// The most consents in one list, and the most addresses in one query.
pub(crate) const LIST_MAX: usize = 1000;

/// What a method wants as its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// One consent.
    Consent,
    /// A list of consents.
    Consents,
    /// The key of one consent, for its status.
    StatusKey,
    /// Retailers that are to see a consent.
    AccessGrant,
    /// Retailers that are to be the only ones to see consents.
    AccessReplacement,
    /// Retailers that are not to see consents any more.
    AccessRemoval,
    /// The key of one consent, for its retailers.
    AccessKey,
    /// Another object.
    Object,
}

/// A body as it came.
#[derive(Debug)]
pub(crate) struct ShapeCase {
    pub(crate) wanted: Wanted,
    /// `None` when it is not JSON.
    pub(crate) json: Option<Value>,
}

impl ShapeCase {
    fn wants_but_is_no_object(&self, wanted: Wanted) -> Option<Finding> {
        let wrong = self.wanted == wanted && self.json.as_ref().is_some_and(|json| !json.is_object());
        wrong.then(Finding::new)
    }

    /// The consents of the body, whether one or many.
    fn consents(&self) -> impl Iterator<Item = (Option<usize>, &Map<String, Value>)> {
        let one = self.json.as_ref().and_then(Value::as_object).map(|one| (None, one));
        let many = self.json.as_ref().and_then(Value::as_array).into_iter().flatten().enumerate();
        one.into_iter().chain(many.filter_map(|(index, item)| Some((Some(index), item.as_object()?))))
    }

    /// An intermediary retailer that is named but has no value. Only adds can name one.
    fn empty_retailer(&self, wanted: Wanted) -> Option<Finding> {
        if self.wanted != wanted {
            return None;
        }
        self.consents().find_map(|(index, consent)| {
            let empty = match consent.get("retailerCode")? {
                Value::Null => true,
                Value::String(text) => text.is_empty(),
                _ => false,
            };
            empty.then(|| Finding::at("retailerCode").index(index))
        })
    }
}

type Check = fn(&ShapeCase) -> Option<Finding>;

/// The rules about the body as a whole.
pub(crate) const SHAPE: &[Rule<Check>] = &[
    Rule::new("H014", 400, "body_is_not_json", |case| case.json.is_none().then(Finding::new)),
    Rule::new("H014", 400, "body_is_no_object", |case| case.wants_but_is_no_object(Wanted::Object)),
    Rule::new("H085", 400, "add_request_unusable", |case| case.wants_but_is_no_object(Wanted::Consent)),
    Rule::new("H097", 400, "status_request_unusable", |case| case.wants_but_is_no_object(Wanted::StatusKey)),
    Rule::new("H090", 400, "access_grant_unusable", |case| case.wants_but_is_no_object(Wanted::AccessGrant)),
    Rule::new("H171", 400, "access_replacement_unusable", |case| {
        case.wants_but_is_no_object(Wanted::AccessReplacement)
    }),
    Rule::new("H172", 400, "access_removal_unusable", |case| {
        case.wants_but_is_no_object(Wanted::AccessRemoval)
    }),
    Rule::new("H173", 400, "access_query_unusable", |case| case.wants_but_is_no_object(Wanted::AccessKey)),
    Rule::new("H092", 400, "batch_request_unusable", |case| {
        let usable = case
            .json
            .as_ref()
            .and_then(Value::as_array)
            .is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_object));
        (case.wanted == Wanted::Consents && !usable).then(Finding::new)
    }),
    Rule::new("H091", 422, "batch_too_long", |case| {
        let length = case.json.as_ref().and_then(Value::as_array).map_or(0, Vec::len);
        (case.wanted == Wanted::Consents && length > LIST_MAX).then(Finding::new)
    }),
    Rule::new("H267", 400, "retailer_code_empty", |case| case.empty_retailer(Wanted::Consent)),
    Rule::new("H266", 400, "retailer_code_empty_in_batch", |case| case.empty_retailer(Wanted::Consents)),
];
