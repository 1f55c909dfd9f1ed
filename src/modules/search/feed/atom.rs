//! A feed as Atom (RFC 4287): plain text only, written by hand, since it is small and its order is its form.

use std::fmt::Write as _;

use super::Feed;
use crate::kernel::clock::rfc3339;
use crate::kernel::ui::filters::escape;

/// Text in XML: escaped, without characters that XML cannot hold.
fn xml(text: &str) -> String {
    let cannot = |c: char| (c.is_control() && !matches!(c, '\t' | '\n')) || matches!(c, '\u{fffe}' | '\u{ffff}');
    escape(&text.replace(cannot, " "))
}

/// The whole document.
pub(super) fn write(feed: &Feed) -> String {
    let mut out = String::with_capacity(1_000 + 600 * feed.entries.len());
    let (title, home, own, house) = (xml(&feed.title), xml(&feed.home), xml(&feed.own), xml(&feed.house));
    let updated = rfc3339(feed.updated);
    let _ = write!(
        out,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\">\n\
         <id>{own}</id>\n<title>{title}</title>\n<updated>{updated}</updated>\n<author><name>{house}</name></author>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{own}\"/>\n<link rel=\"alternate\" type=\"text/html\" href=\"{home}\"/>\n",
        feed.language
    );
    for entry in &feed.entries {
        let (href, title, kind) = (xml(&entry.href), xml(&entry.title), xml(&entry.kind));
        let (created, updated) = (rfc3339(entry.created), rfc3339(entry.updated));
        let _ = write!(
            out,
            "<entry>\n<id>{href}</id>\n<title>{title}</title>\n<link rel=\"alternate\" type=\"text/html\" href=\"{href}\"/>\n\
             <published>{created}</published>\n<updated>{updated}</updated>\n<category term=\"{kind}\"/>\n<summary>{}</summary>\n</entry>\n",
            xml(&entry.text.join("\n"))
        );
    }
    out.push_str("</feed>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_left_out() {
        assert_eq!(xml("a<b>&\"c\"\u{1}\u{fffe}\nd"), "a&lt;b&gt;&amp;&quot;c&quot;  \nd");
    }
}
