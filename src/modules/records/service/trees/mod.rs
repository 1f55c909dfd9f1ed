//! Records that hang below each other: nothing hangs below itself, and what is hung up is there. Whoever moves what stands
//! already waits for others who do so in the same type; what is new has nothing below it and waits for nobody.

mod index;
mod moving;
mod plant;
mod ranks;
mod view;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{Service, parse_state};
use crate::contract::records::RecordType;
use crate::kernel::access::Level;
use crate::kernel::db::Tx;
use crate::kernel::error::{Error, FieldIssue, Result};
use crate::modules::records::model::tree::Tree;
use crate::modules::records::model::{shape, shorten};
use crate::modules::records::store::{self, Node, Row};

pub use index::{Above, Shown};
pub(super) use ranks::{Ranked, misranked};
pub use view::{Branch, Step, Twig};

/// How deep a record may hang.
const DEEPEST: usize = 200;
/// Records of a circle that are named.
const NAMED: usize = 8;

/// What is to hang below what, by id.
pub(super) type Moves = HashMap<String, String>;

/// A record on its way into the database.
pub(super) struct Hung<'a> {
    pub id: &'a str,
    pub visibility: Level,
    pub document: &'a Map<String, Value>,
}

/// Waits for whoever moves records of the type, and makes others wait.
pub(super) async fn lock(tx: &mut Tx<'_>, type_name: &str) -> Result<()> {
    tx.lock(&format!("records.tree/{type_name}")).await
}

/// The row of a record of a tree.
pub(super) fn node(tree: &Tree<'_>, type_name: &str, hung: &Hung<'_>) -> Node {
    Node {
        id: hung.id.to_owned(),
        type_name: type_name.to_owned(),
        parent_id: tree.parent_of(hung.document).unwrap_or_default(),
        visibility: hung.visibility.as_str().to_owned(),
        place: tree.place(hung.document),
    }
}

/// What a move would come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It would hang below itself: the ids of the circle, from it up to itself.
    Circle(Vec<String>),
    TooDeep,
}

/// Which of these moves cannot be, all of them being made together. To be asked behind [`lock`].
pub(super) async fn wrong_moves(tx: &mut Tx<'_>, moves: &Moves) -> Result<HashMap<String, Wrong>> {
    let mut above: HashMap<String, String> = moves.clone();
    let mut wanted: HashSet<String> = moves
        .values()
        .filter(|id| !id.is_empty() && !above.contains_key(*id))
        .cloned()
        .collect();
    for _ in 0..=DEEPEST {
        if wanted.is_empty() {
            break;
        }
        let ids: Vec<String> = wanted.drain().collect();
        for some in ids.chunks(10_000) {
            for (id, parent, _, _) in store::parents(&mut *tx, some).await? {
                if !parent.is_empty() && !above.contains_key(&parent) {
                    wanted.insert(parent.clone());
                }
                above.insert(id, parent);
            }
        }
    }
    Ok(judge(moves, &above))
}

/// The moves that lead back to where they began, or further up than anything may hang.
fn judge(moves: &Moves, above: &HashMap<String, String>) -> HashMap<String, Wrong> {
    let mut wrong = HashMap::new();
    for id in moves.keys() {
        let mut way = vec![id.clone()];
        let mut at = id;
        while let Some(parent) = above.get(at).filter(|parent| !parent.is_empty()) {
            let is_met = way.contains(parent);
            way.push(parent.clone());
            if parent == id {
                wrong.insert(id.clone(), Wrong::Circle(way));
                break;
            }
            if is_met {
                // A circle of others, named by them.
                break;
            }
            if way.len() > DEEPEST {
                wrong.insert(id.clone(), Wrong::TooDeep);
                break;
            }
            at = parent;
        }
    }
    wrong
}

/// What is said of a move that cannot be.
pub(super) async fn issue(
    tx: &mut Tx<'_>,
    definition: &RecordType,
    field: &str,
    wrong: &Wrong,
    titles: &HashMap<String, String>,
) -> Result<FieldIssue> {
    let Wrong::Circle(way) = wrong else {
        return Ok(FieldIssue {
            path: field.to_owned(),
            message: format!("would hang it more than {DEEPEST} records deep."),
        });
    };
    let shown: Vec<String> = way.iter().take(NAMED).cloned().collect();
    let mut called: HashMap<String, String> = HashMap::new();
    for row in store::get_many(&mut *tx, &shown).await? {
        let state = parse_state(row.document.as_deref())?;
        let title = state
            .map(|state| shape::title(definition, &state.document))
            .unwrap_or_default();
        called.insert(row.id, title);
    }
    called.extend(titles.iter().map(|(id, title)| (id.clone(), title.clone())));
    let name = |id: &String| match called.get(id).filter(|title| !title.is_empty()) {
        Some(title) => format!("\"{}\"", shorten(title, 60)),
        None => id.clone(),
    };
    let mut steps: Vec<String> = shown.iter().map(name).collect();
    if way.len() > shown.len() {
        steps.push("…".to_owned());
        steps.extend(way.last().map(name));
    }
    Ok(FieldIssue {
        path: field.to_owned(),
        message: format!(
            "would hang it below itself: {}. Choose something that is not below it.",
            steps.join(" › ")
        ),
    })
}

