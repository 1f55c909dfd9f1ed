//! What a word finds in the index: itself, its other forms, what means the same, words that begin so, hold it or are
//! written much like it. Exact words weigh most.

use tantivy::Term;
use tantivy::query::{BoostQuery, EmptyQuery, FuzzyTermQuery, Occur, PhrasePrefixQuery, PhraseQuery, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};

use super::compile::{Boxed, Compiler, all, any, silent, term};
use super::pattern::{Pattern, PatternPhrase, starred};
use super::query::{How, MAX_PHRASE, Node, Phrase, Word};
use super::schema::{ALL_KEY, Fields, START_KEY, TITLE_KEY};
use super::stem::Stems;
use super::text::{MAX_VALUE, cut, placed, whole_title, words};
use super::types::{NamedType, Tongue};
use crate::kernel::access::Level;

/// How much other forms of a word, what means the same, and words written much like it weigh beside the word itself.
const FORM: f32 = 0.6;
const SYNONYM: f32 = 0.5;
const ALIKE: f32 = 0.2;
/// Words a beginning may stand for, in each segment.
pub(super) const MAX_EXPANSIONS: u32 = 20_000;

/// Words with their places, see [`placed`].
pub(super) type Placed = Vec<(usize, String)>;

/// The words of a phrase that are followed, as they are looked for.
pub(super) fn placed_words(text: &str) -> Placed {
    let mut tokens = placed(text);
    tokens.truncate(MAX_PHRASE);
    tokens
}

/// The words of a phrase that are followed, one by one.
pub(super) fn phrase_words(text: &str) -> Vec<String> {
    let mut tokens = words(text);
    tokens.truncate(MAX_PHRASE);
    tokens
}

fn terms_of(field: Field, key: &str, tokens: &[(usize, String)]) -> Vec<(usize, Term)> {
    let term = |(place, token): &(usize, String)| (*place, Fields::json_term(field, key, token));
    tokens.iter().map(term).collect()
}

