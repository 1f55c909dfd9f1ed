//! Code 128 of ASCII text: bars and spaces by their widths. Digits in pairs go into code set C, everything else into B.

/// Widths of the bars and spaces of each value, a bar first; the last is the sign that ends.
const WIDTHS: [&str; 107] = [
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212", "221213", "221312",
    "231212", "112232", "122132", "122231", "113222", "123122", "123221", "223211", "221132", "221231", "213212",
    "223112", "312131", "311222", "321122", "321221", "312212", "322112", "322211", "212123", "212321", "232121",
    "111323", "131123", "131321", "112313", "132113", "132311", "211313", "231113", "231311", "112133", "112331",
    "132131", "113123", "113321", "133121", "313121", "211331", "231131", "213113", "213311", "213131", "311123",
    "311321", "331121", "312113", "312311", "332111", "314111", "221411", "431111", "111224", "111422", "121124",
    "121421", "141122", "141221", "112214", "112412", "122114", "122411", "142112", "142211", "241211", "221114",
    "413111", "241112", "134111", "111242", "121142", "121241", "114212", "124112", "124211", "411212", "421112",
    "421211", "212141", "214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311",
    "113141", "114131", "311141", "411131", "211412", "211214", "211232", "2331112",
];
const TO_C: usize = 99;
const TO_B: usize = 100;
const START_B: usize = 104;
const START_C: usize = 105;
const STOP: usize = 106;
/// Characters that still make bars that a reader can tell apart on a label.
const MOST: usize = 40;
/// Digits in a row from which pairs are shorter.
const WORTH: usize = 4;

/// Widths of bars and spaces in turn, a bar first, in modules. `None` for a text that the code cannot say.
pub fn bars(text: &str) -> Option<Vec<u8>> {
    let values = values(text)?;
    let digits = values.iter().flat_map(|value| WIDTHS[*value].bytes());
    Some(digits.map(|digit| digit - b'0').collect())
}

/// The values with start, check and stop.
fn values(text: &str) -> Option<Vec<usize>> {
    let bytes = text.as_bytes();
    let printable = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    if bytes.is_empty() || bytes.len() > MOST || !printable {
        return None;
    }
    let digits_at = |at: usize| bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = bytes.len() == 2 && digits_at(0) == 2;
    let mut in_c = whole || digits_at(0) >= WORTH;
    let mut values = vec![if in_c { START_C } else { START_B }];
    let mut at = 0;
    while at < bytes.len() {
        let digits = digits_at(at);
        if in_c {
            if digits >= 2 {
                values.push(usize::from(bytes[at] - b'0') * 10 + usize::from(bytes[at + 1] - b'0'));
                at += 2;
            } else {
                values.push(TO_B);
                in_c = false;
            }
        } else if digits >= WORTH && digits % 2 == 0 {
            values.push(TO_C);
            in_c = true;
        } else {
            values.push(usize::from(bytes[at] - b' '));
            at += 1;
        }
    }
    let weighted = values.iter().enumerate().map(|(at, value)| at.max(1) * value);
    values.push(weighted.sum::<usize>() % 103);
    values.push(STOP);
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_bars_of_its_own() {
        let mut all = WIDTHS.to_vec();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), WIDTHS.len());
        for (value, widths) in WIDTHS.iter().enumerate() {
            let sum: u8 = widths.bytes().map(|digit| digit - b'0').sum();
            assert_eq!(sum, if value == STOP { 13 } else { 11 }, "{value}");
        }
    }

    #[test]
    fn texts_become_values_with_their_check() {
        // The example of the standard's readers: "Wikipedia" ends in 88.
        assert_eq!(
            values("Wikipedia").unwrap(),
            [104, 55, 73, 75, 73, 80, 69, 68, 73, 65, 88, 106]
        );
        assert_eq!(values("123456").unwrap()[..4], [105, 12, 34, 56]);
        assert_eq!(values("A1234").unwrap()[..5], [104, 33, 99, 12, 34]);
        assert_eq!(values("12345").unwrap()[..5], [105, 12, 34, 100, 21]);
        assert_eq!(values("A12345").unwrap()[..6], [104, 33, 17, 99, 23, 45]);
        for odd in ["", "é", "a\n", &"1".repeat(41)] {
            assert_eq!(bars(odd), None, "{odd}");
        }
    }
}
