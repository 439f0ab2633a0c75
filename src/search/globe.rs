//! Distances on the globe, and a grid that finds hotels near a point.
//!
//! Distances are great-circle distances on a sphere with the mean radius of the WGS 84 ellipsoid: R₁ = (2a + b) / 3 =
//! 6,371,008.7714 m (H. Moritz, "Geodetic Reference System 1980", J. Geodesy 74, 2000). The haversine formula (R. W.
//! Sinnott, "Virtues of the Haversine", Sky and Telescope 68, 1984) stays exact for small distances. The error against
//! the ellipsoid is at most 0.6 %.

use crate::domain::catalogue::Coordinates;

/// In metres.
const EARTH_RADIUS: f64 = 6_371_008.771_4;
/// Squares of the grid along a parallel.
const COLUMNS: i32 = 360;

/// Metres between two points.
pub fn distance(one: Coordinates, other: Coordinates) -> f64 {
    let (latitude, other_latitude) = (one.latitude.to_radians(), other.latitude.to_radians());
    let half = |from: f64, to: f64| ((to - from) / 2.0).sin().powi(2);
    let longitudes = half(one.longitude.to_radians(), other.longitude.to_radians());
    let haversine = half(latitude, other_latitude) + latitude.cos() * other_latitude.cos() * longitudes;
    2.0 * EARTH_RADIUS * haversine.clamp(0.0, 1.0).sqrt().asin()
}

/// One degree of latitude by one degree of longitude.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Square {
    row: i32,
    column: i32,
}

impl Square {
    pub fn of(point: Coordinates) -> Self {
        Self::at(degrees(point.latitude), degrees(point.longitude))
    }

    /// Column 180 is the same as column −180.
    fn at(row: i32, column: i32) -> Self {
        Self { row, column: column.rem_euclid(COLUMNS) }
    }
}

/// Every square with a point at most `radius` metres from `centre`, and a few more.
pub fn squares(centre: Coordinates, radius: f64) -> Vec<Square> {
    let angle = (radius / EARTH_RADIUS).to_degrees();
    let (south, north) = (centre.latitude - angle, centre.latitude + angle);
    let rows = degrees(south.max(-90.0))..=degrees(north.min(90.0));
    let columns = match half_width(centre.latitude, radius) {
        Some(width) if width < 179.0 => degrees(centre.longitude - width)..=degrees(centre.longitude + width),
        _ => 0..=COLUMNS - 1,
    };
    rows.flat_map(|row| columns.clone().map(move |column| Square::at(row, column))).collect()
}

/// The half width of a circle in degrees of longitude. `None` when a pole lies inside.
fn half_width(latitude: f64, radius: f64) -> Option<f64> {
    let (angle, latitude) = (radius / EARTH_RADIUS, latitude.to_radians());
    let reaches_a_pole = latitude.abs() + angle >= std::f64::consts::FRAC_PI_2;
    (!reaches_a_pole).then(|| (angle.sin() / latitude.cos()).clamp(-1.0, 1.0).asin().to_degrees())
}

/// Whole degrees, rounded down.
fn degrees(value: f64) -> i32 {
    value.floor() as i32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const fn point(latitude: f64, longitude: f64) -> Coordinates {
        Coordinates { latitude, longitude }
    }

    #[rstest]
    #[case(point(0.0, 0.0), point(0.0, 1.0), 111_195.0)] // a degree of the equator
    #[case(point(90.0, 0.0), point(-90.0, 77.0), 20_015_115.0)] // half a meridian
    #[case(point(0.0, 179.9), point(0.0, -179.9), 22_239.0)] // across the date line
    #[case(point(89.9, 0.0), point(89.9, 180.0), 22_239.0)] // across the pole
    #[case(point(36.12, -86.67), point(33.94, -118.40), 2_886_448.0)] // Nashville to Los Angeles
    #[case(point(38.7, -9.1), point(38.7, -9.1), 0.0)]
    fn distances_are_great_circles(#[case] one: Coordinates, #[case] other: Coordinates, #[case] metres: f64) {
        assert!((distance(one, other) - metres).abs() < 1.0, "{}", distance(one, other));
        assert_eq!(distance(one, other), distance(other, one));
    }

    /// The point at a distance and a bearing (both in radians) from another.
    fn destination(from: Coordinates, angle: f64, bearing: f64) -> Coordinates {
        let (latitude, longitude) = (from.latitude.to_radians(), from.longitude.to_radians());
        let sine = latitude.sin() * angle.cos() + latitude.cos() * angle.sin() * bearing.cos();
        let east = bearing.sin() * angle.sin() * latitude.cos();
        let longitude = longitude + east.atan2(angle.cos() - latitude.sin() * sine);
        let wrapped = (longitude.to_degrees() + 540.0).rem_euclid(360.0) - 180.0;
        point(sine.clamp(-1.0, 1.0).asin().to_degrees(), wrapped)
    }

    proptest! {
        #[test]
        fn every_point_in_a_circle_is_in_its_squares(
            latitude in prop_oneof![-90.0..=90.0, Just(90.0), Just(-90.0), 89.0..=90.0, Just(0.0)],
            longitude in prop_oneof![-180.0..=180.0, Just(180.0), Just(-180.0), 179.0..=180.0],
            radius in prop_oneof![1.0..500_000.0, Just(500_000.0)],
            part in 0.0..0.999_999,
            bearing in 0.0..std::f64::consts::TAU,
        ) {
            let centre = point(latitude, longitude);
            let other = destination(centre, part * radius / EARTH_RADIUS, bearing);
            prop_assert!(distance(centre, other) <= radius);
            prop_assert!(squares(centre, radius).contains(&Square::of(other)), "{other:?}");
        }
    }

    #[test]
    fn a_small_circle_has_few_squares() {
        assert!(squares(point(38.7, -9.1), 20_000.0).len() <= 4);
        assert_eq!(squares(point(90.0, 0.0), 1_000.0).len(), 2 * 360);
    }
}