impl Compiler<'_> {
    /// The languages of texts that stand at a level the caller sees any of.
    pub fn find_tongues(&self) -> Vec<Tongue> {
        let stands = |tongue: &Tongue| self.views.iter().any(|view| view.tongues.contains(tongue));
        Tongue::ALL.into_iter().filter(stands).collect()
    }

    /// The types that are asked for, by what they are called.
    pub fn named_types(&self) -> impl Iterator<Item = &NamedType> {
        let asked = |named: &&NamedType| self.types.is_empty() || self.types.contains(&named.name);
        self.lexicon.types.iter().filter(asked)
    }

    /// A word of a question at a level.
    pub fn word(&self, level: Level, key: &str, word: &Word) -> Boxed {
        let field = self.fields.text[level as usize];
        let tokens = placed_words(&word.text);
        match word.how {
            How::Plain => self.forms(field, key, &tokens),
            How::Begin => any(vec![
                self.words(field, key, &tokens, true),
                self.words(field, key, &tokens, false),
            ]),
            How::Pattern => {
                let parts = starred(&word.text).into_iter();
                let each =
                    parts.map(|part| -> (Occur, Boxed) { (Occur::Must, self.bits(Pattern::new(field, key, &part))) });
                all(each.collect())
            }
            How::Called if matches!(key, ALL_KEY | TITLE_KEY) => self.called(level, &word.text),
            How::Called => {
                let exact = self.fields.exact[level as usize];
                let same = Fields::json_term(exact, key, cut(&word.text, MAX_VALUE));
                Box::new(TermQuery::new(same, IndexRecordOption::Basic))
            }
            How::Fuzzy => self.alike(field, key, &tokens, 1),
            How::Fuzzier => self.alike(field, key, &tokens, 2),
        }
    }

    /// A word with its other forms and what means the same.
    fn forms(&self, field: Field, key: &str, tokens: &[(usize, String)]) -> Boxed {
        let mut choices = vec![self.words(field, key, tokens, false)];
        if let [(_, token)] = tokens {
            for term in self.stems(field, key, token) {
                let form = TermQuery::new(term, IndexRecordOption::WithFreqs);
                choices.push(Box::new(BoostQuery::new(Box::new(form), FORM)));
            }
        }
        choices.extend(self.synonyms(field, key, tokens));
        any(choices)
    }

    /// The terms of a word's stems: as they are marked, and as words of their own.
    pub fn stems(&self, field: Field, key: &str, token: &str) -> Vec<Term> {
        let mut terms = Vec::new();
        for tongue in &self.tongues {
            let mut stems = Stems::new(*tongue);
            let Some(stem) = stems.stem(token) else { continue };
            terms.push(Fields::json_term(field, key, &stems.term(&stem)));
            let plain = Fields::json_term(field, key, &stem);
            if stem != token && !terms.contains(&plain) {
                terms.push(plain);
            }
        }
        terms
    }

    /// What means the same in a type, in documents of that type.
    fn synonyms(&self, field: Field, key: &str, tokens: &[(usize, String)]) -> Vec<Boxed> {
        let mut found = Vec::new();
        for named in self.named_types() {
            let others = named.synonyms.others(tokens);
            let same: Vec<Boxed> = others.map(|words| self.words(field, key, words, false)).collect();
            if !same.is_empty() {
                let of_type = all(vec![
                    (Occur::Must, silent(term(self.fields.type_name, &named.name))),
                    (Occur::Must, any(same)),
                ]);
                found.push(Box::new(BoostQuery::new(of_type, SYNONYM)) as Boxed);
            }
        }
        found
    }

    /// Whether something means the same as this word.
    pub fn has_synonyms(&self, token: &str) -> bool {
        self.named_types().any(|named| named.synonyms.has(token))
    }

    /// What is called so and nothing more, as far as titles are kept in order; `*` stands for any letters.
    fn called(&self, level: Level, text: &str) -> Boxed {
        let pattern = whole_title(text);
        if pattern.is_empty() {
            return Box::new(EmptyQuery);
        }
        let exact = self.fields.exact[level as usize];
        self.bits(Pattern::new(exact, START_KEY, &pattern))
    }

    /// The word and those that are written with so many letters otherwise; of several, the last one.
    fn alike(&self, field: Field, key: &str, tokens: &[(usize, String)], edits: u8) -> Boxed {
        let exact = self.forms(field, key, tokens);
        let [(_, token)] = tokens else { return exact };
        let mut choices = vec![exact];
        for edits in 1..=edits {
            let near = FuzzyTermQuery::new(Fields::json_term(field, key, token), edits, true);
            choices.push(Box::new(BoostQuery::new(Box::new(near), ALIKE)));
        }
        any(choices)
    }

    pub fn phrase(&self, level: Level, key: &str, phrase: &Phrase) -> Boxed {
        let field = self.fields.text[level as usize];
        let parts = starred(&phrase.text);
        if parts.iter().any(|part| part.contains('*')) {
            return self.bits(PatternPhrase::new(field, key, parts));
        }
        let tokens = placed_words(&phrase.text);
        if phrase.slop == 0 || phrase.begin || tokens.len() < 2 {
            let exact = self.words(field, key, &tokens, phrase.begin);
            let mut choices = vec![exact];
            choices.extend(self.synonyms(field, key, &tokens));
            return any(choices);
        }
        let terms = terms_of(field, key, &tokens);
        Box::new(PhraseQuery::new_with_offset_and_slop(terms, u32::from(phrase.slop)))
    }

    /// Words side by side, the last one as a beginning if `prefix`.
    pub fn words(&self, field: Field, key: &str, tokens: &[(usize, String)], prefix: bool) -> Boxed {
        let mut terms = terms_of(field, key, tokens);
        if prefix {
            let mut query = PhrasePrefixQuery::new_with_offset(terms);
            query.set_max_expansions(MAX_EXPANSIONS);
            return Box::new(query);
        }
        if terms.len() == 1 {
            return Box::new(TermQuery::new(terms.remove(0).1, IndexRecordOption::WithFreqs));
        }
        Box::new(PhraseQuery::new_with_offset(terms))
    }

    /// A hint for each beginning that stands for more words than are followed.
    pub fn cut_beginnings(&self, tree: Option<&Node>) -> tantivy::Result<Vec<String>> {
        let mut starts = Vec::new();
        let Some(tree) = tree else { return Ok(Vec::new()) };
        tree.each(false, &mut |node, _| {
            if let Node::Word(word) = node
                && word.how == How::Begin
                && let Some((_, start)) = placed_words(&word.text).pop()
            {
                starts.push((self.key_of(word.field.as_deref()), start));
            }
        });
        let mut hints = Vec::new();
        for (key, start) in starts {
            if self.expands_too_far(&key, &start)? {
                hints.push(format!(
                    "More than {MAX_EXPANSIONS} words begin with \"{start}\"; only the first of them were looked for."
                ));
            }
        }
        Ok(hints)
    }

    /// Only levels the caller sees are looked at: other words than theirs tell nothing.
    fn expands_too_far(&self, key: &str, start: &str) -> tantivy::Result<bool> {
        for reader in self.searcher.segment_readers() {
            for (level, _) in &self.scope.levels {
                let field = self.fields.text[*level as usize];
                let term = Fields::json_term(field, key, start);
                let first = term.serialized_value_bytes();
                let index = reader.inverted_index(field)?;
                let mut words = index.terms().range().ge(first).into_stream()?;
                let mut count = 0;
                while count <= MAX_EXPANSIONS && words.advance() && words.key().starts_with(first) {
                    count += 1;
                }
                if count > MAX_EXPANSIONS {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
