//! The sets of DINA Collections: JSON files, each an array, that come in together. A set is an import like any other, into a
//! type that ships; what leads from one to another is looked up, and what leads to nothing stays as text.

mod api;
mod begin;
mod places;
mod recast;
mod rows;
mod specimen;
mod take;
pub mod ui;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use api::routes;
pub use begin::next;
pub use recast::{Asked, Recaster, prepare};
pub use rows::pieces;

/// A set, in the order in which they come in: what others lead to first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Set {
    CauseOfDeathTypes,
    CustomTaxonNameTypes,
    EstablishmentMeansTypes,
    FeatureTypes,
    IdentifierTypes,
    PreparationTypes,
    TypeSpecimenTypes,
    Localities,
    StorageLocations,
    Agents,
    Taxa,
    TaxonNames,
    /// The physical objects that stand within specimens.
    PhysicalObjects,
    Specimens,
}

const ALL: [(Set, &str, &str); 14] = [
    (Set::CauseOfDeathTypes, "causeOfDeathTypes", VOCABULARY),
    (Set::CustomTaxonNameTypes, "customTaxonNameTypes", VOCABULARY),
    (Set::EstablishmentMeansTypes, "establishmentMeansTypes", VOCABULARY),
    (Set::FeatureTypes, "featureTypes", VOCABULARY),
    (Set::IdentifierTypes, "identifierTypes", VOCABULARY),
    (Set::PreparationTypes, "preparationTypes", VOCABULARY),
    (Set::TypeSpecimenTypes, "typeSpecimenTypes", VOCABULARY),
    (Set::Localities, "localities", PLACE),
    (Set::StorageLocations, "storageLocations", STORAGE),
    (Set::Agents, "agents", AGENT),
    (Set::Taxa, "taxa", TAXON),
    (Set::TaxonNames, "taxonNames", "taxon-name"),
    (Set::PhysicalObjects, "physicalObjects", OBJECT),
    (Set::Specimens, "specimens", "specimen"),
];

const VOCABULARY: &str = "vocabulary-term";
const PLACE: &str = "place";
const STORAGE: &str = "storage-location";
const AGENT: &str = "agent";
const TAXON: &str = "taxon";
const OBJECT: &str = "physical-object";

impl Set {
    pub fn as_str(self) -> &'static str {
        ALL.iter()
            .find(|(set, _, _)| *set == self)
            .map_or("", |(_, name, _)| name)
    }

    /// The type that its rows become.
    pub fn type_name(self) -> &'static str {
        ALL.iter()
            .find(|(set, _, _)| *set == self)
            .map_or("", |(_, _, name)| name)
    }

    /// The field by which its rows are known again.
    fn key(self) -> &'static str {
        match self {
            Self::Localities => "locationID",
            Self::StorageLocations => "storageID",
            Self::Agents => "agentID",
            Self::Taxa => "taxonID",
            Self::TaxonNames => "nameID",
            Self::PhysicalObjects => "objectID",
            Self::Specimens => "specimenID",
            _ => "termID",
        }
    }

    fn is_vocabulary(self) -> bool {
        self.type_name() == VOCABULARY
    }

    /// The set of a file, by its name: any prefix, then `.SET.json`, perhaps packed.
    pub fn of_file(name: &str) -> Option<Self> {
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        let name = name.strip_suffix(".json")?;
        let last = name.rsplit('.').next().unwrap_or_default();
        // Physical objects have no file of their own.
        let mut files = ALL.iter().filter(|(set, _, _)| *set != Self::PhysicalObjects);
        files
            .find(|(_, set, _)| set.eq_ignore_ascii_case(last))
            .map(|(set, _, _)| *set)
    }
}

/// Where a set stands: a file that is stored, or one in an archive that is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetFile {
    pub blob: String,
    pub bytes: u64,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
}

/// What an import of a set knows of the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub set: Set,
    /// All that came together.
    pub files: BTreeMap<Set, SetFile>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_told_by_the_name_of_its_file() {
        for (name, set) in [
            ("sample.specimens.json", Some(Set::Specimens)),
            (".localities.json", Some(Set::Localities)),
            ("in/a/folder/x.taxonnames.JSON.gz", Some(Set::TaxonNames)),
            ("taxa.json", Some(Set::Taxa)),
            ("physicalObjects.json", None),
            ("specimens.csv", None),
            ("my specimens.json", None),
            ("", None),
        ] {
            assert_eq!(Set::of_file(name), set, "{name}");
        }
        assert!(ALL.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(
            ALL.iter()
                .all(|(set, name, kind)| set.as_str() == *name && set.type_name() == *kind)
        );
    }
}
