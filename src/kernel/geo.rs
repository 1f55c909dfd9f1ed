//! Boxes on the earth, in degrees, and the frames of maps that show them. Plain arithmetic: no index, no drawing.
//!
//! A box whose west lies east of its east goes across the line of the date. A frame has the form of the maps of this house;
//! a degree of longitude is as wide in it as it is on the earth at the middle of the map.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Width of a map by its height.
pub const RATIO: f64 = 5.0 / 3.0;
/// The smallest part of the earth that a map shows, in degrees of latitude.
const LEAST: f64 = 0.01;
/// What is as near as this is the same place: arithmetic with degrees is no finer.
const NEAR: f64 = 1e-9;
/// How wide a degree of longitude is, by one of latitude, where the whole earth is shown.
const WHOLE: f64 = RATIO / 2.0;

/// A box: from south to north, and from west eastwards to east.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Corners", deny_unknown_fields)]
pub struct Area {
    #[schema(example = 55.1, minimum = -90, maximum = 90)]
    pub south: f64,
    #[schema(example = 10.9, minimum = -180, maximum = 180)]
    pub west: f64,
    #[schema(example = 69.1, minimum = -90, maximum = 90)]
    pub north: f64,
    /// Less than `west` where the box goes across the line of the date.
    #[schema(example = 24.2, minimum = -180, maximum = 180)]
    pub east: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Corners {
    south: f64,
    west: f64,
    north: f64,
    east: f64,
}

/// What a box must be.
const RULE: &str = "a box is SOUTH,WEST,NORTH,EAST in degrees, such as 55.1,10.9,69.1,24.2: from -90 to 90 with the south first, \
                    and from -180 to 180, where a west above the east goes across the line of the date";

impl TryFrom<Corners> for Area {
    type Error = &'static str;
    fn try_from(at: Corners) -> Result<Self, Self::Error> {
        Self::new(at.south, at.west, at.north, at.east).ok_or(RULE)
    }
}

impl FromStr for Area {
    type Err = &'static str;
    /// `SOUTH,WEST,NORTH,EAST`
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut ends = text.splitn(5, ',').map(|end| end.trim().parse::<f64>().ok());
        let mut next = || ends.next().flatten();
        let read = (|| Self::new(next()?, next()?, next()?, next()?))();
        read.filter(|_| ends.next().is_none()).ok_or(RULE)
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What lies in a box lies in the box as it is written, too.
        let [south, west] = [self.south, self.west].map(|degrees| short(degrees, f64::floor));
        let [north, east] = [self.north, self.east].map(|degrees| short(degrees, f64::ceil));
        write!(f, "{south},{west},{north},{east}")
    }
}

