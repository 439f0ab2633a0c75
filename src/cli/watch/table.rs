//! The table: nights × room types, as lines of text for a screen of a given size.

use std::collections::{BTreeMap, BTreeSet};

use console::{Style, pad_str, truncate_str};
use uuid::Uuid;

use super::picture::{Night, Picture, RoomType};
use crate::domain::Date;

/// Width of the first column, which has dates, and of a column of a room type.
const DATE_WIDTH: usize = 15;
const COLUMN_WIDTH: usize = 14;
/// Lines above and below the nights.
const OTHER_LINES: usize = 4;

/// How much a terminal can show, and whether in colour.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    pub rows: usize,
    pub columns: usize,
    pub colours: bool,
}

/// Every line, from the top to the bottom. `state` says how the connection is.
pub fn lines(picture: &Picture, names: &BTreeMap<Uuid, String>, state: &str, screen: Screen) -> Vec<String> {
    let all: Vec<(Uuid, &RoomType)> = picture.room_types().collect();
    let fit = (screen.columns.saturating_sub(DATE_WIDTH) / COLUMN_WIDTH).max(1);
    let shown = all.get(..fit.min(all.len())).unwrap_or_default();
    let dates: BTreeSet<Date> = shown.iter().flat_map(|(_, room_type)| room_type.nights.keys().copied()).collect();

    let mut lines = vec![state.to_owned(), header(shown, names)];
    let room_for = screen.rows.saturating_sub(OTHER_LINES).max(1);
    lines.extend(dates.iter().take(room_for).map(|date| row(*date, shown, screen.colours)));
    lines.push("free of rooms; + held".to_owned());
    let (more_types, more_nights) = (all.len() - shown.len(), dates.len().saturating_sub(room_for));
    if more_types + more_nights > 0 {
        lines.push(format!("not shown: {more_types} room types, {more_nights} nights"));
    }
    lines.iter().map(|line| truncate_str(line, screen.columns, "…").into_owned()).collect()
}

/// How a room type is called: its name, or the end of its id, which differs most.
pub fn name(id: Uuid, names: &BTreeMap<Uuid, String>) -> String {
    let short = || {
        let id = id.to_string();
        format!("…{}", id.get(id.len().saturating_sub(8)..).unwrap_or(&id))
    };
    names.get(&id).cloned().unwrap_or_else(short)
}

fn header(shown: &[(Uuid, &RoomType)], names: &BTreeMap<Uuid, String>) -> String {
    let column = |(id, _): &(Uuid, &RoomType)| cell(&name(*id, names));
    let date = pad_str("night", DATE_WIDTH, console::Alignment::Left, None).into_owned();
    date + &shown.iter().map(column).collect::<String>()
}

fn row(date: Date, shown: &[(Uuid, &RoomType)], colours: bool) -> String {
    let day = format!("{date} {}", date.strftime("%a"));
    let column = |(_, room_type): &(Uuid, &RoomType)| match room_type.nights.get(&date) {
        Some(night) => style(*night).force_styling(colours).apply_to(cell(&numbers(*night))).to_string(),
        None => cell(""),
    };
    pad_str(&day, DATE_WIDTH, console::Alignment::Left, None).into_owned()
        + &shown.iter().map(column).collect::<String>()
}

fn cell(text: &str) -> String {
    pad_str(text, COLUMN_WIDTH - 1, console::Alignment::Right, Some("…")).into_owned() + " "
}

fn numbers(night: Night) -> String {
    let Night { physical, held, free, closed, .. } = night;
    match (closed, held) {
        (true, _) => "closed".to_owned(),
        (false, 0) => format!("{free}/{physical}"),
        (false, held) => format!("{free}/{physical} +{held}"),
    }
}

/// Green while there is room, yellow when it gets tight, red when nothing is left.
fn style(night: Night) -> Style {
    match night.occupancy() {
        _ if night.closed => Style::new().dim(),
        100.. => Style::new().red().bold(),
        75.. => Style::new().yellow(),
        _ => Style::new().green(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{change, room_type, snapshot};
    use super::*;

    fn picture() -> Picture {
        let mut picture = Picture::default();
        picture.draw(&snapshot(1, 1));
        picture.draw(&snapshot(2, 1));
        picture.draw(&change(2, 2));
        picture
    }

    fn draw(rows: usize, columns: usize, colours: bool) -> Vec<String> {
        let names = [(room_type(1), "Double".to_owned())].into();
        lines(&picture(), &names, "connected", Screen { rows, columns, colours })
    }

    #[test]
    fn nights_are_rows_and_room_types_are_columns() {
        let drawn: Vec<_> = draw(20, 80, false).iter().map(|line| line.trim_end().to_owned()).collect();
        let expected = [
            "connected",
            "night                 Double     …00000002",
            "2026-06-01 Mon           4/4           4/4",
            "2026-06-02 Tue        2/4 +1           0/4",
            "2026-06-03 Wed        closed        closed",
            "free of rooms; + held",
        ];
        assert_eq!(drawn, expected);
    }

    #[test]
    fn a_small_screen_says_what_it_does_not_show() {
        let drawn = draw(5, 40, false);
        assert_eq!(drawn.last().map(|line| line.trim()), Some("not shown: 1 room types, 2 nights"), "{drawn:?}");
        assert!(drawn.len() <= 5 && drawn.iter().all(|line| console::measure_text_width(line) <= 40), "{drawn:?}");
    }

    #[test]
    fn colours_tell_how_full_a_night_is() {
        let drawn = draw(20, 80, true);
        assert!(drawn[2].contains("\u{1b}[32m") && drawn[3].contains("\u{1b}[31m"), "{drawn:?}");
        assert!(!draw(20, 80, false).concat().contains('\u{1b}'));
    }
}
