//! Imports: a hotel's reservations are replayed through the engine, and no night is lost or oversold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rstest::rstest;
use serde_json::Value;

use crate::support::demand_file::{Recount, generate, recount};
use crate::support::program::Workplace;

/// The real file, if it exists: 40,060 reservations of a resort hotel. INNKEEPER_RESORT_CSV names its path.
fn resort_file() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/resort_hotel_bookings.csv");
    let named = std::env::var_os("INNKEEPER_RESORT_CSV").map(PathBuf::from);
    named.or(Some(beside)).filter(|path| path.exists())
}

fn import(workplace: &Workplace, file: &Path, capacity: &str) -> Value {
    let arguments = ["import", "bookings", file.to_str().unwrap(), "--capacity", capacity, "--json"];
    let ended = workplace.run(&arguments).succeeded();
    serde_json::from_str(&ended.stdout).unwrap()
}

/// Rooms (physical, sold) by room type and date, as exported.
fn exported(workplace: &Workplace) -> BTreeMap<(String, String), (u64, u64)> {
    let csv = workplace.run(&["export", "nights", "--csv"]).succeeded().stdout;
    let rows = csv::Reader::from_reader(csv.as_bytes()).into_deserialize::<(String, String, String, u64, u64, u64)>();
    let night = |row: Result<(String, String, String, u64, u64, u64), csv::Error>| {
        let (_, room_type, date, physical, sold, held) = row.unwrap();
        assert_eq!(held, 0);
        ((room_type, date), (physical, sold))
    };
    rows.map(night).collect()
}

/// Checks the figures that do not depend on refusals.
fn check_report(report: &Value, file: &Recount) -> u64 {
    let refused: u64 = report["refused"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    let count = |key: &str| report[key].as_u64().unwrap();
    assert_eq!((count("rows"), count("skipped")), (file.rows, file.skipped));
    assert_eq!(count("accepted") + refused + count("skipped"), count("rows"));
    assert_eq!(count("cancelled") + count("no_shows") + count("checked_out"), count("accepted"));
    refused
}

fn nothing_is_refused_at_peak(path: &Path) {
    let (workplace, file) = (Workplace::new(), recount(path));
    let report = import(&workplace, path, "peak");
    assert_eq!(check_report(&report, &file), 0, "{report}");
    assert_eq!(report["cancelled"], file.cancelled);
    assert_eq!(report["no_shows"], file.no_shows);
    assert_eq!(report["nights_sold"], file.nights.values().sum::<u64>());
    assert_eq!(report["revenue_minor"], file.revenue_minor);
    let sold: BTreeMap<_, _> = exported(&workplace)
        .into_iter()
        .map(|(night, (_, sold))| (night, sold))
        .filter(|(_, sold)| *sold > 0)
        .collect();
    assert_eq!(sold, file.nights);
    workplace.run(&["verify"]).succeeded();
}

fn some_are_refused_at_p95(path: &Path) {
    let (workplace, file) = (Workplace::new(), recount(path));
    let report = import(&workplace, path, "p95");
    assert!(check_report(&report, &file) > 0, "{report}");
    assert_eq!(report["refused"].as_object().unwrap().keys().collect::<Vec<_>>(), ["sold_out"]);
    for (night, (physical, sold)) in exported(&workplace) {
        assert!(sold <= physical, "{night:?}: {sold} of {physical}");
    }
    workplace.run(&["verify"]).succeeded();
}

#[rstest]
#[case(nothing_is_refused_at_peak)]
#[case(some_are_refused_at_p95)]
fn a_generated_hotel_is_replayed(#[case] check: fn(&Path)) {
    let workplace = Workplace::new();
    check(&workplace.file("generated.csv", generate(7, 2_000)));
}

#[rstest]
#[case(nothing_is_refused_at_peak)]
#[case(some_are_refused_at_p95)]
fn the_resort_hotel_is_replayed(#[case] check: fn(&Path)) {
    match resort_file() {
        Some(path) => check(&path),
        None => eprintln!("the file of the resort hotel does not exist; only the generated one is tested"),
    }
}

#[test]
fn every_replay_of_a_file_has_the_same_result() {
    let workplace = Workplace::new();
    let path = workplace.file("generated.csv", generate(11, 1_000));
    let figures = |mut report: Value| {
        report["seconds"].take();
        report["bookings_per_second"].take();
        report
    };
    let first = figures(import(&Workplace::new(), &path, "p95"));
    assert_eq!(first, figures(import(&Workplace::new(), &path, "p95")));
}

#[test]
fn one_room_fewer_than_the_peak_leads_to_refusals() {
    let workplace = Workplace::new();
    let path = workplace.file("generated.csv", generate(3, 500));
    let peak = import(&Workplace::new(), &path, "peak");
    let rooms = peak["peak_occupancy"].as_array().unwrap().iter().map(|peak| peak["rooms"].as_u64().unwrap()).max();
    let report = import(&workplace, &path, &(rooms.unwrap() - 1).to_string());
    assert!(report["refused"]["sold_out"].as_u64().unwrap() > 0, "{report}");
}

#[test]
fn the_report_for_people_names_the_figures_and_draws_the_occupancy() {
    let workplace = Workplace::new();
    let path = workplace.file("generated.csv", generate(5, 300));
    let ended = workplace.run(&["import", "bookings", path.to_str().unwrap()]).succeeded();
    assert!(ended.stdout.contains("300 rows:") && ended.stdout.contains("0 refused"), "{}", ended.stdout);
    assert!(ended.stdout.contains("Resort Hotel, A") && ended.stdout.contains('█'), "{}", ended.stdout);
    assert!(ended.stderr.contains("skipped, no night"), "{}", ended.stderr);
}

#[test]
fn children_without_an_adult_are_imported_and_counted() {
    let workplace = Workplace::new();
    let header = generate(5, 0);
    let row = |adults: u8, children: u8, babies: u8| {
        format!("Resort Hotel,0,7,2015,July,27,1,0,3,{adults},{children},{babies},BB,PRT,A,A,75,Check-Out,2015-07-04\n")
    };
    let rows = [row(2, 0, 0), row(0, 2, 0), row(0, 0, 1), row(0, 0, 0)].concat();
    let path = workplace.file("children.csv", header + &rows);
    let report = import(&workplace, &path, "peak");
    let figures =
        ["accepted", "without_adult", "skipped", "nights_sold"].map(|figure| report[figure].as_u64().unwrap());
    assert_eq!(figures, [3, 2, 1, 9], "{report}");
    assert_eq!(report["peak_occupancy"][0]["sold"], 3);
    let again = Workplace::new().run(&["import", "bookings", path.to_str().unwrap()]).succeeded();
    let remark = "children without an adult: 2 rows, in lines 3, 4";
    assert!(again.stderr.contains(remark), "{}", again.stderr);
    workplace.run(&["verify"]).succeeded();
}

#[test]
fn a_broken_file_changes_nothing() {
    let workplace = Workplace::new();
    let broken = generate(5, 20).replace(",July,", ",Jully,");
    let path = workplace.file("broken.csv", broken);
    let message = workplace.run(&["import", "bookings", path.to_str().unwrap()]).failed(1);
    assert!(message.contains("broken.csv:") && message.contains("arrival_date_month"), "{message}");
    workplace.checks_that_no_database_exists();
}
