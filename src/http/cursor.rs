//! Cursors of pages: opaque to clients, and of one list only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// Which list a cursor belongs to. A cursor of another list, or of another brand, is refused instead of misread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// The change feed of a brand.
    Changes(i64),
    /// Consents of a brand.
    Consents(i64),
    /// Endpoints of a provider.
    Endpoints,
    /// Deliveries of an endpoint.
    Deliveries(Uuid),
    /// Providers.
    Providers,
    /// Brands of a provider.
    Brands,
    /// Daily reports of a brand.
    DailyReports(i64),
    /// Differences of a brand's days.
    Differences(i64),
    /// Retailers of a brand.
    Retailers(i64),
    /// Calls of a brand without a decision.
    Calls(i64),
    /// Links of a brand.
    Links(i64),
    /// Messages of a brand.
    Messages(i64),
    /// The double opt-ins of a brand.
    OptIns(i64),
    /// Messages of citizens to a brand.
    Inbound(i64),
}

/// A place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A number.
    Number(i64),
    /// Two numbers.
    Pair(i64, i64),
    /// An id.
    Id(Uuid),
}

impl List {
    /// What distinguishes this list from all others: a letter, and whose it is.
    fn tag(self) -> Vec<u8> {
        let (letter, owner) = match self {
            Self::Changes(brand) => (b'C', brand.to_be_bytes().to_vec()),
            Self::Consents(brand) => (b'I', brand.to_be_bytes().to_vec()),
            Self::Endpoints => (b'E', Vec::new()),
            Self::Deliveries(endpoint) => (b'D', endpoint.as_bytes()[12..].to_vec()),
            Self::Providers => (b'P', Vec::new()),
            Self::Brands => (b'B', Vec::new()),
            Self::DailyReports(brand) => (b'R', brand.to_be_bytes().to_vec()),
            Self::Differences(brand) => (b'F', brand.to_be_bytes().to_vec()),
            Self::Retailers(brand) => (b'L', brand.to_be_bytes().to_vec()),
            Self::Calls(brand) => (b'A', brand.to_be_bytes().to_vec()),
            Self::Links(brand) => (b'K', brand.to_be_bytes().to_vec()),
            Self::OptIns(brand) => (b'O', brand.to_be_bytes().to_vec()),
            Self::Messages(brand) => (b'M', brand.to_be_bytes().to_vec()),
            Self::Inbound(brand) => (b'S', brand.to_be_bytes().to_vec()),
        };
        [&[letter], owner.as_slice()].concat()
    }

    /// The text of a place.
    pub fn cursor(self, place: Place) -> String {
        let mut bytes = self.tag();
        match place {
            Place::Number(number) => bytes.extend_from_slice(&number.to_be_bytes()),
            Place::Pair(first, second) => {
                bytes.extend_from_slice(&first.to_be_bytes());
                bytes.extend_from_slice(&second.to_be_bytes());
            }
            Place::Id(id) => bytes.extend_from_slice(id.as_bytes()),
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The number behind a cursor of this list.
    pub fn number(self, cursor: &str) -> Option<i64> {
        Some(i64::from_be_bytes(self.payload(cursor)?.try_into().ok()?))
    }

    /// The two numbers behind a cursor of this list.
    pub fn pair(self, cursor: &str) -> Option<(i64, i64)> {
        let payload = self.payload(cursor)?;
        let (first, second) = payload.split_first_chunk::<8>()?;
        Some((i64::from_be_bytes(*first), i64::from_be_bytes(second.try_into().ok()?)))
    }

    /// The id behind a cursor of this list.
    pub fn id(self, cursor: &str) -> Option<Uuid> {
        Uuid::from_slice(&self.payload(cursor)?).ok()
    }

    fn payload(self, cursor: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        bytes.strip_prefix(self.tag().as_slice()).map(<[u8]>::to_vec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let cursor = List::Changes(7).cursor(Place::Number(42));
        assert_eq!(List::Changes(7).number(&cursor), Some(42));
        assert_eq!(List::Changes(8).number(&cursor), None);
        assert_eq!(List::Consents(7).number(&cursor), None);
        assert_eq!(List::Providers.number(&cursor), None);
        assert_eq!(List::Changes(7).id(&cursor), None);
        assert!(!cursor.contains("42"));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(number: i64, id: u128, brand: i64) {
            let id = Uuid::from_u128(id);
            prop_assert_eq!(List::Changes(brand).number(&List::Changes(brand).cursor(Place::Number(number))), Some(number));
            prop_assert_eq!(List::Consents(brand).id(&List::Consents(brand).cursor(Place::Id(id))), Some(id));
            let pair = List::Deliveries(id).cursor(Place::Pair(number, brand));
            prop_assert_eq!(List::Deliveries(id).pair(&pair), Some((number, brand)));
            prop_assert_eq!(List::Deliveries(id).number(&pair), None);
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".{0,80}") {
            let _ = List::Changes(1).number(&text);
            let _ = List::Endpoints.id(&text);
            let _ = List::Endpoints.pair(&text);
        }
    }
}
