//! One folder per module, each behind a feature of its name.
