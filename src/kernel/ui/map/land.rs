//! The outline of land and the lines between countries, cut to a frame and as fine as its drawing shows, as SVG paths.
//!
//! The data lies in `assets/samples/map`, with where it comes from and how it is written.

use crate::kernel::geo::Frame;

const LAND: &[u8] = include_bytes!("../../../../assets/samples/map/land.bin");
/// Hundredths of a degree in one.
const SCALE: f64 = 100.0;
/// Points of a line nearer than this to the one before are left out.
const FINE: f64 = 2.2;
/// How far beyond the frame lines go on, so that none shows where it was cut.
const EDGE: f64 = 12.0;

/// A point of a drawing.
type At = (f64, f64);

/// Paths in a drawing of this size.
pub struct Land {
    pub land: String,
    pub borders: String,
}

/// Reads the file from its beginning; it ends early where the file does.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self) -> u32 {
        let mut number = 0;
        for shift in (0..32).step_by(7) {
            let Some((byte, rest)) = self.0.split_first() else {
                return 0;
            };
            self.0 = rest;
            number |= u32::from(byte & 127) << shift;
            if byte & 128 == 0 {
                break;
            }
        }
        number
    }

    /// The next line into a buffer, as longitudes and latitudes; false at the end of its part.
    fn line(&mut self, into: &mut Vec<At>) -> bool {
        into.clear();
        let (mut east, mut north) = (0i32, 0i32);
        for _ in 0..self.number() {
            for axis in [&mut east, &mut north] {
                let number = self.number();
                *axis += (number >> 1).cast_signed() ^ -(number & 1).cast_signed();
            }
            into.push((f64::from(east) / SCALE, f64::from(north) / SCALE));
        }
        !into.is_empty()
    }
}

/// The land of a frame, drawn in so many units.
pub fn land(frame: &Frame, (width, height): At) -> Land {
    let mut reader = Reader(LAND);
    let (mut line, mut drawn) = (Vec::new(), Vec::new());
    let mut out = Land {
        land: String::new(),
        borders: String::new(),
    };
    while reader.line(&mut line) {
        for turn in turns(frame, &line) {
            place(frame, (width, height), turn, &line, &mut drawn);
            let cut = clip(&drawn, (width, height));
            let cut = thinned(&cut);
            if cut.len() > 3 && is_seen(&cut) {
                write(&cut, true, &mut out.land);
            }
        }
    }
    while reader.line(&mut line) {
        for turn in turns(frame, &line) {
            place(frame, (width, height), turn, &line, &mut drawn);
            for part in parts(&drawn, (width, height)) {
                let part = thinned(&part);
                if part.len() > 1 {
                    write(&part, false, &mut out.borders);
                }
            }
        }
    }
    out
}

/// By which turns around the earth a line touches the frame.
fn turns(frame: &Frame, line: &[At]) -> Vec<f64> {
    let mut bounds = (f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY, f64::NEG_INFINITY);
    for (east, north) in line {
        bounds = (
            bounds.0.min(*east),
            bounds.1.max(*east),
            bounds.2.min(*north),
            bounds.3.max(*north),
        );
    }
    if bounds.3 < frame.south() || bounds.2 > frame.north() {
        return Vec::new();
    }
    let (west, east) = (frame.west(), frame.west() + frame.width);
    let touches = |turn: &f64| bounds.1 + turn >= west && bounds.0 + turn <= east;
    [-360.0, 0.0, 360.0].into_iter().filter(touches).collect()
}

fn place(frame: &Frame, (width, height): At, turn: f64, line: &[At], into: &mut Vec<At>) {
    into.clear();
    into.extend(line.iter().map(|(east, north)| {
        (
            (east + turn - frame.west()) / frame.width * width,
            (frame.north() - north) / frame.height * height,
        )
    }));
}

/// A ring cut to the drawing, side by side.
fn clip(ring: &[At], (width, height): At) -> Vec<At> {
    /// How far within a side a point lies.
    type Side<'a> = &'a dyn Fn(&At) -> f64;
    let sides: [Side<'_>; 4] = [&|p| p.0 + EDGE, &|p| width + EDGE - p.0, &|p| p.1 + EDGE, &|p| {
        height + EDGE - p.1
    }];
    let mut now = ring.to_vec();
    for side in sides {
        let Some(last) = now.last() else { break };
        let mut before = *last;
        let mut next = Vec::with_capacity(now.len());
        for point in &now {
            let (a, b) = (side(&before), side(point));
            if (a < 0.0) != (b < 0.0) {
                next.push(between(before, *point, a / (a - b)));
            }
            if b >= 0.0 {
                next.push(*point);
            }
            before = *point;
        }
        now = next;
    }
    now
}

