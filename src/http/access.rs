//! Bearer tokens: the administrator's token, and one manage token for each booking.
//!
//! A manage token is an HMAC of the booking's id under the secret of the installation. So the store holds no token, a
//! replayed answer shows the same token, and a wrong token is refused without reading the store.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::domain::BookingId;

/// Checks tokens. Comparisons take constant time.
#[derive(Clone)]
pub struct Access {
    /// The digest of the administrator's token. `None` if there is no administrator.
    administrator: Option<[u8; 32]>,
    manage_tokens: Hmac<Sha256>,
}

impl Access {
    /// `secret` is the installation's, see [`crate::store::Catalogue::installation_secret`].
    pub fn new(administrator_token: Option<&str>, secret: [u8; 32]) -> Self {
        // RFC 2104 pads a short key with zeros to the block length.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&secret);
        Self { administrator: administrator_token.map(digest), manage_tokens: Hmac::new(&block.into()) }
    }

    pub fn is_administrator(&self, token: &str) -> bool {
        self.administrator.is_some_and(|administrator| administrator.ct_eq(&digest(token)).into())
    }

    /// The token that gives access to one booking.
    pub fn manage_token(&self, booking: BookingId) -> String {
        let mac = self.manage_tokens.clone().chain_update(booking.0.as_bytes());
        BASE64URL_NOPAD.encode(&mac.finalize().into_bytes())
    }

    pub fn may_manage(&self, token: &str, booking: BookingId) -> bool {
        digest(&self.manage_token(booking)).ct_eq(&digest(token)).into()
    }
}

/// The digest of a token. All digests have the same length, so a comparison does not reveal the length of a token.
fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn booking(n: u128) -> BookingId {
        BookingId(Uuid::from_u128(n))
    }

    #[test]
    fn a_manage_token_is_valid_for_its_own_booking_only() {
        let access = Access::new(Some("admin"), [7; 32]);
        let token = access.manage_token(booking(1));
        assert_eq!(token.len(), 43);
        assert!(access.may_manage(&token, booking(1)));
        assert!(!access.may_manage(&token, booking(2)));
        assert!(!access.is_administrator(&token));
    }

    #[test]
    fn another_installation_makes_other_tokens() {
        let (one, other) = (Access::new(Some("admin"), [1; 32]), Access::new(Some("admin"), [2; 32]));
        assert!(!other.may_manage(&one.manage_token(booking(1)), booking(1)));
    }

    #[test]
    fn tokens_are_hmac_sha256_of_rfc_2104() {
        let mut reference = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
        reference.update(booking(1).0.as_bytes());
        let expected = BASE64URL_NOPAD.encode(&reference.finalize().into_bytes());
        assert_eq!(Access::new(Some("admin"), [7; 32]).manage_token(booking(1)), expected);
    }

    #[test]
    fn only_the_whole_administrator_token_is_accepted() {
        let access = Access::new(Some("secret"), [0; 32]);
        assert!(access.is_administrator("secret"));
        assert!(!Access::new(None, [0; 32]).is_administrator(""));
        for wrong in ["", "secre", "secret ", "Secret"] {
            assert!(!access.is_administrator(wrong));
        }
    }
}
