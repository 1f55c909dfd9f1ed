//! What is much like one entity: the values and rare words of what its asker sees of it, looked for among what its asker may
//! find.
//!
//! A field that is hidden from the asker is not used, and each condition holds at a level they see, as in every search.
//! Words that stand nearly everywhere say nothing and are left out, which also bounds the work.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tantivy::query::{ConstScoreQuery, EnableScoring, Query, TermQuery};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, Searcher, Term};

use super::compile::{Boxed, Compiler, any};
use super::frequency::Frequencies;
use super::query::Day;
use super::schema::{ALL_KEY, Fields, key};
use super::scope::Scope;
use super::shared::{View, Warm};
use super::text::{MAX_VALUE, cut, words};
use super::types::{Document, Types, Value};
use super::{Inner, Search, store};
use crate::kernel::access::{Level, Terms, Visibility};
use crate::kernel::error::{Error, Result};

/// Found at most.
pub const MAX_SIMILAR: usize = 50;
/// Words and values that are looked at, of which the ones that say most are asked for.
const LOOKED_AT: usize = 64;
const ASKED: usize = 16;
/// Documents that the conditions together may have, so that the answer comes at once in a large collection.
const REACH: u64 = 40_000;
/// Shorter words say little, where words are written with spaces.
const SHORTEST: usize = 4;
/// What a value that is the same, a word of the title and another word say.
const VALUE: f32 = 2.0;
const TITLE: f32 = 1.5;
const WORD: f32 = 1.0;
/// The part of everything asked for that something must have to count as like it.
const LIKE: f32 = 0.15;

/// For what, and for whom, something like it is wanted.
#[derive(Clone, Debug)]
pub struct Like {
    /// The ledger kind.
    pub kind: String,
    pub id: String,
    pub limit: usize,
    /// As in [`super::Query`].
    pub visibility: Visibility,
}

/// A word (the field is `None`) or a whole value.
type Trait = (Option<String>, String);

impl Search {
    /// The ids of what is much like an entity, the most alike first. Nothing for an entity that is not there or not seen.
    ///
    /// # Errors
    /// `Unavailable` before anything can be answered; what the database says.
    pub async fn similar(&self, like: Like) -> Result<Vec<String>> {
        let inner = self.inner()?.clone();
        let Some(document) = inner.entity(&like.kind, &like.id).await? else {
            return Ok(Vec::new());
        };
        let permit = inner.permits.acquire().await.map_err(Error::internal)?;
        let types = inner.types().await?;
        let answering = inner.clone();
        let until = Instant::now() + super::SUGGEST_TIME;
        let found = tokio::task::spawn_blocking(move || answering.alike(&like, &document, &types, until)).await;
        drop(permit);
        found.map_err(Error::internal)?.map_err(store::broken)
    }
}

/// Whether what an entity has at a level is seen.
fn sees(visibility: &Visibility, document: &Document, level: Level) -> bool {
    match visibility.level(level) {
        Terms::All => true,
        Terms::Any(terms) => terms.iter().any(|term| document.visible[level as usize].contains(term)),
    }
}

/// What may be the same in others, with how much that says.
fn traits(document: &Document, visibility: &Visibility) -> Vec<(Trait, f32)> {
    let mut found: HashMap<Trait, (usize, f32)> = HashMap::new();
    let mut add = |one: Trait, says: f32| {
        let order = found.len();
        if order < LOOKED_AT || found.contains_key(&one) {
            let known = found.entry(one).or_insert((order, 0.0));
            known.1 = known.1.max(says);
        }
    };
    let telling = |word: &String| {
        let letters = word.chars().any(|c| !c.is_ascii_digit());
        letters && (word.chars().count() >= SHORTEST || !word.is_ascii())
    };
    if sees(visibility, document, document.title_level) {
        for word in words(&document.title).into_iter().filter(telling) {
            add((None, word), TITLE);
        }
    }
    let seen = document
        .fields
        .iter()
        .filter(|field| field.searchable && sees(visibility, document, field.level));
    let (mut texts, mut wholes) = (Vec::new(), Vec::new());
    for field in seen {
        for value in &field.values {
            match value {
                Value::Keyword(text) => wholes.push((Some(field.name.clone()), cut(text, MAX_VALUE).to_owned())),
                Value::Text(text) | Value::Shown(text) => texts.push(text),
                _ => {}
            }
        }
    }
    wholes.truncate(LOOKED_AT / 2);
    for whole in wholes {
        add(whole, VALUE);
    }
    for text in texts {
        for word in words(cut(text, 4 * MAX_VALUE)).into_iter().filter(telling) {
            add((None, word), WORD);
        }
    }
    let mut found: Vec<(Trait, (usize, f32))> = found.into_iter().collect();
    found.sort_by_key(|(_, (order, _))| *order);
    found.into_iter().map(|(one, (_, says))| (one, says)).collect()
}

/// The term of a trait at a level.
fn term_of(fields: &Fields, level: Level, (field, text): &Trait) -> Term {
    match field {
        Some(name) => Fields::json_term(fields.exact[level as usize], &key(name), text),
        None => Fields::json_term(fields.text[level as usize], ALL_KEY, text),
    }
}

