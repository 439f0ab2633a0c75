//! The requests, and the rule of the hotel: one room, two nights, each sold once.

/// An idempotency key: the index of a request in its list.
pub type Key = u8;

#[derive(Clone, Copy, Debug)]
pub enum Request {
    /// The nights to book.
    Book(&'static [usize]),
    /// Cancels the booking with that key.
    Cancel(Key),
}

/// Each request may be sent to any node, at any time, and repeated.
pub type Requests = &'static [Request];

/// Two bookings that fit together, and one that conflicts with both.
pub const RIVALS: Requests = &[Request::Book(&[0]), Request::Book(&[0, 1]), Request::Book(&[1])];
/// A booking that frees a night for another one.
pub const A_CANCELLATION: Requests = &[Request::Book(&[0]), Request::Book(&[0, 1]), Request::Cancel(0)];

/// Whether a request can be accepted after this history.
pub fn allows(requests: Requests, history: &[Key], key: Key) -> bool {
    match requests[usize::from(key)] {
        Request::Book(nights) => {
            let sold = sold(requests, history);
            nights.iter().all(|night| sold[*night] == 0)
        }
        Request::Cancel(booking) => stands(requests, history, booking),
    }
}

/// The number of sales of each night after this history.
pub fn sold(requests: Requests, history: &[Key]) -> [usize; 2] {
    let mut sold = [0; 2];
    for (time, key) in history.iter().enumerate() {
        match requests[usize::from(*key)] {
            Request::Book(nights) => nights.iter().for_each(|night| sold[*night] += 1),
            Request::Cancel(booking) if stands(requests, &history[..time], booking) => {
                if let Request::Book(nights) = requests[usize::from(booking)] {
                    nights.iter().for_each(|night| sold[*night] -= 1);
                }
            }
            Request::Cancel(_) => {}
        }
    }
    sold
}

/// Whether a booking was made and not cancelled since.
fn stands(requests: Requests, history: &[Key], booking: Key) -> bool {
    let about_it = |key: &&Key| {
        **key == booking || matches!(requests[usize::from(**key)], Request::Cancel(other) if other == booking)
    };
    history.iter().rev().find(about_it) == Some(&booking)
}
