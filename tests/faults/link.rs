//! A link that can be cut: a proxy between two processes.
//!
//! It forwards bytes until a test changes its mode. A cut link resets every connection and refuses new ones, like a
//! firewall or a dead host. A hanging link keeps connections open and forwards nothing, like a lost route. When it is
//! healed, the delayed bytes arrive, for example a COMMIT that was sent before the end of a lease.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The mode of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Open,
    /// Nothing passes, and connections stay open.
    Hung,
    /// Connections are reset and refused.
    Cut,
}

/// The target of a link.
#[derive(Debug, Clone)]
pub enum Far {
    Socket(PathBuf),
    Address(SocketAddr),
    /// No target yet.
    Nowhere,
}

/// A link. Its address stays the same when the target changes.
pub struct Link {
    near: SocketAddr,
    far: Arc<Mutex<Far>>,
    mode: watch::Sender<Mode>,
    listening: JoinHandle<()>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Link {
    pub async fn to(far: Far) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let near = listener.local_addr().unwrap();
        let (mode, watched) = watch::channel(Mode::Open);
        let far = Arc::new(Mutex::new(far));
        let listening = tokio::spawn(listen(listener, far.clone(), watched));
        Self { near, far, mode, listening }
    }

    /// The address to connect to.
    pub fn address(&self) -> SocketAddr {
        self.near
    }

    /// Changes the target. Existing connections stay.
    pub fn lead_to(&self, far: Far) {
        *self.far.lock().unwrap() = far;
    }

    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.set(Mode::Cut);
        self.listening.abort();
    }
}

async fn listen(listener: TcpListener, far: Arc<Mutex<Far>>, mode: watch::Receiver<Mode>) {
    loop {
        let Ok((near, _)) = listener.accept().await else { continue };
        let _ = near.set_nodelay(true);
        let far = far.lock().unwrap().clone();
        tokio::spawn(connection(near, far, mode.clone()));
    }
}

/// One connection, until it ends or is cut.
async fn connection(mut near: TcpStream, far: Far, mode: watch::Receiver<Mode>) {
    let mut cut = mode.clone();
    let was_cut = tokio::select! {
        _ = cut.wait_for(|mode| *mode == Mode::Cut) => true,
        carried = carry(&mut near, far, mode) => carried.is_err(),
    };
    if was_cut {
        // Dropping it now resets it instead of closing it in order.
        let _ = SockRef::from(&near).set_linger(Some(Duration::ZERO));
    }
}

async fn carry(near: &mut TcpStream, far: Far, mode: watch::Receiver<Mode>) -> io::Result<()> {
    passable(&mut mode.clone()).await;
    let far: Box<dyn Stream> = match far {
        Far::Socket(path) => Box::new(UnixStream::connect(path).await?),
        Far::Address(address) => {
            let far = TcpStream::connect(address).await?;
            far.set_nodelay(true)?;
            Box::new(far)
        }
        Far::Nowhere => return Err(io::ErrorKind::ConnectionRefused.into()),
    };
    let (near_in, near_out) = near.split();
    let (far_in, far_out) = split(far);
    tokio::try_join!(pump(near_in, far_out, mode.clone()), pump(far_in, near_out, mode))?;
    Ok(())
}

/// Forwards bytes in one direction. While nothing passes, bytes that were read and the end of the stream are kept.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut mode: watch::Receiver<Mode>,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        passable(&mut mode).await;
        match count {
            0 => return to.shutdown().await,
            _ => to.write_all(&buffer[..count]).await?,
        }
    }
}

/// Waits while the link hangs. A dropped sender counts as a cut link.
async fn passable(mode: &mut watch::Receiver<Mode>) {
    let _ = mode.wait_for(|mode| *mode != Mode::Hung).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends everything back.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (mut from, mut to) = stream.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut from, &mut to).await });
            }
        });
        address
    }

    async fn heard(stream: &mut TcpStream, length: usize) -> io::Result<String> {
        let mut buffer = vec![0; length];
        stream.read_exact(&mut buffer).await?;
        Ok(String::from_utf8(buffer).unwrap())
    }

    #[tokio::test]
    async fn an_open_link_carries_all_bytes_to_the_end() {
        let link = Link::to(Far::Address(echo().await)).await;
        let mut stream = TcpStream::connect(link.address()).await.unwrap();
        let long = "all of this, ".repeat(20_000);
        let (mut from, mut to) = stream.split();
        let mut back = String::new();
        let say = async {
            to.write_all(long.as_bytes()).await.unwrap();
            to.shutdown().await.unwrap();
        };
        tokio::join!(say, async { from.read_to_string(&mut back).await.unwrap() });
        assert!(back == long, "{} of {} bytes came back", back.len(), long.len());
    }

    #[tokio::test]
    async fn bytes_sent_during_a_hang_arrive_when_the_link_is_healed() {
        let link = Link::to(Far::Address(echo().await)).await;
        let mut stream = TcpStream::connect(link.address()).await.unwrap();
        stream.write_all(b"early").await.unwrap();
        assert_eq!(heard(&mut stream, 5).await.unwrap(), "early");
        link.set(Mode::Hung);
        stream.write_all(b"late").await.unwrap();
        let mut meanwhile = TcpStream::connect(link.address()).await.unwrap();
        meanwhile.write_all(b"new").await.unwrap();
        let nothing = tokio::time::timeout(Duration::from_millis(50), heard(&mut stream, 1)).await;
        assert!(nothing.is_err(), "{nothing:?}");
        link.set(Mode::Open);
        assert_eq!(heard(&mut stream, 4).await.unwrap(), "late");
        assert_eq!(heard(&mut meanwhile, 3).await.unwrap(), "new");
    }

    #[tokio::test]
    async fn a_cut_link_ends_connections_and_refuses_new_ones_until_it_is_healed() {
        let link = Link::to(Far::Address(echo().await)).await;
        let mut stream = TcpStream::connect(link.address()).await.unwrap();
        stream.write_all(b"early").await.unwrap();
        assert_eq!(heard(&mut stream, 5).await.unwrap(), "early");
        link.set(Mode::Cut);
        assert!(heard(&mut stream, 1).await.is_err());
        let refused = match TcpStream::connect(link.address()).await {
            Ok(mut stream) => heard(&mut stream, 1).await.map(|_| ()),
            Err(error) => Err(error),
        };
        assert!(refused.is_err());
        link.set(Mode::Open);
        let mut stream = TcpStream::connect(link.address()).await.unwrap();
        stream.write_all(b"again").await.unwrap();
        assert_eq!(heard(&mut stream, 5).await.unwrap(), "again");
    }
}
