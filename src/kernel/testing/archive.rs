//! Archives as other programs write them, from what stands in a test.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

/// The content as gzip.
pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// A tar archive of the kind that most programs write.
///
/// # Panics
/// When a name is longer than the 100 bytes such an archive has for it.
pub fn tar<N: AsRef<str>, C: AsRef<[u8]>>(files: &[(N, C)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, content) in files {
        let (name, content) = (name.as_ref().as_bytes(), content.as_ref());
        assert!(name.len() <= 100, "the name of a file fits into its head");
        let mut head = [0u8; 512];
        head[..name.len()].copy_from_slice(name);
        head[100..108].copy_from_slice(b"0000644\0");
        head[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        // The sum is taken with blanks in its place.
        head[148..156].copy_from_slice(b"        ");
        head[156] = b'0';
        head[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
        head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}
