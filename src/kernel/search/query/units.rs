//! Measures with their unit: `2kg`, `12.5 cm`. A field has a unit, or says it in its name or label (`body_mass_g`, `Height,
//! inches`, `Weight (kg)`); numbers in another unit of the same sort are turned into it.

use super::super::text::fold;

/// A unit of length, weight, area, volume or time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    sort: Sort,
    /// How many metres, grams, square metres, litres or seconds it is.
    size: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Length,
    Weight,
    Area,
    Volume,
    Time,
}

const UNITS: [(&[&str], Sort, f64); 28] = [
    (
        &["mm", "millimeter", "millimeters", "millimetre", "millimetres"],
        Sort::Length,
        0.001,
    ),
    (
        &["cm", "centimeter", "centimeters", "centimetre", "centimetres"],
        Sort::Length,
        0.01,
    ),
    (&["m", "meter", "meters", "metre", "metres"], Sort::Length, 1.0),
    (
        &["km", "kilometer", "kilometers", "kilometre", "kilometres"],
        Sort::Length,
        1_000.0,
    ),
    (&["in", "inch", "inches"], Sort::Length, 0.0254),
    (&["ft", "foot", "feet"], Sort::Length, 0.3048),
    (&["mi", "mile", "miles"], Sort::Length, 1_609.344),
    (&["mg", "milligram", "milligrams"], Sort::Weight, 0.001),
    (&["g", "gram", "grams", "gr"], Sort::Weight, 1.0),
    (&["kg", "kilo", "kilogram", "kilograms"], Sort::Weight, 1_000.0),
    (&["lb", "lbs", "pound", "pounds"], Sort::Weight, 453.592_37),
    (&["oz", "ounce", "ounces"], Sort::Weight, 28.349_523_125),
    (&["t", "ton", "tonne", "tonnes"], Sort::Weight, 1_000_000.0),
    (&["um", "µm", "μm", "micron", "microns"], Sort::Length, 0.000_001),
    (&["dm", "decimetre", "decimetres"], Sort::Length, 0.1),
    (&["yd", "yard", "yards"], Sort::Length, 0.9144),
    (&["mm2", "mm²"], Sort::Area, 0.000_001),
    (&["cm2", "cm²"], Sort::Area, 0.0001),
    (&["m2", "m²"], Sort::Area, 1.0),
    (&["ha", "hectare", "hectares"], Sort::Area, 10_000.0),
    (&["km2", "km²"], Sort::Area, 1_000_000.0),
    (&["ml", "millilitre", "millilitres", "milliliter"], Sort::Volume, 0.001),
    (&["cl", "centilitre", "centilitres"], Sort::Volume, 0.01),
    (&["dl", "decilitre", "decilitres"], Sort::Volume, 0.1),
    (&["l", "litre", "litres", "liter", "liters"], Sort::Volume, 1.0),
    // Not "s": 1890s are ten years.
    (&["sec", "second", "seconds"], Sort::Time, 1.0),
    (&["min", "minute", "minutes"], Sort::Time, 60.0),
    (&["h", "hour", "hours"], Sort::Time, 3_600.0),
];

impl Unit {
    /// The unit that is called so.
    pub fn find(name: &str) -> Option<Self> {
        let name = fold(name);
        let found = UNITS.iter().find(|(names, ..)| names.contains(&name.as_str()));
        found.map(|(_, sort, size)| Self {
            sort: *sort,
            size: *size,
        })
    }

    /// The unit that stands at the end of a field's name or label, apart from it: `body_mass_g`, `Height, inches`.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.trim_end_matches([')', ']', '.']);
        let at = name.rfind(['_', ' ', '(', '[', '-', ','])?;
        // A lone letter is a unit only where it is set apart clearly: "Group m" is none.
        let last = &name[at + 1..];
        let apart = name[..at].ends_with(',') || !name[at..].starts_with([' ', '-']) || last.len() > 1;
        // What is rather something else, unless it stands in brackets.
        let unclear = ["in", "l", "h", "t", "min"].contains(&last);
        Self::find(last).filter(|_| apart && !unclear || name[at..].starts_with('('))
    }

    /// A number with a unit behind it as one in another unit: `2 kg` in grams. `None` where it has no unit, or none of that
    /// sort.
    pub fn turn(text: &str, other: Self) -> Option<f64> {
        let text = text.trim().replace(',', ".");
        let (number, unit) = measure(&text)?;
        unit?.to(number, other)
    }

    /// A number in this unit, as one in another; `None` where they measure different things.
    pub fn to(self, number: f64, other: Self) -> Option<f64> {
        (self.sort == other.sort).then(|| {
            let turned = number * self.size / other.size;
            // What a division of decimals leaves behind is taken away.
            let rounded = (turned * 1e9).round() / 1e9;
            if rounded.is_finite() { rounded } else { turned }
        })
    }

    /// A number in this unit in kilometres, for distances.
    pub fn km(self, number: f64) -> Option<f64> {
        (self.sort == Sort::Length).then_some(number * self.size / 1_000.0)
    }
}

/// A number and the unit behind it, if there is one that is known.
pub(super) fn measure(text: &str) -> Option<(f64, Option<Unit>)> {
    let digits = text
        .char_indices()
        .find(|(_, c)| !matches!(c, '0'..='9' | '.' | '-' | '+'))
        .map_or(text.len(), |(at, _)| at);
    let (number, unit) = text.split_at(digits);
    if unit.is_empty() {
        return None;
    }
    let number = number.parse::<f64>().ok().filter(|n| n.is_finite())?;
    Some((number, Some(Unit::find(unit.trim_start())?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_say_their_unit() {
        for (name, unit) in [
            ("body_mass_g", "g"),
            ("Height, inches", "inch"),
            ("Weight (kg)", "kg"),
            ("bill_length_mm", "mm"),
            ("Width in cm", "cm"),
        ] {
            assert_eq!(Unit::of_name(name), Unit::find(unit), "{name}");
        }
        for name in [
            "height",
            "Group m",
            "born in",
            "made_in",
            "",
            "_",
            "Number of the maker",
        ] {
            assert_eq!(Unit::of_name(name), None, "{name}");
        }
    }

    #[test]
    fn measures_are_turned() {
        let (number, unit) = measure("2kg").unwrap();
        assert_eq!(unit.unwrap().to(number, Unit::find("g").unwrap()), Some(2_000.0));
        assert_eq!(unit.unwrap().to(number, Unit::find("cm").unwrap()), None);
        let inch = Unit::find("inches").unwrap();
        assert_eq!(Unit::find("cm").unwrap().to(25.4, inch), Some(10.0));
        let cm = Unit::find("cm").unwrap();
        for (text, number) in [
            ("3 in", Some(7.62)),
            ("1,5 m", Some(150.0)),
            ("2mm", Some(0.2)),
            ("2 kg", None),
            ("2", None),
        ] {
            assert_eq!(Unit::turn(text, cm), number, "{text}");
        }
        assert_eq!(Unit::turn("2 ha", Unit::find("m2").unwrap()), Some(20_000.0));
        for text in ["kg", "2", "", "1890s", "2xy", "e5", "1.2.3kg", "1é"] {
            assert_eq!(measure(text), None, "{text}");
        }
    }
}
