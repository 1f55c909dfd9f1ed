//! Plots as inline SVG, without scripts and without colours of their own: columns over numbers or time, spans over time, a
//! line in a sentence. Each can be read as a table too. `{{ plot }}` shows one.
//!
//! Shapes are drawn in SVG that stretches; words stay HTML, so that they are never squeezed on a phone.

use askama::Template;

use super::filters;

/// Labels under an axis.
const LABELS: usize = 5;

/// One column of a [`Columns`] plot.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// What the column is, whole: `1890–1899`.
    pub label: String,
    /// What may stand under it: `1890`.
    pub tick: String,
    pub count: u64,
    /// Where a click leads.
    pub href: Option<String>,
    /// The column is part of a filter in use.
    pub active: bool,
    /// What it stands for in a form, both ends with `..` between: `1890..1899`.
    pub span: String,
}

/// A bar chart over neighbouring steps: numbers, years, months.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "kernel/ui/templates/plot-columns.html")]
pub struct Columns {
    /// What is shown: `Records by year`.
    pub title: String,
    pub columns: Vec<Column>,
    /// Head of the table's first column: `Year`.
    pub by: String,
    /// Without title, axis and table: beside a facet that says it all.
    pub small: bool,
    /// The form whose fields `from` and `to` a span is put into by pulling over columns, or by keys.
    pub brush: Option<String>,
}

/// One row of a [`Spans`] plot.
#[derive(Clone, Debug, Default)]
pub struct Span {
    pub label: String,
    /// What is said of the span: `1730–1795`.
    pub text: String,
    pub from: f64,
    pub to: f64,
    pub href: Option<String>,
}

/// A timeline: when things began and ended, one below the other.
#[derive(Template, Clone, Debug)]
#[template(path = "kernel/ui/templates/plot-spans.html")]
pub struct Spans {
    pub title: String,
    pub spans: Vec<Span>,
}

/// A line as high as the text around it. `label` says it in words.
#[derive(Template, Clone, Debug)]
#[template(path = "kernel/ui/templates/plot-spark.html")]
pub struct Spark {
    pub label: String,
    pub values: Vec<u64>,
}

impl askama::filters::HtmlSafe for Columns {}
impl askama::filters::HtmlSafe for Spans {}
impl askama::filters::HtmlSafe for Spark {}

/// A rectangle of the drawing, in hundredths of its height and thousandths of its width.
struct Shape<'a> {
    x: String,
    width: String,
    y: String,
    height: String,
    column: &'a Column,
}

impl Columns {
    fn most(&self) -> u64 {
        self.columns.iter().map(|column| column.count).max().unwrap_or(0)
    }
    /// The top of the scale: the first round number at or above the highest column.
    fn top(&self) -> u64 {
        let most = self.most().max(1);
        let unit = 10u64.pow(most.ilog10());
        [1, 2, 3, 4, 5, 6, 8]
            .iter()
            .map(|n| unit.saturating_mul(*n))
            .find(|top| *top >= most)
            .unwrap_or_else(|| unit.saturating_mul(10))
    }
    fn shapes(&self) -> Vec<Shape<'_>> {
        let step = 1000.0 / self.columns.len().max(1) as f64;
        let gap = (step * 0.16).min(6.0);
        let top = self.top() as f64;
        let columns = self.columns.iter().enumerate().filter(|(_, column)| column.count > 0);
        columns
            .map(|(at, column)| {
                // Something is never shown as nothing.
                let height = (column.count as f64 / top * 100.0).max(1.5);
                Shape {
                    x: short(at as f64 * step + gap / 2.0),
                    width: short(step - gap),
                    y: short(100.0 - height),
                    height: short(height),
                    column,
                }
            })
            .collect()
    }
    /// The axis: one cell per column, some with a label.
    fn ticks(&self) -> Vec<(&str, &str)> {
        let every = self.columns.len().div_ceil(LABELS).max(1);
        let ticks = self.columns.iter().enumerate();
        ticks
            .map(|(at, column)| {
                let tick = if at % every == 0 { column.tick.as_str() } else { "" };
                (tick, column.span.as_str())
            })
            .collect()
    }
    fn highest(&self) -> Option<&Column> {
        let most = self.most();
        self.columns.iter().find(|column| column.count == most && most > 0)
    }
}

impl Spans {
    fn axis(&self) -> Vec<f64> {
        let from = self.spans.iter().map(|s| s.from).fold(f64::INFINITY, f64::min);
        let to = self.spans.iter().map(|s| s.to).fold(f64::NEG_INFINITY, f64::max);
        edges(from, to, LABELS)
    }
    fn ticks(&self) -> Vec<String> {
        let axis = self.axis();
        axis.iter()
            .take(axis.len().saturating_sub(1))
            .map(|n| short(*n))
            .collect()
    }
    /// Where a span begins and how wide it is, in thousandths.
    fn place(&self, span: &Span) -> (String, String) {
        let axis = self.axis();
        let (Some(from), Some(to)) = (axis.first(), axis.last()) else {
            return ("0".to_owned(), "0".to_owned());
        };
        let scale = 1000.0 / (to - from).max(f64::MIN_POSITIVE);
        let x = ((span.from - from) * scale).clamp(0.0, 1000.0);
        let width = ((span.to - span.from) * scale).clamp(4.0, 1000.0);
        (short(x.min(996.0)), short(width))
    }
}

