//! A frame as one line, for output that is not a terminal.

use super::hotel_info::HotelInfo;
use crate::client::projection;
use crate::ws::frame::{Change, ServerFrame, Snapshot};

/// A frame about nights as a line. Other frames have none.
pub fn of(frame: &ServerFrame, hotel: &HotelInfo) -> Option<String> {
    match frame {
        ServerFrame::Snapshot(snapshot) => Some(snapshot_line(snapshot, hotel)),
        ServerFrame::Change(change) => Some(change_line(change, hotel)),
        ServerFrame::Current(current) => {
            let (id, sequence) = (current.room_type_id?, current.sequence?);
            Some(format!("{} #{sequence} is current", hotel.name(id)))
        }
        ServerFrame::Error(_) | ServerFrame::Pong(_) => None,
    }
}

fn snapshot_line(snapshot: &Snapshot, hotel: &HotelInfo) -> String {
    let Snapshot { room_type_id, sequence, from, free, conflated, .. } = snapshot;
    let name = hotel.name(*room_type_id);
    let rooms: u64 = free.iter().map(|free| u64::from(*free)).sum();
    let late = if *conflated { ", conflated" } else { "" };
    format!("{name} #{sequence} snapshot: {} nights from {}, {rooms} room nights free{late}", free.len(), from.0)
}

fn change_line(change: &Change, hotel: &HotelInfo) -> String {
    let night = |(date, (sold, held, free))| format!("{date} {sold} sold {held} held {free} free");
    let nights: Vec<_> = projection::counts(change).map(night).collect();
    let name = hotel.name(change.room_type_id);
    format!("{name} #{} {}: {}", change.sequence, change.cause, nights.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::testing::{change, frame, room_type, snapshot};

    #[test]
    fn every_frame_about_nights_is_a_line() {
        let names = [(room_type(1), "Double".to_owned())].into();
        let hotel = HotelInfo { names, ..HotelInfo::default() };
        let line = |frame| of(&frame, &hotel);
        let expected = "Double #7 snapshot: 3 nights from 2026-06-01, 10 room nights free";
        assert_eq!(line(snapshot(1, 7)).as_deref(), Some(expected));
        assert_eq!(line(change(1, 8)).as_deref(), Some("Double #8 booked: 2026-06-02 4 sold 0 held 0 free"));
        let current = format!(r#"{{"type":"current","room_type_id":"{}","sequence":8}}"#, room_type(1));
        assert_eq!(line(frame(&current)).as_deref(), Some("Double #8 is current"));
        assert_eq!(line(frame(r#"{"type":"pong"}"#)), None);
    }
}
