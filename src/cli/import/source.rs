//! Reads the whole file before anything changes. Every broken row is reported with file, line and column.

use std::collections::HashMap;
use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};

use csv::StringRecord;

use super::row::{COLUMNS, Parsed, Problem, Reservation, Row};
use crate::domain::Date;

/// The limit of broken rows that are described. All are counted.
const DESCRIBED: usize = 20;

/// The contents of a file.
#[derive(Debug, Default)]
pub struct Source {
    /// The number of data rows, with skipped ones.
    pub rows: u64,
    /// In the order of the file.
    pub reservations: Vec<Reservation>,
    /// Every hotel by name, in order of appearance.
    pub hotels: Vec<String>,
    pub room_types: Vec<NamedRoomType>,
    /// Rows without a night or without a guest: line and reason.
    pub skipped: Vec<(u64, &'static str)>,
    /// Lines of rows with a negative price, which became zero.
    pub negative_prices: Vec<u64>,
}

/// A room type of the file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NamedRoomType {
    /// Index into [`Source::hotels`].
    pub hotel: usize,
    pub name: String,
}

/// A file that cannot be imported. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot open {path}: {source}")]
    Open { path: PathBuf, source: std::io::Error },
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: csv::Error },
    #[error("{path}:1: missing columns: {columns}. Is it the \"Hotel booking demand\" format?")]
    MissingColumns { path: PathBuf, columns: String },
    #[error("{path}: rows that cannot be read: {count}. Nothing was imported. Correct or remove them:\n{described}")]
    BrokenRows { path: PathBuf, count: usize, described: String },
    #[error("{path} has no reservation that can be imported")]
    Empty { path: PathBuf },
}

impl Source {
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = std::fs::File::open(path).map_err(|source| Error::Open { path: path.into(), source })?;
        Self::read(std::io::BufReader::new(file), path)
    }

    /// Reads all rows; `path` is only for messages.
    pub fn read(input: impl Read, path: &Path) -> Result<Self, Error> {
        let read_error = |source| Error::Read { path: path.into(), source };
        let mut csv = csv::Reader::from_reader(input);
        let headers = csv.headers().map_err(read_error)?.clone();
        check_headers(&headers, path)?;

        let mut source = Self::default();
        let mut broken = Broken::default();
        let mut index = Index::default();
        let mut record = StringRecord::new();
        loop {
            let line = csv.position().line();
            match csv.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if error.is_io_error() => return Err(read_error(error)),
                Err(error) => {
                    broken.add(path, line, &describe(&error));
                    continue;
                }
            }
            source.rows += 1;
            let line = record.position().map_or(line, csv::Position::line);
            let row: Result<Row<'_>, _> = record.deserialize(Some(&headers));
            match row.map_err(|error| describe(&error)).and_then(|row| row.parse(line).map_err(|p| p.to_string())) {
                Ok(parsed) => source.keep(parsed, line, &mut index),
                Err(problem) => broken.add(path, line, &problem),
            }
        }
        broken.finish(path)?;
        match source.reservations.is_empty() {
            true => Err(Error::Empty { path: path.into() }),
            false => Ok(source),
        }
    }

    fn keep(&mut self, parsed: Parsed, line: u64, index: &mut Index) {
        match parsed {
            Parsed::Skipped(why) => self.skipped.push((line, why)),
            Parsed::Reservation { hotel, room_type, reservation, negative_price } => {
                if negative_price {
                    self.negative_prices.push(line);
                }
                let room_type = index.room_type(self, hotel, room_type);
                self.reservations.push(Reservation { room_type, ..reservation });
            }
        }
    }

    /// First and last arrival in a hotel.
    pub fn arrivals(&self, hotel: usize) -> Option<(Date, Date)> {
        let in_hotel = |reservation: &&Reservation| {
            self.room_types.get(reservation.room_type).is_some_and(|room_type| room_type.hotel == hotel)
        };
        let arrivals = || self.reservations.iter().filter(in_hotel).map(|reservation| reservation.stay.check_in());
        Some((arrivals().min()?, arrivals().max()?))
    }
}

/// Positions of names that were read already.
#[derive(Default)]
struct Index {
    hotels: HashMap<String, usize>,
    room_types: HashMap<NamedRoomType, usize>,
}

impl Index {
    fn room_type(&mut self, source: &mut Source, hotel: String, name: String) -> usize {
        let hotel = *self.hotels.entry(hotel).or_insert_with_key(|hotel| {
            source.hotels.push(hotel.clone());
            source.hotels.len() - 1
        });
        *self.room_types.entry(NamedRoomType { hotel, name }).or_insert_with_key(|room_type| {
            source.room_types.push(room_type.clone());
            source.room_types.len() - 1
        })
    }
}

