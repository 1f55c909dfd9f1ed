//! GitHub, which knows OAuth only: the account is asked for with the access that the code gives. The number of the account
//! is the identity, since names there change hands; its organisations are its groups.

use hyper::header::{ACCEPT, AUTHORIZATION};
use serde_json::Value;

use super::claims::Told;
use super::{Provider, Redeem, Refused, Trouble};
use crate::kernel::fetch::Ask;

const SITE: &str = "https://github.com";
const API: &str = "https://api.github.com";
const JSON: &str = "application/json";

impl Provider {
    /// GitHub itself, or a server of one's own.
    pub(super) fn github_site(&self) -> &str {
        match self.settings.issuer.trim_end_matches('/') {
            "" => SITE,
            own => own,
        }
    }

    fn github_api(&self, path: &str) -> String {
        match self.github_site() {
            SITE => format!("{API}{path}"),
            own => format!("{own}/api/v3{path}"),
        }
    }

    async fn github_list(&self, what: &str, path: &str, access: &str) -> Result<Vec<Value>, Trouble> {
        let ask = Ask::get(&self.github_api(path)).header(ACCEPT, JSON);
        let got = self
            .got(what, ask.header(AUTHORIZATION, &format!("Bearer {access}")))
            .await?;
        serde_json::from_slice(&got.body).map_err(|_| Trouble::Down(format!("{what} is not a list of JSON")))
    }

    pub(super) async fn ask_github(&self, redeem: Redeem<'_>) -> Result<Told, Trouble> {
        let pairs = [
            ("client_id", self.settings.client_id.as_str()),
            ("client_secret", self.settings.client_secret.reveal()),
            ("code", redeem.code),
            ("redirect_uri", redeem.back),
            ("code_verifier", redeem.verifier),
        ];
        let url = format!("{}/login/oauth/access_token", self.github_site());
        let answer = self
            .object("the code", Ask::form(&url, &pairs).header(ACCEPT, JSON))
            .await?;
        if let Some(said) = answer.get("error").and_then(Value::as_str) {
            let said = super::word(said).unwrap_or("without a reason");
            return Err(Trouble::Wrong(format!("it refused the code ({said})")));
        }
        let access = answer.get("access_token").and_then(Value::as_str).unwrap_or_default();
        let ask = Ask::get(&self.github_api("/user")).header(ACCEPT, JSON);
        let user = self
            .object("the account", ask.header(AUTHORIZATION, &format!("Bearer {access}")))
            .await?;
        let id = user.get("id").and_then(Value::as_u64).ok_or(Refused::Subject)?;
        let text = |key: &str| {
            let text = user.get(key).and_then(Value::as_str).map(str::trim);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let addresses = self.github_list("the mail addresses", "/user/emails", access).await?;
        let is = |address: &Value, key: &str| address.get(key) == Some(&Value::Bool(true));
        let mail = addresses.iter().find(|a| is(a, "primary") && is(a, "verified"));
        let groups = match self.settings.roles.is_empty() {
            true => Vec::new(),
            false => {
                self.github_list("the organisations", "/user/orgs?per_page=100", access)
                    .await?
            }
        };
        let groups = groups.iter().filter_map(|group| group.get("login")?.as_str());
        Ok(Told {
            subject: id.to_string(),
            name: text("name").or_else(|| text("login")),
            login: text("login"),
            mail: mail.and_then(|a| a.get("email")?.as_str()).map(str::to_owned),
            mail_is_sure: mail.is_some(),
            groups: Some(groups.map(str::to_owned).collect()),
            ..Told::default()
        })
    }
}
