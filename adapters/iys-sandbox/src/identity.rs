//! The check digits of the numbers by which Turkey knows persons and companies (protocol 4.14).

/// Digits of a citizen's number.
pub(crate) const TCKN_DIGITS: usize = 11;
/// Digits of a tax number.
pub(crate) const VKN_DIGITS: usize = 10;
/// Digits of a company register number.
pub(crate) const MERSIS_DIGITS: usize = 16;

/// The digits of a text of that many digits and nothing else.
fn digits<const N: usize>(text: &str) -> Option<[u32; N]> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(10)).collect::<Option<_>>()?;
    digits.try_into().ok()
}

/// Whether a text is a citizen's number: eleven digits, the first not zero, the last two check digits.
pub(crate) fn is_tckn(text: &str) -> bool {
    let Some(d) = digits::<TCKN_DIGITS>(text) else { return false };
    let odd: u32 = d[0] + d[2] + d[4] + d[6] + d[8];
    let even: u32 = d[1] + d[3] + d[5] + d[7];
    // 70 is a multiple of ten that keeps the difference above zero.
    let tenth = (odd * 7 + 70 - even) % 10;
    let eleventh = d[..10].iter().sum::<u32>() % 10;
    d[0] != 0 && d[9] == tenth && d[10] == eleventh
}

/// Whether a text is a tax number: ten digits, the last a check digit.
pub(crate) fn is_vkn(text: &str) -> bool {
    let Some(d) = digits::<VKN_DIGITS>(text) else { return false };
    let sum: u32 = (1..=9_u32)
        .rev()
        .zip(d)
        .map(|(place, digit)| match (digit + place) % 10 {
            9 => 9,
            moved => (moved << place) % 9,
        })
        .sum();
    d[9] == (10 - sum % 10) % 10
}

/// Whether a text is a company register number: sixteen digits; behind a leading zero stands the
/// company's tax number.
pub(crate) fn is_mersis(text: &str) -> bool {
    let company = text.strip_prefix('0').and_then(|rest| rest.get(..VKN_DIGITS));
    digits::<MERSIS_DIGITS>(text).is_some() && company.is_none_or(is_vkn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_digit_is_found() {
        for (good, check) in [
            ("57703411244", is_tckn as fn(&str) -> bool),
            ("10000000146", is_tckn),
            ("8450525470", is_vkn),
            ("1234567890", is_vkn),
        ] {
            assert!(check(good), "{good}");
            for place in 0..good.len() {
                let mut changed = good.as_bytes().to_vec();
                changed[place] = b'0' + (changed[place] - b'0' + 1) % 10;
                let changed = String::from_utf8(changed).unwrap();
                assert!(!check(&changed), "{changed}");
            }
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["", "5770341124", "577034112444", "5770341124x", "00000000000", "٥٧٧٠٣٤١١٢٤٤"]
        {
            assert!(!is_tckn(text), "{text}");
        }
        for text in ["", "845052547", "84505254700", "845052547x"] {
            assert!(!is_vkn(text), "{text}");
        }
    }

    #[test]
    fn a_register_number_of_a_company_holds_its_tax_number() {
        assert!(is_mersis("0845052547000015"));
        assert!(!is_mersis("0845052547100015"));
        assert!(is_mersis("5770341124400015"), "not of a company");
        assert!(!is_mersis("084505254700001") && !is_mersis("084505254700001x"));
    }
}
