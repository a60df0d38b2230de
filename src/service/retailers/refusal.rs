//! The registry's refusals about retailers, field by field.

use iys::wire::ErrorItem;
use iys::{ErrorClass, IysError, codes};
use kopru_domain::Text;

use crate::service::{FieldProblem, ServiceError};

/// What a failed call means to the caller: each refused field with its code in both languages. What says nothing about the
/// request itself stays the registry's failure. `shift` is how many entries of a list lay in calls before this one.
pub(super) fn refused(error: IysError, shift: usize) -> ServiceError {
    let ours = matches!(
        error.class(),
        ErrorClass::Repair
            | ErrorClass::Bug
            | ErrorClass::AlreadySo
            | ErrorClass::Config
            | ErrorClass::Pause { .. }
    );
    if !ours || error.items().is_empty() {
        return error.into();
    }
    let problem = |item: &ErrorItem| problem(&error, item, shift);
    ServiceError::Invalid(error.items().iter().map(problem).collect())
}

fn problem(error: &IysError, item: &ErrorItem, shift: usize) -> FieldProblem {
    let code = item.code.as_deref().filter(|code| !code.is_empty());
    let title = match code.and_then(|code| codes::lookup_for(error.operation(), code)) {
        Some(info) => match &item.value {
            Some(value) if value.is_number() => {
                Text::new(format!("{value}: {}", info.tr), format!("{value}: {}", info.en))
            }
            _ => Text::fixed(info.tr, info.en),
        },
        // Without a code only the registry's own sentence tells what is the matter.
        None => Text::new(format!("İYS: {}", item.message), format!("the registry says: {}", item.message)),
    };
    FieldProblem {
        index: item.position().map(|position| position + shift),
        field: field(item, code).to_owned(),
        code: code.unwrap_or("refused").to_owned(),
        title,
    }
}

/// The field that a refusal is about: where it says so, or by its code.
fn field<'a>(item: &'a ErrorItem, code: Option<&str>) -> &'a str {
    if let Some(named) = item.field() {
        return if named == "retailerAccess" { "retailers" } else { named };
    }
    match code {
        Some("H214") => "title",
        Some("H215") => "name",
        Some("H216" | "H225" | "H226" | "H231" | "H253") => "tckn",
        Some("H217" | "H218" | "H219") => "city",
        Some("H220" | "H221" | "H222") => "town",
        Some("H224") => "mobile",
        Some("H227" | "H228" | "H230") => "mersis",
        Some("H243" | "H244" | "H288") => "tin",
        Some("H201") => "status",
        Some("H058" | "H180") => "retailers",
        Some("H401") => "recipients",
        Some("H111" | "H117" | "H355") => "type",
        Some("H116" | "H170") => "recipientType",
        // The sentence names it.
        Some("H017" | "H229") => {
            let fields = ["title", "name", "alias", "mersis"];
            fields.into_iter().find(|field| item.message.contains(field)).unwrap_or_default()
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use iys::{Operation, Refusal};

    use super::*;

    fn of(operation: Operation, items: Vec<ErrorItem>) -> ServiceError {
        refused(IysError::Refused(Box::new(Refusal { operation, status: 400, items, trace_id: None })), 100)
    }

    #[test]
    fn each_refused_field_is_named_with_its_code() {
        let items = vec![
            ErrorItem::new("H225", "…"),
            ErrorItem::new("H288", "…"),
            ErrorItem::new("H017", "alias uzun"),
        ];
        let ServiceError::Invalid(problems) = of(Operation::AddRetailer, items) else { panic!("not told") };
        let told: Vec<(&str, &str)> =
            problems.iter().map(|problem| (problem.field.as_str(), problem.code.as_str())).collect();
        assert_eq!(told, [("tckn", "H225"), ("tin", "H288"), ("alias", "H017")]);
        assert!(problems.iter().all(|problem| problem.title.tr != problem.title.en));
    }

    #[test]
    fn a_place_in_a_list_counts_the_calls_before() {
        let item = ErrorItem::new("H180", "…").at("retailerAccess").at_position(3).with_value(12_345_678);
        let ServiceError::Invalid(problems) = of(Operation::SetRetailerAccess, vec![item]) else {
            panic!("not told")
        };
        assert_eq!((problems[0].field.as_str(), problems[0].index), ("retailers", Some(103)));
        assert!(problems[0].title.en.starts_with("12345678: "), "{}", problems[0].title.en);
    }
}
