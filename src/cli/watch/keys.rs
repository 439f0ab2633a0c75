//! Keys that scroll the table. The terminal delivers each key at once. Its old mode is restored at the end.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

/// The limit of keys between two redraws.
const ROOM: usize = 64;

/// The action of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Scrolls by a number of nights, negative for earlier ones.
    Nights(isize),
    /// Scrolls by a number of room types, negative for those to the left.
    RoomTypes(isize),
    /// Scrolls to the first night and room type.
    Home,
    Quit,
}

/// The keys of this terminal.
pub struct Keys {
    before: Termios,
    pressed: Arc<Mutex<Vec<Key>>>,
}

impl Keys {
    /// Listens, if keys come from a terminal. A job in the background would be stopped if it changed the terminal.
    pub fn listen() -> Option<Self> {
        let before = tcgetattr(io::stdin()).ok()?;
        tcgetpgrp(io::stdin()).ok().filter(|foreground| *foreground == getpgrp())?;
        let mut each = before.clone();
        each.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &each).ok()?;
        let pressed = Arc::new(Mutex::new(Vec::new()));
        let keys = Self { before, pressed: pressed.clone() };
        thread::Builder::new().name("keys".into()).spawn(move || read(&pressed)).ok()?;
        Some(keys)
    }

    /// Keys pressed since the last call.
    pub fn pressed(&self) -> Vec<Key> {
        std::mem::take(&mut *self.pressed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // An error means that the terminal is gone, and then it needs no mode.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

fn read(pressed: &Mutex<Vec<Key>>) {
    let mut bytes = [0; 32];
    while let Ok(length @ 1..) = io::stdin().read(&mut bytes) {
        let mut pressed = pressed.lock().unwrap_or_else(PoisonError::into_inner);
        pressed.extend(keys(&bytes[..length]));
        pressed.truncate(ROOM);
    }
}

/// The bytes of each key. A terminal sends them together.
const NAMES: [(&[u8], Key); 20] = [
    (b"\x1b[A", Key::Nights(-1)),
    (b"\x1bOA", Key::Nights(-1)),
    (b"k", Key::Nights(-1)),
    (b"\x1b[B", Key::Nights(1)),
    (b"\x1bOB", Key::Nights(1)),
    (b"j", Key::Nights(1)),
    (b"\x1b[5~", Key::Nights(-10)),
    (b"\x1b[6~", Key::Nights(10)),
    (b" ", Key::Nights(10)),
    (b"\x1b[C", Key::RoomTypes(1)),
    (b"\x1bOC", Key::RoomTypes(1)),
    (b"l", Key::RoomTypes(1)),
    (b"\x1b[D", Key::RoomTypes(-1)),
    (b"\x1bOD", Key::RoomTypes(-1)),
    (b"h", Key::RoomTypes(-1)),
    (b"\x1b[H", Key::Home),
    (b"\x1bOH", Key::Home),
    (b"\x1b[1~", Key::Home),
    (b"g", Key::Home),
    (b"q", Key::Quit),
];

/// The keys in some bytes. Unknown bytes are skipped.
fn keys(mut bytes: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    while !bytes.is_empty() {
        let known = NAMES.iter().find(|(name, _)| bytes.starts_with(name));
        keys.extend(known.map(|(_, key)| *key));
        bytes = &bytes[known.map_or(1, |(name, _)| name.len())..];
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_and_letters_scroll() {
        let typed = keys(b"\x1b[B\x1b[6~jx\x1bOC\x1b[Hq");
        let expected = [Key::Nights(1), Key::Nights(10), Key::Nights(1), Key::RoomTypes(1), Key::Home, Key::Quit];
        assert_eq!(typed, expected);
    }
}
