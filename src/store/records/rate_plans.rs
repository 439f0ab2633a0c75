//! Rate plans without their nights. A plan is made and changed by its room type's owner: that is a commit.

use super::page_of;
use crate::domain::{RatePlan, RatePlanId, RoomTypeId};
use crate::store::db::{Connection, Statement};
use crate::store::sql;
use crate::store::{Error, Page};

pub const BY_ID: &str = "SELECT * FROM rate_plans WHERE id = $1";
pub const LIST: &str = "SELECT * FROM rate_plans WHERE room_type_id = $1 AND id > $2 ORDER BY id LIMIT $3";

pub async fn find(reading: &mut Connection<'_>, id: RatePlanId) -> Result<Option<RatePlan>, Error> {
    reading.find(Statement::new(BY_ID).bind(id.0), sql::rate_plan).await
}

pub async fn list(
    reading: &mut Connection<'_>,
    room_type: RoomTypeId,
    page: Page<RatePlanId>,
) -> Result<Vec<RatePlan>, Error> {
    let statement = page_of(room_type.0, LIST, page.after.map(|id| id.0), page.limit);
    reading.list(statement, sql::rate_plan).await
}
