//! A map as inline SVG, drawn here and without asking anybody: land, lines of degrees with their labels, a scale. What lies
//! on it is the business of who shows it.
//!
//! A drawing is `WIDTH` by `HEIGHT` units, whatever its frame.

mod land;

pub use land::{Land, land};

use crate::kernel::geo::Frame;
use crate::kernel::i18n::Language;

/// Units of a drawing.
pub const WIDTH: f64 = 2_000.0;
pub const HEIGHT: f64 = 1_200.0;
/// Lines of degrees across the shorter side, at most.
const LINES: f64 = 6.0;

/// What a label needs on both sides of its line.
const MARGIN: f64 = 60.0;

/// A line of degrees with what is written at it.
pub struct Line {
    pub at: i64,
    pub label: String,
}

/// What a map stands on.
pub struct Ground {
    pub land: Land,
    pub meridians: Vec<Line>,
    pub parallels: Vec<Line>,
    /// Units and text of the scale; none where nothing that small can be told.
    pub scale: Option<(i64, String)>,
}

impl Ground {
    pub fn of(frame: &Frame, language: Language) -> Self {
        let step = step(frame.height / LINES);
        Self {
            land: land(frame, (WIDTH, HEIGHT)),
            meridians: lines(frame.west(), frame.width, step)
                .map(|degrees| {
                    let at = ((degrees - frame.west()) / frame.width * WIDTH).round();
                    // A label that would be cut is left out.
                    let label = if (MARGIN..=WIDTH - MARGIN).contains(&at) {
                        longitude(turned(degrees), step, language)
                    } else {
                        String::new()
                    };
                    Line { at: at as i64, label }
                })
                .collect(),
            parallels: lines(frame.south(), frame.height, step)
                .map(|degrees| Line {
                    at: ((frame.north() - degrees) / frame.height * HEIGHT).round() as i64,
                    label: latitude(degrees, step, language),
                })
                .collect(),
            scale: scale(frame, language),
        }
    }
}

/// Where a place lies in a drawing.
pub fn place(frame: &Frame, latitude: f64, longitude: f64) -> (i64, i64) {
    let (x, y) = frame.place(latitude, longitude);
    ((x * WIDTH).round() as i64, (y * HEIGHT).round() as i64)
}

/// `59.3° N`, as fine as a step asks for.
pub fn latitude(degrees: f64, step: f64, language: Language) -> String {
    say(degrees, step, ["map.north", "map.south"], language)
}

/// `18.1° E`
pub fn longitude(degrees: f64, step: f64, language: Language) -> String {
    say(degrees, step, ["map.east", "map.west"], language)
}

fn say(degrees: f64, step: f64, keys: [&str; 2], language: Language) -> String {
    let places = (0..5).find(|places| step * 10f64.powi(*places) >= 0.999).unwrap_or(5);
    let value = language.decimal(degrees.abs(), usize::try_from(places).unwrap_or_default());
    let key = if degrees.abs() < step / 1e3 {
        "map.nought"
    } else if degrees > 0.0 {
        keys[0]
    } else {
        keys[1]
    };
    language.with(key, &[("degrees", &value)])
}

fn turned(degrees: f64) -> f64 {
    if degrees.abs() <= 180.0 {
        degrees
    } else {
        (degrees + 180.0).rem_euclid(360.0) - 180.0
    }
}

/// The smallest round number of degrees from this on.
fn step(least: f64) -> f64 {
    let steps = [
        0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0,
    ];
    steps.into_iter().find(|step| *step >= least).unwrap_or(30.0)
}

/// The multiples of a step within a side, without its ends.
fn lines(from: f64, length: f64, step: f64) -> impl Iterator<Item = f64> {
    let first = (from / step + 1e-6).ceil() as i64;
    let last = ((from + length) / step - 1e-6).floor() as i64;
    (first..=last).map(move |n| n as f64 * step)
}

/// A round number of kilometres or metres that fits into a fifth of the map.
fn scale(frame: &Frame, language: Language) -> Option<(i64, String)> {
    let most = frame.km() / 5.0;
    if !(most.is_finite() && most > 0.0) {
        return None;
    }
    let ten = 10f64.powf(most.log10().floor());
    let km = [5.0, 2.0, 1.0].map(|by| by * ten).into_iter().find(|km| *km <= most)?;
    let units = (km / frame.km() * WIDTH).round() as i64;
    let text = if km >= 1.0 {
        language.with("map.km", &[("n", &language.number(km.round() as i64))])
    } else {
        language.with("map.metres", &[("n", &language.number((km * 1_000.0).round() as i64))])
    };
    Some((units, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ground(latitude: f64, longitude: f64, height: f64) -> Ground {
        Ground::of(&Frame::at(latitude, longitude, height), Language::default())
    }

    fn labels(lines: &[Line]) -> Vec<&str> {
        lines.iter().map(|line| line.label.as_str()).collect()
    }

    #[test]
    fn degrees_are_round_and_named_by_their_side() {
        let world = ground(0.0, 0.0, 180.0);
        assert_eq!(labels(&world.parallels), ["60° S", "30° S", "0°", "30° N", "60° N"]);
        assert_eq!(labels(&world.meridians).len(), 11);
        let sweden = ground(62.0, 17.0, 14.0);
        assert_eq!(labels(&sweden.parallels), ["60° N", "65° N"]);
        let near = ground(59.33, 18.07, 0.5);
        assert_eq!(
            labels(&near.parallels),
            ["59.1° N", "59.2° N", "59.3° N", "59.4° N", "59.5° N"]
        );
        let date = ground(0.0, 180.0, 30.0);
        assert!(labels(&date.meridians).contains(&"180° E") && labels(&date.meridians).contains(&"175° W"));
    }

    #[test]
    fn the_scale_is_round_and_fits() {
        for height in [180.0, 60.0, 5.0, 0.2, 0.01] {
            let (units, text) = ground(50.0, 10.0, height).scale.unwrap();
            assert!((80..=400).contains(&units), "{height}: {units} {text}");
            let first = text.chars().next().unwrap();
            assert!(['1', '2', '5'].contains(&first), "{text}");
        }
        assert!(ground(50.0, 10.0, 0.01).scale.unwrap().1.ends_with(" m"));
    }
}
