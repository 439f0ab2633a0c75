//! One cell of the table: a night of a room type in numbers, as a bar, and in a colour.

use console::Style;

use super::picture::Night;

/// Characters of a bar; each shows half a step too.
const BAR: usize = 5;

/// What a night says: `free/rooms`, what is held, and how full it is.
pub fn text(night: Night) -> String {
    let Night { physical, held, free, closed, .. } = night;
    let held = if held > 0 { format!("+{held}") } else { String::new() };
    match closed {
        true => "closed".to_owned(),
        false => format!("{held} {free}/{physical} {}", bar(night.occupancy())),
    }
}

fn bar(percent: u32) -> String {
    let halves = (percent as usize * BAR * 2).div_ceil(100).min(BAR * 2);
    let (full, half) = (halves / 2, halves % 2);
    "█".repeat(full) + &"▌".repeat(half) + &"·".repeat(BAR - full - half)
}

/// Green while there is room, yellow when it gets tight, red when nothing is left; lit up when it has just changed.
pub fn style(night: Night, fresh: bool) -> Style {
    let style = match night.occupancy() {
        _ if night.closed => Style::new().dim(),
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

    fn night(sold: u16, held: u16, free: u16) -> Night {
        Night { physical: sold + held + free, sold, held, free, closed: false }
    }

    #[test]
    fn a_night_is_numbers_and_a_bar() {
        assert_eq!(text(night(0, 0, 4)), " 4/4 ·····");
        assert_eq!(text(night(1, 1, 2)), "+1 2/4 ██▌··");
        assert_eq!(text(night(4, 0, 0)), " 0/4 █████");
        assert_eq!(text(Night { closed: true, ..night(1, 0, 3) }), "closed");
    }

    #[test]
    fn a_single_room_taken_out_of_many_can_be_seen() {
        assert_eq!(bar(night(1, 0, 200).occupancy().max(1)), "▌····");
    }

    #[test]
    fn what_is_full_has_another_colour_than_what_is_free_and_what_is_fresh_stands_out() {
        let paint = |night, fresh| style(night, fresh).force_styling(true).apply_to("x").to_string();
        let (free, tight, full) = (night(0, 0, 4), night(3, 0, 1), night(4, 0, 0));
        let painted = [paint(free, false), paint(tight, false), paint(full, false), paint(full, true)];
        assert!(painted.iter().enumerate().all(|(index, one)| !painted[..index].contains(one)), "{painted:?}");
    }
}
