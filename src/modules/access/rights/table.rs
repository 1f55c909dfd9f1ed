//! The one table of which role holds which permission: worked out from the schema, by giving each role to nobody else.

use std::sync::Arc;

use serde::Serialize;

use super::profile::{COLLECTION, Names, Profile};
use crate::contract::access::{HOUSE, Role};
use crate::kernel::access::OPEN;
use crate::modules::access::relations::State;
use crate::modules::access::relations::graph::Tuple;
use crate::modules::access::schema::{Kind, Schema};

/// Who holds a permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PermissionRow {
    /// As it stands at the operations: `records.write`.
    pub permission: String,
    /// Everybody holds it, signed in or not; what it shows is cut to what they may see.
    pub everybody: bool,
    /// Whoever is signed in holds it.
    pub members: bool,
    /// Roles in a collection that hold it there.
    pub collection: Vec<Role>,
    /// Roles in the house as a whole that hold it, in every collection.
    pub house: Vec<Role>,
    /// Of those the roles that hold it of new records and of those that they made, not of what others made.
    pub own: Vec<Role>,
}

/// What each role has.
pub struct Table {
    names: Names,
    nobody: Profile,
    member: Profile,
    collection: Vec<(Role, Profile)>,
    house: Vec<(Role, Profile)>,
}

const SOMEBODY: &str = "account:somebody";
/// A collection to try roles at.
const TRIED: &str = "tried";

impl Table {
    /// `None` for a schema with more permissions than can be told apart.
    pub fn of(schema: &Arc<Schema>) -> Option<Self> {
        let names = Names::of(schema)?;
        let with = |place: &str, role: Role| {
            let mut state = State::default();
            state.graph.insert(&Tuple::new(place, role.as_str(), SOMEBODY));
            (role, Profile::of(Arc::new(state), Some(SOMEBODY.to_owned())))
        };
        let at = |place: String, kind: &'static str| {
            let roles = Role::ALL.into_iter().filter(move |role| {
                let def = schema.find(kind, role.as_str()).map(|id| &schema.def(id).kind);
                matches!(def, Some(Kind::Relation(_)))
            });
            roles.map(|role| with(&place, role)).collect()
        };
        Some(Self {
            nobody: Profile::of(Arc::default(), None),
            member: Profile::of(Arc::default(), Some(SOMEBODY.to_owned())),
            collection: at(format!("{COLLECTION}:{TRIED}"), COLLECTION),
            house: at(HOUSE.to_owned(), HOUSE),
            names,
        })
    }

    /// Does a role in a collection hold this there?
    pub fn in_collection(&self, role: Role, permission: &str) -> bool {
        let mut of_role = self.collection.iter().filter(|(other, _)| *other == role);
        of_role.any(|(_, profile)| self.names.has(profile.at(&self.names, TRIED).whole, permission))
    }

    /// Does a role hold this of the records only that whoever has it made?
    fn of_own(&self, role: Role, permission: &str) -> bool {
        let mut of_role = self.collection.iter().filter(|(other, _)| *other == role);
        of_role.any(|(_, profile)| {
            let place = profile.at(&self.names, TRIED);
            self.names.has(place.own, permission) && !self.names.has(place.others, permission)
        })
    }

    /// Does a role of the house hold this in the house?
    pub fn in_house(&self, role: Role, permission: &str) -> bool {
        let mut of_role = self.house.iter().filter(|(other, _)| *other == role);
        of_role.any(|(_, profile)| self.names.has(profile.house(&self.names).whole, permission))
    }

    /// The line of a permission.
    pub fn row(&self, permission: &str) -> PermissionRow {
        let roles = |all: &[(Role, Profile)], is_held: &dyn Fn(Role) -> bool| -> Vec<Role> {
            all.iter()
                .map(|(role, _)| *role)
                .filter(|role| is_held(*role))
                .collect()
        };
        let everybody = self.names.has(self.nobody.house(&self.names).whole, permission);
        let members = self.names.has(self.member.house(&self.names).whole, permission);
        let (collection, house, own) = if members {
            // Roles add nothing to what everybody has.
            (Vec::new(), Vec::new(), Vec::new())
        } else {
            (
                roles(&self.collection, &|role| self.in_collection(role, permission)),
                roles(&self.house, &|role| self.in_house(role, permission)),
                roles(&self.collection, &|role| self.of_own(role, permission)),
            )
        };
        PermissionRow {
            permission: permission.to_owned(),
            everybody,
            members,
            collection,
            house,
            own,
        }
    }

    /// A line for every permission that operations and services ask for, in the order of the schema.
    pub fn rows(&self, schema: &Schema) -> Vec<PermissionRow> {
        let of_house = schema.defs().iter().filter(|def| def.type_name == HOUSE);
        let asked = of_house.filter(|def| {
            let is_level = def.name.starts_with("see.");
            let is_asked = def.name.contains('.') || def.name == OPEN.0;
            matches!(def.kind, Kind::Permission(_)) && is_asked && !is_level
        });
        asked.map(|def| self.row(&def.name)).collect()
    }
}
