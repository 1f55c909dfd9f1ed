//! Places within a distance: each segment's latitudes and longitudes are read once into a bit set.

use tantivy::{BitSet, SegmentReader};

use super::bits::Bits;
use super::query::Near;
use super::schema::{Fields, LATITUDE, LONGITUDE};
use crate::kernel::access::Level;

/// Kilometres from the middle of the earth.
const RADIUS: f64 = 6_371.0;
/// Kilometres of a degree of latitude, rounded down so that nothing near is left out.
const DEGREE: f64 = 111.0;

/// See the module's text.
#[derive(Clone, Debug)]
pub(super) struct WithinReach {
    latitudes: String,
    longitudes: String,
    near: Near,
}

impl Bits for WithinReach {
    const NAME: &'static str = "near";

    fn bits(&self, reader: &SegmentReader) -> tantivy::Result<BitSet> {
        let mut bits = BitSet::with_max_value(reader.max_doc());
        let fast = reader.fast_fields();
        let latitudes = fast.column_opt::<f64>(&self.latitudes)?;
        let longitudes = fast.column_opt::<f64>(&self.longitudes)?;
        if let (Some(latitudes), Some(longitudes)) = (latitudes, longitudes) {
            for doc in 0..reader.max_doc() {
                let mut places = latitudes.values_for_doc(doc).zip(longitudes.values_for_doc(doc));
                if places.any(|(latitude, longitude)| self.is_near(latitude, longitude)) {
                    bits.insert(doc);
                }
            }
        }
        Ok(bits)
    }
}

impl WithinReach {
    pub fn new(level: Level, near: &Near) -> Self {
        Self {
            latitudes: Fields::column(level, LATITUDE),
            longitudes: Fields::column(level, LONGITUDE),
            near: near.clone(),
        }
    }

    fn is_near(&self, latitude: f64, longitude: f64) -> bool {
        if (latitude - self.near.latitude).abs() * DEGREE > self.near.km {
            return false;
        }
        distance((self.near.latitude, self.near.longitude), (latitude, longitude)) <= self.near.km
    }
}

/// Kilometres between two places, on a ball.
fn distance(one: (f64, f64), other: (f64, f64)) -> f64 {
    let (a, b) = (one.0.to_radians(), other.0.to_radians());
    let north = ((b - a) / 2.0).sin().powi(2);
    let east = ((other.1 - one.1).to_radians() / 2.0).sin().powi(2);
    let part = (north + a.cos() * b.cos() * east).clamp(0.0, 1.0);
    2.0 * RADIUS * part.sqrt().asin()
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distances_are_those_of_the_earth() {
        let (stockholm, uppsala, fiji, samoa) = ((59.33, 18.07), (59.86, 17.64), (-17.7, 178.0), (-13.8, -172.0));
        assert!((distance(stockholm, uppsala) - 63.7).abs() < 1.5);
        // Across the line of the date.
        assert!(distance(fiji, samoa) < 1_200.0);
        assert!(distance(stockholm, stockholm).abs() < 1e-6);
    }
}
