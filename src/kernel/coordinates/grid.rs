//! Transverse Mercator: from metres on a grid to degrees and back. Plain arithmetic.
//!
//! The formulas are Krüger's series in the third flattening (L. Krüger, "Konforme Abbildung des Erdellipsoids in der Ebene",
//! 1912) up to the fourth order, as Lantmäteriet publishes them ("Gauss Conformal Projection"); they are exact to less than
//! a millimetre within the zones for which they are used here.

/// A projection: ellipsoid, middle meridian in degrees, scale, and what is added to both numbers.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    flattening: f64,
    meridian: f64,
    scale: f64,
    north: f64,
    east: f64,
}

/// Half the longer axis of WGS 84 and GRS 80.
const AXIS: f64 = 6_378_137.0;
const WGS84: f64 = 1.0 / 298.257_223_563;
const GRS80: f64 = 1.0 / 298.257_222_101;

/// SWEREF 99 TM, the grid of Sweden: EPSG 3006.
pub const SWEREF99_TM: Grid = Grid {
    flattening: GRS80,
    meridian: 15.0,
    scale: 0.9996,
    north: 0.0,
    east: 500_000.0,
};
/// RT 90 2.5 gon V, the older grid of Sweden, straight to SWEREF 99 with the parameters of Lantmäteriet: good to about 0.2 m.
pub const RT90: Grid = Grid {
    flattening: GRS80,
    meridian: 15.0 + 48.0 / 60.0 + 22.624_306 / 3_600.0,
    scale: 1.000_005_610_24,
    north: -667.711,
    east: 1_500_064.274,
};

impl Grid {
    /// The zone of UTM on WGS 84.
    pub fn utm(zone: u8, south: bool) -> Self {
        Self {
            flattening: WGS84,
            meridian: f64::from(zone) * 6.0 - 183.0,
            scale: 0.9996,
            north: if south { 10_000_000.0 } else { 0.0 },
            east: 500_000.0,
        }
    }

    /// The third flattening, and how long a radian along the meridian is.
    fn figure(&self) -> (f64, f64) {
        let n = self.flattening / (2.0 - self.flattening);
        let radius = AXIS / (1.0 + n) * (1.0 + n.powi(2) / 4.0 + n.powi(4) / 64.0);
        (n, radius)
    }

    /// Latitude and longitude in degrees of metres northwards and eastwards.
    pub fn degrees(&self, north: f64, east: f64) -> (f64, f64) {
        let (n, radius) = self.figure();
        let xi = (north - self.north) / (self.scale * radius);
        let eta = (east - self.east) / (self.scale * radius);
        let back = [
            n / 2.0 - 2.0 * n.powi(2) / 3.0 + 37.0 * n.powi(3) / 96.0 - n.powi(4) / 360.0,
            n.powi(2) / 48.0 + n.powi(3) / 15.0 - 437.0 * n.powi(4) / 1_440.0,
            17.0 * n.powi(3) / 480.0 - 37.0 * n.powi(4) / 840.0,
            4_397.0 * n.powi(4) / 161_280.0,
        ];
        let (mut x, mut y) = (xi, eta);
        for (factor, at) in back.iter().zip([2.0, 4.0, 6.0, 8.0]) {
            x -= factor * (at * xi).sin() * (at * eta).cosh();
            y -= factor * (at * xi).cos() * (at * eta).sinh();
        }
        let conformal = (x.sin() / y.cosh()).asin();
        let series = [
            2.0 * n - 2.0 * n.powi(2) / 3.0 - 2.0 * n.powi(3) + 116.0 * n.powi(4) / 45.0,
            7.0 * n.powi(2) / 3.0 - 8.0 * n.powi(3) / 5.0 - 227.0 * n.powi(4) / 45.0,
            56.0 * n.powi(3) / 15.0 - 136.0 * n.powi(4) / 35.0,
            4_279.0 * n.powi(4) / 630.0,
        ];
        let more = series.iter().zip([2.0, 4.0, 6.0, 8.0]);
        let latitude = conformal + more.map(|(factor, at)| factor * (at * conformal).sin()).sum::<f64>();
        let longitude = y.sinh().atan2(x.cos());
        (latitude.to_degrees(), longitude.to_degrees() + self.meridian)
    }

