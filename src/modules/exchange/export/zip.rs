//! Zip archives written straight through: nothing is known of a member before its end, so its sizes follow it. No I/O: the
//! bytes are taken as they come to be.

use std::io::Write;

use crate::kernel::error::{Code, Error, Result};

/// The time of every member: the first that an archive can name, so that the same records make the same file.
const TIME: [u8; 4] = [0, 0, 0x21, 0];
/// Sizes follow the member; its name is UTF-8.
const FLAGS: u16 = 1 << 3 | 1 << 11;
const DEFLATED: u16 = 8;
const VERSION: u16 = 20;

struct Member {
    name: String,
    at: u32,
    checksum: u32,
    packed: u32,
    bytes: u32,
}

/// An archive in the making.
pub struct Zip {
    packer: flate2::write::DeflateEncoder<Vec<u8>>,
    sum: flate2::Crc,
    /// Where the packed bytes of the member begin in what is written.
    begun: u64,
    /// Bytes taken away already.
    taken: u64,
    name: Option<(String, u64)>,
    members: Vec<Member>,
}

impl Zip {
    pub fn new() -> Self {
        Self {
            packer: flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(4)),
            sum: flate2::Crc::new(),
            begun: 0,
            taken: 0,
            name: None,
            members: Vec::new(),
        }
    }

    fn out(&mut self) -> &mut Vec<u8> {
        self.packer.get_mut()
    }

    fn place(&self) -> u64 {
        self.taken + self.packer.get_ref().len() as u64
    }

    /// Begins a member; the one before has ended.
    pub fn start(&mut self, name: &str) {
        let at = self.place();
        let out = self.out();
        out.extend_from_slice(b"PK\x03\x04");
        for number in [VERSION, FLAGS, DEFLATED] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&TIME);
        out.extend_from_slice(&[0; 12]);
        out.extend_from_slice(&(name.len() as u16).to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(name.as_bytes());
        self.begun = self.place();
        self.sum = flate2::Crc::new();
        self.name = Some((name.to_owned(), at));
    }

    /// Appends to the member.
    ///
    /// # Errors
    /// What the packer says.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.sum.update(bytes);
        Ok(self.packer.write_all(bytes)?)
    }

    /// Ends the member.
    ///
    /// # Errors
    /// `TooLarge` for one, or an archive, beyond 4 GB.
    pub fn end(&mut self) -> Result<()> {
        self.packer.try_finish()?;
        let packed = self.place() - self.begun;
        let bytes = self.packer.total_in();
        let rest = std::mem::take(self.packer.get_mut());
        self.packer.reset(rest)?;
        let Some((name, at)) = self.name.take() else {
            return Ok(());
        };
        let large = |_| {
            Error::new(
                Code::TooLarge,
                "The export is larger than a workbook or an archive can be. Export it type by type, as CSV or JSON lines, or \
                 narrow it by a search.",
            )
        };
        let member = Member {
            name,
            at: u32::try_from(at).map_err(large)?,
            checksum: self.sum.sum(),
            packed: u32::try_from(packed).map_err(large)?,
            bytes: u32::try_from(bytes).map_err(large)?,
        };
        let out = self.out();
        out.extend_from_slice(b"PK\x07\x08");
        for number in [member.checksum, member.packed, member.bytes] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        self.members.push(member);
        Ok(())
    }

    /// Writes the table of contents.
    ///
    /// # Errors
    /// `TooLarge` beyond 4 GB.
    pub fn finish(&mut self) -> Result<()> {
        let at = self.place();
        let members = std::mem::take(&mut self.members);
        let out = self.out();
        for member in &members {
            out.extend_from_slice(b"PK\x01\x02");
            for number in [VERSION, VERSION, FLAGS, DEFLATED] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            out.extend_from_slice(&TIME);
            for number in [member.checksum, member.packed, member.bytes] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            out.extend_from_slice(&(member.name.len() as u16).to_le_bytes());
            out.extend_from_slice(&[0; 12]);
            out.extend_from_slice(&member.at.to_le_bytes());
            out.extend_from_slice(member.name.as_bytes());
        }
        let length = self.place() - at;
        let count = members.len() as u16;
        let small = |number: u64| u32::try_from(number).map_err(|e| Error::internal(e).with("part", "zip"));
        let (length, at) = (small(length)?, small(at)?);
        let out = self.out();
        out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&at.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        Ok(())
    }

    /// What has come to be since it was last asked.
    pub fn take(&mut self) -> Vec<u8> {
        let bytes = std::mem::take(self.out());
        self.taken += bytes.len() as u64;
        bytes
    }
}
