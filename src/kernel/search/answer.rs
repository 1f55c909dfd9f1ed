//! From a question to its answer: held to its limits, read, compiled, passed through the index.

use std::sync::Arc;
use std::time::Instant;

use tantivy::Searcher;

use super::bits::Patience;
use super::marks::marks;
use super::query::{Day, Node};
use super::scope::Scope;
use super::shared::{View, Warm};
use super::types::{Answer, Filter, Lexicon, Query, Sort, Types};
use super::{
    Inner, MAX_DEPTH, MAX_FACET_VALUES, MAX_FACETS, MAX_FILTER_VALUES, MAX_FILTERS, MAX_LIMIT, MAX_OFFSET, MAX_TIME,
    compile, cursor, run, sort, store,
};
use crate::kernel::error::{Code, Error, Result};

/// Holds a question to its limits, and makes one filter of several on the same field.
pub(super) fn checked(mut query: Query) -> Result<Query> {
    if query.limit > MAX_LIMIT {
        return Err(Error::invalid(
            "limit",
            format!("at most {MAX_LIMIT} records come in one page; go on with the cursor of the answer"),
        ));
    }
    let most = if query.deep { MAX_DEPTH } else { MAX_OFFSET };
    if query.offset > most {
        return Err(Error::invalid(
            "offset",
            format!("at most {most} records can be skipped; go on with cursors, or narrow the search"),
        ));
    }
    if query.offset > 0 && query.cursor.is_some() {
        return Err(Error::invalid("offset", "a cursor knows its place; leave offset out"));
    }
    if query.facets.len() > MAX_FACETS {
        return Err(Error::invalid(
            "facet",
            format!("at most {MAX_FACETS} fields can be counted at once"),
        ));
    }
    if query.facets.iter().any(|facet| facet.limit > MAX_FACET_VALUES) {
        return Err(Error::invalid(
            "facet",
            format!("at most {MAX_FACET_VALUES} values of a field are listed"),
        ));
    }
    let mut filters: Vec<Filter> = Vec::new();
    for filter in query.filters {
        match filters.iter_mut().find(|known| known.field == filter.field) {
            Some(known) => known.values.extend(filter.values),
            None => filters.push(filter),
        }
    }
    if filters.len() > MAX_FILTERS || filters.iter().any(|filter| filter.values.len() > MAX_FILTER_VALUES) {
        return Err(Error::invalid(
            "filter",
            format!("at most {MAX_FILTERS} fields with {MAX_FILTER_VALUES} values each can be filtered by"),
        ));
    }
    query.filters = filters;
    Ok(query)
}

impl Inner {
    pub(super) fn searcher(&self) -> Result<(u64, Searcher)> {
        let live = self.live.load();
        let live = live.as_ref().ok_or_else(|| {
            Error::new(
                Code::Unavailable,
                "The search index is being opened. Try again in a moment; /health/ready says how far it is.",
            )
        })?;
        Ok((live.epoch, live.reader.searcher()))
    }

    /// How the types keep and call their fields now, asked anew for each question.
    pub(super) async fn types(&self) -> Result<Types> {
        let sources = self.follows.get().map(|(_, sources)| sources.clone());
        let mut types = Types::default();
        for source in &sources.unwrap_or_default() {
            let others = source.types().await?;
            types.shapes.extend(others.shapes);
            if types.lexicon.types.is_empty() {
                types.lexicon = others.lexicon;
            } else if !others.lexicon.types.is_empty() {
                let both = [types.lexicon.types.as_slice(), &others.lexicon.types].concat();
                types.lexicon = Arc::new(Lexicon { types: both });
            }
        }
        Ok(types)
    }

    /// What of each segment a caller may find.
    pub(super) fn views(
        &self,
        searcher: &Searcher,
        warm: &[Arc<Warm>],
        scope: &Scope,
        kind: Option<&str>,
        types: &[String],
    ) -> tantivy::Result<Vec<Arc<View>>> {
        let segments = searcher.segment_readers().iter().zip(warm);
        segments
            .map(|(reader, warm)| warm.view((searcher, reader), &self.fields, scope, (kind, types)))
            .collect()
    }

