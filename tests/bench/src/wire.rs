//! A lean HTTP/1.1 client over one keep-alive connection: what a load generator costs is taken from what it measures.
//!
//! It understands answers with a `Content-Length` and no others, which is what the servers measured here send.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection and the last answer.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    /// Where the body of the last answer begins.
    body: usize,
}

/// The beginning of every request of one kind, up to the length of its body.
#[derive(Debug, Clone)]
pub struct Head(Vec<u8>);

impl Head {
    /// A POST of JSON, with an API key where there is one.
    pub fn post(path: &str, key: Option<&str>) -> Self {
        Self::new("POST", path, key)
    }

    fn new(method: &str, path: &str, key: Option<&str>) -> Self {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nuser-agent: kopru-bench\r\n");
        if let Some(key) = key {
            head.extend(["authorization: Bearer ", key, "\r\n"]);
        }
        if method != "GET" {
            head += "content-type: application/json\r\n";
        }
        Self(head.into_bytes())
    }

    /// Writes a whole request; `extra` is further header lines, each with its line end.
    pub fn write(&self, extra: &[u8], body: &[u8], out: &mut Vec<u8>) {
        use std::io::Write as _;

        out.extend_from_slice(&self.0);
        out.extend_from_slice(extra);
        // Writing to a Vec does not fail.
        let _ = write!(out, "content-length: {}\r\n\r\n", body.len());
        out.extend_from_slice(body);
    }
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("no connection to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(4_096), body: 0 })
    }

    /// Sends bytes that are a whole request and reads the whole answer; returns its status.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                bail!("the connection was closed before the answer was whole");
            }
            if let Some((status, body, length)) = head(&self.answer)?
                && self.answer.len() >= body + length
            {
                self.body = body;
                return Ok(status);
            }
        }
    }

    /// The body of the last answer.
    pub fn body(&self) -> &[u8] {
        self.answer.get(self.body..).unwrap_or_default()
    }
}

/// One request on a connection of its own: status and body.
pub async fn call(
    address: SocketAddr,
    method: &str,
    path: &str,
    key: Option<&str>,
    body: &[u8],
) -> Result<(u16, Vec<u8>)> {
    let mut request = Vec::new();
    Head::new(method, path, key).write(b"", body, &mut request);
    let mut connection = Connection::open(address).await?;
    let status = connection.exchange(&request).await?;
    Ok((status, connection.body().to_vec()))
}

/// Status, place of the body and its length, once all headers are there.
fn head(answer: &[u8]) -> Result<Option<(u16, usize, usize)>> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&answer[..end]).context("the headers are not text")?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let status = status.with_context(|| format!("no status line: {text}"))?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok()).flatten()
    });
    ensure!(length.is_some() || matches!(status, 204 | 304), "an answer without content-length: {text}");
    Ok(Some((status, end + 4, length.unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart() {
        let answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\nx: y\r\n\r\nhello";
        let (status, body, length) = head(answer).unwrap().unwrap();
        assert_eq!((status, &answer[body..body + length]), (202, b"hello".as_slice()));
        assert!(head(b"HTTP/1.1 202 Acc").unwrap().is_none());
        assert!(head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert_eq!(head(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap(), Some((204, 27, 0)));
    }

    #[test]
    fn a_request_is_put_together() {
        let mut out = Vec::new();
        Head::post("/v1/x", Some("k")).write(b"a: b\r\n", b"{}", &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "POST /v1/x HTTP/1.1\r\nhost: localhost\r\nuser-agent: kopru-bench\r\nauthorization: Bearer k\r\n\
             content-type: application/json\r\na: b\r\ncontent-length: 2\r\n\r\n{}"
        );
    }
}
