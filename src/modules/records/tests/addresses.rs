//! What the sitemap names: records that everybody may read, in pieces that meet.

use std::sync::Arc;

use serde_json::json;

use super::{because, hidden, new, operator, service, vase};
use crate::both;
use crate::kernel::access::{Access, Level};
use crate::kernel::http::SitemapSource;
use crate::kernel::testing::TestDb;
use crate::modules::records::service::NewRecord;
use crate::modules::records::sitemap::Addresses;

both!(a_sitemap_names_what_everybody_may_read);

async fn a_sitemap_names_what_everybody_may_read(db: TestDb) {
    let (s, who) = (service(&db), operator());
    let why = because(&who);
    s.create_type(&why, &vase()).await.unwrap();
    let mut public = Vec::new();
    for n in 0..7 {
        let document = json!({ "number": n.to_string(), "title": "Jar" });
        let one = NewRecord {
            visibility: Some(Level::Public),
            ..new(document.clone())
        };
        let made = s
            .create(&why, &if n == 3 { hidden(document) } else { one })
            .await
            .unwrap();
        if n != 3 {
            public.push(format!("/records/{}", made.seen.record.id));
        }
    }
    public.sort();
    let source = Addresses {
        service: Arc::new(s),
        access: Access::default(),
    };
    assert!(source.pages().await.unwrap().contains(&"/types/vase".to_owned()));
    // Three files: up to each milestone with it, and what comes after the last.
    let parts = source.parts(3).await.unwrap();
    assert_eq!(parts.len(), 2);
    let mut found = Vec::new();
    let begins = std::iter::once("").chain(parts.iter().map(String::as_str));
    let ends = parts.iter().map(|part| Some(part.as_str())).chain([None]);
    for (begin, end) in begins.zip(ends) {
        let mut after = Some(begin.to_owned());
        while let Some(from) = after {
            let (paths, next) = source.paths(&from, end, 2).await.unwrap();
            found.extend(paths);
            after = next;
        }
    }
    assert_eq!(found, public, "each once, in order, and no hidden one");
}
