//! A file of labels: pages with a QR code, lines of text and bars on each label. Everything is drawn, nothing is fetched.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use qrcode::{Color, EcLevel, QrCode};

use super::code128;
use super::font::Font;
use super::sheet::Layout;
use crate::kernel::error::{Error, Result};

/// Points of a millimetre.
const POINTS: f32 = 72.0 / 25.4;
/// Between the edge of a label and what stands on it, in millimetres; and around codes.
const MARGIN: f32 = 2.5;
/// The widest a QR code becomes, and the height of bars with the quiet zone above them.
const WIDEST_QR: f32 = 25.0;
const BARS: f32 = 7.0;
/// Sizes of letters in points: the first line, the others.
const FIRST: f32 = 9.0;
const OTHERS: f32 = 7.0;
/// From line to line, as a part of the size.
const LEADING: f32 = 1.25;
/// The narrowest bar that readers tell apart, in millimetres.
const NARROWEST: f32 = 0.17;
const FONT: Name<'_> = Name(b"F");

/// What stands on one label.
#[derive(Clone, Debug, Default)]
pub struct Label {
    /// The first one is larger.
    pub lines: Vec<String>,
    /// The address of its QR code.
    pub qr: Option<String>,
    /// The text of its bars.
    pub bars: Option<String>,
}

/// A file on its way.
pub struct Sheets {
    layout: Layout,
    pub font: Font,
    pdf: Pdf,
    pages: Vec<Ref>,
    content: Content,
    /// The next free place.
    at: usize,
    last: i32,
}

const CATALOG: i32 = 1;
const TREE: i32 = 2;
const LETTERS: i32 = 3;
const INFO: i32 = 4;

impl Sheets {
    /// Begins a file. `skip` labels of the first sheet are used already.
    ///
    /// # Errors
    /// A font that cannot be read.
    pub fn new(layout: Layout, skip: usize) -> Result<Self> {
        Ok(Self {
            layout,
            font: Font::new()?,
            pdf: Pdf::new(),
            pages: Vec::new(),
            content: Content::new(),
            at: skip,
            last: INFO,
        })
    }

    fn next(&mut self) -> Ref {
        self.last += 1;
        Ref::new(self.last)
    }

    /// Adds a label.
    ///
    /// # Errors
    /// A text that is too long for a QR code.
    pub fn add(&mut self, label: &Label) -> Result<()> {
        let place = self.at % self.layout.count();
        if place == 0 && self.at > 0 {
            self.turn()?;
        }
        self.at += 1;
        let (left, top) = self.layout.corner(place);
        let (width, height) = self.layout.label;
        let bars = label.bars.as_deref().and_then(code128::bars);
        let foot = if bars.is_some() { BARS + 1.0 } else { 0.0 };
        let mut from = left + MARGIN;
        if let Some(address) = &label.qr {
            let side = (height - 2.0 * MARGIN - foot).min(width * 0.45).min(WIDEST_QR);
            self.qr(address, from, top + MARGIN, side)?;
            from += side + MARGIN;
        }
        let room = (left + width - MARGIN - from, height - 2.0 * MARGIN - foot);
        self.text(&label.lines, (from, top + MARGIN), room);
        if let Some(bars) = bars {
            self.bars(
                &bars,
                (left + MARGIN, top + height - MARGIN - BARS),
                width - 2.0 * MARGIN,
            );
        }
        Ok(())
    }

    /// A filled rectangle, in millimetres from the top left corner.
    fn fill(&mut self, left: f32, top: f32, width: f32, height: f32) {
        let bottom = self.layout.page.1 - top - height;
        self.content
            .rect(left * POINTS, bottom * POINTS, width * POINTS, height * POINTS);
    }

    #[expect(clippy::cast_precision_loss, reason = "a QR code has at most 177 modules")]
    fn qr(&mut self, address: &str, left: f32, top: f32, side: f32) -> Result<()> {
        let code = QrCode::with_error_correction_level(address, EcLevel::M).map_err(|_| {
            Error::invalid(
                "qr",
                format!("cannot hold the address {address}: it is too long. Leave the QR code out."),
            )
        })?;
        let (count, colors) = (code.width(), code.to_colors());
        let module = side / count as f32;
        for (row, line) in colors.chunks(count).enumerate() {
            let mut column = 0;
            while column < count {
                let dark = line[column..].iter().take_while(|color| **color == Color::Dark).count();
                if dark > 0 {
                    let (x, y) = (left + column as f32 * module, top + row as f32 * module);
                    self.fill(x, y, dark as f32 * module, module);
                }
                column += dark.max(1);
            }
        }
        self.content.fill_nonzero();
        Ok(())
    }

