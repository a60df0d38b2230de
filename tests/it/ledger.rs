//! The ledger verified by the program: every forgery and every damage is told as what it is, with its place.

use std::process::Command;

use kopru_store::sql::{Statement, Value};
use kopru_store::{Priority, args, consents};
use serde_json::json;

use crate::on_both_databases;
use crate::support::{Bridge, Database, consent, kopru};

/// Changes the database behind the program's back.
async fn tamper(bridge: &Bridge, sql: &str, args: Vec<Value>) {
    let statement = Box::leak(Box::new(Statement::new(sql.to_owned().leak())));
    let mut tx = bridge.app.db.begin(Priority::Interactive).await.unwrap();
    assert_eq!(tx.execute(statement, args).await.unwrap(), 1, "{sql}");
    tx.commit().await.unwrap();
}

/// What `ledger verify` says of the one provider, and that it fails.
fn verdict(bridge: &Bridge) -> serde_json::Value {
    let (sound, lines) = kopru(bridge, &["ledger", "verify"]);
    assert!(!sound && lines.len() == 1, "{lines:?}");
    lines[0].clone()
}

on_both_databases! {
    /// Columns beside the hashed ones were not compared, and a value of the wrong length passed for a database out of order.
    async fn a_row_that_was_changed_is_told_with_its_place(database: Database) {
        let bridge = Bridge::start(database).await;
        let given = bridge.app.clocks.business() - chrono::TimeDelta::minutes(5);
        for number in 1..=3 {
            bridge.consent(consent(&format!("+9053212345{number:02}"), "MESAJ", "ONAY", given)).await;
        }
        assert_eq!(kopru(&bridge, &["ledger", "verify"]).1[0]["rows"], 3);
        let provider = kopru_domain::IysCode(bridge.registry.seed.iys_code);
        let (_, row) = consents::chain(&mut bridge.app.db.read().await.unwrap(), provider, 1).await.unwrap().remove(0);
        let row = row.unwrap();
        let (key, hash, door) = (row.key.0.to_vec(), row.hash.to_vec(), row.door);
        let bytes = |length: usize| vec![0_u8; length];
        for (column, forged, sound, told) in [
            ("key", args![bytes(16)], args![key.clone()], "key"),
            ("key", args![bytes(1)], args![key], "damaged"),
            ("hash", args![bytes(32)], args![hash.clone()], "hash"),
            ("hash", args![bytes(1)], args![hash], "damaged"),
            ("recipient_hash", args![bytes(1)], args![row.recipient_hash.to_vec()], "damaged"),
            ("door", args!["form"], args![door], "door"),
        ] {
            let change = format!("UPDATE consents SET {column} = $1 WHERE seq = 2");
            tamper(&bridge, &change, forged).await;
            let report = verdict(&bridge);
            let problem = report["problem"].as_str().unwrap();
            assert!(report["firstBadSeq"] == 2 && report["rows"] == 1 && problem.contains(told), "{column}: {report}");
            assert_eq!(report["headMatches"], json!(null), "the head is not to blame for the row: {report}");
            tamper(&bridge, &change, sound).await;
        }
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// The walk ended at the head, so that what was put behind it passed.
    async fn a_row_behind_the_head_and_a_lost_head_are_told(database: Database) {
        let bridge = Bridge::start(database).await;
        let given = bridge.app.clocks.business() - chrono::TimeDelta::minutes(5);
        bridge.consent(consent("0532 123 45 67", "MESAJ", "ONAY", given)).await;
        let rest = "brand_code, key, recipient_type, channel, status, source, consent_date, retailer_code, door, received_at, \
                    recorded_at, sealed, recipient_hash, evidence_hash, hash, evidence";
        for seq in [0, 9] {
            let forge = format!(
                "INSERT INTO consents (iys_code, id, seq, {rest}) SELECT iys_code, $1, {seq}, {rest} FROM consents WHERE seq = 1"
            );
            tamper(&bridge, &forge, args![uuid::Uuid::from_u128(7)]).await;
            let report = verdict(&bridge);
            assert!(report["firstBadSeq"] == seq && report["ok"] == false, "{report}");
            tamper(&bridge, &format!("DELETE FROM consents WHERE seq = {seq}"), args![]).await;
        }
        bridge.ledger_holds().await;
        assert!(!kopru(&bridge, &["ledger", "verify", "--provider", "999"]).0, "a provider that is not there passed");

        tamper(&bridge, "DELETE FROM heads", args![]).await;
        let report = verdict(&bridge);
        assert!(report["headMatches"] == false && report["problem"].as_str().unwrap().contains("heads"), "{report}");
    }
}

on_both_databases! {
    /// A ledger whose end was cut off together with its head passed, and one without its provider was an empty one.
    async fn a_ledger_that_was_cut_or_has_no_provider_is_told(database: Database) {
        let bridge = Bridge::start(database).await;
        let given = bridge.app.clocks.business() - chrono::TimeDelta::minutes(5);
        for number in 1..=3 {
            bridge.consent(consent(&format!("+9053212345{number:02}"), "MESAJ", "ONAY", given)).await;
        }
        let cut = "UPDATE heads SET ledger_seq = 2, ledger_hash = (SELECT hash FROM consents c WHERE c.iys_code = heads.iys_code AND c.seq = 2)";
        tamper(&bridge, "DELETE FROM consents WHERE seq = 3", args![]).await;
        tamper(&bridge, cut, args![]).await;
        let report = verdict(&bridge);
        assert!(report["ok"] == false && report["problem"].as_str().unwrap().contains("not in the ledger"), "{report}");
        tamper(&bridge, "DELETE FROM providers", args![]).await;
        let report = verdict(&bridge);
        assert!(report["ok"] == false && report["problem"].as_str().unwrap().contains("provider"), "{report}");
    }
}

/// A slip in the path made an empty database, of which all is well.
#[test]
fn a_database_that_is_not_there_is_an_error_and_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("nowhere");
    for args in
        [&["ledger", "verify"][..], &["provider", "list"], &["forecast"], &["brand", "show", "600100"]]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_kopru"))
            .args(args)
            .env("KOPRU__DATA_DIR", &data)
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && told.contains("nowhere/kopru.db"), "{args:?}: {told}");
        assert!(!data.exists(), "{args:?} made it");
    }
}
