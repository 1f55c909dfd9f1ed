//! Tables of places as they are written, what is refused and why, and texts put together at random.

use super::*;
use crate::kernel::testing::Dice;

#[track_caller]
fn check(text: &str, latitude: f64, longitude: f64) {
    let place = both(text).unwrap_or_else(|fault| panic!("{text} {fault}"));
    let near = (place.latitude - latitude).abs() < 2e-5 && (place.longitude - longitude).abs() < 2e-5;
    assert!(near, "{text}: {place:?}");
}

#[test]
fn places_are_read_in_all_their_forms() {
    for text in [
        "59.329444, 18.068611",
        "59.329444 18.068611",
        "59,329444 18,068611",
        "59.329444;18.068611",
        "N59.329444 E18.068611",
        "59.329444N 18.068611E",
        "E18.068611, N59.329444",
        "59° 19' 46\" N, 18° 4' 7\" E",
        "59°19′46″N 18°4′7″E",
        "59º19´46´´N 18º4´7´´Ö",
        "59 19 46 N 18 4 7 E",
        "59:19:46N 18:04:07E",
        "59°19.76664'N 18°4.11666'E",
        "UTM 33V 674571.75 6580759.06",
        "33 north 674571.75 6580759.06",
        "33N 674571.75E 6580759.06N",
        "zone 33V 6580759.06 674571.75",
        "SWEREF99 TM 6580759.06 674571.75",
        "sweref 99 tm N 6580759.06 E 674571.75",
    ] {
        check(text, 59.329_444, 18.068_611);
    }
    let place = both("RT90 6580924.66 1628832.65").unwrap();
    assert!(
        (place.latitude - 59.329_444).abs() < 1e-5 && (place.longitude - 18.068_611).abs() < 1e-5,
        "{place:?}"
    );
    check("-33.8568, 151.2153", -33.8568, 151.2153);
    check("33.8568S 151.2153E", -33.8568, 151.2153);
    check("56H 334900.57 6252288.75", -33.8568, 151.2153);
    check("56 south 334900.57 6252288.75", -33.8568, 151.2153);
    // As GEOTRANS has them; digits name a square, and what is meant is its middle.
    for (text, latitude, longitude) in [
        ("34VCL3323180407", 59.329_446, 18.068_613),
        ("34V CL 33231 80407", 59.329_446, 18.068_613),
        ("56HLH3490052288", -33.856_802, 151.215_299),
        ("36NWF1112755265", 0.500_003, 33.100_004),
        ("18TWL8073504695", 40.689_203, -74.044_504),
        ("17MQV7826544681", -0.500_004, -78.500_002),
        ("MGRS 35WMT5441677473", 70.099_997, 25.799_998),
    ] {
        check(text, latitude, longitude);
        assert_eq!(both(text).unwrap().around, Some(1.0), "{text}");
    }
    assert_eq!(both("34VCL3380").unwrap().around, Some(708.0));
    assert_eq!(both("59.33 18.07 ± 100 m").unwrap().around, Some(100.0));
    assert_eq!(both("59.33, 18.07 (+/- 1,5 km)").unwrap().around, Some(1_500.0));
    assert_eq!((latitude("59°30'S"), longitude("18.5 W")), (Ok(-59.5), Ok(-18.5)));
    assert_eq!((latitude("59,5"), longitude("-180")), (Ok(59.5), Ok(-180.0)));
}

#[test]
fn what_is_no_place_is_refused_with_its_cause() {
    for (text, fault) in [
        ("", Fault::None),
        ("Stockholm", Fault::None),
        ("59.33", Fault::None),
        ("59.33 18.07 3", Fault::None),
        ("59.33N 60.1N", Fault::None),
        ("-59.33N 18E", Fault::None),
        ("59'10° 18", Fault::None),
        ("NaN inf", Fault::None),
        ("1e3 2", Fault::None),
        ("110, 18", Fault::Latitude),
        ("59, 181", Fault::Longitude),
        ("59°60'N 18°E", Fault::Sixty),
        ("59°10'75\"N 18°E", Fault::Sixty),
        ("33S 674572 6580759", Fault::Zone),
        ("61V 674572 6580759", Fault::Grid),
        ("33V 674572 1580759", Fault::Grid),
        ("33V 6745726 6580759", Fault::Grid),
        ("33VIF7457280759", Fault::Grid),
        ("33VXF745728075", Fault::None),
        ("33V", Fault::None),
        ("SWEREF99 TM 59.33 18.07", Fault::Grid),
        ("RT90 1628832", Fault::None),
    ] {
        assert_eq!(both(text).map(|_| ()), Err(fault), "{text}");
    }
    assert_eq!(latitude("110"), Err(Fault::Latitude));
    assert_eq!(latitude("18E"), Err(Fault::Latitude));
    assert_eq!(longitude("59N"), Err(Fault::Longitude));
    assert_eq!(both(&"1 ".repeat(1_000)), Err(Fault::None));
    assert!(is_wgs84("WGS 84") && is_wgs84("EPSG:4326") && is_wgs84("") && !is_wgs84("NAD27") && !is_wgs84("ED50"));
}

#[test]
fn nothing_that_is_written_breaks_the_reader() {
    const PIECES: [&str; 36] = [
        "59",
        "18",
        ".",
        ",",
        "33",
        "V",
        "XF",
        "7457280759",
        "N",
        "S",
        "E",
        "W",
        "Ö",
        "é",
        "°",
        "'",
        "\"",
        " ",
        "-",
        "+",
        "±",
        "m",
        "km",
        "UTM",
        "SWEREF99 TM",
        "RT90",
        "6580759",
        "674572",
        "1628832",
        "🗺",
        ";",
        "/",
        ":",
        "(",
        "99999999999999999999",
        "north",
    ];
    let mut dice = Dice::new(7);
    let mut found = 0;
    for _ in 0..40_000 {
        let text: String = (0..=dice.below(7)).map(|_| dice.pick(&PIECES)).collect();
        let _ = (latitude(&text), longitude(&text));
        if let Ok(place) = both(&text) {
            found += 1;
            assert!(
                place.latitude.abs() <= 90.0 && place.longitude.abs() <= 180.0,
                "{text}: {place:?}"
            );
        }
    }
    assert!(found > 10, "{found}");
}
