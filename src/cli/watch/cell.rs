//! One cell of the table: a night of a room type as numbers, a bar and a colour.

use console::Style;

use crate::client::projection::{Total, WatchedNight};
use crate::domain::Currency;

/// Characters of a bar. Each has a half step.
const BAR: usize = 5;

/// A night: `free/rooms`, rooms held, a bar of the rooms taken, and the price of a room.
pub fn text(night: WatchedNight, currency: Option<Currency>) -> String {
    let WatchedNight { physical, held, free, price, .. } = night;
    let held = if held > 0 { format!("+{held}") } else { String::new() };
    match price {
        None => "closed".to_owned(),
        Some(price) => format!("{held} {free}/{physical} {} {:>6}", bar(night.occupancy()), money(price, currency)),
    }
}

/// The sum of all room types.
pub fn total(total: Total) -> String {
    format!("{}/{} {:>3} %", total.free, total.physical, total.occupancy())
}

/// An amount in major units, with decimals only where they are not zero.
fn money(minor: i64, currency: Option<Currency>) -> String {
    let places = currency.map_or(0, Currency::exponent) as usize;
    let unit = 10_i64.pow(places as u32);
    match (minor / unit, minor % unit) {
        (major, 0) => major.to_string(),
        (major, rest) => format!("{major}.{rest:0places$}"),
    }
}

fn bar(percent: u32) -> String {
    let halves = (percent as usize * BAR * 2).div_ceil(100).min(BAR * 2);
    let (full, half) = (halves / 2, halves % 2);
    "█".repeat(full) + &"▌".repeat(half) + &"·".repeat(BAR - full - half)
}

/// Green below three quarters taken, yellow below full, red when full. A night that just changed is highlighted.
pub fn style(night: WatchedNight, fresh: bool) -> Style {
    let style = match night.occupancy() {
        _ if night.price.is_none() => Style::new().dim(),
        100.. => red(),
        75.. => yellow(),
        _ => green(),
    };
    if fresh { style.reverse() } else { style }
}

pub fn green() -> Style {
    Style::new().green()
}

pub fn yellow() -> Style {
    Style::new().yellow()
}

pub fn red() -> Style {
    Style::new().red().bold()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn night(sold: u16, held: u16, free: u16) -> WatchedNight {
        WatchedNight { physical: sold + held + free, sold, held, free, price: Some(12_050) }
    }

    #[test]
    fn a_night_is_numbers_and_a_bar() {
        let text = |night| text(night, "EUR".parse().ok());
        assert_eq!(text(night(0, 0, 4)), " 4/4 ····· 120.50");
        assert_eq!(text(night(1, 1, 2)), "+1 2/4 ██▌·· 120.50");
        assert_eq!(text(WatchedNight { price: Some(9_000), ..night(4, 0, 0) }), " 0/4 █████     90");
        assert_eq!(text(WatchedNight { price: None, ..night(1, 0, 3) }), "closed");
        assert_eq!(total(Total { free: 9, physical: 20, taken: 11 }), "9/20  55 %");
        assert_eq!(money(9_000, "JPY".parse().ok()), "9000");
    }

    #[test]
    fn one_room_taken_out_of_many_is_visible() {
        assert_eq!(bar(night(1, 0, 200).occupancy().max(1)), "▌····");
    }

    #[test]
    fn free_tight_full_and_changed_nights_look_different() {
        let paint = |night, fresh| style(night, fresh).force_styling(true).apply_to("x").to_string();
        let (free, tight, full) = (night(0, 0, 4), night(3, 0, 1), night(4, 0, 0));
        let painted = [paint(free, false), paint(tight, false), paint(full, false), paint(full, true)];
        assert!(painted.iter().enumerate().all(|(index, one)| !painted[..index].contains(one)), "{painted:?}");
    }
}
