use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::sql::Value;

async fn with_table(path: PathBuf) -> Sqlite {
    let sqlite = Sqlite::open(path, 1).await.unwrap();
    let mut turn = sqlite.turn(false, Place::Lane).await.unwrap();
    turn.run(vec![Job::Statement("CREATE TABLE t (x TEXT NOT NULL)", Vec::new())]).await.unwrap();
    turn.commit().await.unwrap();
    sqlite
}

fn add(word: &'static str) -> Job {
    Job::Statement("INSERT INTO t VALUES (?1)", vec![Value::Text(Some(word.into()))])
}

/// The log of a linked file stands beside the file: looked for beside the link it was not found, and nothing was synced.
#[cfg(unix)]
#[tokio::test]
async fn the_log_of_a_linked_file_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("a.db"), folder.path().join("link.db"));
    std::fs::write(&file, b"").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let sqlite = with_table(link).await;
    assert!(folder.path().join("a.db-wal").exists());
    assert_eq!(*sqlite.path, *file.canonicalize().unwrap());
}

/// Its order may still stand in line when the next turn works elsewhere.
#[tokio::test]
async fn a_turn_given_up_half_way_leaves_nothing_in_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = with_table(folder.path().join("a.db")).await;
    for _ in 0..200 {
        let mut lost = sqlite.turn(false, Place::Lane).await.unwrap();
        // The connection is kept from its thread: what is ordered stands in line.
        let seat = lost.held.as_ref().unwrap().seat.clone();
        let kept = sit(&seat);
        // The first poll sends the order.
        let _ = pin!(lost.run(vec![add("lost")])).poll(&mut Context::from_waker(Waker::noop()));
        drop(lost);
        let turn = sqlite.turn(false, Place::Here);
        let Poll::Ready(next) = pin!(turn).poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("the turn is free")
        };
        let mut next = next.unwrap();
        drop(kept);
        next.run(vec![add("kept")]).await.unwrap();
        // The line is empty when the last in it is answered.
        let last = next.held.as_ref().unwrap().run(0, Vec::new()).await;
        assert!(matches!(last, Err(StoreError::Undone)));
        next.commit().await.unwrap();
    }
    let reader = sqlite.read().await.unwrap();
    let count = Job::Statement(
        "SELECT count(*) FROM t WHERE x = 'lost' UNION ALL SELECT count(*) FROM t",
        Vec::new(),
    );
    let done = reader.run(vec![count]).await.unwrap();
    let counts: Vec<i64> = done[0].rows.iter().map(|row| row.get(0).unwrap()).collect();
    assert_eq!(counts, [0, 200]);
}
