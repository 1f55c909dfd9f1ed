//! Days counted from 1970-01-01 on the Gregorian calendar carried backwards. Plain arithmetic, no text.

/// Days from 1970-01-01 to a date. Counts in years that begin in March, so that the leap day comes last.
pub fn day(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a day since 1970-01-01.
pub fn date(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

/// First and last day from one year to another.
pub fn years(from: i64, to: i64) -> (i64, i64) {
    (day(from, 1, 1), day(to + 1, 1, 1) - 1)
}

/// First and last day of a month.
pub fn month(year: i64, month: i64) -> (i64, i64) {
    (day(year, month, 1), day(year, month, month_length(year, month)))
}

pub fn month_length(year: i64, month: i64) -> i64 {
    let leap = year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_each_other() {
        assert_eq!(
            (day(1970, 1, 1), day(1, 1, 1), date(20_000)),
            (0, -719_162, (2024, 10, 4))
        );
        let mut before = day(-5, 12, 31);
        for year in -4..=2100 {
            for at in 1..=12 {
                for of_month in 1..=month_length(year, at) {
                    let now = day(year, at, of_month);
                    assert_eq!(now, before + 1, "{year}-{at}-{of_month}");
                    assert_eq!(date(now), (year, at, of_month));
                    before = now;
                }
            }
        }
    }
}
