//! Opening a collection that was closed: what the closing had moved goes back to where it was, what somebody had given a
//! visibility of its own keeps it, and what follows the collection follows it. Read from the ledger; no I/O of its own.

use crate::contract::records::RecordType;
use crate::kernel::access::Level;
use crate::kernel::error::Result;
use crate::modules::records::store::TypeState;

/// A place in the ledger.
pub type At = (i64, i64);

/// A change set that closed the collection and was not taken back since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    pub set_id: String,
    pub at: At,
    pub from: Level,
    pub to: Level,
}

/// What a closing had to do with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It moved the record, which stood so before.
    Moved(Level),
    /// The record was there and stood by itself already.
    Aside,
    /// The record was made after it.
    Later,
    /// What stood before was emptied for good.
    Unknown,
}

/// The closings that the change set `opening`, which opens the type to `to`, ends; the newest first.
pub fn ended(states: &[TypeState], opening: &str, to: Level) -> Result<Vec<Closing>> {
    let mut standing: Vec<Closing> = Vec::new();
    let mut level: Option<Level> = None;
    for state in states.iter().take_while(|state| state.set_id != opening) {
        let Some(text) = &state.document else { continue };
        let now = serde_json::from_str::<RecordType>(text)?.visibility;
        match level.replace(now) {
            Some(before) if now > before => standing.push(Closing {
                set_id: state.set_id.clone(),
                at: (state.txid, state.position),
                from: before,
                to: now,
            }),
            Some(before) if now < before => open(&mut standing, now),
            _ => {}
        }
    }
    standing.retain(|closing| closing.to > to);
    standing.reverse();
    Ok(standing)
}

/// Ends what an opening to `to` ends; one that began further out goes on from there.
fn open(standing: &mut Vec<Closing>, to: Level) {
    while let Some(last) = standing.last_mut() {
        if last.to <= to {
            return;
        }
        if last.from < to {
            last.to = to;
            return;
        }
        standing.pop();
    }
}

/// Where a record goes that stands at `from` when its collection is opened to `to`. `parts` are the closings that end by
/// this, the newest first, with what each had to do with the record.
pub fn target<'c>(from: Level, to: Level, parts: impl Iterator<Item = (&'c Closing, Part)>) -> Level {
    // What stood before all of them: the record, and the collection around it.
    let (mut own, mut around) = (from, from);
    for (closing, part) in parts {
        match part {
            Part::Moved(level) => (own, around) = (level, closing.from),
            Part::Aside => around = closing.from,
            Part::Later => break,
            Part::Unknown => return from,
        }
    }
    if own == around {
        to
    } else if around == to {
        own
    } else {
        own.max(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Level::{Members, Public, Restricted};

    /// The levels of a type one after another, each by a change set of its number.
    fn states(levels: &[Level]) -> Vec<TypeState> {
        let state = |(at, level): (usize, &Level)| TypeState {
            set_id: at.to_string(),
            txid: 0,
            position: at as i64,
            document: Some(
                serde_json::json!({ "name": "pot", "fields": [], "visibility": level.as_str() }).to_string(),
            ),
        };
        levels.iter().enumerate().map(state).collect()
    }

    #[track_caller]
    fn ends(levels: &[Level], to: Level, want: &[(&str, Level, Level)]) {
        let found = ended(&states(levels), &levels.len().to_string(), to).unwrap();
        let found: Vec<_> = found.iter().map(|c| (c.set_id.as_str(), c.from, c.to)).collect();
        assert_eq!(found, want, "{levels:?} to {to:?}");
    }

    #[test]
    fn an_opening_ends_what_closed() {
        ends(&[Members], Public, &[]);
        ends(&[Public, Members], Public, &[("1", Public, Members)]);
        ends(&[Public, Members, Public], Public, &[]);
        ends(
            &[Public, Members, Members, Restricted],
            Members,
            &[("3", Members, Restricted)],
        );
        ends(
            &[Public, Members, Restricted],
            Public,
            &[("2", Members, Restricted), ("1", Public, Members)],
        );
        // Half opened, the rest of it still stands.
        ends(&[Public, Restricted, Members], Public, &[("1", Public, Members)]);
        ends(
            &[Public, Members, Restricted, Members],
            Public,
            &[("1", Public, Members)],
        );
        ends(&[Members, Restricted, Public], Public, &[]);
    }

    #[track_caller]
    fn goes(from: Level, to: Level, parts: &[(Level, Part)], want: Level) {
        let closings: Vec<(Closing, Part)> = parts
            .iter()
            .map(|(was, part)| {
                let closing = Closing {
                    set_id: String::new(),
                    at: (0, 0),
                    from: *was,
                    to: Restricted,
                };
                (closing, *part)
            })
            .collect();
        let got = target(from, to, closings.iter().map(|(closing, part)| (closing, *part)));
        assert_eq!(got, want, "{parts:?}");
    }

    #[test]
    fn everything_goes_back_to_where_it_was() {
        // Never closed, or made while it was: it follows.
        goes(Members, Public, &[], Public);
        goes(Members, Public, &[(Public, Part::Later)], Public);
        // Moved by the closing; closed by hand before it.
        goes(Members, Public, &[(Public, Part::Moved(Public))], Public);
        goes(Members, Public, &[(Public, Part::Aside)], Members);
        // Opened by hand before it: again, but not further than the collection where that goes elsewhere.
        goes(Restricted, Members, &[(Members, Part::Moved(Public))], Public);
        goes(Restricted, Members, &[(Public, Part::Moved(Public))], Members);
        goes(Restricted, Members, &[(Public, Part::Moved(Members))], Members);
        // Closed twice: what stood aside the first time and was moved the second.
        goes(
            Restricted,
            Public,
            &[(Members, Part::Moved(Members)), (Public, Part::Aside)],
            Members,
        );
        goes(
            Restricted,
            Public,
            &[(Members, Part::Moved(Members)), (Public, Part::Moved(Public))],
            Public,
        );
        goes(
            Restricted,
            Public,
            &[(Members, Part::Moved(Members)), (Public, Part::Later)],
            Public,
        );
        goes(Members, Public, &[(Public, Part::Unknown)], Members);
    }
}
