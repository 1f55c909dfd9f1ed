//! Pages with numbers: which ones to offer.

/// Where a reader is in a long list. Pages count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pager {
    pub current: usize,
    pub last: usize,
}

impl Pager {
    /// For `total` rows, `size` on a page, at most `reach` rows in all. `None` where one page holds everything.
    pub fn new(current: usize, total: u64, size: usize, reach: usize) -> Option<Self> {
        let rows = usize::try_from(total).unwrap_or(usize::MAX).min(reach);
        let last = rows.div_ceil(size.max(1));
        if last < 2 {
            return None;
        }
        let current = current.clamp(1, last);
        Some(Self { current, last })
    }
    pub fn previous(&self) -> Option<usize> {
        (self.current > 1).then(|| self.current - 1)
    }
    pub fn next(&self) -> Option<usize> {
        (self.current < self.last).then(|| self.current + 1)
    }
    /// The numbers to offer: the ends, the neighbours, and `None` where some are left out.
    pub fn numbers(&self) -> Vec<Option<usize>> {
        let mut out = Vec::with_capacity(9);
        let mut before = 0;
        let near = self.current.saturating_sub(1)..=self.current + 1;
        let mut offered: Vec<usize> = near
            .chain([1, self.last])
            .filter(|n| (1..=self.last).contains(n))
            .collect();
        offered.sort_unstable();
        offered.dedup();
        for n in offered {
            if n > before + 1 {
                // A gap of one page is shown as that page.
                out.push((n == before + 2).then_some(n - 1));
            }
            out.push(Some(n));
            before = n;
        }
        out
    }
}

/// A pager as links, for the template part `pager`.
#[derive(Clone, Debug, Default)]
pub struct PagerLinks {
    pub previous: Option<String>,
    pub next: Option<String>,
    /// `None` where pages are left out.
    pub numbers: Vec<Option<PageLink>>,
}

#[derive(Clone, Debug)]
pub struct PageLink {
    pub number: usize,
    pub href: String,
    pub current: bool,
}

impl Pager {
    /// The pager with the address of each page.
    pub fn links(&self, href: impl Fn(usize) -> String) -> PagerLinks {
        let link = |number| PageLink {
            number,
            href: href(number),
            current: number == self.current,
        };
        PagerLinks {
            previous: self.previous().map(&href),
            next: self.next().map(&href),
            numbers: self.numbers().into_iter().map(|n| n.map(link)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(current: usize, last: usize, want: &str) {
        let shown: Vec<String> = Pager { current, last }
            .numbers()
            .into_iter()
            .map(|n| n.map_or_else(|| "…".to_owned(), |n| n.to_string()))
            .collect();
        assert_eq!(shown.join(" "), want);
    }

    #[test]
    fn numbers_are_few() {
        check(1, 2, "1 2");
        check(1, 9, "1 2 … 9");
        check(4, 9, "1 2 3 4 5 … 9");
        check(5, 9, "1 … 4 5 6 … 9");
        check(9, 9, "1 … 8 9");
        check(3, 5, "1 2 3 4 5");
    }

    #[test]
    fn one_page_needs_no_pager_and_far_ones_are_not_offered() {
        assert_eq!(Pager::new(1, 25, 25, 10_000), None);
        assert_eq!(Pager::new(1, 0, 25, 10_000), None);
        assert_eq!(Pager::new(9, 26, 25, 10_000), Some(Pager { current: 2, last: 2 }));
        assert_eq!(Pager::new(0, u64::MAX, 25, 1_000), Some(Pager { current: 1, last: 40 }));
    }
}
