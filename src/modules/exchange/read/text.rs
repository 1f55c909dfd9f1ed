//! Encodings of text files: said, marked at the beginning, or guessed from the first bytes; then everything is UTF-8.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::kernel::error::{Error, Result};

/// Bytes decoded at a time.
const CHUNK: usize = 64 * 1024;

/// The encoding of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guess {
    pub encoding: &'static Encoding,
    /// Bytes of the mark at the beginning.
    pub mark: usize,
    /// Said, marked, or the only one that fits.
    pub certain: bool,
    /// What was said does not look right: what it looks like.
    pub rather: Option<&'static Encoding>,
}

impl Guess {
    pub(super) fn name(&self) -> String {
        name(self.encoding)
    }
}

pub(super) fn name(encoding: &'static Encoding) -> String {
    encoding.name().to_ascii_lowercase()
}

/// Finds the encoding of a file from its first bytes.
///
/// # Errors
/// `Invalid` for a name that is no encoding's.
pub(super) fn guess(head: &[u8], said: Option<&str>) -> Result<Guess> {
    let marked = Encoding::for_bom(head);
    let Some(said) = said.map(str::trim).filter(|s| !s.is_empty()) else {
        if let Some((encoding, mark)) = marked {
            return Ok(Guess {
                encoding,
                mark,
                certain: true,
                rather: None,
            });
        }
        let (encoding, certain) = looks_like(head);
        return Ok(Guess {
            encoding,
            mark: 0,
            certain,
            rather: None,
        });
    };
    let encoding = Encoding::for_label(said.as_bytes()).filter(|e| *e != encoding_rs::REPLACEMENT);
    let Some(encoding) = encoding else {
        let text = format!(
            "\"{said}\" is no encoding that is known. Common ones are utf-8, windows-1252, utf-16le, macintosh, iso-8859-2, \
             windows-1251, shift_jis and gb18030."
        );
        return Err(Error::invalid("encoding", text));
    };
    let mark = marked.filter(|(of, _)| *of == encoding).map_or(0, |(_, mark)| mark);
    let seen = marked.map_or_else(|| looks_like(head), |(of, _)| (of, true));
    let ascii = head.is_ascii() && !head.contains(&0);
    let wide = |e: &Encoding| e == UTF_16LE || e == UTF_16BE;
    let other = seen.0 != encoding
        && if wide(encoding) || wide(seen.0) {
            true
        } else {
            seen.1 && !ascii
        };
    Ok(Guess {
        encoding,
        mark,
        certain: true,
        rather: other.then_some(seen.0),
    })
}

/// What bytes without a mark look like, and whether nothing else fits.
fn looks_like(head: &[u8]) -> (&'static Encoding, bool) {
    if let Some(wide) = wide(head) {
        return (wide, true);
    }
    let (letters, faults) = utf8(head);
    if faults == 0 || letters > faults * 4 {
        return (UTF_8, faults == 0);
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(head, true);
    let found = detector.guess(None, chardetng::Utf8Detection::Deny);
    if found.is_single_byte() && macintosh(head) {
        return (encoding_rs::MACINTOSH, false);
    }
    (found, false)
}

/// UTF-16 without a mark: in Western texts every second byte is zero.
fn wide(head: &[u8]) -> Option<&'static Encoding> {
    let pairs = head.len() / 2;
    if pairs < 2 {
        return None;
    }
    let zeros = |odd: usize| {
        head.chunks_exact(2)
            .filter(|pair| pair[odd] == 0 && pair[1 - odd] != 0)
            .count()
    };
    let (low, high) = (zeros(0), zeros(1));
    match (low * 10 / pairs, high * 10 / pairs) {
        (0, 7..) => Some(UTF_16LE),
        (7.., 0) => Some(UTF_16BE),
        _ => None,
    }
}

/// Letters of several bytes that are sound UTF-8, and bytes that are not. The last letter may be cut.
fn utf8(head: &[u8]) -> (usize, usize) {
    let (mut letters, mut faults) = (0, 0);
    let mut chunks = head.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        letters += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        let cut = chunks.peek().is_none() && chunk.invalid().len() < 4 && head.len() >= super::HEAD as usize;
        faults += usize::from(!chunk.invalid().is_empty() && !cut);
    }
    (letters, faults)
}

/// In texts of old Macintoshes accented letters lie where Windows has signs that stand in no word.
fn macintosh(head: &[u8]) -> bool {
    let (mut mac, mut windows) = (0usize, 0usize);
    for around in head.windows(3) {
        let [before, byte, after] = [around[0], around[1], around[2]];
        if byte < 0x80 || !before.is_ascii_alphabetic() {
            continue;
        }
        match byte {
            0x8a | 0x8c | 0x8e | 0x9a | 0x9c | 0x9e | 0x9f if !after.is_ascii_lowercase() => {}
            // Quotation marks and dashes of Windows.
            0x91..=0x97 | 0x85 if !after.is_ascii_lowercase() || byte == 0x92 => {}
            0x80..=0x9f => mac += 1,
            0xc0..=0xff => windows += 1,
            _ => {}
        }
    }
    mac > windows * 2
}

/// A file's bytes as UTF-8. What is no letter of the encoding becomes U+FFFD; UTF-8 itself passes as it is.
pub(super) struct Decoded<R> {
    inner: R,
    decoder: Decoder,
    source: Vec<u8>,
    from: usize,
    filled: usize,
    ended: bool,
    done: bool,
    /// Decoded and not yet asked for.
    ready: Vec<u8>,
    given: usize,
}

pub(super) fn decoded(inner: Box<dyn Read + Send>, encoding: &'static Encoding) -> Box<dyn Read + Send> {
    if encoding == UTF_8 {
        return inner;
    }
    Box::new(Decoded {
        inner,
        decoder: encoding.new_decoder_without_bom_handling(),
        source: vec![0; CHUNK],
        from: 0,
        filled: 0,
        ended: false,
        done: false,
        ready: Vec::new(),
        given: 0,
    })
}

impl<R: Read> Decoded<R> {
    fn refill(&mut self) -> io::Result<()> {
        if self.from == self.filled && !self.ended {
            self.filled = self.inner.read(&mut self.source)?;
            self.from = 0;
            self.ended = self.filled == 0;
        }
        self.ready.resize(CHUNK * 3 + 16, 0);
        self.given = 0;
        let input = &self.source[self.from..self.filled];
        let (result, read, written) =
            self.decoder
                .decode_to_utf8_without_replacement(input, &mut self.ready, self.ended);
        self.ready.truncate(written);
        self.from += read;
        match result {
            DecoderResult::InputEmpty => self.done = self.ended,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => self.ready.extend_from_slice("\u{fffd}".as_bytes()),
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() {
            if self.done || buffer.is_empty() {
                return Ok(0);
            }
            self.refill()?;
        }
        let ready = &self.ready[self.given..];
        let most = ready.len().min(buffer.len());
        buffer[..most].copy_from_slice(&ready[..most]);
        self.given += most;
        Ok(most)
    }
}

/// The beginning of a file as UTF-8, for guesses.
pub(super) fn sample(head: &[u8], encoding: &'static Encoding) -> Vec<u8> {
    if encoding == UTF_8 {
        return head.to_vec();
    }
    let mut out = String::with_capacity(head.len() * 3 + 16);
    let (result, ..) = encoding
        .new_decoder_without_bom_handling()
        .decode_to_string(head, &mut out, false);
    debug_assert!(result == CoderResult::InputEmpty);
    out.into_bytes()
}
