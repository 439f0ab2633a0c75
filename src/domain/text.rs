//! Text that a person writes: names, references, cities, ids chosen by a client.
//!
//! [`line()`] is the rule of every text field, whether it arrives in a body, a query, a message, a file or a command
//! line. No field has several lines. Values that were stored before a rule existed are read back unchanged.
//!
//! Joiners (U+200C, U+200D) and variation selectors are part of names in many scripts, and of emoji. They are allowed
//! beside visible characters.

use super::Violation;

/// A rule that a text breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenRule {
    /// Stable name of the rule.
    pub rule: &'static str,
    pub message: &'static str,
}

impl BrokenRule {
    pub fn at(self, pointer: &str) -> Violation {
        Violation::new(pointer, self.rule, self.message)
    }
}

const CONTROL: BrokenRule =
    BrokenRule { rule: "no_control_characters", message: "must not contain control characters or line breaks" };
const BIDI: BrokenRule = BrokenRule {
    rule: "no_direction_controls",
    message: "must not contain characters that change the direction of text, such as U+202E",
};
const NONCHARACTER: BrokenRule = BrokenRule {
    rule: "no_noncharacters",
    message: "must not contain code points that are no characters, such as U+FFFE",
};
const INVISIBLE: BrokenRule = BrokenRule { rule: "visible_text", message: "must contain a visible character" };

/// One line of text: trimmed, 1 to `max` characters, at least one visible, none forbidden.
pub fn line(value: &str, max: usize, pointer: &str) -> Result<String, Violation> {
    if let Some(broken) = value.chars().find_map(forbidden) {
        return Err(broken.at(pointer));
    }
    let trimmed = value.trim();
    if !(1..=max).contains(&trimmed.chars().count()) {
        return Err(Violation::new(pointer, "text_length", format!("must have 1 to {max} characters")));
    }
    check(trimmed).map_err(|broken| broken.at(pointer))?;
    Ok(trimmed.to_owned())
}

/// Like [`line()`], for a member that a change may leave as it is: the stored value is not checked again.
pub fn line_unless_kept(value: &str, kept: Option<&str>, max: usize, pointer: &str) -> Result<String, Violation> {
    match kept == Some(value) {
        true => Ok(value.to_owned()),
        false => line(value, max, pointer),
    }
}

/// The part of the rule that does not depend on the length.
pub fn check(value: &str) -> Result<(), BrokenRule> {
    match value.chars().find_map(forbidden) {
        Some(broken) => Err(broken),
        None if value.chars().all(is_invisible) => Err(INVISIBLE),
        None => Ok(()),
    }
}

/// The rule that a character breaks at any position.
fn forbidden(c: char) -> Option<BrokenRule> {
    match c {
        // ASCII first, because nearly all text is ASCII.
        ' '..='~' => None,
        // Line and paragraph separators are line breaks.
        '\u{2028}' | '\u{2029}' => Some(CONTROL),
        _ if c.is_control() => Some(CONTROL),
        // Marks, embeddings, overrides and isolates (Unicode Standard Annex 9).
        '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => Some(BIDI),
        '\u{FDD0}'..='\u{FDEF}' => Some(NONCHARACTER),
        _ if u32::from(c) & 0xFFFE == 0xFFFE => Some(NONCHARACTER),
        _ => None,
    }
}

/// Whether a character is invisible: spaces, Default_Ignorable_Code_Point (which contains the Hangul fillers, the
/// variation selectors and the tag characters), and the few other blanks.
pub fn is_invisible(c: char) -> bool {
    c.is_whitespace() || is_ignorable(c) || matches!(c, '\u{2800}' | '\u{FFF9}'..='\u{FFFB}' | '\u{1D159}')
}

/// The property Default_Ignorable_Code_Point of the Unicode Character Database.
pub fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn text_is_trimmed_and_bounded() {
        assert_eq!(line("  Ana  ", 3, "/name"), Ok("Ana".to_owned()));
        assert_eq!(line("   ", 3, "/name").unwrap_err().rule, "text_length");
        assert_eq!(line("Anna", 3, "/name").unwrap_err().rule, "text_length");
    }

    #[test]
    fn length_counts_characters_not_bytes() {
        assert!(line("Åse", 3, "/name").is_ok());
    }

    #[rstest]
    #[case("A\u{0}B", "no_control_characters")]
    #[case("A\nB", "no_control_characters")]
    #[case("Ana\r\n", "no_control_characters")] // trimming would hide it
    #[case("\tAna", "no_control_characters")]
    #[case("A\u{7F}", "no_control_characters")]
    #[case("A\u{85}B", "no_control_characters")] // C1
    #[case("A\u{9B}31m", "no_control_characters")]
    #[case("A\u{2028}B", "no_control_characters")]
    #[case("Ana \u{202E}sepoL", "no_direction_controls")]
    #[case("A\u{202A}", "no_direction_controls")]
    #[case("A\u{2066}", "no_direction_controls")]
    #[case("A\u{2069}", "no_direction_controls")]
    #[case("A\u{200E}", "no_direction_controls")]
    #[case("A\u{200F}", "no_direction_controls")]
    #[case("A\u{61C}", "no_direction_controls")]
    #[case("A\u{FDD0}", "no_noncharacters")]
    #[case("A\u{FFFF}", "no_noncharacters")]
    #[case("A\u{10FFFE}", "no_noncharacters")]
    #[case("\u{200B}", "visible_text")]
    #[case("\u{200D}\u{200C}", "visible_text")]
    #[case("\u{AD}", "visible_text")]
    #[case("\u{3164}", "visible_text")]
    #[case("\u{115F}\u{1160}", "visible_text")]
    #[case("\u{FFA0}", "visible_text")]
    #[case("\u{E0041}\u{E0042}", "visible_text")]
    #[case("\u{FE0F}", "visible_text")]
    #[case("\u{E0100}", "visible_text")]
    #[case("\u{2060} \u{FEFF}", "visible_text")]
    #[case("\u{2800}", "visible_text")]
    fn hidden_and_control_characters_are_refused(#[case] value: &str, #[case] rule: &str) {
        let violation = line(value, 50, "/name").unwrap_err();
        assert_eq!((violation.pointer.as_str(), violation.rule), ("/name", rule));
    }

    #[rstest]
    #[case("María-José O'Brien, Jr.")]
    #[case("北京飯店")]
    #[case("می\u{200C}خواهم")] // Persian needs the non-joiner
    #[case("ක්\u{200D}ෂ")] // Sinhala needs the joiner
    #[case("Casa 👩\u{200D}👩\u{200D}👧 ❤\u{FE0F}")]
    #[case("🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}")] // the flag of England
    #[case("葛\u{E0100}城")] // an ideographic variant in a Japanese name
    #[case("שרה כהן")]
    #[case("Zu\u{308}rich")]
    fn names_of_all_scripts_are_accepted(#[case] value: &str) {
        assert_eq!(line(value, 50, "/name"), Ok(value.to_owned()));
    }
}
