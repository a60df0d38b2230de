//! Bytes to text: UTF-8, else Windows-1254, the code page of Turkish.

/// What Windows-1254 has at 0x80 to 0x9F. The seven places that it leaves empty keep their control character, as the
/// WHATWG's decoder does: nothing is lost.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', '\u{8e}', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', '\u{9e}', 'Ÿ',
];

/// The text of a body, without its byte order mark.
pub(crate) fn decode_body(bytes: &[u8]) -> String {
    decode(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
}

/// The text of the bytes.
fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(windows_1254).collect(),
    }
}

fn windows_1254(byte: u8) -> char {
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        0xd0 => 'Ğ',
        0xdd => 'İ',
        0xde => 'Ş',
        0xf0 => 'ğ',
        0xfd => 'ı',
        0xfe => 'ş',
        // ASCII, and what the code page shares with Latin-1
        _ => char::from(byte),
    }
}

/// The names and values of a query or a form, decoded; the first of a repeated name comes first.
pub(crate) fn form(encoded: &[u8]) -> Vec<(String, String)> {
    encoded
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let place = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = match place {
                Some(place) => (&pair[..place], &pair[place + 1..]),
                None => (pair, &[][..]),
            };
            (decode(&percent(name)), decode(&percent(value)))
        })
        .collect()
}

/// Undoes `%41` and `+`. A stray per cent sign stands for itself.
fn percent(encoded: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut place = 0;
    while let Some(byte) = encoded.get(place) {
        let pair = encoded.get(place + 1..place + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match (
            byte,
            pair.filter(|pair| !pair.starts_with('+')).and_then(|pair| u8::from_str_radix(pair, 16).ok()),
        ) {
            (b'%', Some(decoded)) => {
                bytes.push(decoded);
                place += 2;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
        place += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_utf8_are_turkish() {
        assert_eq!(decode("İPTAL ığüşöç".as_bytes()), "İPTAL ığüşöç");
        assert_eq!(decode(b"\xddPTAL \xfd\xf0\xfc\xfe\xf6\xe7 \xd0\xde \x80"), "İPTAL ığüşöç ĞŞ €");
        assert_eq!(decode_body(b"\xef\xbb\xbfRET"), "RET");
    }

    #[test]
    fn a_form_is_read_whatever_its_bytes_are() {
        let pairs = form(b"Body=%DDPTAL+et&From=%2B905319876543&empty=&bare&&p=100%&q=%+1");
        let expected = [
            ("Body", "İPTAL et"),
            ("From", "+905319876543"),
            ("empty", ""),
            ("bare", ""),
            ("p", "100%"),
            ("q", "% 1"),
        ];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
