//! MGRS: bands, squares of a hundred kilometres by letters, and digits within them (NGA standard 0037). Degrees are those of
//! the middle of the square that is named, with as much around it as reaches its corners. The poles have other grids and are
//! not read.

use super::grid::Grid;
use super::{Fault, Place};

/// From 80 degrees south, eight degrees each; the last has twelve.
const BANDS: &str = "CDEFGHJKLMNPQRSTUVWX";
const COLUMNS: [&str; 3] = ["STUVWXYZ", "ABCDEFGH", "JKLMNPQR"];
const ROWS: &str = "ABCDEFGHJKLMNPQRSTUV";
const SQUARE: f64 = 100_000.0;
/// After so many metres northwards the rows have the same letters again.
const AGAIN: f64 = 2_000_000.0;

/// The southern edge of a band.
pub fn band(letter: &str) -> Option<f64> {
    let mut letters = letter.chars();
    let (Some(letter), None) = (letters.next(), letters.next()) else {
        return None;
    };
    place_of(BANDS, letter).map(|at| at * 8.0 - 80.0)
}

/// How many letters stand before this one.
fn place_of(letters: &str, letter: char) -> Option<f64> {
    let at = letters.find(letter)?;
    u8::try_from(at).ok().map(f64::from)
}

/// What stands behind the zone: `VXF7457280759`, `VXF 74572 80759`. `None` where it is written as none.
pub fn read(zone: u8, text: &str) -> Result<Option<Place>, Fault> {
    let text: String = text.chars().filter(|c| *c != ' ').collect();
    let letters: Vec<char> = text.chars().take_while(char::is_ascii_uppercase).collect();
    let &[of_band, column, row] = letters.as_slice() else {
        return Ok(None);
    };
    let digits = &text[3..];
    if digits.len() > 10 || !digits.len().is_multiple_of(2) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Fault::None);
    }
    let south = band(&of_band.to_string()).ok_or(Fault::Grid)?;
    let column = place_of(COLUMNS[usize::from(zone % 3)], column).ok_or(Fault::Grid)?;
    let row = place_of(ROWS, row).ok_or(Fault::Grid)?;
    // Zones of even numbers begin five letters later.
    let row = if zone.is_multiple_of(2) {
        (row + 15.0) % 20.0
    } else {
        row
    };
    let (east, north) = digits.split_at(digits.len() / 2);
    let size = SQUARE / 10f64.powi(i32::try_from(east.len()).unwrap_or_default());
    let within = |digits: &str| digits.parse::<f64>().unwrap_or_default() * size + size / 2.0;
    let east = (column + 1.0) * SQUARE + within(east);
    let grid = Grid::utm(zone, south < 0.0);
    let (lowest, _) = grid.metres(south, f64::from(zone) * 6.0 - 183.0);
    let lowest = (lowest / SQUARE).floor() * SQUARE;
    let mut north = row * SQUARE + within(north);
    while north < lowest {
        north += AGAIN;
    }
    let (latitude, longitude) = grid.degrees(north, east);
    // A square at the edge reaches beyond its band.
    if latitude < south - 1.0 || latitude > south + 13.0 {
        return Err(Fault::Grid);
    }
    Ok(Some(Place {
        latitude,
        longitude,
        around: Some((size / std::f64::consts::SQRT_2).ceil()),
        of_wgs84: true,
    }))
}
