//! Which of the records of a batch can be put back together: a record that others point at stays, a link leads somewhere,
//! a unique value has one owner. Facts come from the database once; the rules need none.

use std::collections::{HashMap, HashSet};

use crate::contract::undo::WhyLeft;

/// `(field, value)` and `(field, record)`.
pub type Pair = (String, String);

/// What is to become of one record.
#[derive(Debug, Default)]
pub struct Wish {
    pub id: String,
    pub type_name: String,
    /// Deleted; else it gets a state with these.
    pub is_removed: bool,
    pub identifiers: Vec<Pair>,
    /// Where its links lead and the type each needs.
    pub links: Vec<(String, Option<String>)>,
}

/// How things stand before.
#[derive(Debug, Default)]
pub struct Facts {
    /// Live records that point at a record, others than itself.
    pub pointed_at: HashMap<String, i64>,
    /// `(from, to)` of the links from records of the batch.
    pub links: Vec<(String, String)>,
    /// Live records with their types.
    pub live: HashMap<String, String>,
    /// Whose a value is: `(type, field, value)` to record.
    pub owners: HashMap<(String, String, String), String>,
}

/// The records that have to stay, with the reason. Refusing one may refuse another, so it goes round until all fits.
pub fn settle(wishes: &[Wish], facts: &Facts) -> HashMap<String, WhyLeft> {
    let mut left: HashMap<String, WhyLeft> = HashMap::new();
    loop {
        let before = left.len();
        let granted: HashMap<&str, &Wish> = wishes
            .iter()
            .filter(|w| !left.contains_key(&w.id))
            .map(|w| (w.id.as_str(), w))
            .collect();
        let refused = wishes.iter().filter(|w| granted.contains_key(w.id.as_str()));
        let refused: Vec<(String, WhyLeft)> = refused
            .filter_map(|w| Some((w.id.clone(), refuse(w, &granted, facts)?)))
            .collect();
        left.extend(refused);
        refuse_twins(wishes, &mut left);
        if left.len() == before {
            return left;
        }
    }
}

fn refuse(wish: &Wish, granted: &HashMap<&str, &Wish>, facts: &Facts) -> Option<WhyLeft> {
    if wish.is_removed {
        let all = facts.pointed_at.get(&wish.id).copied().unwrap_or_default();
        return (all > freed(&wish.id, granted, facts)).then_some(WhyLeft::InUse);
    }
    let lost = wish.links.iter().any(|(to, wanted)| {
        let found = match granted.get(to.as_str()) {
            Some(other) if other.is_removed => None,
            Some(other) => Some(other.type_name.as_str()),
            None => facts.live.get(to).map(String::as_str),
        };
        found.is_none() || found != wanted.as_deref()
    });
    if lost {
        return Some(WhyLeft::LinkLost);
    }
    let taken = wish.identifiers.iter().any(|pair| {
        let key = (wish.type_name.clone(), pair.0.clone(), pair.1.clone());
        let Some(owner) = facts.owners.get(&key).filter(|owner| **owner != wish.id) else {
            return false;
        };
        match granted.get(owner.as_str()) {
            Some(other) => !other.is_removed && other.identifiers.contains(pair),
            None => facts.live.contains_key(owner),
        }
    });
    taken.then_some(WhyLeft::Taken)
}

/// How many records of the batch stop pointing at this one.
fn freed(id: &str, granted: &HashMap<&str, &Wish>, facts: &Facts) -> i64 {
    let from = facts.links.iter().filter(|(from, to)| to == id && from != id);
    let from: HashSet<&str> = from.map(|(from, _)| from.as_str()).collect();
    let stops = |from: &&str| {
        granted
            .get(*from)
            .is_some_and(|w| w.is_removed || !w.links.iter().any(|(to, _)| to == id))
    };
    from.iter().filter(|from| stops(from)).count() as i64
}

