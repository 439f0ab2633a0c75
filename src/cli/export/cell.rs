//! Cells that no spreadsheet takes for a formula.

use std::borrow::Cow;

/// Text that somebody else wrote, safe to open in a spreadsheet (OWASP, "CSV Injection").
pub fn text(value: &str) -> Cow<'_, str> {
    match value.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => Cow::Owned(format!("'{value}")),
        false => Cow::Borrowed(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_becomes_text() {
        assert_eq!(text("=HYPERLINK(\"http://x\")"), "'=HYPERLINK(\"http://x\")");
        for start in ["+1", "-1", "@x", "\tx", "\rx"] {
            assert_eq!(text(start), format!("'{start}"));
        }
        assert_eq!(text("Casa = Lar"), "Casa = Lar");
    }
}