impl Service {
    /// Looks whether a record may hang where its document says, before anything of it is written. `before` is the document
    /// that stood; none where it is new or was deleted.
    pub(super) async fn check_place(
        &self,
        tx: &mut Tx<'_>,
        definition: &RecordType,
        hung: &Hung<'_>,
        is_new: bool,
        before: Option<&Map<String, Value>>,
    ) -> Result<()> {
        let Some(tree) = Tree::of(definition) else {
            return Ok(());
        };
        let ranked = Ranked {
            id: Some(hung.id).filter(|_| !is_new),
            before,
            document: hung.document,
        };
        if let Some((_, issue)) = misranked(tx, definition, &[ranked]).await?.into_iter().next() {
            return Err(Error::invalid_fields(vec![issue]));
        }
        let parent = tree.parent_of(hung.document);
        let Some(parent) = parent.filter(|parent| before.and_then(|b| tree.parent_of(b)).as_ref() != Some(parent))
        else {
            return Ok(());
        };
        if !is_new {
            lock(tx, &definition.name).await?;
        }
        let moves = Moves::from([(hung.id.to_owned(), parent.clone())]);
        if let Some(wrong) = wrong_moves(tx, &moves).await?.get(hung.id) {
            let titles = HashMap::from([(hung.id.to_owned(), shape::title(definition, hung.document))]);
            let issue = issue(tx, definition, &tree.parent.path, wrong, &titles).await?;
            return Err(Error::invalid_fields(vec![issue]));
        }
        // It stays there until this is written; that it is of the right type is looked at with all other links.
        store::hold_live(tx, &[parent]).await?;
        Ok(())
    }

    /// Writes where a record hangs.
    pub(super) async fn hang(&self, tx: &mut Tx<'_>, definition: &RecordType, hung: &Hung<'_>) -> Result<()> {
        match Tree::of(definition) {
            Some(tree) => store::put_nodes(tx, vec![node(&tree, &definition.name, hung)]).await,
            None => Ok(()),
        }
    }
}

/// Takes out what cannot be deleted, since something else hangs below it.
pub(super) async fn without_parents(tx: &mut Tx<'_>, rows: Vec<Row>) -> Result<Vec<Row>> {
    let mut rows = rows;
    loop {
        let ids: HashSet<String> = rows.iter().map(|row| row.id.clone()).collect();
        let asked: Vec<String> = ids.iter().cloned().collect();
        let mut above = HashSet::new();
        for some in asked.chunks(10_000) {
            let hanging = store::hanging(&mut *tx, some, i64::MAX).await?;
            above.extend(
                hanging
                    .into_iter()
                    .filter(|(_, child)| !ids.contains(child))
                    .map(|(parent, _)| parent),
            );
        }
        if above.is_empty() {
            return Ok(rows);
        }
        rows.retain(|row| !above.contains(&row.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    fn circles(moves: &[(&str, &str)], standing: &[(&str, &str)]) -> Vec<String> {
        let mut above = map(standing);
        above.extend(map(moves));
        let wrong = judge(&map(moves), &above);
        let mut found: Vec<String> = wrong.into_keys().collect();
        found.sort();
        found
    }

    #[test]
    fn what_would_hang_below_itself_is_found() {
        let standing = [("b", "a"), ("c", "b"), ("a", "")];
        assert!(circles(&[("d", "c")], &standing).is_empty());
        assert_eq!(circles(&[("a", "c")], &standing), ["a"]);
        assert_eq!(circles(&[("a", "a")], &standing), ["a"]);
        // Two that are fine by themselves.
        assert_eq!(circles(&[("x", "y"), ("y", "x")], &[]), ["x", "y"]);
        // What hangs below a circle is not in it.
        assert_eq!(circles(&[("x", "y"), ("y", "x"), ("z", "x")], &[]), ["x", "y"]);
        // A way down that is taken away in the same move.
        assert!(circles(&[("a", "c"), ("b", "")], &standing).is_empty());
    }

    #[test]
    fn nothing_hangs_too_deep() {
        let names: Vec<String> = (0..=DEEPEST + 1).map(|n| format!("n{n}")).collect();
        let above: HashMap<String, String> = names
            .windows(2)
            .map(|pair| (pair[1].clone(), pair[0].clone()))
            .collect();
        let last = names.last().unwrap().clone();
        let moves = Moves::from([(last.clone(), above[&last].clone())]);
        assert_eq!(judge(&moves, &above).get(&last), Some(&Wrong::TooDeep));
    }
}
