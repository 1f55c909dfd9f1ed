//! What was found on a map: groups of records that lead nearer, single records that lead to themselves, and links to move by.
//! Everything works without scripts; what is on the map stands below it as a list, too.

use std::collections::HashMap;

use askama::Template;

use super::address::{Address, View};
use crate::kernel::geo::{Area, Frame};
use crate::kernel::i18n::Language;
use crate::kernel::search::{Cluster, Places, PlacesRequest};
use crate::kernel::ui::map::{Ground, HEIGHT, WIDTH, latitude, longitude, place};
use crate::kernel::ui::{filters, shorten};

/// Columns of the grid by which places are put together.
const COLUMNS: u32 = 12;
/// Room around a group that is looked at more nearly, by its size.
const ROOM: f64 = 0.5;
/// How much of a map one step moves.
const STEP: f64 = 0.4;
const TITLE: usize = 90;
/// How near to the edge of a map the middle of a group is drawn.
const EDGE: i64 = 60;
/// A box that takes less of its map than this is drawn on it.
const DRAWN: f64 = 0.97;

/// What is asked of the engine for the map of an address.
pub fn request(address: &Address) -> PlacesRequest {
    PlacesRequest {
        frame: address.area.map(|area| Frame::around(&area, 0.0)),
        columns: COLUMNS,
    }
}

/// A box as people read it.
pub fn told(area: &Area, language: Language) -> String {
    let size = (area.north - area.south).min(area.width()).max(0.000_1);
    let fine = 10f64.powf(size.log10().floor() - 1.0).clamp(0.000_1, 1.0);
    // Whole degrees are told as such, however small the box.
    let ends = [area.south, area.west, area.north, area.east];
    let steps = [1.0, 0.1, 0.01, 0.001, 0.000_1];
    let is_whole = |step: &f64| ends.iter().all(|end| (end / step - (end / step).round()).abs() < 1e-6);
    let step = steps.into_iter().find(is_whole).unwrap_or(fine).max(fine);
    let north = |degrees| latitude(degrees, step, language);
    let east = |degrees| longitude(degrees, step, language);
    if area.is_point() {
        return format!("{}, {}", north(area.south), east(area.west));
    }
    format!(
        "{} – {}, {} – {}",
        north(area.south),
        north(area.north),
        east(area.west),
        east(area.east)
    )
}

/// One circle on the map.
pub struct Spot {
    pub x: i64,
    pub y: i64,
    /// The number as it fits into the circle.
    pub short: String,
    pub label: String,
    pub href: String,
    /// One of six sizes; nought is a single record.
    pub size: u32,
}

/// A link to move by: what it says, where it leads, if it leads anywhere.
pub struct Move {
    pub name: &'static str,
    pub label: &'static str,
    pub sign: &'static str,
    pub href: Option<String>,
}

#[derive(Template)]
#[template(path = "modules/search/templates/map.html")]
pub struct MapView {
    pub ground: Ground,
    pub spots: Vec<Spot>,
    /// The box that is looked for, where it is smaller than the map: left, top, width and height.
    pub chosen: Option<[i64; 4]>,
    pub records: u64,
    /// Records without a place, and where they are listed.
    pub without: u64,
    pub without_href: String,
    pub zooms: Vec<Move>,
    pub moves: Vec<Move>,
    /// South, west, height and width in degrees, for the script that draws boxes.
    pub frame: [String; 4],
    /// The address that a box is added to.
    pub base: String,
    pub area: String,
    pub hidden: Vec<(&'static str, String)>,
}
impl askama::filters::HtmlSafe for MapView {}

impl MapView {
    /// The drawing's size, as its view box says it.
    fn size(&self) -> (i64, i64) {
        (WIDTH as i64, HEIGHT as i64)
    }

