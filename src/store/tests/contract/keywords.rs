//! Keywords on numbers that several providers share.

use kopru_domain::keyword::{Keyword, ShortNumber};
use kopru_domain::{BrandCode, Channel, IysCode};
use kopru_store::keywords::{self, KeywordRow};

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, OTHER_PROVIDER, PROVIDER, assert_same, at, id};

on_both!(a_keyword_comes_back_and_goes, a_number_shows_all_brands, a_number_can_be_locked_again_and_again);

fn row(number: u128, provider: IysCode, brand: BrandCode, keyword: Option<&str>) -> KeywordRow {
    KeywordRow {
        iys_code: provider,
        id: id(number),
        brand_code: brand,
        number: ShortNumber::parse("7889").unwrap(),
        keyword: keyword.map(|word| Keyword::parse(word).unwrap()),
        approvals: vec!["KATIL".to_owned()],
        rejections: vec!["BIRAK".to_owned(), "YETER".to_owned()],
        channels: vec![Channel::Call, Channel::Message],
        created_at: at(0),
    }
}

async fn a_keyword_comes_back_and_goes(store: Store) {
    let first = row(1, PROVIDER, BRAND, Some("ABC"));
    let own = KeywordRow {
        number: ShortNumber::parse("0850 123 45 67").unwrap(),
        approvals: Vec::new(),
        rejections: Vec::new(),
        ..row(2, PROVIDER, BRAND, None)
    };
    store
        .write(async |tx| {
            for row in [&first, &own] {
                keywords::add(tx, row).await.unwrap();
            }
            assert_same!(
                keywords::of_brand(tx, PROVIDER, BRAND).await.unwrap(),
                [first.clone(), own.clone()]
            );
            assert!(own.verbs().unwrap().approvals().any(|verb| verb == "ONAY"));
            let changed =
                KeywordRow { channels: vec![Channel::Message], approvals: Vec::new(), ..first.clone() };
            assert!(keywords::change(tx, &changed).await.unwrap());
            assert!(keywords::remove(tx, PROVIDER, own.id).await.unwrap());
            assert!(!keywords::remove(tx, PROVIDER, own.id).await.unwrap());
            assert!(!keywords::remove(tx, OTHER_PROVIDER, first.id).await.unwrap());
            assert!(!keywords::change(tx, &own).await.unwrap());
            assert_same!(keywords::of_brand(tx, PROVIDER, BRAND).await.unwrap(), [changed]);
        })
        .await;
}

async fn a_number_shows_all_brands(store: Store) {
    let rows = [row(1, PROVIDER, BRAND, Some("ABC")), row(2, OTHER_PROVIDER, OTHER_BRAND, Some("MODA"))];
    store
        .write(async |tx| {
            for row in &rows {
                keywords::add(tx, row).await.unwrap();
            }
            assert_same!(keywords::of_number(tx, &rows[0].number).await.unwrap(), rows);
            assert!(keywords::of_brand(tx, PROVIDER, OTHER_BRAND).await.unwrap().is_empty());
            let other = ShortNumber::parse("4609").unwrap();
            assert!(keywords::of_number(tx, &other).await.unwrap().is_empty());
        })
        .await;
}

async fn a_number_can_be_locked_again_and_again(store: Store) {
    let number = ShortNumber::parse("7889").unwrap();
    for second in 0..2 {
        store.write(async |tx| keywords::lock(tx, &number, at(second)).await.unwrap()).await;
    }
}
