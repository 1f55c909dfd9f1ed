//! What the macros of `templates/parts.html` are given: bars of a facet, twigs of a tree, events, steps.

use super::filters::Count;

/// One value of a facet, for `parts::facet`.
#[derive(Clone, Debug, Default)]
pub struct Bar {
    pub label: String,
    pub count: u64,
    /// Where a click leads: with the filter, or without it where it is in use.
    pub href: String,
    pub active: bool,
    /// Stands for records without a value.
    pub missing: bool,
}

impl Bar {
    /// The length of the bar in hundredths beside the largest of its facet.
    pub fn share(&self, most: impl Count) -> u64 {
        let share = u128::from(self.count) * 100 / u128::from(most.count().max(1));
        u64::try_from(share.clamp(u128::from(self.count > 0), 100)).unwrap_or(100)
    }
}

/// A line of a tree, for `parts::tree`: lines stand in reading order and say how deep they are.
#[derive(Clone, Debug, Default)]
pub struct Twig {
    pub label: String,
    pub href: Option<String>,
    /// Things below it or in it.
    pub count: Option<u64>,
    /// From 0.
    pub depth: usize,
    /// The one that the page is about.
    pub current: bool,
}

impl Twig {
    /// The class of its indentation; deeper ones stand below each other.
    pub fn indent(&self) -> usize {
        self.depth.min(6)
    }
}

/// What happened, for `parts::events`.
#[derive(Clone, Debug, Default)]
pub struct Event {
    pub what: String,
    pub href: Option<String>,
    pub at: i64,
    pub by: String,
    pub note: String,
    /// `ok`, `warn`, `bad` or nothing.
    pub tone: &'static str,
}

/// A step of a wizard, for `parts::steps`. Steps that are done can be gone back to.
#[derive(Clone, Debug, Default)]
pub struct Step {
    pub label: String,
    pub href: Option<String>,
    pub done: bool,
    pub current: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_count_says() {
        let bar = |count| Bar {
            count,
            ..Bar::default()
        };
        assert_eq!(
            (bar(0).share(10u64), bar(1).share(1000u64), bar(5).share(10u64)),
            (0, 1, 50)
        );
        assert_eq!((bar(5).share(0u64), bar(u64::MAX).share(u64::MAX)), (100, 100));
    }
}
