//! Texts: every visible word goes through a key and a language.