    pub fn of(
        address: &Address,
        places: &Places,
        total: u64,
        titles: &HashMap<String, String>,
        language: Language,
    ) -> Self {
        let frame = places.frame;
        let mut rest = Address {
            page: 1,
            ..address.clone()
        };
        rest.area = None;
        let degrees = [frame.south(), frame.west(), frame.height, frame.width];
        Self {
            ground: Ground::of(&frame, language),
            spots: places
                .clusters
                .iter()
                .map(|cluster| spot(address, &frame, cluster, titles, language))
                .collect(),
            chosen: address.area.and_then(|area| outline(&frame, &area)),
            records: places.records,
            without: total.saturating_sub(places.records),
            without_href: address.with(|a| {
                a.q = format!("{} -within:{}", a.q, Area::WORLD).trim().to_owned();
                a.view = Some(View::Cards);
            }),
            zooms: zooms(address, &frame),
            moves: moves(address, &frame),
            frame: degrees.map(|degrees| format!("{degrees:.6}")),
            base: rest.href("/search"),
            area: address.area.map(|area| area.to_string()).unwrap_or_default(),
            hidden: rest.pairs(),
        }
    }
}

fn to(address: &Address, frame: &Frame) -> String {
    address.with(|a| a.area = Some(frame.area()))
}

fn zooms(address: &Address, frame: &Frame) -> Vec<Move> {
    let link = |name, label, sign, href| Move {
        name,
        label,
        sign,
        href,
    };
    let nearer = (!frame.is_least()).then(|| to(address, &frame.zoomed(0.5)));
    let farther = (!frame.is_world()).then(|| to(address, &frame.zoomed(2.0)));
    let whole = address.area.map(|_| address.with(|a| a.area = None));
    vec![
        link("in", "search.map-in", "+", nearer),
        link("out", "search.map-out", "−", farther),
        link("whole", "search.map-whole", "⤢", whole),
    ]
}

fn moves(address: &Address, frame: &Frame) -> Vec<Move> {
    let ways = [
        ("west", "search.map-west", "←", (-STEP, 0.0)),
        ("north", "search.map-north", "↑", (0.0, STEP)),
        ("south", "search.map-south", "↓", (0.0, -STEP)),
        ("east", "search.map-east", "→", (STEP, 0.0)),
    ];
    let ways = ways.map(|(name, label, sign, (east, north))| {
        let moved = frame.moved(east, north);
        let same = (moved.latitude - frame.latitude).abs() < 1e-9 && (moved.longitude - frame.longitude).abs() < 1e-9;
        Move {
            name,
            label,
            sign,
            href: (!same && !frame.is_world()).then(|| to(address, &moved)),
        }
    });
    ways.into()
}

fn spot(
    address: &Address,
    frame: &Frame,
    cluster: &Cluster,
    titles: &HashMap<String, String>,
    language: Language,
) -> Spot {
    let (mut x, mut y) = place(frame, cluster.latitude, cluster.longitude);
    if cluster.id.is_none() {
        // A group at the edge is moved so far that it can be read.
        x = x.clamp(EDGE, WIDTH as i64 - EDGE);
        y = y.clamp(EDGE, HEIGHT as i64 - EDGE);
    }
    let step = (frame.height / 100.0).clamp(0.000_1, 1.0);
    let at = format!(
        "{}, {}",
        latitude(cluster.latitude, step, language),
        longitude(cluster.longitude, step, language)
    );
    let (label, href) = match &cluster.id {
        Some(id) => {
            let title = titles.get(id).map(|title| shorten(title, TITLE));
            let title = title.filter(|title| !title.trim().is_empty());
            (title.unwrap_or_else(|| id.clone()), format!("/records/{id}"))
        }
        None => {
            let label = language.count("search.total", cluster.records, &[]);
            (label, nearer(address, frame, cluster))
        }
    };
    Spot {
        x,
        y,
        short: short(cluster.records, language),
        label: format!("{label} · {at}"),
        href,
        size: match cluster.records {
            0..=1 => 0,
            many => (many.ilog10() + 1).min(5),
        },
    }
}

/// Where a group leads: nearer, or to the list of its records where no map would take them apart.
fn nearer(address: &Address, frame: &Frame, cluster: &Cluster) -> String {
    if cluster.area.is_point() || frame.is_least() {
        return address.with(|a| {
            a.area = Some(cluster.area);
            a.view = Some(View::Cards);
        });
    }
    let around = Frame::around(&cluster.area, ROOM);
    let near = Frame::at(cluster.latitude, cluster.longitude, frame.height / 2.0);
    to(
        address,
        if around.height < frame.height * 0.8 {
            &around
        } else {
            &near
        },
    )
}

/// A number in at most four signs.
fn short(number: u64, language: Language) -> String {
    let told = |key: &str, unit: u64| {
        let (value, places) = (number as f64 / unit as f64, usize::from(number < unit * 10));
        language.with(key, &[("n", &language.decimal(value, places))])
    };
    match number {
        0..=999 => number.to_string(),
        1_000..=999_499 => told("search.map-thousands", 1_000),
        _ => told("search.map-millions", 1_000_000),
    }
}

/// Where a box lies on its map, if it leaves some of it free.
fn outline(frame: &Frame, area: &Area) -> Option<[i64; 4]> {
    let (part_high, part_wide) = ((area.north - area.south) / frame.height, area.width() / frame.width);
    if part_high > DRAWN && part_wide > DRAWN {
        return None;
    }
    let (left, top) = place(frame, area.north, area.west);
    let (width, height) = ((part_wide * WIDTH).round() as i64, (part_high * HEIGHT).round() as i64);
    Some([left, top, width.max(4), height.max(4)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(text: &str, records: u64) -> Cluster {
        let area: Area = text.parse().unwrap();
        Cluster {
            latitude: area.south,
            longitude: area.west,
            records,
            area,
            id: (records == 1).then(|| "one".to_owned()),
        }
    }

    #[test]
    fn groups_lead_nearer_and_what_is_one_place_to_its_list() {
        let address = Address {
            page: 1,
            view: Some(View::Map),
            ..Address::default()
        };
        let places = Places {
            frame: Frame::world(),
            clusters: vec![
                cluster("59,17,60,19", 1_234),
                cluster("10,10,10,10", 7),
                cluster("-33.9,151.2,-33.9,151.2", 1),
            ],
            records: 1_242,
        };
        let titles = [("one".to_owned(), "A <pot>".to_owned())].into();
        let map = MapView::of(&address, &places, 1_300, &titles, Language::default());
        assert_eq!(map.without, 58);
        let spots = &map.spots;
        assert!(spots[0].href.starts_with("/search?box=5"), "{}", spots[0].href);
        assert_eq!((spots[0].short.as_str(), spots[0].size), ("1.2k", 4));
        assert_eq!(spots[1].href, "/search?box=10%2C10%2C10%2C10&view=cards");
        assert_eq!((spots[2].href.as_str(), spots[2].size), ("/records/one", 0));
        assert_eq!(spots[2].label, "A <pot> · 34° S, 151° E");
        assert!(map.moves.iter().all(|one| one.href.is_none()) && map.zooms[1].href.is_none());
        let html = map
            .render_with_values(&crate::kernel::ui::filters::Spoken(Language::default()))
            .unwrap();
        assert!(!html.contains("<pot>") && !html.contains("style=") && !html.contains("NaN"));
    }

    #[test]
    fn boxes_are_told() {
        let told = |text: &str| told(&text.parse().unwrap(), Language::default());
        assert_eq!(told("55.1,10.9,69.1,24.2"), "55° N – 69° N, 11° E – 24° E");
        assert_eq!(told("0,-40,5,-30"), "0° – 5° N, 40° W – 30° W");
        assert_eq!(
            told("59.12345,17,59.3,17.5"),
            "59.12° N – 59.30° N, 17.00° E – 17.50° E"
        );
        assert_eq!(told("-20,170,-10,-170"), "20° S – 10° S, 170° E – 170° W");
        assert_eq!(told("59.33,18.07,59.33,18.07"), "59.33° N, 18.07° E");
        assert_eq!(short(999_600, Language::default()), "1.0M");
    }
}
