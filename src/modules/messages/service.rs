//! What the module does: writes messages down, sends them, tells what became of them.

use async_trait::async_trait;

use super::model::{ATTEMPTS, Content, Message, State, address, address_key, written};
use super::server::{Refused, Server};
use super::{jobs, store};
use crate::contract::messages::{MessageInfo, Messages, NewMessage, Posted, Template};
use crate::kernel::Kernel;
use crate::kernel::access::Caller;
use crate::kernel::config;
use crate::kernel::db::{Db, Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::public_url;
use crate::kernel::i18n::Language;
use crate::kernel::id::{is_id, new_id};
use crate::kernel::jobs::enqueue;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// The most messages that a copy of somebody's data tells.
const OF_MOST: i64 = 1000;

/// See the module's text.
pub(super) struct Service {
    pub db: Db,
    settings: config::Messages,
    server: Option<Server>,
    /// How people call the place: its address without the scheme.
    house: String,
    /// For whoever names no language.
    language: Language,
}

/// What is shown about the mail server.
pub(super) struct Place {
    pub host: String,
    pub from: String,
    pub security: String,
}

impl Service {
    pub(super) fn new(kernel: &Kernel) -> Result<Self> {
        let public_url = public_url(&kernel.config);
        let house = public_url.split_once("://").map_or("", |(_, rest)| rest).to_owned();
        let site = house.split([':', '/']).next().filter(|site| !site.is_empty());
        let settings = kernel.config.messages.clone();
        Ok(Self {
            db: kernel.db.clone(),
            server: Server::new(&settings, site.unwrap_or("localhost"))?,
            settings,
            house,
            language: kernel.config.http.spoken(),
        })
    }

    /// The mail server as it is shown; none where none is set.
    pub(super) fn place(&self) -> Option<Place> {
        self.server.as_ref().map(|_| Place {
            host: self.settings.host.clone(),
            from: self.settings.from.clone(),
            security: self.settings.security.clone(),
        })
    }

    fn server(&self) -> Result<&Server> {
        self.server.as_ref().ok_or_else(|| {
            Error::new(
                Code::Unavailable,
                "No mail server is set. Name one in the setting messages.host, and messages.from; then start anew.",
            )
        })
    }

    /// Writes a message down unless its address had enough of its kind.
    async fn write(&self, tx: &mut Tx<'_>, new: &NewMessage<'_>) -> Result<Option<Message>> {
        let to = address(new.to)?.to_string();
        let key = address_key(&to);
        let now = tx.now();
        tx.lock(&format!("message {key}")).await?;
        let had = store::count_since(tx, &key, new.template.as_str(), now - HOUR).await?;
        if had >= i64::from(self.settings.most_per_hour) {
            tracing::warn!(
                message.template = new.template.as_str(),
                "an address had enough mail of this kind within the hour: left out"
            );
            return Ok(None);
        }
        let message = Message {
            id: new_id(),
            address: to,
            template: new.template.as_str().to_owned(),
            language: new.language.map(str::to_owned),
            content: Some(serde_json::to_string(&Content::new(&new.values, new.link.clone()))?),
            state: State::Waiting.as_str().to_owned(),
            error: None,
            attempts: 0,
            created_at: now,
            sent_at: None,
            expires_at: now + new.life,
        };
        store::insert(tx, &message, &key).await?;
        Ok(Some(message))
    }

    /// Hands a message over to the server.
    async fn hand_over(&self, message: &Message) -> Result<std::result::Result<(), Refused>> {
        let server = self.server()?;
        let content: Content = serde_json::from_str(message.content.as_deref().unwrap_or("{\"values\":[]}"))?;
        let template = Template::parse(&message.template)
            .ok_or_else(|| Error::internal(anyhow::anyhow!("an unknown template: {}", message.template)))?;
        let language = message.language.as_deref().and_then(Language::find);
        let mail = written(language.unwrap_or(self.language), template, &content, &self.house)?;
        let letter = server.letter(&message.id, address(&message.address)?, mail, message.created_at)?;
        Ok(server.hand_over(letter).await)
    }

    /// One try of a message that waits, which ends the job with it. Answers what became of it.
    pub(super) async fn attempt(&self, context: &crate::kernel::jobs::JobContext, id: &str) -> Result<State> {
        let Some(message) = store::get(&self.db, id).await? else {
            return Ok(State::Expired);
        };
        match message.state() {
            Some(State::Waiting | State::Failed) if message.content.is_some() => {}
            state => return Ok(state.unwrap_or(State::Expired)),
        }
        if message.expires_at <= self.db.clock().now() {
            self.forget_expired().await?;
            return Ok(State::Expired);
        }
        let refused = match self.hand_over(&message).await? {
            Ok(()) => {
                self.db
                    .write(Write::interactive("messages.sent"), |tx| {
                        Box::pin(async move {
                            store::sent(tx, id).await?;
                            context.finish_with(tx, &serde_json::json!({ "state": "sent" })).await
                        })
                    })
                    .await?;
                tracing::info!(message.id = id, message.template, "a message was sent");
                return Ok(State::Sent);
            }
            Err(refused) => refused,
        };
        let is_last = refused.for_good || context.attempt >= ATTEMPTS;
        self.note(id, &refused, is_last).await?;
        tracing::warn!(
            message.id = id,
            message.template,
            error = refused.text,
            is_last,
            "a message could not be sent"
        );
        let code = if refused.for_good {
            Code::BadRequest
        } else {
            Code::Unavailable
        };
        Err(Error::new(
            code,
            format!("The mail server did not take it: {}", refused.text),
        ))
    }

    async fn note(&self, id: &str, refused: &Refused, is_last: bool) -> Result<()> {
        let state = if is_last { State::Failed } else { State::Waiting }.as_str();
        let text = refused.text.as_str();
        self.db
            .write(Write::interactive("messages.not-sent"), |tx| {
                Box::pin(async move { store::not_sent(tx, id, state, text).await })
            })
            .await
    }

    /// Forgets what is of no use any more. Answers how many messages went.
    pub(super) async fn forget_expired(&self) -> Result<u64> {
        let days = i64::from(self.settings.keep_days);
        self.db
            .write(Write::bulk("messages.prune"), |tx| {
                Box::pin(async move {
                    let before = tx.now() - days * DAY;
                    store::prune(tx, before).await
                })
            })
            .await
    }

    /// Sends a test mail at once and tells what the server said.
    pub(super) async fn test(&self, to: &str) -> Result<MessageInfo> {
        self.server()?;
        let new = NewMessage {
            to,
            language: None,
            template: Template::Test,
            values: Vec::new(),
            link: None,
            life: DAY,
        };
        let new = &new;
        let written = self
            .db
            .write(Write::interactive("messages.test"), |tx| {
                Box::pin(async move { self.write(tx, new).await })
            })
            .await?;
        let Some(message) = written else {
            let text = "This address had enough test mail within the hour. Try again later, or another address.";
            return Err(Error::new(Code::TooMany, text).with("retry_after", 3600));
        };
        let id = message.id.as_str();
        match self.hand_over(&message).await? {
            Ok(()) => {
                let sent = self.db.write(Write::interactive("messages.sent"), |tx| {
                    Box::pin(async move { store::sent(tx, id).await })
                });
                sent.await?;
            }
            Err(refused) => {
                self.note(id, &refused, true).await?;
                return Err(Error::new(
                    Code::Unavailable,
                    format!(
                        "The mail server {} did not take the mail: {}",
                        self.settings.host, refused.text
                    ),
                ));
            }
        }
        let kept = store::get(&self.db, id).await?.unwrap_or(message);
        Ok(kept.info())
    }

    /// Messages in a state or all, the newest first, before one of them.
    pub(super) async fn list(&self, state: Option<State>, before: Option<&str>, limit: i64) -> Result<Vec<Message>> {
        store::list(&self.db, state.map(State::as_str), before, limit).await
    }

    /// Tries a failed message again.
    pub(super) async fn again(&self, caller: &Caller, id: &str) -> Result<()> {
        self.server()?;
        let missing = || Error::not_found("message", &id.chars().take(60).collect::<String>());
        if !is_id(id) {
            return Err(missing());
        }
        store::get(&self.db, id).await?.ok_or_else(missing)?;
        self.db
            .write(Write::interactive("messages.again"), |tx| {
                Box::pin(async move {
                    if !store::again(tx, id).await? {
                        let text =
                            "This message is not one that failed, or its time is over: what was in it is forgotten.";
                        return Err(Error::new(Code::Conflict, text));
                    }
                    enqueue(tx, caller, jobs::sending(id)).await.map(|_| ())
                })
            })
            .await
    }

    /// How many messages stand in trouble, and what the server said last.
    pub(super) async fn trouble(&self) -> Result<(i64, Option<String>)> {
        store::trouble(&self.db, self.db.clock().now() - DAY).await
    }
}

#[async_trait]
impl Messages for Service {
    fn is_on(&self) -> bool {
        self.server.is_some()
    }

    fn takes(&self, given: &str) -> bool {
        address(given).is_ok()
    }

    async fn send(&self, tx: &mut Tx<'_>, by: &Caller, new: &NewMessage<'_>) -> Result<Posted> {
        self.server()?;
        match self.write(tx, new).await? {
            Some(message) => {
                enqueue(tx, by, jobs::sending(&message.id)).await?;
                Ok(Posted::Waits)
            }
            None => Ok(Posted::TooMany),
        }
    }

    async fn of(&self, address: &str) -> Result<Vec<MessageInfo>> {
        let found = store::of(&self.db, &address_key(address), OF_MOST).await?;
        Ok(found.iter().map(Message::info).collect())
    }

    async fn forget(&self, tx: &mut Tx<'_>, address: &str) -> Result<()> {
        store::forget(tx, &address_key(address)).await
    }
}
