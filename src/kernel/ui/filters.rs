//! What templates may do to a value: look up a text, write a number, a size or a time for people.
//!
//! The language comes with the rendering, so no template names one. A missing text fails the rendering where tests run
//! and shows its key in a release, so that a forgotten word never takes a page down.

use std::fmt::Display;

use askama::Values;
use askama::filters::Safe;

use crate::kernel::clock::rfc3339;
use crate::kernel::i18n::{Arg, Language};

/// The name under which [`Spoken`] hands over the language.
const LANGUAGE: &str = "language";

/// The values of a rendering: its language. `template.render_with_values(&Spoken(language))`.
pub struct Spoken(pub Language);

impl Values for Spoken {
    fn get_value<'a>(&'a self, key: &str) -> Option<&'a dyn std::any::Any> {
        (key == LANGUAGE).then_some(&self.0 as &dyn std::any::Any)
    }
}

fn language(values: &dyn Values) -> Language {
    askama::get_value::<Language>(values, LANGUAGE)
        .copied()
        .unwrap_or_default()
}

fn known(found: Option<&str>, key: &str) -> askama::Result<()> {
    match found {
        None if cfg!(debug_assertions) => Err(askama::Error::custom(format!("the text \"{key}\" is missing"))),
        _ => Ok(()),
    }
}

/// The text of a key: `{{ "nav.search"|t }}`.
#[askama::filter_fn]
pub fn t<K: AsRef<str>>(key: K, values: &dyn Values) -> askama::Result<String> {
    let (key, language) = (key.as_ref(), language(values));
    known(language.get(key), key)?;
    Ok(language.text(key))
}

/// The text of a key with one replaced part: `{{ "search.for"|t1("query", query) }}`.
#[askama::filter_fn]
pub fn t1<K: AsRef<str>, V: Display>(key: K, values: &dyn Values, name: &str, value: V) -> askama::Result<String> {
    let (key, language) = (key.as_ref(), language(values));
    known(language.get(key), key)?;
    Ok(language.with(key, &[(name, &value)]))
}

/// The text of a key with several replaced parts: `{{ "job.of"|t_with([("done", a), ("total", b)]) }}`.
#[askama::filter_fn]
pub fn t_with<K: AsRef<str>, A: Args>(key: K, values: &dyn Values, args: A) -> askama::Result<String> {
    let (key, language) = (key.as_ref(), language(values));
    known(language.get(key), key)?;
    Ok(args.with(|args| language.with(key, args)))
}

/// The text for a number of things, `{n}` being the number: `{{ "search.total"|t_count(total) }}`.
#[askama::filter_fn]
pub fn t_count<K: AsRef<str>, N: Count>(key: K, values: &dyn Values, n: N) -> askama::Result<String> {
    let (key, language) = (key.as_ref(), language(values));
    known(language.get(&format!("{key}.other")), key)?;
    Ok(language.count(key, n.count(), &[]))
}

/// A sentence that a service said in English, in the reader's language where it is known: `{{ error|sentence }}`.
#[askama::filter_fn]
pub fn sentence<T: AsRef<str>>(text: T, values: &dyn Values) -> askama::Result<String> {
    Ok(language(values).sentence(text.as_ref()))
}

/// A whole number: `28,258`.
#[askama::filter_fn]
pub fn number<N: Count>(n: N, values: &dyn Values) -> askama::Result<String> {
    Ok(language(values).number(n.count()))
}

/// A size: `1.5 MB`.
#[askama::filter_fn]
pub fn bytes<N: Count>(n: N, values: &dyn Values) -> askama::Result<String> {
    Ok(language(values).bytes(n.count()))
}

/// A length of time in milliseconds: `2 min 5 s`.
#[askama::filter_fn]
pub fn duration(ms: &i64, values: &dyn Values) -> askama::Result<String> {
    Ok(language(values).duration(*ms))
}

/// A moment in milliseconds, as `<time>` with the machine's form beside the people's.
#[askama::filter_fn]
pub fn time(ms: &i64, values: &dyn Values) -> askama::Result<Safe<String>> {
    Ok(Safe(element(*ms, &language(values).time(*ms))))
}

/// A moment in milliseconds shown as its day only; the full time stands in the title.
#[askama::filter_fn]
pub fn date(ms: &i64, values: &dyn Values) -> askama::Result<Safe<String>> {
    let language = language(values);
    let (day, full) = (language.date(*ms), language.time(*ms));
    Ok(Safe(format!(
        "<time datetime=\"{}\" title=\"{}\">{}</time>",
        rfc3339(*ms),
        escape(&full),
        escape(&day)
    )))
}

fn element(ms: i64, shown: &str) -> String {
    format!("<time datetime=\"{}\">{}</time>", rfc3339(ms), escape(shown))
}

/// Text made safe for HTML, also inside attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// What takes the places of a text's `{names}`.
pub trait Args {
    fn with(&self, f: impl FnOnce(&[Arg<'_>]) -> String) -> String;
}

impl<V: Display, const N: usize> Args for [(&str, V); N] {
    fn with(&self, f: impl FnOnce(&[Arg<'_>]) -> String) -> String {
        let args: Vec<Arg<'_>> = self
            .iter()
            .map(|(name, value)| (*name, value as &dyn Display))
            .collect();
        f(&args)
    }
}

impl<A: Args> Args for &A {
    fn with(&self, f: impl FnOnce(&[Arg<'_>]) -> String) -> String {
        (**self).with(f)
    }
}

/// Whole numbers as templates hold them; a negative one counts as none.
pub trait Count {
    fn count(&self) -> u64;
}

macro_rules! counts {
    ($($number:ty),+) => { $(impl Count for $number {
        fn count(&self) -> u64 { u64::try_from(*self).unwrap_or_default() }
    })+ };
}
counts!(u64, i64, usize, u32, i32);

impl<N: Count> Count for &N {
    fn count(&self) -> u64 {
        (**self).count()
    }
}
