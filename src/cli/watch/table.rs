//! The table: nights × room types, as lines of text for a screen of a given size.

use std::collections::BTreeSet;

use console::{Alignment, Style, measure_text_width, pad_str, truncate_str};
use jiff::civil::Weekday;
use uuid::Uuid;

use super::cell;
use super::hotel_info::HotelInfo;
use crate::client::projection::{Projection, WatchedRoomType};
use crate::domain::Date;

/// Width of the first column, which has the dates.
const DATE_WIDTH: usize = 15;
/// The least and the largest width of a room type's column.
const NARROWEST: usize = 14;
const WIDEST: usize = 24;
/// Width of the last column, which has the sums.
const TOTAL_WIDTH: usize = 16;
/// Lines that show no night, and the line of the cursor.
const OTHER_LINES: usize = 8;

/// The size of a terminal, and whether it has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    pub rows: usize,
    pub columns: usize,
    pub colours: bool,
}

/// Everything that the table shows.
pub struct Scene<'a> {
    pub projection: &'a Projection,
    pub hotel: &'a HotelInfo,
    /// Whether a night is highlighted.
    pub fresh: &'a dyn Fn(Uuid, Date) -> bool,
    /// The state of the connection in words, and whether it is open.
    pub state: (&'a str, bool),
    /// The newest change as a line.
    pub latest: &'a str,
    /// Index of the first night and of the first room type that are shown.
    pub scrolled: (usize, usize),
}

/// A room type and the width of its column.
type Column<'a> = (Uuid, &'a WatchedRoomType, usize);

/// All lines, from top to bottom.
pub fn lines(scene: &Scene<'_>, screen: Screen) -> Vec<String> {
    let painter = Painter(screen.colours);
    let columns = columns(scene, screen.columns);
    let dates: BTreeSet<Date> = columns.iter().flat_map(|(_, room_type, _)| room_type.nights.keys().copied()).collect();
    let room_for = screen.rows.saturating_sub(OTHER_LINES).max(1);
    let first = scene.scrolled.0.min(dates.len().saturating_sub(1));
    let shown = room_for.min(dates.len() - first);
    let hidden = (scene.projection.room_types().count() - columns.len(), dates.len() - shown);

    let mut lines = vec![heading(scene, screen.columns, painter), String::new()];
    lines.extend(header(&columns, scene).map(|line| painter.paint(&Style::new().bold(), &line)));
    lines.extend(dates.iter().skip(first).take(shown).map(|date| row(*date, &columns, scene, painter)));
    lines.extend([String::new(), legend(hidden, painter), painter.paint(&Style::new().dim(), scene.latest)]);
    lines.iter().map(|line| truncate_str(line, screen.columns, "…").into_owned()).collect()
}

/// The room types that fit on the screen, at least one, beginning with the first that is shown.
fn columns<'a>(scene: &'a Scene<'_>, width: usize) -> Vec<Column<'a>> {
    let count = scene.projection.room_types().count();
    let total = if count > 1 { TOTAL_WIDTH } else { 0 };
    let mut left = width.saturating_sub(DATE_WIDTH + total);
    let column = |(id, room_type): (Uuid, &'a WatchedRoomType)| {
        let cells = room_type.nights.values().map(|night| cell::text(*night, room_type.currency));
        let texts = cells.chain(two_lines(&scene.hotel.name(id), WIDEST));
        let width = texts.map(|text| measure_text_width(&text)).max().unwrap_or(0);
        (id, room_type, width.clamp(NARROWEST, WIDEST) + 2)
    };
    let fits = |(index, (_, _, width)): &(usize, Column<'_>)| {
        let fits = *width <= left;
        left = left.saturating_sub(*width);
        fits || *index == 0
    };
    let first = scene.scrolled.1.min(count.saturating_sub(1));
    scene
        .projection
        .room_types()
        .skip(first)
        .map(column)
        .enumerate()
        .take_while(fits)
        .map(|(_, column)| column)
        .collect()
}

/// The hotel on the left, the connection on the right.
fn heading(scene: &Scene<'_>, width: usize, painter: Painter) -> String {
    let (state, good) = scene.state;
    let title = scene.hotel.title.as_deref().unwrap_or("innkeeper");
    let gap = width.saturating_sub(measure_text_width(title) + measure_text_width(state) + 2).max(1);
    let dot = painter.paint(&if good { cell::green() } else { cell::red() }, "●");
    format!("{}{}{dot} {state}", painter.paint(&Style::new().bold(), title), " ".repeat(gap))
}

