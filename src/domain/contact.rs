//! How to reach the person who booked.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Violation;

/// A mobile number as E.164 writes it: `+`, country code and subscriber number, 10 to 15 digits in all.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mobile(String);

impl Mobile {
    pub fn parse(value: &str) -> Result<Self, Violation> {
        let digits = value.strip_prefix('+').unwrap_or_default();
        let e164 = (10..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if !e164 {
            let message = "must be an E.164 number: + and 10 to 15 digits, such as +351912345678";
            return Err(Violation::new("/mobile", "e164", message));
        }
        Ok(Self(value.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An e-mail address (RFC 5321).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    pub fn parse(value: &str) -> Result<Self, Violation> {
        let is_valid = email_address::EmailAddress::is_valid(value) && !value.chars().any(char::is_control);
        if !is_valid || value.len() > 254 {
            return Err(Violation::new("/email", "email", "must be an e-mail address such as ana@example.com"));
        }
        Ok(Self(value.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The booker's contact details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub mobile: Mobile,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
}

// Contact details are personal: they are written to the store and to their owner, never to a log.
impl fmt::Debug for Mobile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mobile(…)")
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("+351912345678", true)]
    #[case("+1234567890", true)] // 10 digits
    #[case("+123456789012345", true)] // 15 digits
    #[case("+123456789", false)]
    #[case("+1234567890123456", false)]
    #[case("351912345678", false)]
    #[case("+35191234567a", false)]
    #[case("+351 912 345 678", false)]
    #[case("+0351912345678", false)] // no country code starts with 0
    #[case("+٣٥١٩١٢٣٤٥٦٧٨", false)] // digits, but not ASCII ones
    #[case("", false)]
    fn a_mobile_number_is_e164(#[case] value: &str, #[case] accepted: bool) {
        assert_eq!(Mobile::parse(value).is_ok(), accepted);
    }

    #[rstest]
    #[case("ana@example.com", true)]
    #[case("ana@", false)]
    #[case("ana example.com", false)]
    fn an_email_has_an_address(#[case] value: &str, #[case] accepted: bool) {
        assert_eq!(Email::parse(value).is_ok(), accepted);
    }

    #[test]
    fn debug_output_hides_contact_details() {
        let contact = Contact {
            mobile: Mobile::parse("+351912345678").unwrap(),
            email: Some(Email::parse("ana@example.com").unwrap()),
        };
        let shown = format!("{contact:?}");
        assert!(!shown.contains("912345678") && !shown.contains("ana@"));
    }
}
