//! Pictures of people as they are brought: only PNG and JPEG, of a size that a face needs, and without what cameras and programs
//! write into them besides (places, names, comments). Pixels are not touched. No I/O.

/// The most bytes of a picture.
pub(super) const MOST_BYTES: usize = 1 << 20;
/// The longest side, in pixels.
const MOST_SIDE: u32 = 4096;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Parts of a PNG that say how its pixels look. All others go.
const PNG_KEPT: [&[u8; 4]; 7] = [b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"sRGB"];

const NO_PICTURE: &str = "A picture as PNG or JPEG.";
const BROKEN: &str = "This picture is damaged: it ends too early or says of itself what is not so.";
const TOO_LARGE: &str = "At most 4,096 pixels wide and high.";
const TOO_MANY_BYTES: &str = "At most 1 MB. Make it smaller first.";

/// A picture that is fit to be shown to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clean {
    /// The media type.
    pub kind: &'static str,
    pub content: Vec<u8>,
}

/// The picture without what does not belong to it, or what is wrong with it.
pub(super) fn cleaned(given: &[u8]) -> Result<Clean, &'static str> {
    if given.len() > MOST_BYTES {
        return Err(TOO_MANY_BYTES);
    }
    if let Some(rest) = given.strip_prefix(PNG) {
        let content = png(rest)?;
        return Ok(Clean {
            kind: "image/png",
            content,
        });
    }
    if let Some(rest) = given.strip_prefix(b"\xff\xd8") {
        let content = jpeg(rest)?;
        return Ok(Clean {
            kind: "image/jpeg",
            content,
        });
    }
    Err(NO_PICTURE)
}

fn fits(width: u32, height: u32) -> Result<(), &'static str> {
    match (width, height) {
        (0, _) | (_, 0) => Err(BROKEN),
        (w, h) if w > MOST_SIDE || h > MOST_SIDE => Err(TOO_LARGE),
        _ => Ok(()),
    }
}

/// The first bytes, and what comes after them.
fn cut(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8]), &'static str> {
    bytes.split_at_checked(at).ok_or(BROKEN)
}

fn u32_of(bytes: &[u8]) -> Result<u32, &'static str> {
    let four = bytes.first_chunk::<4>().ok_or(BROKEN)?;
    Ok(u32::from_be_bytes(*four))
}

fn u16_of(bytes: &[u8]) -> Result<u16, &'static str> {
    let two = bytes.first_chunk::<2>().ok_or(BROKEN)?;
    Ok(u16::from_be_bytes(*two))
}

/// A PNG behind its signature: pieces of length, name, content and checksum, up to the last one.
fn png(mut rest: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut kept = PNG.to_vec();
    let (mut is_first, mut has_pixels) = (true, false);
    loop {
        let length = usize::try_from(u32_of(rest)?).map_err(|_| BROKEN)?;
        let (piece, after) = cut(rest, length.checked_add(12).ok_or(BROKEN)?)?;
        let name = piece.get(4..8).ok_or(BROKEN)?;
        if is_first != (name == b"IHDR") {
            return Err(BROKEN);
        }
        if is_first {
            let head = piece.get(8..).ok_or(BROKEN)?;
            fits(u32_of(head)?, u32_of(head.get(4..).ok_or(BROKEN)?)?)?;
            is_first = false;
        }
        has_pixels |= name == b"IDAT";
        if PNG_KEPT.iter().any(|known| name == known.as_slice()) {
            kept.extend_from_slice(piece);
        }
        if name == b"IEND" {
            return if has_pixels { Ok(kept) } else { Err(BROKEN) };
        }
        rest = after;
    }
}

/// A JPEG behind its first marker: segments of a marker, a length and content, and behind a scan's head its pixels.
fn jpeg(mut rest: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut kept = b"\xff\xd8".to_vec();
    let (mut has_size, mut has_pixels) = (false, false);
    loop {
        // Any number of fill bytes may stand before a marker.
        while rest.starts_with(b"\xff\xff") {
            rest = rest.get(1..).ok_or(BROKEN)?;
        }
        let (marker, after) = cut(rest, 2)?;
        let [0xff, kind] = *marker else {
            return Err(BROKEN);
        };
        if kind == 0xd9 {
            kept.extend_from_slice(marker);
            return if has_size && has_pixels { Ok(kept) } else { Err(BROKEN) };
        }
        let length = usize::from(u16_of(after)?);
        if kind < 0xc0 || matches!(kind, 0xd0..=0xd8) || length < 2 {
            return Err(BROKEN);
        }
        let (segment, behind) = cut(after, length)?;
        if matches!(kind, 0xc0..=0xcf) && !matches!(kind, 0xc4 | 0xc8 | 0xcc) {
            let head = segment.get(3..).ok_or(BROKEN)?;
            fits(u16_of(head.get(2..).ok_or(BROKEN)?)?.into(), u16_of(head)?.into())?;
            has_size = true;
        }
        // JFIF and Adobe's word on colours stay; other applications' segments and comments go.
        let is_talk = matches!(kind, 0xe1..=0xed | 0xef | 0xfe);
        if !is_talk {
            kept.extend_from_slice(marker);
            kept.extend_from_slice(segment);
        }
        rest = behind;
        if kind == 0xda {
            let (pixels, next) = rest.split_at(scan(rest));
            kept.extend_from_slice(pixels);
            has_pixels = has_size;
            rest = next;
        }
    }
}

