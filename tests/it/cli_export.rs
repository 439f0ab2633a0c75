//! Exports are tables for any program, without personal data and without formulas.

use crate::support::demand_file::generate;
use crate::support::program::Workplace;

/// A database with a hotel whose name is a formula.
fn imported() -> Workplace {
    let workplace = Workplace::new();
    let path = workplace.file("file.csv", generate(1, 200).replace("Resort Hotel", "=1+1;=2"));
    workplace.run(&["import", "bookings", path.to_str().unwrap()]).succeeded();
    workplace
}

#[test]
fn nights_have_the_documented_columns_and_no_formulas() {
    let csv = imported().run(&["export", "nights", "--csv"]).succeeded().stdout;
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("hotel,room_type,date,physical,sold,held"));
    assert!(lines.all(|line| line.starts_with("'=1+1;'=2,")), "{csv}");
}

#[test]
fn all_bookings_are_exported_without_guests() {
    let csv = imported().run(&["export", "bookings", "--csv"]).succeeded().stdout;
    let header = "booking_id,hotel_id,hotel,room_type_id,room_type,rate_plan_id,status,checkin_date,checkout_date,\
                  rooms,guests,total_minor,currency,created_at,external_reference";
    assert_eq!(csv.lines().next(), Some(header));
    assert!(csv.lines().count() > 150);
    assert!(!csv.contains("Guest ") && !csv.contains("+351"));
}

#[test]
fn an_empty_database_gives_a_header() {
    let workplace = Workplace::new();
    workplace.run(&["migrate"]).succeeded();
    assert_eq!(workplace.run(&["export", "nights", "--csv"]).succeeded().stdout.lines().count(), 1);
    assert_eq!(workplace.run(&["export", "bookings", "--csv"]).succeeded().stdout.lines().count(), 1);
}
