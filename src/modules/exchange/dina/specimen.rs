//! Specimens and their physical objects as documents. No I/O.

use serde_json::{Map, Value};

use super::recast::Work;
use super::take::{Taken, put, says};
use super::{OBJECT, PLACE, STORAGE, Set, TAXON, rows};

type Document = Map<String, Value>;

/// Signs between the steps of a path that stays as text.
const STEP: &str = " › ";
/// Metres from the centre of the earth and back again.
const METRES: f64 = 20_000_000.0;

pub fn specimen(work: &mut Work<'_>, data: Document) -> Document {
    let (id, catalog) = rows::specimen(&data);
    let id = work.own_key(id);
    let mut taken = Taken::shallow(data);
    let mut document = Document::new();
    put(&mut document, "specimenID", Some(id.clone()));
    put(&mut document, "catalogNumber", catalog);
    let identifiers = work.each(&mut taken, "identifiers", |work, from| {
        let mut one = Document::new();
        let kind = from.text("identifierType_key");
        work.term(&mut one, "identifiers", "type", Set::IdentifierTypes, kind);
        put(&mut one, "value", from.text("value"));
        one
    });
    put(&mut document, "identifiers", identifiers);
    taxon(work, &mut document, &mut taken);
    let determinations = work.each(&mut taken, "determinations", determination);
    put(&mut document, "determinations", determinations);
    let collecting = work.each(&mut taken, "collectingInformation", collecting);
    put(&mut document, "collecting", collecting);
    let origin = work.each(&mut taken, "originInformation", |work, from| {
        let mut one = Document::new();
        let means = from.text("establishmentMeans_key");
        work.term(
            &mut one,
            "origin",
            "establishmentMeans",
            Set::EstablishmentMeansTypes,
            means,
        );
        put(&mut one, "selectiveBreeding", from.text("isResultOfSelectiveBreeding"));
        put(&mut one, "locality", from.text("originLocality"));
        put(&mut one, "remarks", from.text("remarks"));
        one
    });
    put(&mut document, "origin", origin);
    let death = work.each(&mut taken, "deathInformation", |work, from| {
        let mut one = Document::new();
        let cause = from.text("causeOfDeath_key");
        work.term(&mut one, "death", "cause", Set::CauseOfDeathTypes, cause);
        put(&mut one, "remarks", from.text("remarks"));
        one
    });
    put(&mut document, "death", death);
    let acquisitions = work.each(&mut taken, "acquisitions", |work, from| {
        let mut one = Document::new();
        work.agent(&mut one, "acquisitions", "handedInBy", from, "handedInByAgent");
        date(&mut one, from);
        put(
            &mut one,
            "dateType",
            from.text("dateType").or_else(|| from.text("date_dateType")),
        );
        put(&mut one, "remarks", from.text("remarks"));
        one
    });
    put(&mut document, "acquisitions", acquisitions);
    let features = work.each(&mut taken, "featureObservations", |work, from| {
        let mut one = Document::new();
        let kind = from.text("featureType_key");
        work.term(&mut one, "features", "type", Set::FeatureTypes, kind);
        put(&mut one, "value", from.text("featureObservationText"));
        put(
            &mut one,
            "method",
            from.text("methodText_key").or_else(|| from.text("methodText")),
        );
        put(&mut one, "unit", from.text("unit"));
        put(&mut one, "remarks", from.text("remarks"));
        one
    });
    put(&mut document, "features", features);
    objects(work, &mut document, &mut taken, &id);
    let history = work.each(&mut taken, "recordHistoryEvents", |_, from| {
        let mut one = Document::new();
        put(&mut one, "activity", from.text("activity"));
        put(&mut one, "system", from.text("contextSystem"));
        put(&mut one, "date", from.text("date_timeStamp"));
        put(&mut one, "recordedBy", from.text("recordedBy_textI"));
        one
    });
    put(&mut document, "history", history);
    put(&mut document, "remarks", taken.text("remarks"));
    put(&mut document, "collectionRemarks", taken.text("collectionItemsRemarks"));
    put(&mut document, "published", taken.truth("publishRecord"));
    work.leave("", taken.rest());
    document
}

fn taxon(work: &mut Work<'_>, document: &mut Document, taken: &mut Taken) {
    let mut all = taken.objects("taxonInformation").into_iter();
    let Some(information) = all.next() else { return };
    // A specimen is of one taxon; what else is said stays as it is.
    for (index, other) in all.enumerate() {
        work.leave(&format!("taxonInformation.{}", index + 1), other);
    }
    let mut custom = Taken::shallow(information);
    let names = work.each(&mut custom, "customTaxonNames", |work, from| {
        let mut one = Document::new();
        let kind = from.text("customTaxonNameType_key");
        work.term(&mut one, "customNames", "type", Set::CustomTaxonNameTypes, kind);
        put(&mut one, "value", from.text("value"));
        one
    });
    put(document, "customNames", names);
    let mut from = Taken::of(custom.rest());
    let rank = from.text("curatorialTaxonNameRank");
    if let Some(name) = from.text("curatorialTaxonName") {
        let answer = work.by_name(TAXON, &name, rank.as_deref());
        work.link(document, "", "taxon", name, answer);
    }
    put(document, "taxonRank", rank);
    put(document, "taxonRemarks", from.text("taxonRemarks"));
    let status = from.text("typeStatus_key");
    work.term(document, "", "typeStatus", Set::TypeSpecimenTypes, status);
    work.leave("taxonInformation", from.rest());
}