/// The broken rows so far.
#[derive(Default)]
struct Broken {
    count: usize,
    described: String,
}

impl Broken {
    fn add(&mut self, path: &Path, line: u64, problem: &str) {
        self.count += 1;
        if self.count <= DESCRIBED {
            let _ = writeln!(self.described, "  {}:{line}: {problem}", path.display());
        }
    }

    fn finish(self, path: &Path) -> Result<(), Error> {
        let Self { count, mut described } = self;
        if count == 0 {
            return Ok(());
        }
        if count > DESCRIBED {
            let _ = write!(described, "  … and {} more", count - DESCRIBED);
        }
        let described = described.trim_end().to_owned();
        Err(Error::BrokenRows { path: path.into(), count, described })
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.column, self.rule)
    }
}

fn check_headers(headers: &StringRecord, path: &Path) -> Result<(), Error> {
    let missing = |column: &&&str| !headers.iter().any(|header| header == **column);
    let missing: Vec<&str> = COLUMNS.iter().filter(missing).copied().collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Error::MissingColumns { path: path.into(), columns: missing.join(", ") }),
    }
}

/// The library's error without the position, which is named in our own way.
fn describe(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("must have {expected_len} columns like the first line, not {len}")
        }
        csv::ErrorKind::Utf8 { err, .. } => format!("column {} is not UTF-8", err.field() + 1),
        csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(rows: &[&str]) -> String {
        let mut text = COLUMNS.join(",");
        for row in rows {
            text.push('\n');
            text.push_str(row);
        }
        text
    }

    fn read(text: &str) -> Result<Source, Error> {
        Source::read(text.as_bytes(), Path::new("rows.csv"))
    }

    const GOOD: &str = "Resort Hotel,7,2015,July,1,0,1,2,0,0,A,75,Check-Out,2015-07-02";

    #[test]
    fn hotels_and_room_types_appear_once() {
        let other = GOOD.replace(",A,", ",B,");
        let city = GOOD.replace("Resort", "City");
        let source = read(&csv(&[GOOD, &other, &city, GOOD])).unwrap();
        assert_eq!(source.hotels, ["Resort Hotel", "City Hotel"]);
        assert_eq!(source.reservations.iter().map(|r| r.room_type).collect::<Vec<_>>(), [0, 1, 2, 0]);
        assert_eq!(source.reservations.iter().map(|r| r.line).collect::<Vec<_>>(), [2, 3, 4, 5]);
    }

    #[test]
    fn missing_columns_are_named() {
        let error = read("hotel,adr\nx,1").unwrap_err().to_string();
        assert!(error.starts_with("rows.csv:1: missing columns: lead_time, arrival_date_year"), "{error}");
    }

    #[test]
    fn every_broken_row_is_named_by_line_and_column() {
        let month = GOOD.replace("July", "Nemo");
        let short = "Resort Hotel,7";
        let error = read(&csv(&[GOOD, &month, short, GOOD])).unwrap_err().to_string();
        assert!(error.contains("cannot be read: 2."), "{error}");
        assert!(error.contains("rows.csv:3: arrival_date_month must be the name of a month, not \"Nemo\""), "{error}");
        assert!(error.contains("rows.csv:4: must have 14 columns like the first line, not 2"), "{error}");
    }

    #[test]
    fn text_that_is_not_utf_8_is_a_broken_row() {
        let mut bytes = csv(&[GOOD]).into_bytes();
        bytes.extend(b"\nResort \xff,7,2015,July,1,0,1,2,0,0,A,75,Check-Out,2015-07-02\n");
        let error = Source::read(&bytes[..], Path::new("rows.csv")).unwrap_err().to_string();
        assert!(error.contains("rows.csv:3: column 1 is not UTF-8"), "{error}");
    }

    #[test]
    fn many_broken_rows_are_counted_and_some_are_described() {
        let broken = GOOD.replace(",75,", ",much,");
        let error = read(&csv(&vec![broken.as_str(); 50])).unwrap_err().to_string();
        assert!(error.contains("cannot be read: 50.") && error.ends_with("… and 30 more"), "{error}");
    }

    #[test]
    fn a_file_without_reservations_is_refused() {
        assert!(matches!(read(&csv(&[])), Err(Error::Empty { .. })));
        assert!(matches!(read(""), Err(Error::MissingColumns { .. })));
    }
}
