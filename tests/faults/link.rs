//! A wire that can be cut: a proxy between two of the processes.
//!
//! It carries bytes until a test says otherwise. Cut, it resets every connection and takes no new one, as a firewall or a
//! dead host would. Hung, it keeps connections open and carries nothing, as a lost route does; healed, what was under way
//! arrives after all, however late: a COMMIT that was sent before a lease ran out, for instance.

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

/// Whether bytes pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Open,
    /// Nothing passes, and nobody is told.
    Hung,
    /// There is no way at all.
    Cut,
}

/// Where a wire leads.
#[derive(Debug, Clone)]
pub enum Far {
    Socket(PathBuf),
    Address(SocketAddr),
    /// To nobody, yet.
    Nowhere,
}

/// A wire. Its near end stays where it is, whoever is at the far one.
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

    /// Where to connect to.
    pub fn address(&self) -> SocketAddr {
        self.near
    }

    /// From now on it leads elsewhere; connections that there are stay.
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
        // Dropped now, it is reset instead of closed in order.
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

/// Carries bytes one way. What was read while nothing passes is kept, and so is the news that there is no more.
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

/// Waits while the wire hangs. That it was dropped is nobody's concern here: then it is cut.
async fn passable(mode: &mut watch::Receiver<Mode>) {
    let _ = mode.wait_for(|mode| *mode != Mode::Hung).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says everything back.
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
    async fn an_open_wire_carries_everything_to_its_end() {
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
    async fn what_was_said_while_it_hung_arrives_when_it_is_healed() {
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
    async fn a_cut_wire_ends_connections_and_takes_no_new_one_until_it_is_healed() {
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
