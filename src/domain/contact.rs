//! Contact details of the person who booked.

use std::fmt;

use email_address::{EmailAddress, Options};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat};
use serde::{Deserialize, Serialize};

use super::{Violation, text};

/// A phone number in E.164 form: `+`, country code and subscriber number, 7 to 15 digits in all.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mobile(String);

impl Mobile {
    /// The longest input, in characters.
    pub const MAX_LENGTH: usize = 32;

    /// Parses a number and checks it by the rules of its country (libphonenumber). Spaces, dots, hyphens and brackets
    /// are ignored. Digits may be of any script.
    pub fn parse(value: &str) -> Result<Self, Violation> {
        let message = "must be an international phone number with + and country code, such as +351 912 345 678";
        let number = digits(value).and_then(|digits| digits.parse::<PhoneNumber>().ok());
        match number.filter(PhoneNumber::is_valid) {
            Some(number) => Ok(Self(number.format_as(PhoneNumberFormat::E164).into_owned())),
            None => Err(Violation::new("/mobile", "e164", message)),
        }
    }

    /// A number from the store. It is not checked again, because countries change their rules.
    pub fn stored(value: &str) -> Self {
        Self(value.to_owned())
    }

    /// A number to search for. It may have been valid when it was stored and be invalid now.
    pub fn sought(value: &str) -> Result<Self, Violation> {
        Self::parse(value).or_else(|violation| {
            let digits = value.strip_prefix('+').unwrap_or_default();
            let is_e164 = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            if is_e164 { Ok(Self::stored(value)) } else { Err(violation) }
        })
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The `+` and the ASCII digits of a number. Letters are refused: libphonenumber would map them to digits and drop
/// extensions.
fn digits(value: &str) -> Option<String> {
    if value.chars().count() > Mobile::MAX_LENGTH {
        return None;
    }
    let mut rest = value.trim_matches(' ').chars();
    let mut number = matches!(rest.next()?, '+' | '＋').then(|| "+".to_owned())?;
    for c in rest {
        match c {
            '0'..='9' => number.push(c),
            ' ' | '\u{A0}' | '\u{202F}' | '.' | '-' | '(' | ')' => {}
            _ if c.is_ascii() => return None,
            // A digit of another script becomes an ASCII digit. Other characters fail the parse.
            _ => number.push(PHONE_NUMBER_UTIL.normalize_digits_only(c.encode_utf8(&mut [0; 4])).chars().next()?),
        }
    }
    Some(number)
}

/// An e-mail address: a bare addr-spec (RFC 5322), at most 254 bytes (RFC 5321).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// The longest address, in bytes.
    pub const MAX_LENGTH: usize = 254;

    /// One address, without a display name or comment.
    pub fn parse(value: &str) -> Result<Self, Violation> {
        text::check(value).map_err(|broken| broken.at("/email"))?;
        let bare = Options::default().without_display_text().without_domain_literal();
        let is_address = value.len() <= Self::MAX_LENGTH
            && !value.chars().any(|c| !c.is_ascii() && text::is_invisible(c))
            && EmailAddress::parse_with_options(value, bare).is_ok();
        match is_address {
            true => Ok(Self(value.to_owned())),
            false => Err(Violation::new("/email", "email", "must be one bare e-mail address such as ana@example.com")),
        }
    }

    /// The address as it is compared with others.
    pub fn comparable(&self) -> String {
        comparable_email(&self.0)
    }

    /// An address from the store. It is not checked again.
    pub fn stored(value: &str) -> Self {
        Self(value.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The one rule for comparing e-mail addresses: without the case of ASCII letters. Nearly all mail servers treat two such
/// spellings as one mailbox, and the indexes of the stores follow the same rule.
pub fn comparable_email(address: &str) -> String {
    address.to_ascii_lowercase()
}

/// The booker's contact details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub mobile: Mobile,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
}

// Contact details are personal data: they go to the store and to the client, never to a log.
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
    #[case("+351912345678", "+351912345678")]
    #[case("+298212345", "+298212345")] // Faroe Islands
    #[case("+376312345", "+376312345")] // Andorra
    #[case("+299221234", "+299221234")] // Greenland
    #[case("+50051234", "+50051234")] // Falkland Islands
    #[case("+6834567", "+6834567")] // Niue: the shortest numbers there are
    #[case("+4915112345678", "+4915112345678")]
    #[case("+351 912-345.678", "+351912345678")]
    #[case("+44 (0)7911 123456", "+447911123456")]
    #[case("+44 7911 123456", "+447911123456")]
    #[case("+٣٥١٩١٢٣٤٥٦٧٨", "+351912345678")]
    #[case("＋３５１９１２３４５６７８", "+351912345678")]
    fn a_number_is_kept_as_e164(#[case] value: &str, #[case] kept: &str) {
        assert_eq!(Mobile::parse(value).unwrap().as_str(), kept);
    }

    #[rstest]
    #[case("")]
    #[case("+")]
    #[case("351912345678")]
    #[case("00351912345678")]
    #[case("912345678")]
    #[case("+123456789")]
    #[case("+1234567890123456")]
    #[case("+0351912345678")]
    #[case("+35191234567a")]
    #[case("+1 800 FLOWERS")]
    #[case("+351912345678 ext. 5")]
    #[case("tel:+351912345678")]
    #[case("+351912345678;ext=5")]
    #[case("+351912345678/9")]
    #[case("+35191234567½")]
    #[case("+351912345678\u{202E}")]
    #[case("+351912345678\n")]
    #[case("+351912345678\u{0}")]
    #[case("+351                          912345678")]
    #[case("+5215512345678")] // Mexico has dropped the 1
    fn an_invalid_number_is_refused(#[case] value: &str) {
        assert_eq!(Mobile::parse(value).unwrap_err().rule, "e164");
    }

    #[test]
    fn a_number_that_is_no_longer_valid_can_be_searched_for() {
        assert_eq!(Mobile::sought("+5215512345678").unwrap().as_str(), "+5215512345678");
        assert_eq!(Mobile::sought("+351 912 345 678").unwrap().as_str(), "+351912345678");
        assert!(Mobile::sought("5215512345678").is_err() && Mobile::sought("+52\u{0}155123456").is_err());
    }

    #[rstest]
    #[case("ana@example.com")]
    #[case("ana.lopes+inn@mail.example.co.uk")]
    #[case("o'brien@example.ie")]
    #[case("用户@例子.广告")]
    #[case("anä@bücher.example")]
    fn a_bare_address_is_an_email(#[case] value: &str) {
        assert_eq!(Email::parse(value).unwrap().as_str(), value);
    }

    #[rstest]
    #[case("ana@")]
    #[case("ana example.com")]
    #[case("Ana Lopes <ana@example.com>")]
    #[case("<ana@example.com>")]
    #[case("\"\u{0} <a@b.pt>\"")]
    #[case("\u{0} <a@b.pt>")]
    #[case("\"a\u{7}b\"@example.com")]
    #[case("ana(comment)@example.com")]
    #[case("ana@example.com (Ana)")]
    #[case("ana@example.com,rui@example.com")]
    #[case("ana@example.com; rui@example.com")]
    #[case("ana@example.com\r\nBcc: rui@example.com")]
    #[case("ana@example.com\n")]
    #[case("ana\u{202E}@example.com")]
    #[case("ana\u{200B}@example.com")]
    #[case("ana\u{AD}@example.com")]
    #[case("ana@[127.0.0.1]")]
    #[case(" ana@example.com")]
    fn a_mail_header_is_no_email_address(#[case] value: &str) {
        assert!(Email::parse(value).is_err());
    }

    #[test]
    fn only_ascii_letters_of_an_address_have_no_case() {
        let comparable = |address: &str| Email::parse(address).unwrap().comparable();
        assert_eq!(comparable("Ana@Example.COM"), "ana@example.com");
        assert_eq!(comparable("ANÄ@bücher.example"), "anÄ@bücher.example");
    }

    #[test]
    fn an_address_has_at_most_254_bytes() {
        let domain = format!("{}.example", vec!["a".repeat(60); 3].join("."));
        let address = |local: usize| format!("{}@{domain}", "a".repeat(local));
        let longest = Email::MAX_LENGTH - address(0).len();
        assert!(Email::parse(&address(longest)).is_ok());
        assert!(Email::parse(&address(longest + 1)).is_err());
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
