//! Provinces and districts (protocol 4.20).
//!
//! The provinces are Turkey's, by plate number. The districts are **made up**: as many as the registry
//! has, numbered as it numbers them, 1 to 970 through the provinces in order, but without their names. What
//! matters to a client is that the two lists fit together.

/// How many districts there are.
pub(crate) const TOWNS: usize = 970;

/// A district: its number, the number of its province, and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Town {
    pub(crate) code: usize,
    pub(crate) city_code: usize,
    pub(crate) name: String,
}

/// All provinces in the order of their plate numbers, from 1 on.
pub(crate) fn cities() -> impl Iterator<Item = (usize, &'static str)> {
    (1..).zip(CITIES)
}

/// All districts in the order of their numbers. Each province has its share of them; the first ones have
/// one more, because the shares do not come out even.
pub(crate) fn towns() -> impl Iterator<Item = Town> {
    let (share, more) = (TOWNS / CITIES.len(), TOWNS % CITIES.len());
    let all = cities().flat_map(move |(city_code, city)| {
        let count = share + usize::from(city_code <= more);
        (1..=count).map(move |number| (city_code, format!("{city} {number}. İlçe")))
    });
    (1..).zip(all).map(|(code, (city_code, name))| Town { code, city_code, name })
}

const CITIES: [&str; 81] = [
    "Adana",
    "Adıyaman",
    "Afyonkarahisar",
    "Ağrı",
    "Amasya",
    "Ankara",
    "Antalya",
    "Artvin",
    "Aydın",
    "Balıkesir",
    "Bilecik",
    "Bingöl",
    "Bitlis",
    "Bolu",
    "Burdur",
    "Bursa",
    "Çanakkale",
    "Çankırı",
    "Çorum",
    "Denizli",
    "Diyarbakır",
    "Edirne",
    "Elazığ",
    "Erzincan",
    "Erzurum",
    "Eskişehir",
    "Gaziantep",
    "Giresun",
    "Gümüşhane",
    "Hakkâri",
    "Hatay",
    "Isparta",
    "Mersin",
    "İstanbul",
    "İzmir",
    "Kars",
    "Kastamonu",
    "Kayseri",
    "Kırklareli",
    "Kırşehir",
    "Kocaeli",
    "Konya",
    "Kütahya",
    "Malatya",
    "Manisa",
    "Kahramanmaraş",
    "Mardin",
    "Muğla",
    "Muş",
    "Nevşehir",
    "Niğde",
    "Ordu",
    "Rize",
    "Sakarya",
    "Samsun",
    "Siirt",
    "Sinop",
    "Sivas",
    "Tekirdağ",
    "Tokat",
    "Trabzon",
    "Tunceli",
    "Şanlıurfa",
    "Uşak",
    "Van",
    "Yozgat",
    "Zonguldak",
    "Aksaray",
    "Bayburt",
    "Karaman",
    "Kırıkkale",
    "Batman",
    "Şırnak",
    "Bartın",
    "Ardahan",
    "Iğdır",
    "Yalova",
    "Karabük",
    "Kilis",
    "Osmaniye",
    "Düzce",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_fit_together() {
        let towns: Vec<Town> = towns().collect();
        assert_eq!(towns.len(), TOWNS);
        assert!(towns.iter().enumerate().all(|(index, town)| town.code == index + 1));
        assert!(towns.is_sorted_by_key(|town| town.city_code));
        assert_eq!((towns[0].city_code, towns[969].city_code), (1, 81));
        assert_eq!(cities().find(|(code, _)| *code == 34), Some((34, "İstanbul")));
    }
}
