//! Random tokens and digests. Tokens are stored only as digests.

use sha2::{Digest, Sha256};

/// `N` bytes from the system's generator.
///
/// # Panics
/// When the operating system has no randomness to give: nothing secure can be done then.
#[expect(clippy::expect_used, reason = "a system without randomness cannot serve safely")]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A new secret of 160 bits as 40 hexadecimal digits.
pub fn new_token() -> String {
    hex::encode(random::<20>())
}

/// The digest under which a secret is stored and looked up.
pub fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// Compares without telling by its duration where the texts differ.
pub fn same(a: &str, b: &str) -> bool {
    subtle::ConstantTimeEq::ct_eq(a.as_bytes(), b.as_bytes()).into()
}