fn between(from: At, to: At, part: f64) -> At {
    (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part)
}

/// The pieces of a line that may be seen: what lies outside with both its ends is left out.
fn parts(line: &[At], (width, height): At) -> Vec<Vec<At>> {
    let inside = |p: &At| p.0 >= -EDGE && p.0 <= width + EDGE && p.1 >= -EDGE && p.1 <= height + EDGE;
    let mut out: Vec<Vec<At>> = Vec::new();
    let mut open = false;
    for pair in line.windows(2) {
        let [from, to] = pair else { continue };
        if !inside(from) && !inside(to) {
            open = false;
            continue;
        }
        match out.last_mut().filter(|_| open) {
            Some(part) => part.push(*to),
            None => out.push(vec![*from, *to]),
        }
        open = true;
    }
    out
}

/// Without points that lie nearer to the one before than can be seen.
fn thinned(line: &[At]) -> Vec<At> {
    let mut out: Vec<At> = Vec::with_capacity(line.len());
    for (at, point) in line.iter().enumerate() {
        let far = out
            .last()
            .is_none_or(|last| (last.0 - point.0).hypot(last.1 - point.1) >= FINE);
        if far || at + 1 == line.len() {
            out.push(*point);
        }
    }
    out
}

/// Islands too small for the eye are none.
fn is_seen(ring: &[At]) -> bool {
    let sides = ring.iter().zip(ring.iter().cycle().skip(1));
    let area: f64 = sides.map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum();
    area.abs() / 2.0 >= FINE
}

/// Steps in whole units, each from where the last one ended.
fn write(line: &[At], closed: bool, path: &mut String) {
    use std::fmt::Write as _;
    let mut before = (0i64, 0i64);
    for (at, point) in line.iter().enumerate() {
        let now = (point.0.round() as i64, point.1.round() as i64);
        let step = (now.0 - before.0, now.1 - before.1);
        if at > 0 && step == (0, 0) {
            continue;
        }
        let sign = match at {
            0 => "M",
            1 => "l",
            _ if step.0 < 0 => "",
            _ => " ",
        };
        let (x, y) = if at == 0 { now } else { step };
        let gap = if y < 0 { "" } else { " " };
        // Writing to a text cannot fail.
        let _ = write!(path, "{sign}{x}{gap}{y}");
        before = now;
    }
    if closed {
        path.push('z');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: At = (2000.0, 1200.0);

    #[test]
    fn the_whole_earth_has_land_and_stays_light() {
        let land = land(&Frame::world(), SIZE);
        assert!(land.land.matches('z').count() > 100);
        assert!(
            (20_000..90_000).contains(&land.land.len()) && (2_000..40_000).contains(&land.borders.len()),
            "{} {}",
            land.land.len(),
            land.borders.len()
        );
        assert!(!land.land.contains("NaN"));
    }

    #[test]
    fn a_frame_across_the_line_of_the_date_has_the_land_of_both_sides() {
        // Fiji lies on both sides of it, Hungary on neither.
        let fiji = land(&Frame::at(-17.5, 179.5, 6.0), SIZE);
        let same = land(&Frame::at(-17.5, -179.5, 6.0), SIZE);
        assert!(fiji.land.matches('z').count() > 2 && same.land.matches('z').count() > 2);
        let inland = land(&Frame::at(47.0, 19.5, 1.0), SIZE);
        assert_eq!(inland.land.matches('z').count(), 1);
        let sea = land(&Frame::at(-40.0, -130.0, 5.0), SIZE);
        assert!(sea.land.is_empty() && sea.borders.is_empty());
    }

    #[test]
    fn no_frame_is_too_small_or_too_far() {
        for (latitude, longitude, height) in [
            (90.0, 0.0, 0.0),
            (-90.0, 180.0, 1e-9),
            (59.3, 18.1, 0.01),
            (0.0, 0.0, 180.0),
        ] {
            let land = land(&Frame::at(latitude, longitude, height), SIZE);
            assert!(land.land.len() < 90_000);
        }
    }
}