    /// Metres northwards and eastwards of a place.
    pub fn metres(&self, latitude: f64, longitude: f64) -> (f64, f64) {
        let (n, radius) = self.figure();
        let (phi, lambda) = (latitude.to_radians(), (longitude - self.meridian).to_radians());
        let bend = 2.0 * n.sqrt() / (1.0 + n);
        let t = (phi.sin().atanh() - bend * (bend * phi.sin()).atanh()).sinh();
        let xi = t.atan2(lambda.cos());
        // `t` is the tangent of the conformal latitude.
        let eta = (lambda.sin() / t.hypot(1.0)).atanh();
        let forth = [
            n / 2.0 - 2.0 * n.powi(2) / 3.0 + 5.0 * n.powi(3) / 16.0 + 41.0 * n.powi(4) / 180.0,
            13.0 * n.powi(2) / 48.0 - 3.0 * n.powi(3) / 5.0 + 557.0 * n.powi(4) / 1_440.0,
            61.0 * n.powi(3) / 240.0 - 103.0 * n.powi(4) / 140.0,
            49_561.0 * n.powi(4) / 161_280.0,
        ];
        let (mut x, mut y) = (xi, eta);
        for (factor, at) in forth.iter().zip([2.0, 4.0, 6.0, 8.0]) {
            x += factor * (at * xi).sin() * (at * eta).cosh();
            y += factor * (at * xi).cos() * (at * eta).sinh();
        }
        (
            self.north + self.scale * radius * x,
            self.east + self.scale * radius * y,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(got: (f64, f64), want: (f64, f64), within: f64) {
        assert!(
            (got.0 - want.0).abs() < within && (got.1 - want.1).abs() < within,
            "{got:?} {want:?}"
        );
    }

    #[test]
    fn known_places_lie_where_they_do() {
        // As PROJ 9 has them.
        for (latitude, longitude, utm, sweref, rt90) in [
            (
                59.329_444,
                18.068_611,
                (6_580_759.061_6, 674_571.753_1),
                (6_580_759.061_4, 674_571.753_1),
                (6_580_924.655, 1_628_832.654),
            ),
            (
                57.7,
                12.0,
                (6_399_268.502_8, 321_226.792_3),
                (6_399_268.502_7, 321_226.792_3),
                (6_403_612.066, 1_273_178.826),
            ),
            (
                66.0,
                24.0,
                (7_349_217.667_7, 907_351.980_8),
                (7_349_217.667_5, 907_351.980_8),
                (7_346_514.207, 1_871_249.321),
            ),
        ] {
            near(Grid::utm(33, false).metres(latitude, longitude), utm, 0.001);
            near(SWEREF99_TM.metres(latitude, longitude), sweref, 0.001);
            near(RT90.metres(latitude, longitude), rt90, 0.5);
        }
        near(
            Grid::utm(56, true).metres(-33.8568, 151.2153),
            (6_252_288.752_9, 334_900.569_7),
            0.001,
        );
        // On the middle meridian and the equator.
        near(Grid::utm(33, false).degrees(0.0, 500_000.0), (0.0, 15.0), 1e-12);
        near(Grid::utm(33, true).degrees(10_000_000.0, 500_000.0), (0.0, 15.0), 1e-12);
        // Beyond it the equator is as long as the ellipsoid says: a degree of longitude is 111.3 km.
        let (_, east) = Grid::utm(31, false).metres(0.0, 4.0);
        assert!((east - 500_000.0 - 111_319.49 * 0.9996).abs() < 10.0, "{east}");
    }

    #[test]
    fn there_and_back_is_the_same_place() {
        for grid in [Grid::utm(33, false), SWEREF99_TM, RT90] {
            for latitude in [-3.0, 0.0, 1.5, 45.25, 59.329_444, 68.5, 83.9] {
                for longitude in [11.0, 14.99, 15.0, 18.068_611, 21.0] {
                    let (north, east) = grid.metres(latitude, longitude);
                    near(grid.degrees(north, east), (latitude, longitude), 1e-8);
                }
            }
        }
    }
}