    /// Answers a question; blocks, at most until then.
    pub(super) fn answer(&self, query: &Query, types: &Types, until: Instant) -> Result<Answer> {
        // The position is read before the searcher is taken: what it names is then certainly in the answer.
        let position = *self.watermark.borrow();
        let digest = cursor::digest(query);
        let after = query
            .cursor
            .as_deref()
            .map(|text| cursor::decode(&digest, text))
            .transpose()?;
        let now = self.clock.now();
        let (epoch, searcher) = match &after {
            Some(sort::After::Place { epoch, generation, .. }) => (*epoch, self.kept.find(*epoch, *generation, now)?),
            _ => self.searcher()?,
        };
        let scope = Scope::new(&query.visibility, &types.shapes);
        let warm = self.shared.of(&searcher);
        let views = self
            .views(&searcher, &warm, &scope, query.kind.as_deref(), &query.types)
            .map_err(store::broken)?;
        let around = if query.types.is_empty() || !asks_inside(query) {
            views.clone()
        } else {
            self.views(&searcher, &warm, &scope, query.kind.as_deref(), &[])
                .map_err(store::broken)?
        };
        let mut compiler = compile::Compiler {
            around: &around,
            types: &query.types,
            patience: Arc::new(Patience::until(until)),
            ..compile::Compiler::new((&self.fields, &searcher), &scope, &views, &types.lexicon, Day::of(now))
        };
        let settled = compiler
            .read(&query.text, query.tree.as_ref(), query.typing)
            .map_err(store::broken)?;
        let (mut parsed, instead) = (settled.parsed, settled.instead);
        let asked = parsed.sort.take().unwrap_or_else(|| query.sort.clone());
        let tree = parsed.tree.as_ref();
        // What is written into the box goes before the order that is usual.
        let sort = order(asked, tree);
        if matches!(after, Some(sort::After::Place { .. })) != (sort == Sort::Relevance) && after.is_some() {
            return Err(Error::new(
                Code::BadRequest,
                "cursor: this page marker does not belong to this question.",
            ));
        }
        parsed
            .hints
            .extend(told(&compiler, &warm, (tree, &sort)).map_err(store::broken)?);
        compiler.scoring = sort == Sort::Relevance;
        if compiler.scoring {
            compiler.heavy = compiler.find_heavy(tree);
        }
        let marks = marks(&compiler, tree);
        let patience = compiler.patience.clone();
        let pass = run::Pass {
            compiler,
            warm: &warm,
            question: query,
            tree,
            sort: &sort,
            after: after.as_ref(),
            epoch,
            now,
            until,
        };
        let outcome = pass.run().map_err(store::broken)?.ok_or_else(late)?;
        if patience.was_cut() {
            let text =
                "Words with stars stand for more than can be looked through; only the first of them were looked for.";
            parsed.hints.push(text.to_owned());
        }
        if let Some(sort::After::Place { .. }) = &outcome.last {
            self.kept.keep(epoch, &searcher, now);
        }
        let next = outcome
            .last
            .as_ref()
            .map(|last| cursor::encode(&digest, last))
            .transpose()?;
        Ok(Answer {
            total: outcome.total,
            hits: outcome.hits,
            facets: outcome.facets,
            places: outcome.places,
            next,
            position,
            marks,
            hints: parsed.hints,
            understood: parsed.tree,
            instead,
        })
    }
}

/// What is to be said of a question before it is asked: beginnings of too many words, an order there is none by.
fn told(
    compiler: &compile::Compiler<'_>,
    warm: &[Arc<Warm>],
    (tree, sort): (Option<&Node>, &Sort),
) -> tantivy::Result<Vec<String>> {
    let mut hints = compiler.cut_beginnings(tree)?;
    if let Sort::Field { field, .. } = sort
        && compiler.known(field)
        && !sort::is_kept((compiler.searcher, warm), &compiler.scope.levels, field)?
    {
        hints.push(format!("Records cannot be put in order by \"{field}\"."));
    }
    Ok(hints)
}

/// Whether something may be looked for that records of other types stand for.
fn asks_inside(query: &Query) -> bool {
    let mut asks = query.text.contains("in:") || query.filters.iter().any(|f| f.field == compile::INSIDE);
    if let Some(tree) = &query.tree {
        tree.each(false, &mut |node, _| {
            asks |= matches!(node, Node::In(_) | Node::Text(_))
        });
    }
    asks
}

/// The order that is asked for; newest first where nothing is asked for by which records can be weighed.
fn order(asked: Sort, tree: Option<&Node>) -> Sort {
    match asked {
        Sort::Relevance if !tree.is_some_and(weighs) => Sort::Created { descending: true },
        asked => asked,
    }
}

pub(super) fn late() -> Error {
    let text = format!(
        "This question took longer than {} s. Ask for fewer words or a longer beginning, or count fewer fields.",
        MAX_TIME.as_secs()
    );
    Error::new(Code::Timeout, text)
}

/// Whether something is asked for by which records can be weighed.
fn weighs(tree: &Node) -> bool {
    let mut any = false;
    tree.each(false, &mut |node, negated| {
        any |= !negated
            && matches!(
                node,
                Node::Word(_) | Node::Phrase(_) | Node::Is(_) | Node::Range(_) | Node::Filled(_)
            );
    });
    any
}
