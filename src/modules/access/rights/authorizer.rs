//! The authorizer: answers the kernel's questions from profiles.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use tokio::sync::watch;

use super::profile::{Held, Names, Place, Profile};
use crate::kernel::access::{
    Access, Authorizer, Caller, Level, Object, Permission, Rules, Subject, Terms, Visibility, covers,
};
use crate::kernel::db::{Db, Exec, Signal, Tx};
use crate::kernel::error::{Error, Result};
use crate::kernel::ledger;
use crate::modules::access::relations::{Relations, State};

/// What lets a narrowed token read restricted fields and records.
const RESTRICTED: &str = "records.restricted";
/// Profiles that are remembered at once.
const MOST: usize = 10_000;

/// See the module's text.
pub struct Rights {
    relations: Arc<Relations>,
    names: Names,
    access: Access,
    db: Db,
    /// What nobody in particular has; it rests on no relation.
    nobody: Arc<Profile>,
    kept: RwLock<Kept>,
}

struct Kept {
    epoch: i64,
    by_id: HashMap<String, Arc<Profile>>,
    /// Accounts were switched on or off.
    changed: watch::Receiver<u64>,
}

/// What relations say before the ledger is asked who made a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    No,
    IfMade,
    Yes,
}

/// Who asks, ready to be answered.
struct Asker<'a> {
    profile: Arc<Profile>,
    scope: Option<&'a [String]>,
}

impl Rights {
    /// # Errors
    /// A schema with too many permissions.
    pub fn new(relations: Arc<Relations>, access: Access, db: &Db) -> Result<Self> {
        let schema = relations.schema.clone();
        let names = Names::of(&schema)
            .ok_or_else(|| Error::internal(anyhow::anyhow!("the schema of access has more than 128 permissions")))?;
        let nobody = Arc::new(Profile::of(Arc::default(), None));
        Ok(Self {
            relations,
            names,
            access,
            db: db.clone(),
            nobody,
            kept: RwLock::new(Kept {
                epoch: 0,
                by_id: HashMap::new(),
                changed: db.signals().subscribe(Signal::Access),
            }),
        })
    }

