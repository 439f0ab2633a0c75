//! Showing: a table that is drawn over itself, or lines.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use console::Term;
use uuid::Uuid;

use super::line;
use super::picture::Picture;
use super::table::{self, Screen};
use crate::cli::output;
use crate::ws::frame::ServerFrame;

/// What is shown, and where.
pub struct Show {
    picture: Picture,
    names: BTreeMap<Uuid, String>,
    /// `None` where lines are printed.
    terminal: Option<Term>,
    /// How the connection is, for the table.
    state: String,
    /// The table on the screen is an old one.
    outdated: bool,
}

impl Show {
    pub fn new(names: BTreeMap<Uuid, String>) -> anyhow::Result<Self> {
        let terminal = Some(Term::buffered_stdout()).filter(Term::is_term);
        if let Some(terminal) = &terminal {
            terminal.hide_cursor()?;
            terminal.clear_screen()?;
        }
        Ok(Self { picture: Picture::default(), names, terminal, state: String::new(), outdated: true })
    }

    /// What has been seen of each room type.
    pub fn seen(&self) -> BTreeMap<Uuid, u64> {
        self.picture.seen()
    }

    pub fn frame(&mut self, frame: &ServerFrame) -> anyhow::Result<()> {
        self.outdated |= self.picture.draw(frame);
        match (&self.terminal, line::of(frame, &self.names)) {
            (None, Some(line)) => Ok(output::line(line)?),
            _ => Ok(()),
        }
    }

    pub fn connected(&mut self) {
        self.state = "connected".to_owned();
        self.outdated = true;
    }

    /// Says that the connection was lost, and when there will be another try.
    pub fn lost(&mut self, why: &impl Display, pause: Duration) -> anyhow::Result<()> {
        self.state = format!("no connection ({why:#}), again in {:.1} s", pause.as_secs_f64());
        self.outdated = true;
        if self.terminal.is_none() {
            output::remark(format_args!("{}\n", self.state));
        }
        self.refresh()
    }

    /// Draws the table again, if there is one and something has changed. Frames may come faster than anybody can look.
    pub fn refresh(&mut self) -> anyhow::Result<()> {
        let Some(terminal) = self.terminal.as_ref().filter(|_| std::mem::take(&mut self.outdated)) else {
            return Ok(());
        };
        let (rows, columns) = terminal.size();
        let screen = Screen { rows: rows.into(), columns: columns.into(), colours: console::colors_enabled() };
        terminal.move_cursor_to(0, 0)?;
        for line in table::lines(&self.picture, &self.names, &self.state, screen) {
            terminal.clear_line()?;
            terminal.write_line(&line)?;
        }
        terminal.clear_to_end_of_screen()?;
        terminal.flush()?;
        Ok(())
    }
}

impl Drop for Show {
    fn drop(&mut self) {
        if let Some(terminal) = &self.terminal {
            // A terminal that cannot be written to needs no cursor.
            let _ = terminal.show_cursor().and_then(|()| terminal.flush());
        }
    }
}
