//! The mail server: where mail is handed over, and what it answers. The only file that knows SMTP.

use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::model::Mail;
use crate::kernel::config;
use crate::kernel::error::{Error, Result};
use crate::kernel::ui::shorten;

/// Characters of an answer that are kept.
const ANSWER_MOST: usize = 500;

/// See the module's text.
pub(super) struct Server {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// The right side of message ids.
    host: String,
}

/// Why the server did not take a mail.
#[derive(Debug)]
pub(super) struct Refused {
    pub text: String,
    /// Trying again leads nowhere.
    pub for_good: bool,
}

fn setting(key: &str, message: impl Into<String>) -> Error {
    Error::invalid(format!("messages.{key}"), message)
}

fn encryption(settings: &config::Messages) -> Result<Tls> {
    if settings.security == "plain" {
        return Ok(Tls::None);
    }
    let mut parameters = TlsParameters::builder(settings.host.clone());
    if !settings.ca_file.is_empty() {
        let unreadable = |why: String| setting("ca_file", format!("the file {} {why}", settings.ca_file));
        let text = std::fs::read(&settings.ca_file).map_err(|e| unreadable(format!("cannot be read: {e}")))?;
        let certificate =
            Certificate::from_pem(&text).map_err(|e| unreadable(format!("holds no certificate in PEM form: {e}")))?;
        parameters = parameters.add_root_certificate(certificate);
    }
    let parameters = parameters
        .build()
        .map_err(|e| setting("host", format!("cannot be spoken to through TLS: {e}")))?;
    Ok(match settings.security.as_str() {
        "tls" => Tls::Wrapper(parameters),
        _ => Tls::Required(parameters),
    })
}

impl Server {
    /// The server of the settings; none where none is named.
    pub(super) fn new(settings: &config::Messages, site: &str) -> Result<Option<Self>> {
        if settings.host.is_empty() {
            return Ok(None);
        }
        let from: Mailbox = settings
            .from
            .parse()
            .map_err(|e| setting("from", format!("is \"{}\", which is no address: {e}", settings.from)))?;
        let port = match (settings.port, settings.security.as_str()) {
            (0, "tls") => 465,
            (0, "plain") => 25,
            (0, _) => 587,
            (port, _) => port,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.clone())
            .port(port)
            .tls(encryption(settings)?)
            .hello_name(ClientId::Domain(site.to_owned()))
            .timeout(Some(Duration::from_secs(u64::from(settings.timeout_seconds))));
        if !settings.user.is_empty() {
            builder = builder.credentials(Credentials::new(
                settings.user.clone(),
                settings.password.reveal().to_owned(),
            ));
        }
        Ok(Some(Self {
            transport: builder.build(),
            from,
            host: site.to_owned(),
        }))
    }

    /// The mail as it travels. Addresses are of their own type and texts are encoded, so nothing in them is a header.
    pub(super) fn letter(&self, id: &str, to: Address, mail: Mail, at: i64) -> Result<Message> {
        let seconds = u64::try_from(at / 1000).unwrap_or(0);
        Message::builder()
            // A mail that is sent twice, since the first answer was lost, is one for whoever reads it.
            .message_id(Some(format!("<{id}@{}>", self.host)))
            .date(std::time::UNIX_EPOCH + Duration::from_secs(seconds))
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject)
            .raw_header(lettre::message::header::HeaderValue::new(
                lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .multipart(MultiPart::alternative_plain_html(mail.text, mail.html))
            .map_err(Error::internal)
    }

    /// Hands a mail over.
    pub(super) async fn hand_over(&self, letter: Message) -> std::result::Result<(), Refused> {
        match self.transport.send(letter).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Refused {
                for_good: is_for_good(&error),
                text: told(&error),
            }),
        }
    }
}

/// The address or the mail is refused. A password that is not taken is a matter of the settings, which can be mended.
fn is_for_good(error: &lettre::transport::smtp::Error) -> bool {
    let about_us = error.status().is_some_and(|code| code.to_string().starts_with("53"));
    error.is_permanent() && !about_us
}

/// What went wrong, with its causes, in one line.
fn told(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = inner.source();
    }
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    shorten(line.trim(), ANSWER_MOST)
}
