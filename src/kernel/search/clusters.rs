//! Places near each other put together, so that none lie on each other on a map.
//!
//! Pure arithmetic: which places there are is the business of `places`.

use super::places::{PlacesRequest, Point};
use crate::kernel::geo::{Area, Frame, RATIO};

/// How much of a map without a box is left free around what is on it.
const ROOM: f64 = 0.12;
/// Degrees from which on a map shows the whole earth.
const ALL_AROUND: f64 = 300.0;
/// Groups whose middles are nearer than this part of a cell become one.
const NEAR: f64 = 0.7;

/// A group of places near each other.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub latitude: f64,
    pub longitude: f64,
    /// Records, each once.
    pub records: u64,
    pub area: Area,
    /// A record of the group; all there is of it where it has one.
    pub first: Point,
}

/// What is on a map.
pub(super) struct Drawn {
    pub frame: Frame,
    /// The largest first.
    pub groups: Vec<Group>,
    /// Records with a place, each once.
    pub records: u64,
}

/// What lies in one cell.
#[derive(Clone, Default)]
struct Heap {
    places: Option<Building>,
    /// Which group it became part of.
    group: usize,
}

/// Puts places together that lie in the same cell, and cells whose middles are near.
pub(super) fn draw(mut points: Vec<Point>, request: &PlacesRequest) -> Drawn {
    // A record with several places counts once wherever it is: its places stand side by side.
    if !points.is_sorted_by_key(|p| (p.segment, p.doc)) {
        points.sort_by_key(|p| (p.segment, p.doc));
    }
    let records = points.chunk_by(is_same).count();
    let frame = request.frame.unwrap_or_else(|| {
        let places = points.iter().map(|p| (p.latitude, p.longitude));
        let around = Area::around(places).map(|area| Frame::around(&area, ROOM));
        // What lies nearly all around the earth is shown as everybody knows it.
        around
            .filter(|frame| frame.width < ALL_AROUND)
            .unwrap_or_else(Frame::world)
    });
    let grid = Grid::new(&frame, request.columns);
    let mut heaps = vec![Heap::default(); grid.cells()];
    for point in &points {
        grid.add(point, &mut heaps);
    }
    let mut groups: Vec<Option<Building>> = vec![None; join(&mut heaps, &grid)];
    for heap in &heaps {
        match (&heap.places, &mut groups[heap.group..]) {
            (Some(places), [Some(group), ..]) => group.join(places),
            (Some(places), [empty, ..]) => *empty = Some(places.clone()),
            _ => {}
        }
    }
    if records < points.len() {
        count(&points, (&grid, &heaps), &mut groups);
    }
    let mut groups: Vec<Group> = groups.into_iter().flatten().map(|b| b.finish(&frame)).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.records));
    Drawn {
        frame,
        groups,
        records: records as u64,
    }
}

fn is_same(a: &Point, b: &Point) -> bool {
    (a.segment, a.doc) == (b.segment, b.doc)
}

/// Counts records where some have several places: each once in a group.
fn count(points: &[Point], (grid, heaps): (&Grid, &[Heap]), groups: &mut [Option<Building>]) {
    groups.iter_mut().flatten().for_each(|group| group.records = 0);
    let mut seen: Vec<usize> = Vec::new();
    for of_record in points.chunk_by(is_same) {
        seen.clear();
        for point in of_record {
            let group = heaps[grid.cell_of(point).0].group;
            if !seen.contains(&group) {
                seen.push(group);
                if let Some(group) = &mut groups[group] {
                    group.records += 1;
                }
            }
        }
    }
}

/// Cells over a frame and what lies around it, fixed to the earth so that moving a map by a little leaves groups as they are.
struct Grid {
    frame: Frame,
    cell: (f64, f64),
    first: (f64, f64),
    columns: usize,
    rows: usize,
}

