//! The map on which a place is chosen: a page of which the script of the form takes the map and puts it beside the latitude.
//! The numbers themselves are fields like any other.

use askama::Template;
use serde::Deserialize;

use crate::kernel::error::{Error, Result};
use crate::kernel::geo::Frame;
use crate::kernel::http::Query;
use crate::kernel::ui::map::{Ground, HEIGHT, WIDTH, place};
use crate::kernel::ui::{Html, Page, filters, view};

/// Degrees from south to north where nothing else is asked for and a place is known.
const NEAR: f64 = 4.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Where the cross stands.
    latitude: Option<f64>,
    longitude: Option<f64>,
    /// Degrees from south to north.
    height: Option<f64>,
}

#[derive(Template)]
#[template(path = "modules/records/templates/place.html")]
pub struct PlaceMap {
    ground: Ground,
    /// South, west, height and width in degrees.
    frame: [f64; 4],
    /// Where the cross stands, in units of the drawing.
    cross: (i64, i64),
    size: (f64, f64),
    page: Page,
}

view!(PlaceMap);

/// `GET /fields/map`
pub async fn map(page: Page, Query(asked): Query<Asked>) -> Result<Html<PlaceMap>> {
    let known = asked.latitude.zip(asked.longitude);
    let (latitude, longitude) = known.unwrap_or_default();
    let height = asked.height.unwrap_or(if known.is_some() { NEAR } else { 180.0 });
    let sound = [latitude, longitude, height].iter().all(|n| n.is_finite());
    if !sound || latitude.abs() > 90.0 || longitude.abs() > 180.0 || height <= 0.0 {
        return Err(Error::invalid(
            "latitude",
            "A place has a latitude between -90 and 90 and a longitude between -180 and 180.",
        ));
    }
    let frame = Frame::at(latitude, longitude, height);
    Ok(Html(PlaceMap {
        ground: Ground::of(&frame, page.language),
        cross: place(&frame, latitude, longitude),
        frame: [frame.south(), frame.west(), frame.height, frame.width],
        size: (WIDTH, HEIGHT),
        page,
    }))
}