    fn kept(&self, state: &State, id: &str) -> Option<Arc<Profile>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let is_now = kept.epoch == state.epoch && !kept.changed.has_changed().unwrap_or(false);
        kept.by_id.get(id).filter(|_| is_now).cloned()
    }

    /// What an account has by these relations. One that is switched off or deleted has what nobody in particular has.
    async fn profile(&self, state: &Arc<State>, id: &str) -> Result<Arc<Profile>> {
        if let Some(found) = self.kept(state, id) {
            return Ok(found);
        }
        let mark = *self
            .kept
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .changed
            .borrow();
        let profile = if self.access.is_active(id).await? {
            Arc::new(Profile::of(state.clone(), Some(format!("account:{id}"))))
        } else {
            self.nobody.clone()
        };
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let changed = kept.changed.has_changed().unwrap_or(false);
        if kept.epoch != state.epoch || changed {
            kept.by_id.clear();
            kept.epoch = state.epoch;
            kept.changed.mark_unchanged();
        }
        if *kept.changed.borrow() == mark && kept.by_id.len() < MOST {
            kept.by_id.insert(id.to_owned(), profile.clone());
        }
        Ok(profile)
    }

    /// As [`Rights::profile`], inside a transaction: what that has changed itself is not remembered.
    async fn profile_in(&self, tx: &mut Tx<'_>, id: &str) -> Result<Arc<Profile>> {
        let (state, is_known) = self.relations.state_in(&mut *tx).await?;
        if is_known && let Some(found) = self.kept(&state, id) {
            return Ok(found);
        }
        if !self.access.is_active_in(tx, id).await? {
            return Ok(self.nobody.clone());
        }
        Ok(Arc::new(Profile::of(state, Some(format!("account:{id}")))))
    }

    /// Whoever asks; `None` for those whom the kernel's rules know.
    async fn asker<'a>(&self, caller: &'a Caller, glance: bool) -> Result<Option<Asker<'a>>> {
        let (profile, scope) = match &caller.subject {
            Subject::Operator | Subject::System | Subject::Token { .. } => return Ok(None),
            Subject::Anonymous => (self.nobody.clone(), None),
            Subject::Account { id, scope, .. } => {
                let state = if glance {
                    self.relations.glance().await?
                } else {
                    self.relations.state().await?
                };
                (self.profile(&state, id).await?, scope.as_deref())
            }
        };
        Ok(Some(Asker { profile, scope }))
    }

    /// Is it so for everybody, whoever they are? Then no relation has to be asked.
    fn is_open(&self, permission: Permission, object: &Object<'_>) -> bool {
        let held = self.held(&self.nobody, object);
        self.names.has(held, permission.0) && self.is_visible(held, object)
    }

    fn place(&self, profile: &Profile, object: &Object<'_>) -> Place {
        match object {
            Object::House | Object::Anywhere => profile.house(&self.names),
            Object::Type(name) => profile.at(&self.names, name),
            Object::Record { type_name, .. } => profile.at(&self.names, type_name),
        }
    }

    /// What is held of it, whoever made it.
    fn held(&self, profile: &Profile, object: &Object<'_>) -> Held {
        let place = self.place(profile, object);
        if matches!(object, Object::Record { .. }) {
            place.others
        } else {
            place.whole
        }
    }

    fn is_visible(&self, held: Held, object: &Object<'_>) -> bool {
        match object {
            Object::Record { visibility, .. } => self.names.sees(held, *visibility),
            Object::House | Object::Anywhere | Object::Type(_) => true,
        }
    }

    /// Does the scope of a token leave this permission?
    fn leaves(&self, asker: &Asker<'_>, permission: Permission) -> bool {
        let everybody = self.names.has(self.nobody.house(&self.names).whole, permission.0);
        everybody || asker.scope.is_none_or(|scope| covers(scope, permission.0))
    }

    /// The highest level that whoever asks reads of a set of permissions.
    fn reach(&self, asker: &Asker<'_>, held: Held) -> Option<Level> {
        let reach = self.names.reach(held)?;
        let is_narrow = asker.scope.is_some_and(|scope| !covers(scope, RESTRICTED));
        Some(if is_narrow { reach.min(Level::Members) } else { reach })
    }

    fn answer(&self, asker: &Asker<'_>, permission: Permission, object: &Object<'_>) -> Verdict {
        let may = |may: bool| if may { Verdict::Yes } else { Verdict::No };
        if !self.leaves(asker, permission) {
            return Verdict::No;
        }
        if let Object::Anywhere = object {
            return may(asker.profile.anywhere(&self.names, permission.0));
        }
        let place = self.place(&asker.profile, object);
        let Object::Record { visibility, .. } = object else {
            return may(self.names.has(place.whole, permission.0));
        };
        let is_visible = |held: Held| self.reach(asker, held).is_some_and(|reach| *visibility <= reach);
        if is_visible(place.others) && self.names.has(place.others, permission.0) {
            return Verdict::Yes;
        }
        if is_visible(place.own) && self.names.has(place.own, permission.0) {
            return Verdict::IfMade;
        }
        Verdict::No
    }

    /// Did the caller make it? Who made something never changes; asked only where the answer hangs on it.
    async fn made(&self, on: impl Into<Exec<'_>>, caller: &Caller, object: &Object<'_>) -> Result<bool> {
        let Object::Record { id, .. } = object else {
            return Ok(false);
        };
        let makers = ledger::makers(on, &[id]).await?;
        Ok(makers.get(*id).is_some_and(|maker| *maker == caller.actor()))
    }

    /// The level of each object that the caller may do this to.
    async fn levels_on(
        &self,
        on: impl Into<Exec<'_>>,
        caller: &Caller,
        asker: &Asker<'_>,
        permission: Permission,
        objects: &[Object<'_>],
    ) -> Result<Vec<Option<Level>>> {
        let verdicts: Vec<Verdict> = objects.iter().map(|o| self.answer(asker, permission, o)).collect();
        let hanging = objects
            .iter()
            .zip(&verdicts)
            .filter_map(|(object, verdict)| match object {
                Object::Record { id, .. } if *verdict == Verdict::IfMade => Some(*id),
                _ => None,
            });
        let makers = ledger::makers(on, &hanging.collect::<Vec<_>>()).await?;
        let actor = caller.actor();
        let level = |(object, verdict): (&Object<'_>, Verdict)| {
            let may = match (verdict, object) {
                (Verdict::Yes, _) => true,
                (Verdict::IfMade, Object::Record { id, .. }) => makers.get(*id).is_some_and(|maker| *maker == actor),
                _ => false,
            };
            self.level_of(asker, object).filter(|_| may)
        };
        Ok(objects.iter().zip(verdicts).map(level).collect())
    }

    fn level_of(&self, asker: &Asker<'_>, object: &Object<'_>) -> Option<Level> {
        let reach = self.reach(asker, self.held(&asker.profile, object))?;
        match object {
            Object::Record { visibility, .. } if *visibility > reach => None,
            _ => Some(reach),
        }
    }

    fn view(&self, asker: &Asker<'_>, permission: Permission) -> Visibility {
        if !self.leaves(asker, permission) {
            return Visibility::nothing();
        }
        let profile = &asker.profile;
        let reach_of = |held: Held| {
            let held = Some(held).filter(|held| self.names.has(*held, permission.0));
            held.and_then(|held| self.reach(asker, held))
        };
        // What somebody may only to what they made is in no list.
        let general = reach_of(profile.elsewhere(&self.names).others);
        let mut view = general.map_or_else(Visibility::nothing, Visibility::up_to);
        for (name, place) in profile.places(&self.names) {
            let Some(reach) = reach_of(place.others).filter(|reach| general < Some(*reach)) else {
                continue;
            };
            for level in Level::ALL.into_iter().filter(|level| *level <= reach) {
                let Terms::Any(terms) = view.level_mut(level) else {
                    continue;
                };
                // What is seen everywhere at this level is in already.
                let new =
                    |visibility: &Level| *visibility <= reach && (general < Some(level) || general < Some(*visibility));
                let new = Level::ALL.into_iter().filter(new);
                terms.extend(new.map(|visibility| term(name, visibility)));
            }
        }
        view
    }
}

