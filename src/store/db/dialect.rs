//! The words in which the databases differ.

/// Parts of statements. Each database has one ([`super::sqlite::DIALECT`], [`super::postgres::DIALECT`]).
pub struct Dialect {
    /// An expression: the position of the change that this transaction makes, among the changes of all hotels.
    pub change: &'static str,
    /// An expression: the position that separates the events committed before this transaction from later ones.
    pub calendar_change: &'static str,
    /// `booking.sql`: whole bookings, as [`crate::store::sql::booking`] reads them. A `WHERE` follows.
    pub booking: &'static str,
    /// `inventory.sql`: room types with their nights and plans from `$2` on. A `WHERE` follows.
    pub inventory: &'static str,
    /// An expression: the e-mail address of the booking `b` in the form that `bookings_by_email` compares.
    pub email: &'static str,
    /// Ends a subquery: leaves out rows that another transaction has locked.
    pub skip_locked: &'static str,
    /// Whether the planner has no statistics, so that a statement names its index.
    pub names_indexes: bool,
}

impl Dialect {
    /// Follows a table: reads it through this index, where the planner has to be told.
    pub fn through(&self, index: &str) -> String {
        match self.names_indexes {
            true => format!(" INDEXED BY {index}"),
            false => String::new(),
        }
    }
}
