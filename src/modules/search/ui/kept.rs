//! How a reader likes lists to look: kept in a cookie of this browser, for addresses that do not say it themselves.

use axum::http::{HeaderMap, HeaderValue, header};

use super::address::{Address, View, density, density_name};

const COOKIE: &str = "lists";
/// Browsers keep cookies of 4 kB; the types whose columns were chosen last have a place.
const ROOM: usize = 3_000;
const SECONDS: u32 = 31_536_000;

/// See the module's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub view: Option<View>,
    pub dense: Option<bool>,
    /// Columns by type, the one chosen last first.
    columns: Vec<(String, Vec<String>)>,
}

impl Kept {
    pub fn read(headers: &HeaderMap) -> Self {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
        let value = cookies
            .flat_map(|line| line.split(';'))
            .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='));
        value.map(Self::from_text).unwrap_or_default()
    }

    /// Whatever a cookie holds: what cannot be read is left out.
    fn from_text(text: &str) -> Self {
        let pairs: Vec<(String, String)> = serde_html_form::from_str(text).unwrap_or_default();
        let mut kept = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "view" => kept.view = View::read(&value).filter(|view| view.is_kept()),
                "density" => kept.dense = density(&value),
                _ => {
                    let Some(type_name) = name.strip_prefix("of:") else {
                        continue;
                    };
                    match kept.columns.iter_mut().find(|(known, _)| known == type_name) {
                        Some((_, columns)) => columns.push(value),
                        None => kept.columns.push((type_name.to_owned(), vec![value])),
                    }
                }
            }
        }
        kept
    }

    pub fn columns(&self, type_name: &str) -> &[String] {
        let found = self.columns.iter().find(|(known, _)| known == type_name);
        found.map_or(&[], |(_, columns)| columns)
    }

    /// With what an address says. Without columns in it, those of its type are forgotten if `columns` asks for it.
    pub fn with(mut self, address: &Address, columns: bool) -> Self {
        self.view = address.view.filter(|view| view.is_kept()).or(self.view);
        self.dense = address.dense.or(self.dense);
        if columns {
            self.columns.retain(|(known, _)| *known != address.type_name);
            if !address.columns.is_empty() {
                let chosen = (address.type_name.clone(), address.columns.clone());
                self.columns.insert(0, chosen);
            }
        }
        self
    }

    fn text(&self) -> String {
        let mut pairs: Vec<(String, &str)> = Vec::new();
        pairs.extend(self.view.map(|view| ("view".to_owned(), view.as_str())));
        pairs.extend(self.dense.map(|dense| ("density".to_owned(), density_name(dense))));
        let mut text = serde_html_form::to_string(&pairs).unwrap_or_default();
        for (type_name, columns) in &self.columns {
            let pairs: Vec<(String, &String)> = columns.iter().map(|c| (format!("of:{type_name}"), c)).collect();
            let more = serde_html_form::to_string(&pairs).unwrap_or_default();
            if text.len() + more.len() > ROOM {
                break;
            }
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(&more);
        }
        text
    }

    /// The header that keeps it. It says nothing of the reader and is read by the server alone.
    pub fn cookie(&self, secure: bool) -> Option<HeaderValue> {
        let secure = if secure { "; Secure" } else { "" };
        let text = self.text();
        let line = format!("{COOKIE}={text}; Path=/search; Max-Age={SECONDS}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(cookie: &str) -> Kept {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
        Kept::read(&headers)
    }

    #[test]
    fn what_is_kept_comes_back_and_what_is_newest_has_room() {
        let mut now = Kept::default();
        for n in 0..60 {
            let address = Address {
                type_name: format!("type {n}"),
                columns: vec!["a;b=c&d".to_owned(), format!("{n}{}", "x".repeat(100))],
                view: View::read("table"),
                dense: density("compact"),
                ..Address::default()
            };
            now = now.with(&address, true);
        }
        let line = now.cookie(true).unwrap();
        let line = line.to_str().unwrap();
        assert!(line.len() < 3_200 && line.ends_with("; Secure"));
        let back = kept(&format!("theme=dark; {}", line.split(';').next().unwrap()));
        assert_eq!((back.view, back.dense), (View::read("table"), Some(true)));
        assert_eq!(back.columns("type 59")[0], "a;b=c&d");
        assert!(back.columns("type 0").is_empty() && back.columns("type").is_empty());
        let plain = Address {
            type_name: "type 59".to_owned(),
            ..Address::default()
        };
        assert!(!back.clone().with(&plain, false).columns("type 59").is_empty());
        assert!(back.with(&plain, true).columns("type 59").is_empty());
    }

    #[test]
    fn a_spoilt_cookie_is_no_cookie() {
        for text in ["lists", "lists=", "lists=%%%&view=x&density=&of:=", "lists=\u{fffd}"] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_bytes(text.as_bytes()).unwrap());
            let kept = Kept::read(&headers);
            assert_eq!((kept.view, kept.dense), (None, None), "{text}");
        }
    }
}
