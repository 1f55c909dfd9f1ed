//! The lines that make each component, as `/style` shows them.

pub(super) const FIELDS: &str = r##"// in the handler: kernel::ui::form
let name = Name::of("title");
Field::text(&name, label, value).required().hint(text)   Field::long  Field::number  Field::date  Field::url
Field::term(&name, label, value, known, "/api/suggest?field=material")
Field::select(&name, label, "good", &[("good", "Good")], true)
Field::boolean(&name, label, Some(true), page.language)   Field::switch(&name, label, on)
Field::record(&name, label, id, title, "/api/suggest?type=person")
Field::repeated(&name, label, &values, |name, value| Field::text(&name, label, …))
Field::group(&name, label, vec![Field::text(&name.field("born"), …)])

// what was sent, as a document; a refusal's messages at their fields
let document = form::read(pairs)?;
let homeless = form::mark(&mut fields, error.fields());

{# in the template #}
<form class="form" method="post" action="…" data-draft="record-{{ id }}">{% call parts::csrf(page) %}{% endcall %}
{% call parts::wrongs(form::wrongs(fields)) %}{% endcall %}
{% for field in fields %}{{ field }}{% endfor %}
<div class="toolbar sticky"><button class="button primary" type="submit">…</button></div></form>"##;

pub(super) const DROP: &str = r##"{% call parts::drop("file", "file", label, hint, true) %}{% endcall %}"##;

pub(super) const BUTTONS: &str = r##"<a class="button primary" href="…">   .button  .button.quiet  .button.danger  .button.small
<div class="toolbar">…<span class="push">…</span></div>
{% call parts::menu(label) %}<a href="…">…</a><hr><button class="danger">…</button>{% endcall %}
{% call parts::badge(label, "ok") %}{% endcall %}   {% call parts::chip(label, href, "Remove this filter") %}{% endcall %}
{% call parts::copy("#element", label) %}{% endcall %}"##;

pub(super) const OVER: &str = r##"<button data-open="sure">…</button>
{% call parts::dialog("sure", heading) %}…<div class="toolbar"><button data-close>…</button></div>{% endcall %}

// after a form: the next page says it, with a button that takes it back
(Flash::new("toast.saved").about(&title).undo(format!("/changes/{set}/undo")), see_other("/records/…"))

// from a script
document.dispatchEvent(new CustomEvent("toast", { detail: { text, tone: "bad" } }))"##;

pub(super) const FEEDBACK: &str = r##"{% call parts::notice("warn") %}<p>…</p>{% endcall %}
{% call parts::progress(label, done, total, text) %}{% endcall %}   {# a total of 0: the end is not known #}
{% call parts::empty(heading) %}<p>…</p><div class="toolbar">…</div>{% endcall %}"##;

pub(super) const LISTS: &str = r##"{% call parts::tabs(label, views) %}{% endcall %}   {% call parts::segmented(label, views) %}{% endcall %}   // (label, href, current)
<div class="scroll sticky-head" role="region" aria-label="…" tabindex="0"><table class="dense">
{% call parts::sort_head(label, href, "ascending", numeric) %}{% endcall %}
{% call parts::pager(links) %}{% endcall %}   // Pager::new(…).links(|n| …)"##;

pub(super) const FACETS: &str =
    r##"{% call parts::facet(label, bars, most, open) %}<p>more …</p>{% endcall %}   // kernel::ui::Bar"##;

pub(super) const PICTURES: &str = r##"<ul class="gallery"><li>{% call parts::picture(src, alt, letter) %}{% endcall %}<h3><a href="…">…</a></h3></li></ul>"##;

pub(super) const PLOTS: &str = r##"// kernel::ui::plot; {{ plot }} in the template
Columns { title, columns: vec![Column { label, tick, count, href, active }], by, small: false }
Spans { title, spans: vec![Span { label, text, from, to, href }] }
Spark { label, values }
plot::edges(from, to, 20)   plot::year_step(1640, 2019, 40)"##;

pub(super) const TREES: &str = r##"{% call parts::tree(label, twigs) %}{% endcall %}          // kernel::ui::Twig
{% call parts::events(events) %}{% endcall %}            // kernel::ui::Event
{% call parts::diff(differences) %}{% endcall %}         // kernel::ui::differences(before, after, label)"##;

pub(super) const FLOW: &str = r##"{% call parts::steps(label, steps) %}{% endcall %}   // kernel::ui::Step
{% call parts::more(label) %}…{% endcall %}"##;

/// What scripts look for, with the key of what they do.
pub(super) const ATTRIBUTES: &[(&str, &str)] = &[
    ("data-open=\"ID\" · data-close", "style.at-open"),
    ("data-copy=\"SELECTOR\"", "style.at-copy"),
    ("data-key=\"e\"", "style.at-key"),
    ("data-suggest=\"/api/suggest\"", "style.at-suggest"),
    ("data-picker=\"TITLE\"", "style.at-picker"),
    ("data-drop", "style.at-drop"),
    ("data-swap", "style.at-swap"),
    ("data-live data-events=\"…\" data-tail", "style.at-live"),
    ("form data-draft=\"KEY\" data-draft-version=\"3\"", "style.at-draft"),
    ("select data-submit", "style.at-submit"),
];
