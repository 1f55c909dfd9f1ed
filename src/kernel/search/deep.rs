//! Rows far down by their number: how many of the first documents of each segment stand before a row, so that only the
//! rows that are shown get their keys and ids. Knows the order through one question: which of two documents comes first.

use std::cmp::Ordering;

/// How many of each list stand before the row `skip`, where all lists are in order and are put into one. `first` says
/// which of two places (list, position) comes first.
pub(super) fn skipped<E>(
    lengths: &[usize],
    skip: usize,
    mut first: impl FnMut((usize, usize), (usize, usize)) -> Result<Ordering, E>,
) -> Result<Vec<usize>, E> {
    let mut taken = vec![0; lengths.len()];
    let mut left = skip.min(lengths.iter().sum());
    while left > 0 {
        let open: Vec<usize> = (0..lengths.len()).filter(|at| taken[*at] < lengths[*at]).collect();
        // So many documents of whichever list ends a step first certainly stand before the row.
        let step = (left / open.len().max(1)).max(1);
        let mut best: Option<(usize, usize)> = None;
        for at in open.iter().copied() {
            let last = taken[at] + step - 1;
            if last >= lengths[at] {
                continue;
            }
            best = match best {
                Some(before) if first(before, (at, last))?.is_le() => Some(before),
                _ => Some((at, last)),
            };
        }
        // Never: together they hold what is left, so that one of them is as long as a step.
        let Some((at, last)) = best else { break };
        left -= step;
        taken[at] = last + 1;
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_a_row_is_the_same_as_in_one_list() {
        let lists: [Vec<u32>; 5] = [
            (0..40).map(|n| n * 3).collect(),
            (0..7).map(|n| n * n).collect(),
            vec![],
            (50..90).collect(),
            vec![1],
        ];
        let lengths: Vec<usize> = lists.iter().map(Vec::len).collect();
        let mut all: Vec<(u32, usize)> = Vec::new();
        for (at, list) in lists.iter().enumerate() {
            all.extend(list.iter().map(|value| (*value, at)));
        }
        all.sort_unstable();
        for skip in 0..=all.len() + 3 {
            let taken = skipped::<()>(&lengths, skip, |a, b| {
                Ok((lists[a.0][a.1], a.0).cmp(&(lists[b.0][b.1], b.0)))
            })
            .unwrap();
            let mut want = vec![0; lists.len()];
            all.iter().take(skip).for_each(|(_, at)| want[*at] += 1);
            assert_eq!(taken, want, "before row {skip}");
        }
    }
}
