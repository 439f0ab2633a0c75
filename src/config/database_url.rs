//! The URL of the database. It can contain a password, which is never printed.

use std::fmt;

/// A URL that only [`DatabaseUrl::expose`] shows completely.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether several nodes can share the database. A SQLite file has one node.
    pub fn is_shared(&self) -> bool {
        !["sqlite", ""].contains(&self.scheme())
    }

    /// The scheme: the text before the first colon.
    pub fn scheme(&self) -> &str {
        self.0.split_once(':').map_or("", |(scheme, _)| scheme)
    }
}

/// Without the password, and without parameters, which may contain another one. A password may contain an unescaped @, /
/// or ? by mistake, so all text before the last @ is treated as secret.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://").filter(|(scheme, _)| *scheme != "sqlite") else {
            return f.write_str(&self.0);
        };
        let (who, place) = rest.rsplit_once('@').map_or(("", rest), |(who, place)| (who, place));
        let user = who.split([':', '/', '?', '#']).next().unwrap_or_default();
        let place = place.split(['?', '#']).next().unwrap_or_default();
        match who.is_empty() {
            true => write!(f, "{scheme}://{place}"),
            false => write!(f, "{scheme}://{user}@{place}"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("sqlite://inn.db", "sqlite://inn.db")]
    #[case("postgres://db/inn", "postgres://db/inn")]
    #[case("postgres://me:hush@db:5432/inn", "postgres://me@db:5432/inn")]
    #[case("postgres://me:hush@db/inn?sslmode=require&password=hush", "postgres://me@db/inn")]
    #[case("postgres://me:hu@sh/hush?hush@db/inn", "postgres://me@db/inn")]
    #[case("postgres:///inn?host=/run&password=hush", "postgres:///inn")]
    fn a_password_is_not_printed(#[case] url: &str, #[case] printed: &str) {
        let url = DatabaseUrl::new(url);
        assert_eq!(url.to_string(), printed);
        assert_eq!(format!("{url:?}"), printed);
    }
}