impl Grid {
    fn new(frame: &Frame, columns: u32) -> Self {
        let wide = frame.width / f64::from(columns.max(1));
        let high = frame.height * RATIO / f64::from(columns.max(1));
        let first = ((frame.west() / wide).floor(), (frame.south() / high).floor());
        // One more than fits, for what the frame cuts.
        let columns = columns.max(1) as usize + 1;
        Self {
            frame: *frame,
            cell: (wide, high),
            first,
            columns,
            rows: (frame.height / high).ceil() as usize + 1,
        }
    }

    fn cells(&self) -> usize {
        self.columns * self.rows
    }

    /// The cell of a place, and how far it lies from the frame's west.
    fn cell_of(&self, point: &Point) -> (usize, f64) {
        let far = self.frame.place(point.latitude, point.longitude).0 * self.frame.width;
        let index = |value: f64, size: f64, first: f64, most: usize| {
            // A cast from a float stops at the type's ends.
            (((value / size).floor() - first).max(0.0) as usize).min(most - 1)
        };
        let column = index(far + self.frame.west(), self.cell.0, self.first.0, self.columns);
        let row = index(point.latitude, self.cell.1, self.first.1, self.rows);
        (row * self.columns + column, far)
    }

    /// Adds a place to its cell.
    fn add(&self, point: &Point, heaps: &mut [Heap]) {
        let (at, far) = self.cell_of(point);
        match &mut heaps[at].places {
            Some(places) => places.join(&Building::new(point, far)),
            empty => *empty = Some(Building::new(point, far)),
        }
    }

    /// The middle of places, in cells.
    fn middle(&self, places: &Building) -> (f64, f64) {
        let count = places.points as f64;
        let north = places.sum.1 / count - self.frame.south();
        (places.sum.0 / count / self.cell.0, north / self.cell.1)
    }
}

/// Joins cells whose middles are near, the fullest first; answers how many groups there are.
fn join(heaps: &mut [Heap], grid: &Grid) -> usize {
    let size = |heap: &Heap| heap.places.as_ref().map_or(0, |places| places.points);
    let mut order: Vec<usize> = (0..heaps.len()).filter(|at| size(&heaps[*at]) > 0).collect();
    order.sort_by_key(|at| std::cmp::Reverse(size(&heaps[*at])));
    // Middles in cells, with their weights.
    let mut groups: Vec<(f64, f64, f64)> = Vec::new();
    for at in order {
        let Some(places) = &heaps[at].places else { continue };
        let (weight, (east, north)) = (places.points as f64, grid.middle(places));
        let near = |group: &&mut (f64, f64, f64)| (group.0 - east).hypot(group.1 - north) < NEAR;
        let found = groups.iter_mut().enumerate().find(|(_, group)| near(group));
        let group = match found {
            Some((number, group)) => {
                let sum = group.2 + weight;
                *group = (
                    (group.0 * group.2 + east * weight) / sum,
                    (group.1 * group.2 + north * weight) / sum,
                    sum,
                );
                number
            }
            None => {
                groups.push((east, north, weight));
                groups.len() - 1
            }
        };
        heaps[at].group = group;
    }
    groups.len()
}

/// A group while its places are added; sums in degrees from the frame's west.
#[derive(Clone)]
struct Building {
    points: u64,
    records: u64,
    sum: (f64, f64),
    south: f64,
    north: f64,
    /// How far from the frame's west, and the longitude itself: it is told as it was given.
    west: (f64, f64),
    east: (f64, f64),
    first: Point,
}

impl Building {
    fn new(point: &Point, far: f64) -> Self {
        Self {
            points: 1,
            records: 1,
            sum: (far, point.latitude),
            south: point.latitude,
            north: point.latitude,
            west: (far, point.longitude),
            east: (far, point.longitude),
            first: *point,
        }
    }

    fn join(&mut self, other: &Self) {
        self.points += other.points;
        self.records += other.records;
        self.sum = (self.sum.0 + other.sum.0, self.sum.1 + other.sum.1);
        self.south = self.south.min(other.south);
        self.north = self.north.max(other.north);
        if other.west.0 < self.west.0 {
            self.west = other.west;
        }
        if other.east.0 > self.east.0 {
            self.east = other.east;
        }
    }