/// Of two that want the same value the first gets it.
fn refuse_twins(wishes: &[Wish], left: &mut HashMap<String, WhyLeft>) {
    let mut given: HashSet<(&str, &Pair)> = HashSet::new();
    for wish in wishes.iter().filter(|w| !w.is_removed) {
        if left.contains_key(&wish.id) {
            continue;
        }
        if wish
            .identifiers
            .iter()
            .any(|pair| given.contains(&(wish.type_name.as_str(), pair)))
        {
            left.insert(wish.id.clone(), WhyLeft::Taken);
        } else {
            given.extend(wish.identifiers.iter().map(|pair| (wish.type_name.as_str(), pair)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remove(id: &str) -> Wish {
        Wish {
            id: id.to_owned(),
            type_name: "vase".to_owned(),
            is_removed: true,
            ..Wish::default()
        }
    }

    fn put(id: &str, number: &str, links: &[&str]) -> Wish {
        Wish {
            identifiers: vec![("number".to_owned(), number.to_owned())],
            links: links
                .iter()
                .map(|to| ((*to).to_owned(), Some("vase".to_owned())))
                .collect(),
            is_removed: false,
            ..remove(id)
        }
    }

    fn facts(live: &[&str], links: &[(&str, &str)], owners: &[(&str, &str)]) -> Facts {
        let mut facts = Facts::default();
        facts
            .live
            .extend(live.iter().map(|id| ((*id).to_owned(), "vase".to_owned())));
        for (from, to) in links {
            *facts.pointed_at.entry((*to).to_owned()).or_default() += 1;
            facts.links.push(((*from).to_owned(), (*to).to_owned()));
        }
        for (value, owner) in owners {
            let key = ("vase".to_owned(), "number".to_owned(), (*value).to_owned());
            facts.owners.insert(key, (*owner).to_owned());
        }
        facts
    }

    #[track_caller]
    fn check(wishes: &[Wish], facts: &Facts, want: &[(&str, WhyLeft)]) {
        let want: HashMap<String, WhyLeft> = want.iter().map(|(id, why)| ((*id).to_owned(), *why)).collect();
        assert_eq!(settle(wishes, facts), want);
    }

    #[test]
    fn what_others_point_at_stays() {
        let all = facts(&["a", "b", "c"], &[("a", "b"), ("b", "c")], &[]);
        check(&[remove("a"), remove("b"), remove("c")], &all, &[]);
        // The chain breaks at its start: a stays as nobody asked for it, so b and then c stay too.
        check(
            &[remove("b"), remove("c")],
            &all,
            &[("b", WhyLeft::InUse), ("c", WhyLeft::InUse)],
        );
        check(&[put("a", "1", &[]), remove("b")], &all, &[]);
    }

    #[test]
    fn links_lead_somewhere() {
        let all = facts(&["a"], &[], &[]);
        check(&[put("a", "1", &["b"])], &all, &[("a", WhyLeft::LinkLost)]);
        check(&[put("a", "1", &["b"]), put("b", "2", &[])], &all, &[]);
        check(
            &[put("a", "1", &["b"]), remove("b")],
            &facts(&["a", "b"], &[], &[]),
            &[("a", WhyLeft::LinkLost)],
        );
    }

    #[test]
    fn a_value_has_one_owner() {
        let all = facts(&["a", "b"], &[], &[("1", "b"), ("2", "a")]);
        check(&[put("a", "1", &[])], &all, &[("a", WhyLeft::Taken)]);
        // They change places.
        check(&[put("a", "1", &[]), put("b", "2", &[])], &all, &[]);
        check(&[put("a", "1", &[]), remove("b")], &all, &[]);
        check(
            &[put("a", "3", &[]), put("b", "3", &[])],
            &all,
            &[("b", WhyLeft::Taken)],
        );
        // The owner is deleted already.
        check(&[put("a", "1", &[])], &facts(&["a"], &[], &[("1", "b")]), &[]);
    }
}
