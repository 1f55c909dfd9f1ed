//! Places within a distance or in a box: each segment's latitudes and longitudes are read once into a bit set.

use tantivy::{BitSet, DocId, SegmentReader};

use super::bits::{Bits, Patience};
use super::facet::BLOCK;
use super::query::Near;
use super::schema::{Fields, LATITUDE, LONGITUDE};
use crate::kernel::access::Level;
use crate::kernel::geo::Area;

/// Kilometres from the middle of the earth.
const RADIUS: f64 = 6_371.0;
/// Kilometres of a degree of latitude, rounded down so that nothing near is left out.
const DEGREE: f64 = 111.0;

/// See the module's text.
#[derive(Clone, Debug)]
pub(super) struct WithinReach {
    latitudes: String,
    longitudes: String,
    part: Part,
}

/// A part of the earth.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Near(Near),
    Within(Area),
}

impl Bits for WithinReach {
    const NAME: &'static str = "near";

    fn bits(&self, reader: &SegmentReader, _: &Patience) -> tantivy::Result<BitSet> {
        let mut bits = BitSet::with_max_value(reader.max_doc());
        let fast = reader.fast_fields();
        let latitudes = fast.column_opt::<f64>(&self.latitudes)?;
        let longitudes = fast.column_opt::<f64>(&self.longitudes)?;
        if let (Some(latitudes), Some(longitudes)) = (latitudes, longitudes) {
            // Both have a row for each place, in the same order, and are read in blocks.
            let (mut docs, mut rows) = (Vec::new(), Vec::new());
            let (mut norths, mut easts) = (Vec::new(), Vec::new());
            let all: Vec<DocId> = (0..reader.max_doc()).collect();
            for block in all.chunks(BLOCK) {
                docs.clear();
                rows.clear();
                latitudes.row_ids_for_docs(block, &mut docs, &mut rows);
                norths.resize(rows.len(), 0.0);
                easts.resize(rows.len(), 0.0);
                latitudes.values.get_vals(&rows, &mut norths);
                longitudes.values.get_vals(&rows, &mut easts);
                for ((doc, north), east) in docs.iter().zip(&norths).zip(&easts) {
                    if self.part.holds(*north, *east) {
                        bits.insert(*doc);
                    }
                }
            }
        }
        Ok(bits)
    }
}

impl WithinReach {
    pub fn new(level: Level, part: Part) -> Self {
        Self {
            latitudes: Fields::column(level, LATITUDE),
            longitudes: Fields::column(level, LONGITUDE),
            part,
        }
    }
}

impl Part {
    fn holds(&self, latitude: f64, longitude: f64) -> bool {
        match self {
            Self::Near(near) => {
                (latitude - near.latitude).abs() * DEGREE <= near.km
                    && distance((near.latitude, near.longitude), (latitude, longitude)) <= near.km
            }
            Self::Within(area) => area.contains(latitude, longitude),
        }
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
