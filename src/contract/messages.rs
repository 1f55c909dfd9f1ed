//! Mail to people: written down in the transaction of what it speaks of, sent by a job. No logic and no words here.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::kernel::access::Caller;
use crate::kernel::db::Tx;
use crate::kernel::error::Result;

/// Which texts a message has: `mail.NAME.subject`, `mail.NAME.text` and, where it leads somewhere, `mail.NAME.button`.
/// The names are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Template {
    /// The mail server works.
    Test,
    Invitation,
    /// A link to make an account of one's own, asked for at the door.
    SignUp,
    /// A link to choose a new password, asked for by somebody at the door.
    LostPassword,
    /// The same, made by whoever looks after accounts.
    NewPassword,
    ConfirmAddress,
    /// To the address before.
    AddressChanged,
    PasswordChanged,
    StepAdded,
    StepRemoved,
    PasskeyAdded,
    PasskeyRemoved,
    /// A sign-in through a provider was linked.
    IdentityLinked,
    IdentityUnlinked,
    /// Something new matches a saved search.
    SearchNews,
}

impl Template {
    pub const ALL: [Template; 15] = [
        Self::Test,
        Self::Invitation,
        Self::SignUp,
        Self::LostPassword,
        Self::NewPassword,
        Self::ConfirmAddress,
        Self::AddressChanged,
        Self::PasswordChanged,
        Self::StepAdded,
        Self::StepRemoved,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::IdentityLinked,
        Self::IdentityUnlinked,
        Self::SearchNews,
    ];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Invitation => "invitation",
            Self::SignUp => "sign-up",
            Self::LostPassword => "lost-password",
            Self::NewPassword => "new-password",
            Self::ConfirmAddress => "confirm-address",
            Self::AddressChanged => "address-changed",
            Self::PasswordChanged => "password-changed",
            Self::StepAdded => "step-added",
            Self::StepRemoved => "step-removed",
            Self::PasskeyAdded => "passkey-added",
            Self::PasskeyRemoved => "passkey-removed",
            Self::IdentityLinked => "identity-linked",
            Self::IdentityUnlinked => "identity-unlinked",
            Self::SearchNews => "search-news",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|template| template.as_str() == text)
    }
}

/// A message to write down.
#[derive(Clone, Debug)]
pub struct NewMessage<'a> {
    pub to: &'a str,
    /// The language of its reader, as a tag.
    pub language: Option<&'a str>,
    pub template: Template,
    /// What takes the places of `{names}` in the texts.
    pub values: Vec<(&'static str, String)>,
    /// Where its button leads. May hold a secret: it is forgotten once the message is sent.
    pub link: Option<String>,
    /// Milliseconds after which it is of no use and not sent any more.
    pub life: i64,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It is written down and will be sent.
    Waits,
    /// This address was sent as many of this kind within the hour as the settings allow: it is left out.
    TooMany,
}

/// A message as its reader and those who run the house see it: without its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MessageInfo {
    pub id: String,
    pub to: String,
    /// `invitation`, `lost-password` …
    pub template: String,
    /// `waiting`, `sent`, `failed` or `expired`.
    pub state: String,
    /// Why it is not sent yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<String>,
}

/// The port of the module `messages`.
#[async_trait]
pub trait Messages: Send + Sync {
    /// True where a mail server is set. Without one links are shown to whoever makes them.
    fn is_on(&self) -> bool;
    /// True for an address that mail can be sent to.
    fn takes(&self, address: &str) -> bool;
    /// Writes a message down together with the job that sends it.
    async fn send(&self, tx: &mut Tx<'_>, by: &Caller, new: &NewMessage<'_>) -> Result<Posted>;
    /// What was sent to an address or waits, the newest first.
    async fn of(&self, address: &str) -> Result<Vec<MessageInfo>>;
    /// Forgets what was sent to an address: its owner's account is deleted.
    async fn forget(&self, tx: &mut Tx<'_>, address: &str) -> Result<()>;
}
