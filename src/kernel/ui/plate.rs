//! What a card shows: the picture of a thing, or where there is none a small pattern of its own, in the colours of its
//! sort.

use std::fmt::Write as _;

/// Squares of a half and of the height; the other half mirrors it.
const ACROSS: u32 = 3;
const DOWN: u32 = 4;
/// How many pairs of colours the styles know.
const TONES: u64 = 6;

/// See the module's text.
pub struct Plate {
    pub tone: u64,
    /// Paths in a box of 6 by 4.
    pub first: String,
    pub second: String,
    /// The address of a picture that the browser may load.
    pub picture: Option<String>,
}

impl Plate {
    /// `sort` decides the colours, `id` the shapes.
    pub fn of(sort: &str, id: &str) -> Self {
        let tone = seed(sort) % TONES;
        let mut state = seed(id);
        let (mut first, mut second) = (String::new(), String::new());
        for y in 0..DOWN {
            for x in 0..ACROSS {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let (shape, quarter) = ((state >> 33) % 5, (state >> 40) % 4);
                let path = if shape < 3 { &mut first } else { &mut second };
                if shape != 2 {
                    corner(path, x, y, quarter, 1);
                    corner(path, 2 * ACROSS - 1 - x, y, quarter ^ 1, 1);
                }
            }
        }
        Self {
            tone,
            first,
            second,
            picture: None,
        }
    }

    /// Shows this picture instead, one that [`may_load`].
    #[must_use]
    pub fn with(mut self, picture: Option<String>) -> Self {
        self.picture = picture;
        self
    }
}

/// Does an address name one of these hosts, from which the browser may load pictures?
pub fn may_load(address: &str, hosts: &[String]) -> bool {
    let host = host_of(address);
    host.is_some_and(|host| hosts.iter().any(|known| known.eq_ignore_ascii_case(host)))
}

/// `example.org` of `https://user@example.org:80/a`.
pub fn host_of(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let place = rest.split(['/', '?', '#']).next()?;
    let place = place.rsplit_once('@').map_or(place, |(_, host)| host);
    let host = match place.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => place,
    };
    (!host.is_empty()).then_some(host)
}

/// A quarter of a disc in a square, round its corner: bit 0 says right, bit 1 below.
fn corner(path: &mut String, x: u32, y: u32, quarter: u64, size: i32) {
    let (right, below) = (quarter & 1 == 1, quarter & 2 == 2);
    let (across, down) = (if right { -size } else { size }, if below { -size } else { size });
    let sweep = u8::from(right == below);
    let (x, y) = (x + u32::from(right), y + u32::from(below));
    let _ = write!(path, "M{x} {y}h{across}a1 1 0 0 {sweep}{} {down}z", -across);
}

/// FNV-1a, so that the pattern is the same in every process.
fn seed(word: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    word.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_of_known_hosts_are_loaded() {
        let hosts = ["example.org".to_owned()];
        assert!(may_load("https://a@Example.org:8080/a.jpg?x", &hosts));
        for other in [
            "https://example.org.evil.net/a.jpg",
            "https://evil.net/?@example.org/",
            "data:image/png;base64,AA",
        ] {
            assert!(!may_load(other, &hosts), "{other}");
        }
    }

    #[test]
    fn the_same_thing_has_the_same_plate() {
        let plate = Plate::of("Textiles", "1");
        assert_eq!(plate.tone, Plate::of("Textiles", "2").tone);
        assert_ne!(plate.first, Plate::of("Textiles", "2").first);
        assert_eq!(plate.first, Plate::of("drawings", "1").first);
        for word in ["", "é", "\u{0}", &"w".repeat(10_000)] {
            let plate = Plate::of(word, word);
            assert!(plate.first.len() + plate.second.len() < 700 && plate.tone < TONES);
        }
    }
}