    fn finish(self, frame: &Frame) -> Group {
        let count = self.points as f64;
        let turned = (self.sum.0 / count + frame.west() + 180.0).rem_euclid(360.0) - 180.0;
        // One place is told as it was given, without what the arithmetic left.
        let one = self.south == self.north && self.west == self.east;
        let middle = if one {
            (self.first.latitude, self.first.longitude)
        } else {
            (self.sum.1 / count, turned)
        };
        Group {
            latitude: middle.0,
            longitude: middle.1,
            records: self.records,
            area: Area::new(self.south, self.west.1, self.north, self.east.1).unwrap_or(Area::WORLD),
            first: self.first,
        }
    }
}

#[cfg(test)]
mod tests {
    use tantivy::DocId;

    use super::*;

    fn points(places: &[(f64, f64)]) -> Vec<Point> {
        let point = |(doc, at): (usize, &(f64, f64))| Point {
            latitude: at.0,
            longitude: at.1,
            segment: 0,
            doc: doc as DocId,
        };
        places.iter().enumerate().map(point).collect()
    }

    fn request(frame: Option<Frame>) -> PlacesRequest {
        PlacesRequest { frame, columns: 12 }
    }

    fn told(drawn: &Drawn) -> Vec<(u64, f64, f64)> {
        let round = |n: f64| (n * 10.0).round() / 10.0;
        let group = |g: &Group| (g.records, round(g.latitude), round(g.longitude));
        drawn.groups.iter().map(group).collect()
    }

    #[test]
    fn what_lies_near_becomes_one_and_what_is_far_stays_apart() {
        let cities = [(59.3, 18.1), (59.4, 18.0), (59.9, 17.6), (-33.9, 151.2), (40.4, -80.0)];
        let drawn = draw(points(&cities), &request(Some(Frame::world())));
        assert_eq!(told(&drawn), [(3, 59.5, 17.9), (1, -33.9, 151.2), (1, 40.4, -80.0)]);
        assert_eq!(drawn.records, 5);
        assert!(drawn.groups[1].area.is_point() && drawn.groups[0].area.contains(59.3, 18.1));
        // What nothing frames is framed by itself, and there all are apart.
        let near = draw(points(&cities[..3]), &request(None));
        assert_eq!(near.groups.len(), 3);
        assert!(near.frame.height < 2.0, "{:?}", near.frame);
    }

    #[test]
    fn a_group_across_the_line_of_the_date_lies_on_it() {
        let drawn = draw(
            points(&[(0.0, 179.5), (0.0, -179.5)]),
            &request(Some(Frame::at(0.0, 180.0, 60.0))),
        );
        assert_eq!(drawn.groups.len(), 1);
        let group = &drawn.groups[0];
        assert!((group.longitude.abs() - 180.0).abs() < 1e-6, "{group:?}");
        assert_eq!(group.area.to_string(), "0,179.5,0,-179.5");
        let alone = draw(points(&[(0.0, 179.5), (0.0, -179.5)]), &request(None));
        assert!(alone.frame.width < 3.0);
    }

    #[test]
    fn a_record_with_many_places_counts_once_in_each_group() {
        let mut many = points(&[(10.0, 10.0), (10.1, 10.1), (-40.0, -60.0)]);
        for point in &mut many {
            point.doc = 7;
        }
        let drawn = draw(many, &request(Some(Frame::world())));
        assert_eq!(drawn.records, 1);
        assert_eq!(drawn.groups.iter().map(|g| g.records).collect::<Vec<_>>(), [1, 1]);
        let nothing = draw(Vec::new(), &request(None));
        assert!(nothing.groups.is_empty() && nothing.frame.is_world());
    }

    #[test]
    fn the_ends_of_the_earth_are_on_the_map() {
        let ends = [(90.0, 0.0), (-90.0, 0.0), (0.0, 180.0), (0.0, -180.0), (90.0, 180.0)];
        let drawn = draw(points(&ends), &request(None));
        assert_eq!(drawn.groups.iter().map(|g| g.records).sum::<u64>(), 5);
        assert_eq!(
            draw(points(&ends), &request(Some(Frame::at(45.0, 45.0, 0.01)))).records,
            5
        );
    }
}
