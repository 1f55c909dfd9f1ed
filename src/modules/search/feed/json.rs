//! A feed as JSON Feed 1.1.

use serde_json::{Map, Value, json};

use super::{Entry, Feed};
use crate::kernel::clock::rfc3339;
use crate::kernel::error::Result;

fn item(entry: &Entry) -> Value {
    let mut item = Map::new();
    let mut put = |name: &str, value: Value| item.insert(name.to_owned(), value);
    put("id", json!(entry.href));
    put("url", json!(entry.href));
    put("title", json!(entry.title));
    // One of the two contents must be there.
    put(
        "content_text",
        json!(if entry.text.is_empty() {
            entry.title.clone()
        } else {
            entry.text.join("\n")
        }),
    );
    put("date_published", json!(rfc3339(entry.created)));
    put("date_modified", json!(rfc3339(entry.updated)));
    put("tags", json!([entry.kind]));
    if let Some(image) = &entry.image {
        put("image", json!(image));
    }
    Value::Object(item)
}

/// The whole document.
pub(super) fn write(feed: &Feed) -> Result<String> {
    let document = json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": feed.own,
        "language": feed.language,
        "authors": [{ "name": feed.house }],
        "items": feed.entries.iter().map(item).collect::<Vec<_>>(),
    });
    Ok(serde_json::to_string(&document)?)
}
