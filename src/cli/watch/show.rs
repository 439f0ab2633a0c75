//! The display: a table that is redrawn in place, or lines.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use console::Term;
use tokio::time::Instant;
use uuid::Uuid;

use super::hotel_info::HotelInfo;
use super::keys::{Key, Keys};
use super::line;
use super::table::{self, Scene, Screen};
use crate::cli::{output, without_repetition};
use crate::client::projection::{self, Projection};
use crate::domain::Date;
use crate::ws::frame::ServerFrame;

/// A night that changed is highlighted for this long.
const FRESH: Duration = Duration::from_millis(1_200);

/// The state of the display.
pub struct Show {
    pub hotel: HotelInfo,
    projection: Projection,
    /// The first night of the projection.
    first: Option<Date>,
    /// When each highlighted night changed.
    changed: HashMap<(Uuid, Date), Instant>,
    /// The state of the connection in words, and whether it is open.
    state: (String, bool),
    /// The newest change as a line.
    latest: String,
    url: String,
    /// `None`: lines are printed.
    terminal: Option<Term>,
    keys: Option<Keys>,
    /// Index of the first night and of the first room type on the screen.
    scrolled: (usize, usize),
    is_over: bool,
    /// The screen that shows the current state. `None`: the screen is out of date.
    drawn: Option<Screen>,
}

impl Show {
    pub fn new(url: &str) -> anyhow::Result<Self> {
        let terminal = Some(Term::buffered_stdout()).filter(Term::is_term);
        if let Some(terminal) = &terminal {
            terminal.hide_cursor()?;
            terminal.clear_screen()?;
        }
        Ok(Self {
            hotel: HotelInfo::default(),
            projection: Projection::default(),
            first: None,
            changed: HashMap::new(),
            state: (format!("connecting to {url}"), false),
            latest: String::new(),
            url: url.to_owned(),
            keys: terminal.is_some().then(Keys::listen).flatten(),
            terminal,
            scrolled: (0, 0),
            is_over: false,
            drawn: None,
        })
    }

    /// The last sequence number of each room type. With another first night, the projection starts empty.
    pub fn seen(&mut self, first: Date) -> BTreeMap<Uuid, u64> {
        if self.first.replace(first) != Some(first) {
            self.projection = Projection::default();
        }
        self.projection.seen()
    }

    pub fn frame(&mut self, frame: &ServerFrame) -> anyhow::Result<()> {
        if self.projection.apply(frame) {
            self.drawn = None;
        }
        if let ServerFrame::Change(change) = frame {
            let now = Instant::now();
            let nights = projection::counts(change).map(|(date, _)| ((change.room_type_id, date), now));
            self.changed.extend(nights);
        }
        let Some(line) = line::of(frame, &self.hotel) else { return Ok(()) };
        match &self.terminal {
            None => output::line(line)?,
            Some(_) => self.latest = line,
        }
        Ok(())
    }

    pub fn connected(&mut self) {
        self.state = (format!("live  {}", self.url), true);
        self.drawn = None;
    }

    /// Shows that the connection was lost, and when the next attempt follows.
    pub fn lost(&mut self, why: &anyhow::Error, pause: Duration) -> anyhow::Result<()> {
        let why = without_repetition(why);
        self.state = (format!("no connection, next attempt in {:.1} s: {why}", pause.as_secs_f64()), false);
        self.drawn = None;
        if self.terminal.is_none() {
            output::remark(format_args!("{}\n", self.state.0));
        }
        self.refresh()
    }

    /// Draws the table, if there is one and it has changed. Frames may arrive faster than the screen is drawn.
    pub fn refresh(&mut self) -> anyhow::Result<()> {
        self.scroll();
        let Some(terminal) = &self.terminal else { return Ok(()) };
        let (rows, columns) = terminal.size();
        let screen = Screen { rows: rows.into(), columns: columns.into(), colours: console::colors_enabled() };
        let fresh = self.changed.len();
        self.changed.retain(|_, at| at.elapsed() < FRESH);
        if self.drawn == Some(screen) && self.changed.len() == fresh {
            return Ok(());
        }
        self.drawn = Some(screen);
        terminal.move_cursor_to(0, 0)?;
        for line in table::lines(&self.scene(&|id, date| self.changed.contains_key(&(id, date))), screen) {
            terminal.clear_line()?;
            terminal.write_line(&line)?;
        }
        terminal.clear_to_end_of_screen()?;
        Ok(terminal.flush()?)
    }

    /// Whether the user has pressed the key that ends the program.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Applies the keys that were pressed. At least one night and one room type stay on the screen.
    fn scroll(&mut self) {
        let (nights, room_types) = self.projection.size();
        let moved = |from: usize, by: isize, size: usize| from.saturating_add_signed(by).min(size.saturating_sub(1));
        for key in self.keys.iter().flat_map(Keys::pressed) {
            self.drawn = None;
            match key {
                Key::Nights(by) => self.scrolled.0 = moved(self.scrolled.0, by, nights),
                Key::RoomTypes(by) => self.scrolled.1 = moved(self.scrolled.1, by, room_types),
                Key::Home => self.scrolled = (0, 0),
                Key::Quit => self.is_over = true,
            }
        }
    }

    fn scene<'a>(&'a self, fresh: &'a dyn Fn(Uuid, Date) -> bool) -> Scene<'a> {
        let Self { projection, hotel, state: (state, good), latest, scrolled, .. } = self;
        Scene { projection, hotel, fresh, state: (state, *good), latest, scrolled: *scrolled }
    }
}

impl Drop for Show {
    fn drop(&mut self) {
        if let Some(terminal) = &self.terminal {
            // An error means that the terminal is gone, and then it needs no cursor.
            let _ = terminal.show_cursor().and_then(|()| terminal.flush());
        }
    }
}