/// The names of the room types on two lines.
fn header(columns: &[Column<'_>], scene: &Scene<'_>) -> [String; 2] {
    let name = |id| scene.hotel.name(id);
    let names: Vec<_> = columns.iter().map(|(id, _, width)| (two_lines(&name(*id), width - 2), *width)).collect();
    let line = |first: &str, index: usize, last: &str| {
        let cells = names.iter().map(|(name, width)| right(&name[index], *width));
        left(first, DATE_WIDTH) + &cells.collect::<String>() + &total(scene, last)
    };
    [line("", 0, ""), line("night", 1, "all rooms")]
}

/// A cell of the last column. With one room type there is no such column.
fn total(scene: &Scene<'_>, text: &str) -> String {
    let several = scene.projection.room_types().nth(1).is_some();
    if several { right(text, TOTAL_WIDTH) } else { String::new() }
}

/// A name on two lines. A name that fits on one line takes the lower one.
fn two_lines(name: &str, width: usize) -> [String; 2] {
    if measure_text_width(name) <= width {
        return [String::new(), name.to_owned()];
    }
    let fits = |at: &usize| name.get(..*at).is_some_and(|upper| measure_text_width(upper) <= width);
    match name.match_indices(' ').map(|(at, _)| at).rfind(fits) {
        Some(at) => [name[..at].to_owned(), name[at + 1..].to_owned()],
        None => [String::new(), name.to_owned()],
    }
}

/// One night. Friday and Saturday nights are bold.
fn row(date: Date, columns: &[Column<'_>], scene: &Scene<'_>, painter: Painter) -> String {
    let weekend = matches!(date.weekday(), Weekday::Friday | Weekday::Saturday);
    let style = if weekend { Style::new().bold() } else { Style::new() };
    let day = painter.paint(&style, &left(&date.strftime("%a %e %b %Y").to_string(), DATE_WIDTH));
    let cell = |(id, room_type, width): &Column<'_>| match room_type.nights.get(&date) {
        Some(night) => {
            let style = cell::style(*night, (scene.fresh)(*id, date));
            "  ".to_owned() + &painter.paint(&style, &right(&cell::text(*night, room_type.currency), width - 2))
        }
        None => " ".repeat(*width),
    };
    day + &columns.iter().map(cell).collect::<String>() + &total(scene, &cell::total(scene.projection.total(date)))
}

/// The meaning of the signs, and how much does not fit on the screen.
fn legend((room_types, nights): (usize, usize), painter: Painter) -> String {
    let colours = [(cell::green(), "free"), (cell::yellow(), "3/4 taken"), (cell::red(), "full")];
    let colours = colours.map(|(style, what)| format!("{} {what}", painter.paint(&style, "█")));
    let hidden = match (room_types, nights) {
        (0, 0) => String::new(),
        _ => format!("not shown: {room_types} room types, {nights} nights   "),
    };
    format!("{hidden}+held free/rooms, price   {}   ↑↓←→ scroll, q ends", colours.join("  "))
}

fn left(text: &str, width: usize) -> String {
    pad_str(text, width, Alignment::Left, Some("…")).into_owned()
}

fn right(text: &str, width: usize) -> String {
    pad_str(text, width, Alignment::Right, Some("…")).into_owned()
}

/// Paints when the terminal has colours.
#[derive(Clone, Copy)]
struct Painter(bool);

impl Painter {
    fn paint(self, style: &Style, text: &str) -> String {
        style.clone().force_styling(self.0).apply_to(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::client::testing::{change, room_type, snapshot};

    fn draw_from(scrolled: (usize, usize), rows: usize, columns: usize, colours: bool) -> Vec<String> {
        let mut projection = Projection::default();
        for frame in [snapshot(1, 1), snapshot(2, 1), change(2, 2)] {
            projection.apply(&frame);
        }
        let names = [(room_type(1), "Double with a view of the sea".to_owned())].into();
        let hotel = HotelInfo { title: Some("Casa, Lisbon".to_owned()), names, ..HotelInfo::default() };
        let fresh = |id, day| (id, day) == (room_type(2), date(2026, 6, 2));
        let (state, latest) = (("live", true), "Double booked");
        let scene = Scene { projection: &projection, hotel: &hotel, fresh: &fresh, state, latest, scrolled };
        lines(&scene, Screen { rows, columns, colours })
    }

    fn draw(rows: usize, columns: usize, colours: bool) -> Vec<String> {
        draw_from((0, 0), rows, columns, colours)
    }

    #[test]
    fn nights_are_rows_and_room_types_are_columns() {
        let drawn: Vec<_> = draw(20, 84, false).iter().map(|line| line.trim_end().to_owned()).collect();
        let expected = [
            "Casa, Lisbon                                                                  ● live",
            "",
            "                 Double with a view of",
            "night                          the sea          …00000002       all rooms",
            "Mon  1 Jun 2026       4/4 ·····    100   4/4 ·····    100       8/8   0 %",
            "Tue  2 Jun 2026    +1 2/4 ██▌··    120   0/4 █████    120       2/8  75 %",
            "Wed  3 Jun 2026                 closed             closed       8/8   0 %",
            "",
            "+held free/rooms, price   █ free  █ 3/4 taken  █ full   ↑↓←→ scroll, q ends",
            "Double booked",
        ];
        assert_eq!(drawn, expected);
    }

    #[test]
    fn a_small_screen_says_what_it_does_not_show() {
        let drawn = draw(10, 40, false);
        let columns = drawn.iter().map(|line| measure_text_width(line)).max();
        assert!(drawn.len() < 10 && columns <= Some(40), "the last line is the cursor's: {drawn:?}");
        let wide = draw(10, 90, false).concat();
        assert!(wide.contains("not shown: 0 room types, 1 nights"), "{wide}");
        assert!(!drawn.concat().contains("00000002"), "{drawn:?}");
    }

    #[test]
    fn keys_scroll_to_later_nights_and_further_room_types() {
        let drawn = draw_from((1, 1), 20, 84, false).concat();
        assert!(!drawn.contains("1 Jun") && drawn.contains("2 Jun") && !drawn.contains("of the sea"), "{drawn}");
        assert!(drawn.contains("…00000002") && drawn.contains("not shown: 1 room types, 1 nights"), "{drawn}");
        let beyond = draw_from((9, 9), 20, 84, false).concat();
        assert!(beyond.contains("3 Jun") && beyond.contains("…00000002"), "{beyond}");
    }

    #[test]
    fn colours_tell_how_full_a_night_is_and_what_has_just_changed() {
        let drawn = draw(20, 80, true);
        assert!(drawn[4].contains("\u{1b}[32m") && drawn[5].contains("\u{1b}[31m"), "{drawn:?}");
        assert!(drawn[5].contains("\u{1b}[7m") && !drawn[4].contains("\u{1b}[7m"), "{drawn:?}");
        assert!(!draw(20, 80, false).concat().contains('\u{1b}'));
    }
}
