//! The words in which the databases differ.

/// Parts of statements. Each database has one (`DIALECT` in `sqlite/` and `postgres/`).
pub struct Dialect {
    /// An expression: the position of the change that this transaction makes, among the changes of all hotels.
    pub change: &'static str,
    /// An expression: the position that separates the events committed before this transaction from later ones.
    pub calendar_change: &'static str,
    /// `booking.sql`: whole bookings, as `store::sql::booking` reads them. A `WHERE` follows.
    pub booking: &'static str,
    /// `inventory.sql`: room types with their nights and plans from `$2` on. A `WHERE` follows.
    pub inventory: &'static str,
    /// An expression: the e-mail address of the booking `b` in the form that `bookings_by_email` compares.
    pub email: &'static str,
    /// Ends a subquery: leaves out rows that another transaction has locked.
    pub skip_locked: &'static str,
    /// Whether ids and JSON have column types of their own. Otherwise they are text, and JSON may be malformed.
    pub has_types: bool,
    /// Whether the planner has no statistics, so that a statement names its index.
    pub names_indexes: bool,
}

impl Dialect {
    /// An expression: a member of the JSON in a column, as text. NULL if there is none, or if the JSON is malformed.
    pub fn member(&self, column: &str, name: &str) -> String {
        match self.has_types {
            true => format!("{column}->>'{name}'"),
            false => format!("CASE WHEN json_valid({column}) THEN {column}->>'{name}' END"),
        }
    }

    /// An expression: the text of another expression as an id. NULL if it is none.
    pub fn id(&self, text: &str) -> String {
        const UUID: &str = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";
        match self.has_types {
            true => format!("CASE WHEN {text} ~ '{UUID}' THEN CAST({text} AS uuid) END"),
            false => text.to_owned(),
        }
    }

    /// Follows a table: reads it through this index, where the planner has to be told.
    pub fn through(&self, index: &str) -> String {
        match self.names_indexes {
            true => format!(" INDEXED BY {index}"),
            false => String::new(),
        }
    }
}
