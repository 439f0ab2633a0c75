//! Frames as the server sends them, for tests.

use uuid::Uuid;

use crate::ws::frame::ServerFrame;

/// A frame from its JSON text.
pub fn frame(json: &str) -> ServerFrame {
    serde_json::from_str(json).unwrap()
}

pub fn room_type(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// Three nights from 2026-06-01: free, half taken, closed.
pub fn snapshot(number: u128, sequence: u64) -> ServerFrame {
    frame(&format!(
        r#"{{"type":"snapshot","room_type_id":"{}","sequence":{sequence},"from":"2026-06-01","currency":"EUR",
        "physical":[4,4,4],"sold":[0,1,0],"held":[0,1,0],"free":[4,2,4],"price_minor":[10000,12000,null]}}"#,
        room_type(number)
    ))
}

/// Every room of the second night is sold.
pub fn change(number: u128, sequence: u64) -> ServerFrame {
    frame(&format!(
        r#"{{"type":"change","room_type_id":"{}","sequence":{sequence},"from":"2026-06-02","sold":[4],"held":[0],
        "free":[0],"cause":"booked"}}"#,
        room_type(number)
    ))
}
