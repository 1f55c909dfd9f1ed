//! A mail server for tests: speaks enough SMTP to take mail, keeps it, and can be told to refuse.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    /// Headers and bodies, with soft line ends of quoted-printable taken out.
    pub text: String,
}

impl Received {
    /// The first address of the house in it, below a path: `/welcome/`.
    ///
    /// # Panics
    /// Where there is none.
    pub fn link(&self, below: &str) -> String {
        let at = self.text.find(below).expect("a link in the mail");
        let rest = &self.text[at..];
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '<'));
        rest[..end.unwrap_or(rest.len())].to_owned()
    }
    /// The headers.
    pub fn head(&self) -> &str {
        self.text.split("\r\n\r\n").next().unwrap_or_default()
    }
}

#[derive(Default)]
struct Inner {
    received: Vec<Received>,
    refuse: Option<String>,
}

/// See the module's text. Ends with its runtime.
#[derive(Clone)]
pub struct MailServer {
    pub port: u16,
    inner: Arc<Mutex<Inner>>,
}

impl MailServer {
    /// Listens on a free port.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let server = Self {
            port: listener.local_addr().expect("an address").port(),
            inner: Arc::default(),
        };
        let inner = server.inner.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, inner.clone()));
            }
        });
        server
    }

    /// Settings that send mail here.
    pub fn set_in(&self, settings: &mut crate::kernel::config::Messages) {
        "127.0.0.1".clone_into(&mut settings.host);
        settings.port = self.port;
        "plain".clone_into(&mut settings.security);
        "The House <house@example.org>".clone_into(&mut settings.from);
    }

    /// Answers every recipient with this from now on, such as `550 no such person`; takes everything again with `None`.
    pub fn refuse(&self, answer: Option<&str>) {
        self.inner().refuse = answer.map(str::to_owned);
    }

    /// What has arrived since it was asked last.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.inner().received)
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn address(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or_else(String::new, |(address, _)| address.to_owned())
}

async fn talk(stream: TcpStream, inner: Arc<Mutex<Inner>>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 test\r\n").await.ok()?;
    let (mut from, mut to) = (String::new(), Vec::new());
    while let Some(line) = lines.next_line().await.ok()? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let refuse = inner.lock().unwrap_or_else(PoisonError::into_inner).refuse.clone();
        let answer = match (verb.as_str(), refuse) {
            ("EHLO", _) => "250-test\r\n250-8BITMIME\r\n250 SMTPUTF8".to_owned(),
            ("MAIL", _) => {
                from = address(&line);
                "250 ok".to_owned()
            }
            ("RCPT", Some(refusal)) => refusal,
            ("RCPT", None) => {
                to.push(address(&line));
                "250 ok".to_owned()
            }
            ("DATA", _) => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                let mut text = String::new();
                while let Some(line) = lines.next_line().await.ok()? {
                    if line == "." {
                        break;
                    }
                    text.push_str(line.strip_prefix('.').unwrap_or(&line));
                    text.push_str("\r\n");
                }
                let mail = Received {
                    from: std::mem::take(&mut from),
                    to: std::mem::take(&mut to),
                    text: text.replace("=\r\n", "").replace("=3D", "="),
                };
                inner.lock().unwrap_or_else(PoisonError::into_inner).received.push(mail);
                "250 taken".to_owned()
            }
            ("QUIT", _) => {
                write.write_all(b"221 bye\r\n").await.ok()?;
                return None;
            }
            _ => "250 ok".to_owned(),
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
    None
}
