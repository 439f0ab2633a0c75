//! What guests ask for, and the house rule: one room, two nights, each sold once.

/// An idempotency key: the place of a request in its list.
pub type Key = u8;

#[derive(Clone, Copy, Debug)]
pub enum Request {
    /// The nights to sleep.
    Book(&'static [usize]),
    /// Give back what was booked under that key.
    Cancel(Key),
}

/// Each may be asked of any node, at any time, and again.
pub type Requests = &'static [Request];

/// Two bookings that go together, and one that goes with neither.
pub const RIVALS: Requests = &[Request::Book(&[0]), Request::Book(&[0, 1]), Request::Book(&[1])];
/// A booking that makes room for another one.
pub const A_CANCELLATION: Requests = &[Request::Book(&[0]), Request::Book(&[0, 1]), Request::Cancel(0)];

/// Whether a request can be granted after this history.
pub fn allows(requests: Requests, history: &[Key], key: Key) -> bool {
    match requests[usize::from(key)] {
        Request::Book(nights) => {
            let sold = sold(requests, history);
            nights.iter().all(|night| sold[*night] == 0)
        }
        Request::Cancel(booking) => stands(requests, history, booking),
    }
}

/// How often each night is sold after this history.
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

/// Whether a booking was made and not given back since.
fn stands(requests: Requests, history: &[Key], booking: Key) -> bool {
    let about_it = |key: &&Key| {
        **key == booking || matches!(requests[usize::from(**key)], Request::Cancel(other) if other == booking)
    };
    history.iter().rev().find(about_it) == Some(&booking)
}
