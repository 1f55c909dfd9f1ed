//! Whether those through whom people sign in answer, and say of themselves what the settings say of them. For `app doctor`.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::kernel::config::{Config, Provider};
use crate::kernel::fetch::{Ask, Fetch, Policy};

/// Bytes that an answer may have.
const MOST: usize = 256 << 10;

/// One line for each provider: its name, and how it is or what is wrong.
pub async fn look(config: &Config) -> Vec<(String, Result<String, String>)> {
    let providers = config.accounts.providers.iter();
    let asked = providers.map(|(name, provider)| async move { (format!("sign-in {name}"), ask(provider).await) });
    futures_util::future::join_all(asked).await
}

async fn ask(provider: &Provider) -> Result<String, String> {
    let is_github = provider.kind == "github";
    let site = match provider.issuer.as_str() {
        "" => "https://github.com",
        given => given,
    };
    let base = site.trim_end_matches('/');
    let url = match is_github {
        true => format!("{base}/login"),
        false => format!("{base}/.well-known/openid-configuration"),
    };
    let policy = Policy {
        private: provider.private_addresses,
        plain: provider.issuer.starts_with("http://"),
        timeout: Duration::from_secs(provider.timeout_seconds.max(1)),
        most: MOST,
        authorities: (!provider.ca_file.is_empty()).then(|| PathBuf::from(&provider.ca_file)),
    };
    let fetch = Fetch::new(policy).map_err(|error| error.detail().to_owned())?;
    let got = fetch.send(Ask::get(&url)).await.map_err(|fault| fault.whole())?;
    if !got.status.is_success() {
        return Err(format!("{url} answers with status {}", got.status.as_u16()));
    }
    if is_github {
        return Ok(format!("{base} answers"));
    }
    let said: Value = serde_json::from_slice(&got.body).map_err(|_| format!("{url} is not JSON"))?;
    match said.get("issuer").and_then(Value::as_str) {
        Some(issuer) if issuer == provider.issuer => Ok(format!("{issuer} answers")),
        Some(other) => {
            let other: String = other.chars().take(200).collect();
            Err(format!(
                "it calls itself \"{other}\", and the setting issuer says \"{}\"",
                provider.issuer
            ))
        }
        None => Err(format!("{url} does not say who it is")),
    }
}
