//! Whether a mistyped word can be another word.

/// The length from which a word may hold one error.
const LONG_ENOUGH: usize = 4;

/// Whether what was typed can be `word`: each `?` may stand for one letter (gateways lose the letters that
/// their alphabet lacks), a held key repeats a letter, and a word of four letters or more may hold one
/// error: a letter too many, too few, another one, or two that changed places.
pub(super) fn is_near(typed: &str, word: &str) -> bool {
    let asked = typed.trim_matches('?');
    same_but_held(asked, word)
        || is_near_enough(typed, word)
        || (asked != typed && is_near_enough(asked, word))
}

/// Whether two words are the same if a held key counts once.
pub(super) fn same_but_held(one: &str, other: &str) -> bool {
    squeezed(one).eq(squeezed(other))
}

fn is_near_enough(typed: &str, word: &str) -> bool {
    let (length, lost) = (typed.chars().count(), typed.matches('?').count());
    if length.abs_diff(word.len()) > 1 || lost * 2 > word.len() {
        return false;
    }
    let (typed, word): (Vec<char>, Vec<char>) = (typed.chars().collect(), word.chars().collect());
    let same = |typed: &[char], word: &[char]| {
        typed.len() == word.len() && typed.iter().zip(word).all(|(t, w)| t == w || *t == '?')
    };
    let may_err = word.len() >= LONG_ENOUGH && length + 1 >= LONG_ENOUGH;
    same(&typed, &word) || (may_err && one_error(&typed, &word, same))
}

/// Whether one insertion, deletion, substitution or exchange of neighbours makes one text of the other
/// (Damerau), or none is needed.
pub(super) fn within_one_error(one: &str, other: &str) -> bool {
    if one.chars().count().abs_diff(other.chars().count()) > 1 {
        return false;
    }
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    one == other || one_error(&one, &other, |a, b| a == b)
}

fn one_error(one: &[char], other: &[char], same: impl Fn(&[char], &[char]) -> bool) -> bool {
    let (n, m) = (one.len(), other.len());
    let cut = |i: usize, from: usize, j: usize, to: usize| {
        same(&one[..i], &other[..j]) && same(&one[from.min(n)..], &other[to.min(m)..])
    };
    if n == m {
        (0..n).any(|i| cut(i, i + 1, i, i + 1))
            || (1..n)
                .any(|i| one[i - 1] == other[i] && one[i] == other[i - 1] && cut(i - 1, i + 1, i - 1, i + 1))
    } else if n == m + 1 {
        (0..n).any(|i| cut(i, i + 1, i, i))
    } else if n + 1 == m {
        (0..m).any(|i| cut(i, i, i, i + 1))
    } else {
        false
    }
}

fn squeezed(word: &str) -> impl Iterator<Item = char> {
    let mut last = None;
    word.chars().filter(move |c| last.replace(*c) != Some(*c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_error_in_a_long_word_and_none_in_a_short_one() {
        for typed in [
            "IPTAL",
            "IPTL",
            "IPATL",
            "IPTALL",
            "IPTSL",
            "PITAL",
            "?PTAL",
            "IPT?L",
            "IPTAL?",
            "?PT?L",
            "IPT?",
            "IIIPTAAAL",
        ] {
            assert!(is_near(typed, "IPTAL"), "{typed}");
        }
        for typed in ["IPT", "PTL", "IPTALLI", "LATPI", "???AL", "IPTALSIN", ""] {
            assert!(!is_near(typed, "IPTAL"), "{typed}");
        }
        for typed in ["RET", "R?T", "?ET", "RE?", "RET?", "REEET"] {
            assert!(is_near(typed, "RET"), "{typed}");
        }
        for typed in ["RT", "RAT", "RETA", "R??", "???", "ERT", "R"] {
            assert!(!is_near(typed, "RET"), "{typed}");
        }
    }

    #[test]
    fn distances_are_those_of_damerau() {
        assert!(within_one_error("", "A"));
        assert!(within_one_error("AB", "BA"));
        assert!(within_one_error("ABC", "ABC"));
        assert!(within_one_error("ABC", "ABCD"));
        assert!(!within_one_error("ABC", "CBA"));
        assert!(!within_one_error("AB", "ABCD"));
        assert!(!within_one_error("?B", "ABC"));
    }
}
