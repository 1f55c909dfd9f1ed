//! Places as people write them, turned into degrees on WGS 84: decimal degrees, degrees with minutes and seconds, UTM, MGRS,
//! SWEREF 99 TM and RT 90. Text in, numbers out; nothing is guessed: what could be two places is refused and says so.
//!
//! Only grids on WGS 84 and what differs from it by less than a metre or two (ETRS 89, SWEREF 99, NAD 83, GRS 80) are turned;
//! [`is_wgs84`] tells which datum that is. `grid` has the arithmetic, `angle` single degrees, `mgrs` its letters.

mod angle;
mod grid;
mod mgrs;
#[cfg(all(test, feature = "testing"))]
mod tests;

use std::fmt;

use grid::{Grid, RT90, SWEREF99_TM};

/// Bytes of a place.
const LONGEST: usize = 120;
/// Further than this around says nothing.
const WIDEST: f64 = 20_037_508.0;

/// A place in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    pub latitude: f64,
    pub longitude: f64,
    /// Metres around it, where the text says so.
    pub around: Option<f64>,
    /// It was given on a grid that is that of WGS 84, so that with another datum it would lie elsewhere.
    pub of_wgs84: bool,
}

/// Why a text is no place. Says itself as the end of a sentence that begins with the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    Latitude,
    Longitude,
    /// Minutes or seconds of 60 and more.
    Sixty,
    /// Zone 33S is the band S or the south.
    Zone,
    /// The band or the numbers do not belong to the zone.
    Grid,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => {
                "is not a place such as 59.33, 59°19′46″N, or both at once: 59.33 18.07, 33V 674572 6580759, 33VXF7457280759."
            }
            Self::Latitude => "is no latitude: that lies between -90 and 90.",
            Self::Longitude => "is no longitude: that lies between -180 and 180.",
            Self::Sixty => "has 60 or more minutes or seconds.",
            Self::Zone => "can be the band S or the southern half: write \"33 south\" or another band.",
            Self::Grid => "does not lie in its zone: look at the zone, the band and the order of the numbers.",
        })
    }
}

/// Whether a datum is WGS 84 or as good as it. Nothing said is WGS 84.
pub fn is_wgs84(datum: &str) -> bool {
    const SAME: [&str; 17] = [
        "",
        "wgs84",
        "wgs1984",
        "worldgeodeticsystem1984",
        "epsg4326",
        "4326",
        "epsg4979",
        "gps",
        "etrs89",
        "epsg4258",
        "sweref99",
        "epsg4619",
        "nad83",
        "epsg4269",
        "grs80",
        "gda94",
        "unknown",
    ];
    let plain: String = datum
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    SAME.contains(&plain.as_str())
}

/// One latitude.
///
/// # Errors
/// Why it is none.
pub fn latitude(text: &str) -> Result<f64, Fault> {
    let (degrees, axis) = angle::read(&plain(text)?)?;
    match axis {
        Some(angle::Axis::Longitude) => Err(Fault::Latitude),
        _ if degrees.abs() > 90.0 => Err(Fault::Latitude),
        _ => Ok(fine(degrees)),
    }
}

/// One longitude.
///
/// # Errors
/// Why it is none.
pub fn longitude(text: &str) -> Result<f64, Fault> {
    let (degrees, axis) = angle::read(&plain(text)?)?;
    match axis {
        Some(angle::Axis::Latitude) => Err(Fault::Longitude),
        _ if degrees.abs() > 180.0 => Err(Fault::Longitude),
        _ => Ok(fine(degrees)),
    }
}

/// Both at once, in any of the forms.
///
/// # Errors
/// Why it is none.
pub fn both(text: &str) -> Result<Place, Fault> {
    let text = plain(text)?;
    let (text, around) = surrounded(&text);
    let place = match on_grid(text)? {
        Some(place) => place,
        None => angle::pair(text)?,
    };
    if place.latitude.abs() > 90.0 {
        return Err(Fault::Latitude);
    }
    if place.longitude.abs() > 180.0 {
        return Err(Fault::Longitude);
    }
    Ok(Place {
        latitude: fine(place.latitude),
        longitude: fine(place.longitude),
        around: around.or(place.around),
        of_wgs84: place.of_wgs84,
    })
}

/// In capitals with one way of writing each sign.
fn plain(text: &str) -> Result<String, Fault> {
    if text.len() > LONGEST {
        return Err(Fault::None);
    }
    let sign = |c: char| match c {
        '−' | '–' => '-',
        'º' | '˚' | '*' => '°',
        '’' | '′' | '´' | '‘' | '`' => '\'',
        '”' | '″' | '“' => '"',
        '\u{a0}' | '\u{202f}' | '\t' => ' ',
        c => c,
    };
    let text: String = text
        .chars()
        .map(sign)
        .collect::<String>()
        .replace("''", "\"")
        .to_uppercase();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() { Err(Fault::None) } else { Ok(text) }
}

