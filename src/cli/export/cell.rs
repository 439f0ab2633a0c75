//! Cells that no spreadsheet reads as a formula.

use crate::domain::text::is_invisible;

/// Makes foreign text safe for a spreadsheet (OWASP, "CSV Injection"). A spreadsheet may separate cells at another
/// character. So a `'` goes before a formula wherever a cell could begin: at the start, after a separator, after a quotation
/// mark.
pub fn text(value: &str) -> String {
    let mut cell = String::with_capacity(value.len() + 1);
    let mut begins = true;
    for c in value.chars() {
        if begins && begins_formula(c) {
            cell.push('\'');
        }
        cell.push(c);
        begins = separates(c) || begins && is_invisible(c);
    }
    cell
}

/// Characters that begin a formula, and their variants that spreadsheets treat as the same.
fn begins_formula(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r')
        || matches!(
            c,
            '＝' | '＋'
                | '－'
                | '＠'
                | '﹦'
                | '﹢'
                | '﹣'
                | '﹫'
                | '\u{2212}'
                | '⁼'
                | '⁺'
                | '⁻'
                | '₌'
                | '₊'
                | '₋'
        )
}

fn separates(c: char) -> bool {
    matches!(c, ',' | ';' | '|' | '\t' | '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' | '"' | '\'' | '，' | '；')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")")]
    #[case("+1", "'+1")]
    #[case("-1", "'-1")]
    #[case("@x", "'@x")]
    #[case("\tx", "'\tx")]
    #[case("\rx", "'\rx")]
    #[case(" =1", " '=1")]
    #[case("\u{FEFF}=1", "\u{FEFF}'=1")]
    #[case("\u{200B}=1", "\u{200B}'=1")]
    #[case("＝1+1", "'＝1+1")]
    #[case("－1", "'－1")]
    #[case("\u{2212}1", "'\u{2212}1")]
    #[case("A;=1+1;B", "A;'=1+1;B")]
    #[case("A,=1+1,B", "A,'=1+1,B")]
    #[case("A\t=1+1", "A\t'=1+1")]
    #[case("A\n=1+1", "A\n'=1+1")]
    #[case("A; =1+1", "A; '=1+1")]
    #[case("A;\"=1+1\"", "A;\"'=1+1\"")]
    #[case("A\";\" =1+1", "A\";\" '=1+1")]
    #[case("A\"=1+1", "A\"'=1+1")]
    #[case("A;\t=1", "A;'\t'=1")]
    #[case("A;-cmd|' /C calc'!A0", "A;'-cmd|' /C calc'!A0")]
    fn a_formula_becomes_text(#[case] value: &str, #[case] cell: &str) {
        assert_eq!(text(value), cell);
    }

    #[rstest]
    #[case("Casa = Lar")]
    #[case("Bed & Breakfast - Lisbon, Portugal")]
    #[case("Ana-Maria; ref 12+3")]
    #[case("O'Neill")]
    #[case("")]
    fn other_text_stays_as_it_is(#[case] value: &str) {
        assert_eq!(text(value), value);
    }

    proptest! {
        /// No part begins a formula, for every separator and every stripped character.
        #[test]
        fn no_part_begins_a_formula(value in "[=+@;,\t\n\" A'＝-]{0,12}") {
            let cell = text(&value);
            for separator in [',', ';', '\t', '\n'] {
                for part in cell.split(separator) {
                    let start = part.trim_start_matches([' ', '"']).chars().next();
                    prop_assert!(!start.is_some_and(|c| begins_formula(c) && c != '\t'), "{cell:?} at {separator:?}");
                }
            }
        }
    }
}
