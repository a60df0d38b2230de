//! The socket behind a request: whose it is, and how to break it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// Who is asking.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peer {
    /// `None` when the router runs behind a server of somebody else's.
    pub(crate) remote: Option<SocketAddr>,
    broken: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Peer {
    /// The address by which requests are counted.
    pub(crate) fn address(&self) -> String {
        self.remote.map_or_else(|| "unknown".to_owned(), |remote| remote.ip().to_string())
    }

    /// Breaks the connection: nothing is written to it any more.
    pub(crate) fn cut(&self) {
        self.broken.store(true, Ordering::Release);
    }

    /// Waits until the server stops.
    pub(crate) async fn stopped(&self) {
        self.stop.cancelled().await;
    }
}

/// A listener whose connections can be broken from inside a request.
#[derive(Debug)]
pub(crate) struct BreakableListener {
    pub(crate) listener: TcpListener,
    pub(crate) stop: CancellationToken,
}

impl Listener for BreakableListener {
    type Io = BreakableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // axum's own listener waits out the errors of accept.
        let (stream, remote) = Listener::accept(&mut self.listener).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = &error as &dyn std::error::Error, "no TCP_NODELAY on a connection");
        }
        let peer = Peer { remote: Some(remote), broken: Arc::default(), stop: self.stop.clone() };
        (BreakableStream { stream, peer }, remote)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, BreakableListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, BreakableListener>) -> Self {
        stream.io().peer.clone()
    }
}

/// A connection that fails on every use once it was cut.
#[derive(Debug)]
pub(crate) struct BreakableStream {
    stream: TcpStream,
    peer: Peer,
}

impl BreakableStream {
    /// Fails when the connection was cut, and makes the close a reset and not a polite end.
    fn whole(&self) -> io::Result<()> {
        if !self.peer.broken.load(Ordering::Acquire) {
            return Ok(());
        }
        self.stream.set_zero_linger()?;
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for BreakableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for BreakableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
