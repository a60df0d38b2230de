//! "Did you mean …?"

use super::Field;

/// The field that was probably meant by a name that is none.
pub fn suggestion(name: &str, fields: &[Field]) -> Option<&'static str> {
    let bare = bare(name);
    if bare.is_empty() || bare.len() > 40 {
        return None;
    }
    named(name, fields).or_else(|| nearest(&bare, fields)).map(|field| field.name)
}

/// The field of a name, however its case and separators are written, or of another name for it.
pub fn named<'a>(name: &str, fields: &'a [Field]) -> Option<&'a Field> {
    let name = bare(name);
    fields.iter().find(|field| bare(field.name) == name || field.aliases.contains(&name.as_str()))
}

/// A name without what people write differently: case, separators and the marks of Turkish letters.
fn bare(name: &str) -> String {
    let plain = |c| match c {
        'ç' => 'c',
        'ğ' => 'g',
        'ı' => 'i',
        'ö' => 'o',
        'ş' => 's',
        'ü' => 'u',
        other => other,
    };
    name.chars().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).map(plain).collect()
}

fn nearest<'a>(name: &str, fields: &'a [Field]) -> Option<&'a Field> {
    fields
        .iter()
        .map(|field| (distance(name, &bare(field.name)), field))
        .filter(|(distance, field)| *distance <= field.name.len() / 4 + 1 && *distance < field.name.len() / 2)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, field)| field)
}

/// How many letters have to be put in, taken out or changed (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    #[test]
    fn distances_are_those_of_the_books() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("ğün", "gün"), 1);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn case_separators_and_small_slips_are_forgiven() {
        let fields = [Field::optional("consentDate", Kind::Text), Field::optional("status", Kind::Text)];
        for name in ["consent_date", "ConsentDate", "CONSENT-DATE", "consentDat", "concentDate"] {
            assert_eq!(suggestion(name, &fields), Some("consentDate"), "{name}");
        }
        assert_eq!(suggestion("statuss", &fields), Some("status"));
        for name in ["", "x", "whatever", "date"] {
            assert_eq!(suggestion(name, &fields), None, "{name}");
        }
    }
}