/// `fungi/members`
pub fn term(type_name: &str, visibility: Level) -> String {
    format!("{type_name}/{}", visibility.as_str())
}

#[async_trait]
impl Authorizer for Rights {
    async fn check(&self, caller: &Caller, permission: Permission, object: &Object<'_>) -> Result<bool> {
        if self.is_open(permission, object) {
            return Ok(true);
        }
        match self.asker(caller, matches!(object, Object::Anywhere)).await? {
            Some(asker) => match self.answer(&asker, permission, object) {
                Verdict::Yes => Ok(true),
                Verdict::No => Ok(false),
                Verdict::IfMade => self.made(&self.db, caller, object).await,
            },
            None => Rules.check(caller, permission, object).await,
        }
    }

    async fn level(&self, caller: &Caller, object: &Object<'_>) -> Result<Option<Level>> {
        match self.asker(caller, false).await? {
            Some(asker) => Ok(self.level_of(&asker, object)),
            None => Rules.level(caller, object).await,
        }
    }

    async fn levels(
        &self,
        caller: &Caller,
        permission: Permission,
        objects: &[Object<'_>],
    ) -> Result<Vec<Option<Level>>> {
        match self.asker(caller, false).await? {
            Some(asker) => self.levels_on(&self.db, caller, &asker, permission, objects).await,
            None => Rules.levels(caller, permission, objects).await,
        }
    }

    async fn levels_in(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        permission: Permission,
        objects: &[Object<'_>],
    ) -> Result<Vec<Option<Level>>> {
        let asker = match &caller.subject {
            Subject::Account { id, scope, .. } => Asker {
                profile: self.profile_in(&mut *tx, id).await?,
                scope: scope.as_deref(),
            },
            _ => match self.asker(caller, false).await? {
                Some(asker) => asker,
                None => return Rules.levels_in(tx, caller, permission, objects).await,
            },
        };
        self.levels_on(tx, caller, &asker, permission, objects).await
    }

    #[cfg(feature = "testing")]
    fn go_blind(&self) {
        self.relations.go_blind();
    }

    async fn filter(&self, caller: &Caller, permission: Permission) -> Result<Visibility> {
        match self.asker(caller, false).await? {
            Some(asker) => Ok(self.view(&asker, permission)),
            None => Rules.filter(caller, permission).await,
        }
    }

    fn terms(&self, type_name: &str, visibility: Level) -> [Vec<String>; 3] {
        // A document is found by its visibility, for who sees that everywhere, and by its collection's, for who does there.
        let terms = vec![visibility.as_str().to_owned(), term(type_name, visibility)];
        [terms.clone(), terms.clone(), terms]
    }
}
