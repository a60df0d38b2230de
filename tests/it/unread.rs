//! Who is refused before everything was read sees why.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::support::{Bridge, Database};

/// More than the buffers of a connection hold.
const LENGTH: usize = 40_000_000;

/// Sends all of a body and then reads what is answered; `announced` or in chunks.
fn post(address: &str, path: &str, authorization: &str, announced: bool) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    let length =
        if announced { format!("content-length: {LENGTH}") } else { "transfer-encoding: chunked".into() };
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: {authorization}\r\ncontent-type: application/json\r\n\
         connection: close\r\n{length}\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).unwrap();
    let body = vec![b' '; LENGTH];
    if announced {
        connection.write_all(&body).unwrap();
    } else {
        connection.write_all(format!("{LENGTH:x}\r\n").as_bytes()).unwrap();
        connection.write_all(&body).unwrap();
        connection.write_all(b"\r\n0\r\n\r\n").unwrap();
    }
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

/// The connection ended while he was still sending: a wrong key, and the receiver's credentials, looked like a broken network.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_still_sending_sees_the_answer() {
    let bridge = Bridge::start(Database::Sqlite).await;
    let address = bridge.url.strip_prefix("http://").unwrap().to_owned();
    let path = format!("/v1/brands/{}/consents", bridge.brand());
    let right = format!("Bearer {}", bridge.key);
    let answers = tokio::task::spawn_blocking(move || {
        [("Bearer kpr_wrong", true), ("Bearer kpr_wrong", false), (&right, true), (&right, false)]
            .map(|(authorization, announced)| post(&address, &path, authorization, announced))
    });
    let answers = answers.await.unwrap();
    let told = answers.each_ref().map(|answer| answer.lines().next().unwrap_or_default());
    let (unknown, too_large) = ("HTTP/1.1 401 Unauthorized", "HTTP/1.1 413 Payload Too Large");
    assert_eq!(told, [unknown, unknown, too_large, too_large]);
}
