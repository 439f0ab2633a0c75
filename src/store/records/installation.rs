//! The secret of the installation: what manage tokens are made with.

use crate::store::Error;
use crate::store::db::{Connection, Statement};
use crate::store::sql::{Columns, unreadable};

const KEEP: &str = "INSERT INTO installation (id, secret) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
const SECRET: &str = "SELECT secret FROM installation";

/// The secret of the installation; `fresh` becomes it, if there is none yet.
pub async fn secret(writing: &mut Connection<'_>, fresh: [u8; 32]) -> Result<[u8; 32], Error> {
    writing.execute(Statement::new(KEEP).bind(fresh.as_slice())).await?;
    let secret = writing.find(Statement::new(SECRET), |row| row.bytes("secret")).await?;
    secret.ok_or_else(|| unreadable("secret", "there is no row"))
}
