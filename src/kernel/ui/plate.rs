//! What a card shows where there is no picture: a small pattern of its own, in the colours of its sort.

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
        Self { tone, first, second }
    }
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
