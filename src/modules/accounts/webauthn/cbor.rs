//! As much of CBOR (RFC 8949) as authenticators write: definite lengths, whole numbers, texts, bytes, lists, maps.
//!
//! Reads what strangers send: lengths are compared with what is there before anything is made, depth is bounded.

/// How deep lists and maps may be nested.
const DEPTH: u8 = 6;

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Number(i64),
    Bytes(&'a [u8]),
    Text(&'a str),
    List(Vec<Value<'a>>),
    Map(Vec<(Value<'a>, Value<'a>)>),
    /// true, false, nothing: told apart by nobody here.
    Simple(u8),
}

impl<'a> Value<'a> {
    /// The value of a key of a map.
    pub(super) fn get(&self, key: &Value<'_>) -> Option<&Value<'a>> {
        match self {
            Self::Map(pairs) => pairs.iter().find(|(k, _)| k == key).map(|(_, value)| value),
            _ => None,
        }
    }
    pub(super) fn number(&self, key: i64) -> Option<i64> {
        match self.get(&Value::Number(key)) {
            Some(Value::Number(n)) => Some(*n),
            _ => None,
        }
    }
    pub(super) fn bytes(&self, key: &Value<'_>) -> Option<&'a [u8]> {
        match self.get(key) {
            Some(Value::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }
}

/// The first value of the bytes, and what comes after it.
pub(super) fn read(bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    value(bytes, DEPTH)
}

fn take(bytes: &[u8], n: u64) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(usize::try_from(n).ok()?)
}

fn value(bytes: &[u8], depth: u8) -> Option<(Value<'_>, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (argument, rest) = match first & 31 {
        small @ 0..=23 => (u64::from(small), rest),
        size @ 24..=27 => {
            let (number, rest) = take(rest, 1 << (size - 24))?;
            (number.iter().fold(0, |n, b| (n << 8) | u64::from(*b)), rest)
        }
        _ => return None,
    };
    match first >> 5 {
        0 => Some((Value::Number(i64::try_from(argument).ok()?), rest)),
        1 => Some((Value::Number(-1 - i64::try_from(argument).ok()?), rest)),
        2 => take(rest, argument).map(|(bytes, rest)| (Value::Bytes(bytes), rest)),
        3 => {
            let (text, rest) = take(rest, argument)?;
            Some((Value::Text(std::str::from_utf8(text).ok()?), rest))
        }
        4 => {
            let (items, rest) = several(rest, argument, depth.checked_sub(1)?)?;
            Some((Value::List(items), rest))
        }
        5 => {
            let (items, rest) = several(rest, argument.checked_mul(2)?, depth.checked_sub(1)?)?;
            let mut pairs = Vec::with_capacity(items.len() / 2);
            let mut items = items.into_iter();
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                pairs.push((key, value));
            }
            Some((Value::Map(pairs), rest))
        }
        7 => Some((Value::Simple(first & 31), rest)),
        _ => None,
    }
}

fn several(bytes: &[u8], count: u64, depth: u8) -> Option<(Vec<Value<'_>>, &[u8])> {
    // Each takes a byte at least.
    if count > u64::try_from(bytes.len()).ok()? {
        return None;
    }
    let (mut items, mut rest) = (Vec::new(), bytes);
    for _ in 0..count {
        let (item, after) = value(rest, depth)?;
        items.push(item);
        rest = after;
    }
    Some((items, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        // {1: 2, 3: -7, "a": h'0102', -1: ["x", true]}
        let bytes = hex::decode("a401020326616142010220826178f5ff").unwrap();
        let (value, rest) = read(&bytes).unwrap();
        assert_eq!((value.number(1), value.number(3)), (Some(2), Some(-7)));
        assert_eq!(value.bytes(&Value::Text("a")), Some(&[1u8, 2][..]));
        assert_eq!(
            value.get(&Value::Number(-1)),
            Some(&Value::List(vec![Value::Text("x"), Value::Simple(21)]))
        );
        assert_eq!(rest, [0xff]);
    }

    #[test]
    fn rubbish_is_none() {
        for bad in [
            "",
            "1b",
            "5bffffffffffffffff00",
            "9bffffffffffffffff",
            "bbffffffffffffffff",
            "61ff",
            "a1",
            "5f",
            "818181818181818181818100",
            "3bffffffffffffffff",
        ] {
            assert_eq!(read(&hex::decode(bad).unwrap()), None, "{bad}");
        }
        for length in 0..200 {
            let bytes: Vec<u8> = (0..length).map(|n| (n * 37 + length * 11) as u8).collect();
            let _ = read(&bytes);
        }
    }
}