fn determination(work: &mut Work<'_>, from: &mut Taken) -> Document {
    let mut one = Document::new();
    let name = from.text("taxonNameI").or_else(|| from.text("taxonNameV"));
    if let Some(name) = &name {
        let answer = work.by_name(TAXON, name, None);
        work.link(&mut one, "determinations", "taxon", name.clone(), answer);
        // The name itself says it already.
        one.shift_remove("taxonText");
    }
    put(&mut one, "name", name);
    work.agent(&mut one, "determinations", "determinedBy", from, "determinedByAgent");
    date(&mut one, from);
    put(&mut one, "remarks", from.text("remarks"));
    one
}

/// The parts of a date.
fn date(one: &mut Document, from: &mut Taken) {
    let (date, words) = from.date("date_");
    put(one, "date", date);
    put(one, "dateText", words.or_else(|| from.text("date_dateText")));
}

fn collecting(work: &mut Work<'_>, from: &mut Taken) -> Document {
    let mut one = Document::new();
    let at = "collecting";
    work.agent(&mut one, at, "collectedBy", from, "collectedByAgent");
    date(&mut one, from);
    put(&mut one, "dateType", from.text("date_dateType"));
    put(&mut one, "dateRemarks", from.text("date_remarks"));
    put(&mut one, "isDeathDate", from.truth("isDeathDate"));
    let means = from.text("establishmentMeans_key");
    work.term(&mut one, at, "establishmentMeans", Set::EstablishmentMeansTypes, means);
    put(&mut one, "expedition", from.text("expeditionText"));
    let mut place = |name: &str| from.text(&format!("locationInformation_{name}"));
    let path: Vec<String> = ["planet", "continentOcean", "country", "province", "district"]
        .into_iter()
        .filter_map(&mut place)
        .collect();
    if !path.is_empty() {
        let answer = work.by_path(PLACE, &path);
        work.link(&mut one, at, "place", path.join(STEP), answer);
    }
    for (field, name) in [
        ("verbatimLocality", "localityV"),
        ("locality", "localityI"),
        ("swedishGrid5km", "swedishGrid5km"),
        ("georeferenceSources", "geoReferenceSourcesText"),
        ("locationRemarks", "remarks"),
    ] {
        put(&mut one, field, from.text(&format!("locationInformation_{name}")));
    }
    for (field, name, least, most) in [
        ("decimalLatitude", "latitude", -90.0, 90.0),
        ("decimalLongitude", "longitude", -180.0, 180.0),
        ("coordinateUncertaintyInMeters", "uncertaintyInMeters", 0.0, METRES),
        ("minimumElevationInMeters", "minElevationInMeters", -METRES, METRES),
        // So it is written there.
        ("maximumElevationInMeters", "maxElevationhInMeters", -METRES, METRES),
        ("maximumElevationInMeters", "maxElevationInMeters", -METRES, METRES),
        ("minimumDepthInMeters", "minDepthInMeters", -METRES, METRES),
        ("maximumDepthInMeters", "maxDepthInMeters", -METRES, METRES),
    ] {
        if !one.contains_key(field) {
            put(
                &mut one,
                field,
                from.number(&format!("locationInformation_{name}"), least, most),
            );
        }
    }
    put(&mut one, "remarks", from.text("remarks"));
    one
}

/// Leads to the objects, which are records of their own.
fn objects(work: &mut Work<'_>, document: &mut Document, taken: &mut Taken, id: &str) {
    let (mut links, mut words) = (Vec::new(), Vec::new());
    for (index, object) in taken.objects("physicalObjects").into_iter().enumerate() {
        let object = Value::Object(object);
        if !says(&object) {
            continue;
        }
        let answer = work.by_key(OBJECT, &rows::object(id, index + 1));
        let mut link = Document::new();
        work.link(&mut link, "", "objects", object.to_string(), answer);
        links.extend(link.shift_remove("objects"));
        words.extend(link.shift_remove("objectsText"));
    }
    for (field, values) in [("objects", links), ("objectsText", words)] {
        if !values.is_empty() {
            document.insert(field.to_owned(), values.into());
        }
    }
}

/// One of them, with what its row says of its specimen.
pub fn object(work: &mut Work<'_>, data: Document, of: &Document) -> Document {
    let text = |name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = of
        .get("number")
        .and_then(Value::as_u64)
        .and_then(|number| usize::try_from(number).ok());
    let id = text("specimenID").unwrap_or_default();
    let mut from = Taken::of(data);
    let mut document = Document::new();
    put(
        &mut document,
        "objectID",
        Some(rows::object(&id, number.unwrap_or_default())),
    );
    let kind = from.text("preparationType_key");
    let called = text("catalogNumber").unwrap_or_else(|| id.trim_start_matches("dina:").to_owned());
    let label = kind
        .as_ref()
        .map_or_else(|| called.clone(), |kind| format!("{called} {kind}"));
    put(&mut document, "label", Some(label));
    put(&mut document, "specimen", Some(id));
    work.term(&mut document, "", "preparation", Set::PreparationTypes, kind);
    let path: Vec<String> = ["institution", "room", "cabinet", "mountingWall", "shelf"]
        .into_iter()
        .filter_map(|name| from.text(name))
        .collect();
    if !path.is_empty() {
        let answer = work.by_path(STORAGE, &path);
        work.link(&mut document, "", "storage", path.join(STEP), answer);
    }
    put(&mut document, "remarks", from.text("remarks"));
    work.leave("", from.rest());
    document
}