    /// Bars as wide as there is room, at most half a millimetre each. Where they would run together there are none.
    fn bars(&mut self, bars: &[u8], (left, top): (f32, f32), room: f32) {
        let modules: f32 = bars.iter().map(|width| f32::from(*width)).sum();
        let module = (room / modules).min(0.5);
        if module < NARROWEST {
            return;
        }
        let mut at = left;
        for (place, width) in bars.iter().enumerate() {
            let width = f32::from(*width) * module;
            if place % 2 == 0 {
                self.fill(at, top, width, BARS);
            }
            at += width;
        }
        self.content.fill_nonzero();
    }

    /// Lines from top to bottom, broken where they are too wide; what has no room is left out.
    fn text(&mut self, lines: &[String], (left, top): (f32, f32), room: (f32, f32)) {
        let mut down = 0.0;
        for (place, line) in lines.iter().enumerate() {
            let size = if place == 0 { FIRST } else { OTHERS };
            let step = size * LEADING / POINTS;
            for piece in self.broken(line, room.0 * POINTS / size) {
                if down + step > room.1 {
                    return;
                }
                let base = self.layout.page.1 - top - down - size / POINTS;
                let shown = self.font.encode(&piece);
                self.content.begin_text();
                self.content.set_font(FONT, size);
                self.content.next_line(left * POINTS, base * POINTS);
                self.content.show(Str(&shown));
                self.content.end_text();
                down += step;
            }
        }
    }

    /// A line in pieces that are not wider than so many times its size: at spaces, else anywhere.
    fn broken(&self, line: &str, width: f32) -> Vec<String> {
        let mut pieces = Vec::new();
        let mut now = String::new();
        for word in line.split(' ') {
            let longer = if now.is_empty() {
                word.to_owned()
            } else {
                format!("{now} {word}")
            };
            if self.font.width(&longer) <= width {
                now = longer;
                continue;
            }
            if !now.is_empty() {
                pieces.push(std::mem::take(&mut now));
            }
            for c in word.chars() {
                now.push(c);
                if self.font.width(&now) > width && now.chars().count() > 1 {
                    now.pop();
                    pieces.push(std::mem::replace(&mut now, c.to_string()));
                }
            }
        }
        if !now.is_empty() {
            pieces.push(now);
        }
        pieces
    }

    /// Ends a page.
    fn turn(&mut self) -> Result<()> {
        let content = std::mem::replace(&mut self.content, Content::new()).finish();
        let packed = deflated(&content)?;
        let (page, stream) = (self.next(), self.next());
        self.pdf.stream(stream, &packed).filter(Filter::FlateDecode);
        let mut made = self.pdf.page(page);
        let (width, height) = self.layout.page;
        made.parent(Ref::new(TREE)).contents(stream);
        made.media_box(Rect::new(0.0, 0.0, width * POINTS, height * POINTS));
        made.resources().fonts().pair(FONT, Ref::new(LETTERS));
        made.finish();
        self.pages.push(page);
        Ok(())
    }

    /// The whole file.
    ///
    /// # Errors
    /// A font that cannot be cut.
    pub fn finish(mut self, title: &str) -> Result<Vec<u8>> {
        self.turn()?;
        let mut last = self.last;
        let next = || {
            last += 1;
            Ref::new(last)
        };
        self.font.write(&mut self.pdf, Ref::new(LETTERS), next)?;
        let count = i32::try_from(self.pages.len()).unwrap_or(i32::MAX);
        self.pdf
            .pages(Ref::new(TREE))
            .kids(self.pages.iter().copied())
            .count(count);
        self.pdf.catalog(Ref::new(CATALOG)).pages(Ref::new(TREE));
        self.pdf
            .document_info(Ref::new(INFO))
            .title(TextStr(title))
            .producer(TextStr("Vitrine"));
        Ok(self.pdf.finish())
    }
}

pub(super) fn deflated(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes)?;
    Ok(packer.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::records::labels::sheet::Sheet;

    #[test]
    fn sheets_are_filled_one_after_the_other() {
        let mut sheets = Sheets::new(Layout::of(Sheet::A4Three, None, None).unwrap(), 20).unwrap();
        for n in 0..30 {
            let label = Label {
                lines: vec![
                    format!("Žluťoučký kůň {n}"),
                    "a very long line ".repeat(20),
                    "Москва".to_owned(),
                ],
                qr: Some(format!("https://museum.example/records/{n}")),
                bars: Some(format!("Ma2026{n:04}")),
            };
            sheets.add(&label).unwrap();
        }
        let file = sheets.finish("Labels").unwrap();
        let text = String::from_utf8_lossy(&file);
        assert!(text.starts_with("%PDF-") && text.trim_end().ends_with("%%EOF"));
        // 4 places of the first sheet, 24 of the second, 2 of the third.
        assert!(text.contains("/Count 3"), "{}", file.len());
        assert!(file.len() < 200_000, "{}", file.len());
    }
}
