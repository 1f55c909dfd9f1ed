//! Whole imports on both engines.
