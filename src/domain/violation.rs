//! Violations: broken rules of input fields.

use std::fmt;

use serde::Serialize;

/// One broken rule of one input field. Input is checked as a whole, so a client sees all its mistakes at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// JSON pointer (RFC 6901) to the field, e.g. `/guests/0/age`.
    pub pointer: String,
    /// Stable name of the rule, e.g. `age_range`.
    pub rule: &'static str,
    /// The rule in words, with its limits.
    pub message: String,
}

impl Violation {
    pub fn new(pointer: impl Into<String>, rule: &'static str, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), rule, message: message.into() }
    }

    /// The same violation inside `parent`: `/age` under `/guests/0` becomes `/guests/0/age`.
    pub fn under(mut self, parent: &str) -> Self {
        self.pointer.insert_str(0, parent);
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pointer, self.message)
    }
}

/// Collects violations while values are parsed one after the other.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Keeps the violation of a failed parse.
    pub fn keep<T>(&mut self, parsed: Result<T, Violation>) -> Option<T> {
        parsed.map_err(|violation| self.0.push(violation)).ok()
    }

    /// Keeps all violations of a value that was checked as a whole.
    pub fn also<T>(&mut self, checked: Result<T, Vec<Violation>>) -> Option<T> {
        checked.map_err(|violations| self.0.extend(violations)).ok()
    }

    pub fn push(&mut self, violation: Violation) {
        self.0.push(violation);
    }

    /// Adds a violation unless the rule holds.
    pub fn require(&mut self, holds: bool, pointer: &str, rule: &'static str, message: impl Into<String>) {
        if !holds {
            self.0.push(Violation::new(pointer, rule, message));
        }
    }

    /// The value if there are no violations. `value` may be `None` only after a violation was kept.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Vec<Violation>> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_violations_are_reported_together() {
        let mut all = Violations::default();
        all.require(false, "/name", "text_length", "must have 1 to 3 characters");
        all.require(false, "/rooms", "rooms_range", "must be at least 1");
        let pointers: Vec<_> = all.finish(Some(())).unwrap_err().into_iter().map(|v| v.pointer).collect();
        assert_eq!(pointers, ["/name", "/rooms"]);
    }
}
