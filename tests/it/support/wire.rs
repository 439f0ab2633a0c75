//! A connection to PostgreSQL that breaks, or stops, when it carries given words.

use std::future::pending;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// The fate of a connection that carries the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The connection breaks before the server gets them.
    Unheard,
    /// The server gets them and answers; the answer is lost with the connection.
    Unanswered,
    /// The connection stays, and carries nothing. From then on the test's clock runs as fast as possible.
    Silence,
}

/// The words and their fate.
type Rule = (&'static [u8], Fate);

/// A proxy to the database of a URL, as long as its runtime lives.
pub struct Wire {
    url: String,
    fate: Arc<Mutex<Option<Rule>>>,
}

impl Wire {
    /// `url` names the folder of a socket.
    pub async fn to(url: &str) -> Self {
        let (database, folder) = url.split_once("?host=").unwrap();
        let socket = PathBuf::from(folder).join(".s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = listener.local_addr().unwrap().to_string();
        let fate = Arc::default();
        let wire = Self { url: database.replace("localhost", &near), fate: Arc::clone(&fate) };
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = UnixStream::connect(&socket).await.unwrap();
                // Both ends are dropped in every case.
                tokio::spawn(carry(near, far, fate.clone()));
            }
        });
        wire
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sets the words and their fate from now on.
    pub fn when(&self, words: &'static str, fate: Fate) {
        *self.fate.lock().unwrap() = Some((words.as_bytes(), fate));
    }
}

/// The client writes a message at once and then waits, so the words arrive in one piece.
async fn carry(mut near: TcpStream, mut far: UnixStream, fate: Arc<Mutex<Option<Rule>>>) -> io::Result<()> {
    let (mut said, mut answer) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let count = tokio::select! {
            count = near.read(&mut said) => count?,
            count = far.read(&mut answer) => match count? {
                0 => return Ok(()),
                count => {
                    near.write_all(&answer[..count]).await?;
                    continue;
                }
            },
        };
        let said = &said[..count];
        let is_said = |words: &[u8]| said.windows(words.len()).any(|part| part == words);
        let fate = fate.lock().unwrap().filter(|(words, _)| is_said(words)).map(|(_, fate)| fate);
        match fate {
            _ if count == 0 => return Ok(()),
            None => far.write_all(said).await?,
            Some(Fate::Unheard) => return Ok(()),
            Some(Fate::Unanswered) => {
                far.write_all(said).await?;
                far.read_u8().await?;
                return Ok(());
            }
            Some(Fate::Silence) => {
                tokio::time::pause();
                pending().await
            }
        }
    }
}