/// Degrees as they are written: to about a metre, without zeros at the end; what is finer goes to one side.
fn short(degrees: f64, side: fn(f64) -> f64) -> String {
    const FINE: f64 = 100_000.0;
    let near = (degrees * FINE).round();
    let fine = (degrees * FINE - near).abs() > NEAR * FINE;
    let degrees = if fine { side(degrees * FINE) } else { near } / FINE;
    let text = format!("{degrees:.5}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Degrees eastwards, of a difference of two longitudes.
fn from_line(east: f64) -> f64 {
    match east {
        east if east < 0.0 => east + 360.0,
        east if east >= 360.0 => east - 360.0,
        east => east,
    }
}

/// A longitude between -180 and 180.
fn wrapped(longitude: f64) -> f64 {
    if longitude.abs() <= 180.0 {
        longitude
    } else {
        (longitude + 180.0).rem_euclid(360.0) - 180.0
    }
}

impl Area {
    pub const WORLD: Self = Self {
        south: -90.0,
        west: -180.0,
        north: 90.0,
        east: 180.0,
    };

    /// `None` for what is no box: numbers that are none or no degrees, a north below the south.
    pub fn new(south: f64, west: f64, north: f64, east: f64) -> Option<Self> {
        let fits = [south, north].iter().all(|n| n.abs() <= 90.0) && [west, east].iter().all(|n| n.abs() <= 360.0);
        if !fits || south > north {
            return None;
        }
        let whole = east - west >= 360.0;
        let (west, east) = if whole {
            (-180.0, 180.0)
        } else {
            (wrapped(west), wrapped(east))
        };
        Some(Self {
            south,
            west,
            north,
            east,
        })
    }

    /// Degrees from its west to its east.
    pub fn width(&self) -> f64 {
        let width = self.east - self.west;
        if width < 0.0 { width + 360.0 } else { width }
    }

    pub fn contains(&self, latitude: f64, longitude: f64) -> bool {
        if latitude < self.south - NEAR || latitude > self.north + NEAR {
            return false;
        }
        let (west, east) = (self.west - NEAR, self.east + NEAR);
        let within = |longitude: f64| {
            if self.west <= self.east {
                longitude >= west && longitude <= east
            } else {
                longitude >= west || longitude <= east
            }
        };
        // Both ends of the count are the same line.
        within(longitude) || (longitude.abs() == 180.0 && within(-longitude))
    }

    /// Whether all of it is one place, as far as a map can tell.
    pub fn is_point(&self) -> bool {
        self.north - self.south < LEAST / 100.0 && self.width() < LEAST / 100.0
    }

    /// The smallest box around places; `None` around none.
    pub fn around(places: impl Iterator<Item = (f64, f64)> + Clone) -> Option<Self> {
        let mut taken = [false; 360];
        let (mut south, mut north) = (f64::INFINITY, f64::NEG_INFINITY);
        for (latitude, longitude) in places.clone() {
            south = south.min(latitude);
            north = north.max(latitude);
            taken[((longitude + 180.0) as usize).min(359)] = true;
        }
        if south > north {
            return None;
        }
        // The widest gap lies outside: what is left may go across the line of the date.
        let (mut gap, mut begin, mut run) = (0, 0, 0);
        for at in 0..720 {
            run = if taken[at % 360] { 0 } else { run + 1 };
            if run > gap && run <= 360 {
                (gap, begin) = (run, (at + 1) % 360);
            }
        }
        let begin = begin as f64 - 180.0;
        let (mut first, mut last) = (f64::INFINITY, f64::NEG_INFINITY);
        for (_, longitude) in places {
            let from = from_line(longitude - begin);
            first = first.min(from);
            last = last.max(from);
        }
        Self::new(south, wrapped(begin + first), north, wrapped(begin + last))
    }
}

/// What a map shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Its middle.
    pub latitude: f64,
    pub longitude: f64,
    /// Degrees of latitude and of longitude.
    pub height: f64,
    pub width: f64,
}

/// How wide a degree of longitude is drawn, by one of latitude.
fn narrowed(latitude: f64, height: f64) -> f64 {
    let whole = (height / 180.0).clamp(0.0, 1.0);
    latitude.to_radians().cos().max(0.05) * (1.0 - whole) + WHOLE * whole
}

impl Frame {
    /// The whole earth.
    pub fn world() -> Self {
        Self::at(0.0, 0.0, 180.0)
    }

    /// The frame of this height with its middle there, or as near as the poles allow.
    pub fn at(latitude: f64, longitude: f64, height: f64) -> Self {
        let height = height.clamp(LEAST, 180.0);
        let latitude = latitude.clamp(height / 2.0 - 90.0, 90.0 - height / 2.0);
        Self {
            latitude,
            longitude: wrapped(longitude),
            height,
            width: (height * RATIO / narrowed(latitude, height)).min(360.0),
        }
    }

    /// The smallest frame with a box in it, and so much room around it by its size.
    pub fn around(area: &Area, room: f64) -> Self {
        let longitude = area.west + area.width() / 2.0;
        let (high, wide) = (
            (area.north - area.south) * (1.0 + room),
            (area.width() * (1.0 + room)).min(360.0),
        );
        let middle = f64::midpoint(area.south, area.north);
        let mut frame = Self::at(middle, longitude, high);
        // How much of the height the width takes depends on the height.
        for _ in 0..24 {
            if frame.width >= wide * 0.999_999 || frame.height >= 180.0 {
                break;
            }
            frame = Self::at(middle, longitude, frame.height * (wide / frame.width).max(1.000_001));
        }
        frame
    }

    pub fn zoomed(&self, by: f64) -> Self {
        Self::at(self.latitude, self.longitude, self.height * by)
    }

    /// Moved by parts of its size: eastwards and northwards.
    pub fn moved(&self, east: f64, north: f64) -> Self {
        Self::at(
            self.latitude + north * self.height,
            self.longitude + east * self.width,
            self.height,
        )
    }

    pub fn is_world(&self) -> bool {
        self.height > 179.9
    }

    /// It can get no smaller.
    pub fn is_least(&self) -> bool {
        self.height <= LEAST
    }

    pub fn south(&self) -> f64 {
        self.latitude - self.height / 2.0
    }
    pub fn north(&self) -> f64 {
        self.latitude + self.height / 2.0
    }
    /// May lie below -180; the frame goes on from there.
    pub fn west(&self) -> f64 {
        self.longitude - self.width / 2.0
    }

    pub fn area(&self) -> Area {
        let (west, east) = (self.west(), self.west() + self.width);
        let (south, north) = (self.south().max(-90.0), self.north().min(90.0));
        Area::new(south, west, north, east).unwrap_or(Area::WORLD)
    }

    /// Where a place lies, from its west and north on, by its size; beyond 0 and 1 what is not in it.
    pub fn place(&self, latitude: f64, longitude: f64) -> (f64, f64) {
        let mut east = from_line(longitude - self.west());
        // What lies beyond either side is put beyond the nearer one.
        if east > self.width + (360.0 - self.width) / 2.0 {
            east -= 360.0;
        }
        (east / self.width, (self.north() - latitude) / self.height)
    }

    /// Kilometres from its west to its east, along its middle.
    pub fn km(&self) -> f64 {
        self.width * 111.195 * self.latitude.to_radians().cos().max(0.05)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_read_and_written() {
        for (text, same) in [
            ("55.1,10.9,69.1,24.2", "55.1,10.9,69.1,24.2"),
            (" -10, 170 ,10,-170", "-10,170,10,-170"),
            ("0,0,0,0", "0,0,0,0"),
            ("-90,-180,90,180", "-90,-180,90,180"),
            ("-1,170,1,190", "-1,170,1,-170"),
            ("-1,-200,1,300", "-1,-180,1,180"),
            ("1e1,1e1,2e1,2e1", "10,10,20,20"),
        ] {
            assert_eq!(
                text.parse::<Area>().map(|area| area.to_string()).as_deref(),
                Ok(same),
                "{text}"
            );
        }
        for text in [
            "",
            "1,2,3",
            "1,2,3,4,5",
            "NaN,0,1,1",
            "0,0,inf,1",
            "2,0,1,1",
            "0,0,91,1",
            "0,1e9,1,2",
            "a,b,c,d",
            ",,,",
        ] {
            assert!(text.parse::<Area>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_box_goes_across_the_line_of_the_date() {
        let fiji: Area = "-20,170,-10,-170".parse().unwrap();
        assert!((fiji.width() - 20.0).abs() < 1e-9);
        assert!(fiji.contains(-17.7, 178.0) && fiji.contains(-13.8, -172.0) && fiji.contains(-15.0, -180.0));
        assert!(!fiji.contains(-17.7, 0.0) && !fiji.contains(0.0, 178.0));
        let fine = Area::new(0.123_456_7, 1.000_000_1, 0.123_456_7, 1.2).unwrap();
        assert_eq!(fine.to_string(), "0.12345,1,0.12346,1.2");
        let end: Area = "-20,170,-10,180".parse().unwrap();
        assert!(end.contains(-15.0, -180.0) && !end.contains(-15.0, -179.0));
        let both = Area::around([(-17.7, 178.0), (-13.8, -172.0)].into_iter()).unwrap();
        assert_eq!(both.to_string(), "-17.7,178,-13.8,-172");
        let one = Area::around([(59.3, 18.1)].into_iter()).unwrap();
        assert!(one.is_point() && one.contains(59.3, 18.1));
        assert_eq!(Area::around(std::iter::empty()), None);
        let many = (0..360).map(|n| (f64::from(n % 80), f64::from(n) - 180.0));
        assert!(Area::around(many).unwrap().width() > 358.0);
    }

    #[test]
    fn a_frame_holds_its_box_and_has_its_form() {
        let world = Frame::world();
        assert!((world.width - 360.0).abs() < 1e-6 && world.area() == Area::WORLD && world.is_world());
        for text in [
            "55.1,10.9,69.1,24.2",
            "-20,170,-10,-170",
            "60,-180,90,180",
            "-90,-180,-60,180",
            "0,0,0,0",
            "89.9,0,90,1",
            "-90,-180,90,180",
            "-80,0,80,1",
            "10,-100,11,150",
        ] {
            let area: Area = text.parse().unwrap();
            let frame = Frame::around(&area, 0.0);
            for latitude in [area.south, area.north] {
                for east in [0.0, area.width()] {
                    let (x, y) = frame.place(latitude, wrapped(area.west + east));
                    let edge = -1e-3..=1.001;
                    assert!(edge.contains(&y), "{text}: {y}");
                    assert!(
                        edge.contains(&x) || frame.width > 359.9 || area.width() > 359.9,
                        "{text}: {x} in {frame:?}"
                    );
                }
            }
            // The box of a frame has that frame.
            let again = Frame::around(&frame.area(), 0.0);
            assert!((again.height - frame.height).abs() < 1e-3 * frame.height, "{text}");
        }
        let near = Frame::around(&"59,17,60,19".parse().unwrap(), 0.0);
        let (far, moved) = (near.zoomed(2.0), near.moved(0.5, 0.0));
        assert!(far.height > near.height * 1.99 && moved.longitude > near.longitude);
        assert_eq!(Frame::at(89.0, 0.0, 90.0).latitude, 45.0);
        assert!(Frame::at(0.0, 0.0, f64::MIN_POSITIVE).is_least());
        assert!((Frame::at(0.0, 179.0, 10.0).moved(0.5, 0.0).longitude + 172.7).abs() < 1.0);
    }
}
