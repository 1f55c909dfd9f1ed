//! What a browser carries back from a provider, for tests to change on its way.

use std::collections::BTreeMap;

/// What the browser carries back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub pairs: Vec<(String, String)>,
}

impl Answer {
    pub fn set(&mut self, key: &str, value: &str) {
        self.drop(key);
        self.pairs.push((key.to_owned(), value.to_owned()));
    }
    pub fn drop(&mut self, key: &str) {
        self.pairs.retain(|(name, _)| name != key);
    }
    pub fn get(&self, key: &str) -> String {
        let found = self.pairs.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }
    pub fn query(&self) -> String {
        let pairs: Vec<(&str, &str)> = self.pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        vitrine::kernel::fetch::form(&pairs)
    }
}

/// The pairs of an address or a form.
pub fn pairs(text: &str) -> BTreeMap<String, String> {
    let query = text.rsplit_once('?').map_or(text, |(_, query)| query);
    serde_html_form::from_str::<Vec<(String, String)>>(query)
        .unwrap()
        .into_iter()
        .collect()
}