impl Inner {
    /// An entity as it is now, from whoever keeps it.
    async fn entity(&self, kind: &str, id: &str) -> Result<Option<Document>> {
        let sources = self
            .follows
            .get()
            .map(|(_, sources)| sources.as_slice())
            .unwrap_or_default();
        let ids = [id.to_owned()];
        for source in sources.iter().filter(|source| source.kind() == kind) {
            if let Some(document) = source.load(&ids).await?.pop() {
                return Ok(Some(document));
            }
        }
        Ok(None)
    }

    /// Blocks, at most until then: what was found by then is the answer.
    fn alike(&self, like: &Like, document: &Document, types: &Types, until: Instant) -> tantivy::Result<Vec<String>> {
        let seen = Level::ALL
            .into_iter()
            .any(|level| sees(&like.visibility, document, level));
        let Ok((_, searcher)) = self.searcher() else {
            return Ok(Vec::new());
        };
        if !seen {
            return Ok(Vec::new());
        }
        let scope = Scope::new(&like.visibility, &types.shapes);
        let warm = self.shared.of(&searcher);
        let views = self.views(&searcher, &warm, &scope, Some(&like.kind), &[])?;
        let compiler = Compiler {
            scoring: true,
            ..Compiler::new(
                (&self.fields, &searcher),
                &scope,
                &views,
                &types.lexicon,
                Day::of(self.clock.now()),
            )
        };
        let asked = telling(&compiler, traits(document, &like.visibility))?;
        let whole: f32 = asked.iter().map(|(_, says)| says).sum();
        let conditions = asked.iter().map(|(one, says)| {
            compiler.leveled(&|level| {
                let term = TermQuery::new(term_of(&self.fields, level, one), IndexRecordOption::Basic);
                Box::new(ConstScoreQuery::new(Box::new(term), *says))
            })
        });
        let conditions: Vec<Boxed> = conditions.collect();
        if conditions.is_empty() {
            return Ok(Vec::new());
        }
        let best = Best {
            least: whole * LIKE,
            // One more: it finds itself.
            most: like.limit.min(MAX_SIMILAR) + 1,
            found: Vec::new(),
        };
        let found = best.of(&searcher, &views, &*any(conditions), until)?;
        let mut ids = Vec::with_capacity(found.len());
        for (_, segment, doc) in found {
            ids.extend(id_of(&searcher, &warm, segment, doc)?);
        }
        ids.retain(|id| *id != like.id);
        ids.truncate(like.limit);
        Ok(ids)
    }
}

/// What says most, with how much: what few others have.
fn telling(compiler: &Compiler<'_>, traits: Vec<(Trait, f32)>) -> tantivy::Result<Vec<(Trait, f32)>> {
    let frequencies = Frequencies::new(compiler);
    let all = frequencies.docs;
    let mut rare = Vec::new();
    for (one, says) in traits {
        let mut having = 0;
        for (level, _) in &compiler.scope.levels {
            having += frequencies.of(&term_of(compiler.fields, *level, &one))?;
        }
        // What nobody else has finds nothing, what nearly everybody has says nothing.
        if having > 1 && (having * 4 <= all || all < 40) {
            let rarity = (1.0 + all as f32 / having as f32).ln();
            rare.push((one, says * rarity, having));
        }
    }
    rare.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut reach = 0;
    let mut asked = Vec::new();
    for (one, says, having) in rare {
        if asked.len() < ASKED && reach + having <= REACH {
            reach += having;
            asked.push((one, says));
        }
    }
    Ok(asked)
}

/// The best documents so far.
struct Best {
    least: f32,
    most: usize,
    found: Vec<(f32, u32, DocId)>,
}

impl Best {
    fn of(
        mut self,
        searcher: &Searcher,
        views: &[Arc<View>],
        query: &dyn Query,
        until: Instant,
    ) -> tantivy::Result<Vec<(f32, u32, DocId)>> {
        let weight = query.weight(EnableScoring::enabled_from_searcher(searcher))?;
        for (ord, reader) in searcher.segment_readers().iter().enumerate() {
            if Instant::now() >= until {
                break;
            }
            let (alive, seen) = (reader.alive_bitset(), views[ord].found.as_deref());
            weight.for_each(reader, &mut |doc, score| {
                let is_seen = seen.is_none_or(|seen| seen.contains(doc));
                if score >= self.least && is_seen && alive.is_none_or(|alive| alive.is_alive(doc)) {
                    self.found.push((score, ord as u32, doc));
                    if self.found.len() >= 8 * self.most {
                        self.tidy();
                    }
                }
            })?;
        }
        self.tidy();
        Ok(self.found)
    }

    /// Keeps the best; at the same place those that stand first.
    fn tidy(&mut self) {
        self.found
            .sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        self.found.truncate(self.most);
        if let Some((worst, _, _)) = self.found.get(self.most - 1) {
            self.least = self.least.max(*worst);
        }
    }
}

fn id_of(searcher: &Searcher, warm: &[Arc<Warm>], segment: u32, doc: DocId) -> tantivy::Result<Option<String>> {
    let columns = warm[segment as usize].columns(searcher.segment_reader(segment), "id")?;
    let Some(texts) = columns.first().and_then(|opened| opened.texts.as_ref()) else {
        return Ok(None);
    };
    let Some(ord) = texts.ords().first(doc) else {
        return Ok(None);
    };
    let mut id = String::new();
    texts.ord_to_str(ord, &mut id)?;
    Ok(Some(id))
}
