//! The font of labels, DejaVu Sans: which characters it prints, how wide they are, and the part of it that a file needs.

use std::collections::BTreeMap;

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Filter, Finish, Name, Pdf, Rect, Ref, Str};
use subsetter::GlyphRemapper;
use ttf_parser::{Face, GlyphId};
use unicode_normalization::UnicodeNormalization;

use super::pdf::deflated;
use crate::kernel::error::{Error, Result};

const NAME: Name<'_> = Name(b"VITRIN+DejaVuSans");
const SYSTEM: SystemInfo<'_> = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

/// See the module's text.
pub struct Font {
    face: Face<'static>,
    remapper: GlyphRemapper,
    /// What was used: the character and its width, by the number of its glyph in the file.
    used: BTreeMap<u16, (char, f32)>,
}

impl Font {
    /// # Errors
    /// A font that cannot be read, which is a fault of the program.
    pub fn new() -> Result<Self> {
        let face = Face::parse(dejavu::sans::regular(), 0).map_err(Error::internal)?;
        Ok(Self {
            face,
            remapper: GlyphRemapper::new(),
            used: BTreeMap::new(),
        })
    }

    /// A text as it is printed: composed, one space where there is any, nothing that no label shows.
    pub fn tidy(text: &str) -> String {
        let words: Vec<&str> = text
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|w| !w.is_empty())
            .collect();
        words
            .join(" ")
            .nfc()
            .filter(|c| !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{feff}'))
            .collect()
    }

    /// The first character of a text that cannot be printed as it should: not in the font, or of a script whose letters take
    /// their shape from their neighbours.
    pub fn cannot(&self, text: &str) -> Option<char> {
        let shaped = |c: char| matches!(c as u32, 0x0590..=0x109f | 0x1780..=0x17ff | 0x1800..=0x18af | 0xfb1d..=0xfdff | 0xfe70..=0xfeff);
        text.chars().find(|c| shaped(*c) || self.face.glyph_index(*c).is_none())
    }

    fn advance(&self, glyph: GlyphId) -> f32 {
        let units = f32::from(self.face.units_per_em());
        f32::from(self.face.glyph_hor_advance(glyph).unwrap_or_default()) / units
    }

    /// The width of a text of size 1.
    pub fn width(&self, text: &str) -> f32 {
        let glyphs = text.chars().filter_map(|c| self.face.glyph_index(c));
        glyphs.map(|glyph| self.advance(glyph)).sum()
    }

    /// The text as the file says it: two bytes for each character.
    pub fn encode(&mut self, text: &str) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(text.len() * 2);
        for c in text.chars() {
            let Some(glyph) = self.face.glyph_index(c) else {
                continue;
            };
            let number = self.remapper.remap(glyph.0);
            let width = self.advance(glyph);
            self.used.entry(number).or_insert((c, width));
            bytes.extend(number.to_be_bytes());
        }
        bytes
    }

    /// Writes what was used of the font into a file.
    ///
    /// # Errors
    /// A font that cannot be cut, which is a fault of the program.
    pub fn write(&self, pdf: &mut Pdf, font: Ref, mut next: impl FnMut() -> Ref) -> Result<()> {
        let (cid, descriptor, map, data) = (next(), next(), next(), next());
        pdf.type0_font(font)
            .base_font(NAME)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(cid)
            .to_unicode(map);
        let mut face = pdf.cid_font(cid);
        face.subtype(CidFontType::Type2)
            .base_font(NAME)
            .system_info(SYSTEM)
            .font_descriptor(descriptor)
            .default_width(600.0)
            .cid_to_gid_map_predefined(Name(b"Identity"));
        let mut widths = face.widths();
        for (number, (_, width)) in &self.used {
            widths.same(*number, *number, width * 1000.0);
        }
        widths.finish();
        face.finish();
        let scale = 1000.0 / f32::from(self.face.units_per_em());
        let scaled = |units: i16| f32::from(units) * scale;
        let bounds = self.face.global_bounding_box();
        let bounds = Rect::new(
            scaled(bounds.x_min),
            scaled(bounds.y_min),
            scaled(bounds.x_max),
            scaled(bounds.y_max),
        );
        pdf.font_descriptor(descriptor)
            .name(NAME)
            .flags(FontFlags::SYMBOLIC)
            .bbox(bounds)
            .italic_angle(0.0)
            .ascent(scaled(self.face.ascender()))
            .descent(scaled(self.face.descender()))
            .cap_height(scaled(self.face.capital_height().unwrap_or_default()))
            .stem_v(80.0)
            .font_file2(data);
        let mut unicode = UnicodeCmap::new(Name(b"Labels"), SYSTEM);
        for (number, (c, _)) in &self.used {
            unicode.pair(*number, *c);
        }
        pdf.cmap(map, &unicode.finish());
        let part = subsetter::subset(dejavu::sans::regular(), 0, &self.remapper).map_err(Error::internal)?;
        let packed = deflated(&part)?;
        pdf.stream(data, &packed)
            .filter(Filter::FlateDecode)
            .pair(Name(b"Length1"), i32::try_from(part.len()).unwrap_or(i32::MAX));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_printed_is_named() {
        let font = Font::new().unwrap();
        for fine in ["Vase", "Žluťoučký kůň", "Ἀθῆναι", "Москва", "½ × 3 °C – “a”", ""] {
            assert_eq!(font.cannot(fine), None, "{fine}");
        }
        for (text, odd) in [
            ("Vase 花瓶", '花'),
            ("שלום", 'ש'),
            ("हिन्दी", 'ह'),
            ("a😀\u{1f9ff}", '\u{1f9ff}'),
        ] {
            assert_eq!(
                font.cannot(text).filter(|c| *c == odd || *c == '😀'),
                font.cannot(text),
                "{text}"
            );
            assert!(font.cannot(text).is_some(), "{text}");
        }
        assert_eq!(Font::tidy(" a\u{ad}b \n\t e\u{301} "), "ab é");
        assert!(font.width("iii") < font.width("WWW"));
    }
}