/// What stands before `± 100 m`, and those metres.
fn surrounded(text: &str) -> (&str, Option<f64>) {
    let Some((before, behind)) = text.split_once('±').or_else(|| text.split_once("+/-")) else {
        return (text, None);
    };
    let behind = behind.trim().trim_end_matches(')').trim_end();
    let (number, size) = match behind.strip_suffix("KM") {
        Some(number) => (number, 1_000.0),
        None => (behind.strip_suffix('M').unwrap_or(behind), 1.0),
    };
    let metres = number
        .trim()
        .replace(',', ".")
        .parse::<f64>()
        .ok()
        .map(|number| number * size);
    match metres.filter(|metres| *metres > 0.0 && *metres <= WIDEST) {
        Some(metres) => (before.trim_end_matches([' ', '(']), Some(metres)),
        None => (text, None),
    }
}

/// To about a centimetre: what is finer is what arithmetic leaves behind.
fn fine(degrees: f64) -> f64 {
    let fine = (degrees * 1e7).round() / 1e7;
    if fine == 0.0 { 0.0 } else { fine }
}

/// A place on one of the grids, `None` where it is written as none.
fn on_grid(text: &str) -> Result<Option<Place>, Fault> {
    for (names, grid, norths, easts) in [
        (
            ["SWEREF99 TM", "SWEREF 99 TM", "SWEREF99TM", "SWEREF"],
            SWEREF99_TM,
            6_000_000.0..7_800_000.0,
            200_000.0..1_000_000.0,
        ),
        (
            ["RT90", "RT 90", "RIKETS NÄT", "RAK"],
            RT90,
            6_000_000.0..7_800_000.0,
            1_100_000.0..2_000_000.0,
        ),
    ] {
        let Some(rest) = names.iter().find_map(|name| text.strip_prefix(name)) else {
            continue;
        };
        let rest = rest
            .trim_start()
            .trim_start_matches("2.5 GON V")
            .trim_start_matches(':');
        let (a, b) = metres(rest).ok_or(Fault::None)?;
        // The larger one is the north: in Sweden they do not meet.
        let (north, east) = if a >= b { (a, b) } else { (b, a) };
        if !norths.contains(&north) || !easts.contains(&east) {
            return Err(Fault::Grid);
        }
        let place = at(grid, north, east);
        return Ok(Some(Place {
            of_wgs84: false,
            ..place
        }));
    }
    on_utm(text)
}

/// A place on UTM, with numbers or with the letters of MGRS.
fn on_utm(text: &str) -> Result<Option<Place>, Fault> {
    let text = text
        .strip_prefix("UTM")
        .or_else(|| text.strip_prefix("MGRS"))
        .unwrap_or(text);
    let text = text
        .trim_start_matches([' ', ':'])
        .trim_start_matches("ZONE")
        .trim_start();
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let Some(zone) = text.get(..digits).filter(|_| (1..=2).contains(&digits)) else {
        return Ok(None);
    };
    let rest = text[digits..].trim_start();
    if !rest.starts_with(|c: char| c.is_ascii_uppercase()) {
        return Ok(None);
    }
    let zone = zone
        .parse::<u8>()
        .ok()
        .filter(|zone| (1..=60).contains(zone))
        .ok_or(Fault::Grid)?;
    if let Some(place) = mgrs::read(zone, rest)? {
        return Ok(Some(place));
    }
    let (letters, rest) = rest.split_at(rest.chars().take_while(char::is_ascii_uppercase).count());
    // Small ones are degrees with a letter: 59 N 18 4 E.
    let Some((a, b)) = metres(rest).filter(|(a, b)| a.max(*b) >= 1_000.0) else {
        return Ok(None);
    };
    let (east, north) = if (100_000.0..1_000_000.0).contains(&a) {
        (a, b)
    } else {
        (b, a)
    };
    if !(100_000.0..1_000_000.0).contains(&east) || !(0.0..=10_000_000.0).contains(&north) {
        return Err(Fault::Grid);
    }
    let (south, band) = match letters {
        "NORTH" => (false, None),
        "SOUTH" => (true, None),
        "S" => return Err(Fault::Zone),
        // The band N has the same numbers as the northern half.
        "N" => (false, None),
        band => {
            let band = mgrs::band(band).ok_or(Fault::None)?;
            (band < 0.0, Some(band))
        }
    };
    let place = at(Grid::utm(zone, south), north, east);
    let fits = band.is_none_or(|band| place.latitude > band - 0.5 && place.latitude < band + 12.5);
    if fits { Ok(Some(place)) } else { Err(Fault::Grid) }
}

fn at(grid: Grid, north: f64, east: f64) -> Place {
    let (latitude, longitude) = grid.degrees(north, east);
    Place {
        latitude,
        longitude,
        around: None,
        of_wgs84: true,
    }
}

/// Two numbers of metres, each perhaps with its letter: `674572 6580759`, `674572E, 6580759N`.
fn metres(text: &str) -> Option<(f64, f64)> {
    let parts = text.split([' ', ',', ';', '/']);
    let parts = parts.map(|part| {
        part.trim_start_matches(['X', 'Y', 'N', 'E', ':', '='])
            .trim_end_matches(['M', 'N', 'E'])
    });
    let mut numbers = parts.filter(|part| !part.is_empty()).map(|part| {
        let plain = part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        part.parse::<f64>().ok().filter(|n| plain && n.is_finite())
    });
    let both = (numbers.next()??, numbers.next()??);
    numbers.next().is_none().then_some(both)
}
