//! Secrets: text that is never printed by accident, and its random generator.

use std::fmt;
use std::ops::RangeInclusive;

/// Text that only [`Secret::expose`] shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The allowed lengths of a configured secret. A shorter one can be guessed, because a server answers every guess.
    pub const LENGTHS: RangeInclusive<usize> = 16..=255;

    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A new secret: 192 random bits in 32 URL-safe characters.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 24];
        getrandom::fill(&mut bytes)?;
        Ok(Self(data_encoding::BASE64URL_NOPAD.encode(&bytes)))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed_and_not_repeated() {
        let (one, other) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.expose().len(), 32);
        assert!(!format!("{one:?}").contains(one.expose()));
    }
}