/// How long the pixels of a scan are: up to a marker that is neither a stuffed byte nor a restart.
fn scan(bytes: &[u8]) -> usize {
    let ends = |pair: &[u8]| matches!(pair, [0xff, next] if !matches!(next, 0 | 0xd0..=0xd7 | 0xff));
    bytes.windows(2).position(ends).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&length[..], name, content, &[0; 4]].concat()
    }

    fn png_of(width: u32, height: u32, more: &[u8]) -> Vec<u8> {
        let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
        let pieces = [
            piece(b"IHDR", &head),
            more.to_vec(),
            piece(b"IDAT", b"pixels"),
            piece(b"IEND", b""),
        ];
        [PNG, &pieces.concat()].concat()
    }

    fn segment(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xff, kind][..], &length, content].concat()
    }

    fn jpeg_of(width: u16, height: u16, more: &[u8]) -> Vec<u8> {
        let size = [&[8][..], &height.to_be_bytes(), &width.to_be_bytes(), &[1, 1, 0x11, 0]].concat();
        let scan = [
            segment(0xda, &[1, 1, 0, 0, 63, 0]),
            b"\x12\xff\x00\x34\xff\xd3\x56".to_vec(),
        ]
        .concat();
        [&b"\xff\xd8"[..], more, &segment(0xc0, &size), &scan, b"\xff\xd9"].concat()
    }

    #[test]
    fn what_else_is_written_into_a_picture_goes() {
        let told = piece(b"tEXt", b"Author\0Ada");
        let place = piece(b"eXIf", b"a place");
        let plain = png_of(64, 64, &[]);
        let clean = cleaned(&png_of(64, 64, &[told, place].concat())).unwrap();
        assert_eq!((clean.kind, clean.content), ("image/png", plain.clone()));
        let behind = [&plain[..], b"<script>alert(1)</script>"].concat();
        assert_eq!(
            cleaned(&behind).unwrap().content,
            plain,
            "what stands behind its end goes"
        );

        let plain = jpeg_of(64, 64, &segment(0xe0, b"JFIF\0"));
        let talk = [
            segment(0xe0, b"JFIF\0"),
            segment(0xe1, b"Exif\0\0a place"),
            segment(0xfe, b"by Ada"),
        ]
        .concat();
        let clean = cleaned(&jpeg_of(64, 64, &talk)).unwrap();
        assert_eq!((clean.kind, clean.content), ("image/jpeg", plain.clone()));
        let behind = [&plain[..], b"PK\x03\x04"].concat();
        assert_eq!(cleaned(&behind).unwrap().content, plain);
    }

    #[test]
    fn what_is_no_picture_is_refused_in_words() {
        for (given, want) in [
            (Vec::new(), NO_PICTURE),
            (b"GIF89a".to_vec(), NO_PICTURE),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(), NO_PICTURE),
            (PNG.to_vec(), BROKEN),
            (png_of(0, 5, &[]), BROKEN),
            (png_of(9999, 5, &[]), TOO_LARGE),
            (jpeg_of(5, 9999, &[]), TOO_LARGE),
            (b"\xff\xd8\xff\xd9".to_vec(), BROKEN),
            (b"\xff\xd8\xff\xe1\x00\x01".to_vec(), BROKEN),
            (vec![0; MOST_BYTES + 1], TOO_MANY_BYTES),
        ] {
            assert_eq!(cleaned(&given), Err(want));
        }
        // Cut anywhere, it is damaged and nothing worse.
        for whole in [png_of(64, 64, &[]), jpeg_of(64, 64, &segment(0xe0, b"JFIF\0"))] {
            for end in 8..whole.len() {
                assert_eq!(cleaned(&whole[..end]), Err(BROKEN), "{end}");
            }
        }
    }
}
