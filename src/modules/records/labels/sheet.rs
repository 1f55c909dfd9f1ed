//! Sheets of labels: where each label lies, in millimetres from the top left corner of its page. Rules without I/O.

use serde::{Deserialize, Serialize};

use crate::kernel::error::{Error, Result};

/// The smallest and largest side of a single label.
const LEAST: f32 = 10.0;
const MOST: f32 = 300.0;

/// A sheet that can be bought, or rolls of single labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Sheet {
    /// A4, 3 by 8 labels of 70 × 37 mm.
    #[serde(rename = "a4-3x8")]
    A4Three,
    /// A4, 4 by 10 labels of 48.5 × 25.4 mm.
    #[serde(rename = "a4-4x10")]
    A4Four,
    /// A4, 2 by 7 labels of 99.1 × 38.1 mm.
    #[serde(rename = "a4-2x7")]
    A4Two,
    /// One label on each page; `width` and `height` say its size.
    #[serde(rename = "single")]
    Single,
}

impl Sheet {
    pub const ALL: [Self; 4] = [Self::A4Three, Self::A4Four, Self::A4Two, Self::Single];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::A4Three => "a4-3x8",
            Self::A4Four => "a4-4x10",
            Self::A4Two => "a4-2x7",
            Self::Single => "single",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sheet| sheet.as_str() == text)
    }
}

/// A sheet laid out, in millimetres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    pub page: (f32, f32),
    pub label: (f32, f32),
    columns: usize,
    rows: usize,
    /// From the corner of the page to the first label.
    start: (f32, f32),
    /// From label to label.
    step: (f32, f32),
}

impl Layout {
    /// # Errors
    /// `Invalid` for a single label without a size, or of one that no printer takes.
    pub fn of(sheet: Sheet, width: Option<f32>, height: Option<f32>) -> Result<Self> {
        let a4 = |columns: usize, rows: usize, label: (f32, f32), start: (f32, f32), step: (f32, f32)| Self {
            page: (210.0, 297.0),
            label,
            columns,
            rows,
            start,
            step,
        };
        Ok(match sheet {
            Sheet::A4Three => a4(3, 8, (70.0, 37.0), (0.0, 0.5), (70.0, 37.0)),
            Sheet::A4Four => a4(4, 10, (48.5, 25.4), (8.0, 21.5), (48.5, 25.4)),
            Sheet::A4Two => a4(2, 7, (99.1, 38.1), (4.65, 15.15), (101.6, 38.1)),
            Sheet::Single => {
                let size = (side("width", width)?, side("height", height)?);
                Self {
                    page: size,
                    label: size,
                    columns: 1,
                    rows: 1,
                    start: (0.0, 0.0),
                    step: size,
                }
            }
        })
    }

    /// Labels of one page.
    pub fn count(&self) -> usize {
        self.columns * self.rows
    }

    /// The top left corner of a label on its page; labels follow each other line by line.
    #[expect(clippy::cast_precision_loss, reason = "a sheet has a few dozen labels")]
    pub fn corner(&self, at: usize) -> (f32, f32) {
        let (column, row) = (at % self.columns, at / self.columns % self.rows);
        (
            self.start.0 + column as f32 * self.step.0,
            self.start.1 + row as f32 * self.step.1,
        )
    }
}

fn side(name: &str, given: Option<f32>) -> Result<f32> {
    let fits = given.filter(|side| (LEAST..=MOST).contains(side));
    fits.ok_or_else(|| Error::invalid(name, format!("is {LEAST} to {MOST} millimetres, for a single label.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_lie_on_their_page() {
        for sheet in Sheet::ALL {
            let layout = Layout::of(sheet, Some(50.0), Some(25.0)).unwrap();
            for at in 0..layout.count() * 2 {
                let (left, top) = layout.corner(at);
                assert!(
                    left >= 0.0 && left + layout.label.0 <= layout.page.0 + 0.01,
                    "{sheet:?} {at}"
                );
                assert!(
                    top >= 0.0 && top + layout.label.1 <= layout.page.1 + 0.01,
                    "{sheet:?} {at}"
                );
            }
            assert_eq!(Sheet::parse(sheet.as_str()), Some(sheet));
        }
        assert_eq!(Layout::of(Sheet::A4Three, None, None).unwrap().count(), 24);
        assert_eq!(Layout::of(Sheet::A4Four, None, None).unwrap().count(), 40);
        for (width, height) in [
            (None, Some(20.0)),
            (Some(9.0), Some(20.0)),
            (Some(f32::NAN), Some(20.0)),
            (Some(20.0), Some(1e9)),
        ] {
            assert!(Layout::of(Sheet::Single, width, height).is_err());
        }
    }
}