impl Spark {
    /// The points of the line in a box of 100 by 20.
    fn points(&self) -> String {
        let most = self.values.iter().copied().max().unwrap_or(0).max(1) as f64;
        let step = 100.0 / (self.values.len().saturating_sub(1)).max(1) as f64;
        let points = self.values.iter().enumerate();
        let points = points.map(|(at, value)| {
            let y = 19.0 - *value as f64 / most * 18.0;
            format!("{},{}", short(at as f64 * step), short(y))
        });
        points.collect::<Vec<_>>().join(" ")
    }
}

/// A number with at most two decimals and no zeros at its end.
fn short(value: f64) -> String {
    if !value.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Round edges that enclose `from..=to` in at most `most` steps; two at least. For steps of a histogram or an axis.
pub fn edges(from: f64, to: f64, most: usize) -> Vec<f64> {
    if !(from.is_finite() && to.is_finite()) || from > to {
        return vec![0.0, 1.0];
    }
    let width = ((to - from) / most.max(1) as f64).max(f64::MIN_POSITIVE);
    if to - from < f64::EPSILON * from.abs().max(1.0) {
        return vec![from.floor(), from.floor() + 1.0];
    }
    let unit = 10f64.powf(width.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0, 20.0].map(|n| n * unit);
    for step in steps {
        let first = (from / step).floor();
        let last = (to / step).ceil().max(first + 1.0);
        if (last - first) as usize <= most.max(1) {
            return (0..=(last - first) as usize)
                .map(|n| (first + n as f64) * step)
                .collect();
        }
    }
    vec![from, to]
}

/// The length in years of the steps that show `from..=to` in at most `most` columns: 1, 2, 5, 10, 20, 25, 50, 100 …
pub fn year_step(from: i64, to: i64, most: usize) -> i64 {
    let most = i64::try_from(most.max(1)).unwrap_or(i64::MAX);
    let fits = |step: &i64| to.div_euclid(*step).saturating_sub(from.div_euclid(*step)) < most;
    let steps = [
        1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000,
    ];
    steps.into_iter().find(fits).unwrap_or(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::i18n::Language;
    use crate::kernel::ui::filters::Spoken;

    fn columns(counts: &[u64]) -> Columns {
        let column = |(at, count): (usize, &u64)| Column {
            label: format!("<{at}>"),
            tick: at.to_string(),
            count: *count,
            href: Some(format!("/search?n={at}&m")),
            active: at == 1,
            span: format!("{at}..{at}"),
        };
        Columns {
            title: "Records by n".to_owned(),
            columns: counts.iter().enumerate().map(column).collect(),
            by: "n".to_owned(),
            small: false,
            brush: Some("form".to_owned()),
        }
    }

    #[test]
    fn a_plot_says_the_same_as_its_table() {
        let plot = columns(&[0, 31, 7, 100_000]);
        assert_eq!(plot.top(), 100_000);
        let html = plot.render_with_values(&Spoken(Language::default())).unwrap();
        let parsed = scraper::Html::parse_fragment(&html);
        let count = |s: &str| parsed.select(&scraper::Selector::parse(s).unwrap()).count();
        assert_eq!(
            (count("svg rect"), count("tbody tr"), count("svg [tabindex='-1']")),
            (3, 4, 3)
        );
        assert!(html.contains("100,000") && !html.contains("<1>") && !html.contains("style="));
    }

    #[test]
    fn nothing_at_all_is_drawn_too() {
        for plot in [columns(&[]), columns(&[0]), columns(&[u64::MAX, 1])] {
            let html = plot.render_with_values(&Spoken(Language::default())).unwrap();
            assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
        }
        let spans = Spans {
            title: String::new(),
            spans: vec![Span {
                from: f64::NAN,
                ..Span::default()
            }],
        };
        let html = spans.render_with_values(&Spoken(Language::default())).unwrap();
        assert!(!html.contains("NaN"), "{html}");
        for values in [vec![], vec![0], vec![3, 0, u64::MAX]] {
            let label = String::new();
            assert!(!Spark { label, values }.points().contains("NaN"));
        }
    }

    #[test]
    fn edges_are_round() {
        assert_eq!(edges(3.0, 47.0, 5), [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]);
        assert_eq!(
            edges(1640.0, 2019.0, 5),
            [1600.0, 1700.0, 1800.0, 1900.0, 2000.0, 2100.0]
        );
        assert_eq!(edges(5.0, 5.0, 9), [5.0, 6.0]);
        assert_eq!(edges(f64::NAN, 1.0, 9), [0.0, 1.0]);
        assert!(edges(-1e300, 1e300, 20).len() <= 21);
        assert_eq!((year_step(1640, 2019, 40), year_step(1990, 2000, 40)), (10, 1));
        assert_eq!(year_step(-200_000, 2000, 10), 100_000);
        assert_eq!(year_step(i64::MIN, i64::MAX, 10), 1_000_000);
    }
}
