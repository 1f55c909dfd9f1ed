//! The house's one error: what went wrong in words for people, a stable code for programs.
//!
//! `kernel::http` renders it as an RFC 9457 problem or an error page; the command line prints it.
//! The source of an internal error is logged and never shown.

use std::fmt;

/// The result every fallible function of the house returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($($variant:ident = $status:literal $code:literal $title:literal),+ $(,)?) => {
        /// A kind of error. The text of a code is part of the API and never changes; each has a page under
        /// `/docs/errors/{code}`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $title] $variant),+ }

        impl Code {
            /// Every code, for the documentation and its test.
            pub const ALL: &'static [Code] = &[$(Code::$variant),+];
            /// The HTTP status that goes with the code.
            pub fn status(self) -> u16 { match self { $(Code::$variant => $status),+ } }
            /// The stable text of the code.
            pub fn as_str(self) -> &'static str { match self { $(Code::$variant => $code),+ } }
            /// A short English title.
            pub fn title(self) -> &'static str { match self { $(Code::$variant => $title),+ } }
        }
    };
}

codes! {
    BadRequest = 400 "bad-request" "The request cannot be understood",
    Unauthenticated = 401 "unauthenticated" "Sign in first",
    Forbidden = 403 "forbidden" "Not allowed",
    BadOrigin = 403 "bad-origin" "The request comes from another site",
    NotFound = 404 "not-found" "Nothing is here",
    MethodNotAllowed = 405 "method-not-allowed" "This address does not answer that method",
    NotAcceptable = 406 "not-acceptable" "No such representation",
    Timeout = 408 "timeout" "It took too long",
    Conflict = 409 "conflict" "It is in the way of something else",
    Gone = 410 "gone" "It was deleted",
    CursorExpired = 410 "cursor-expired" "The page marker has expired",
    Stale = 412 "stale" "Somebody changed it in the meantime",
    TooLarge = 413 "too-large" "Too large",
    UnsupportedMedia = 415 "unsupported-media" "This kind of content is not understood",
    BadHost = 421 "bad-host" "This host name is not served here",
    Invalid = 422 "invalid" "Some values are not right",
    PreconditionRequired = 428 "precondition-required" "Say which version you changed",
    TooMany = 429 "too-many" "Too many requests",
    Internal = 500 "internal" "Something broke on our side",
    Unavailable = 503 "unavailable" "Not available right now",
    Busy = 503 "busy" "Too busy right now",
    DiskFull = 507 "disk-full" "The disk is full",
}

/// One wrong value: where it is and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct FieldIssue {
    /// Path of the field, groups and positions joined by dots: `creator.0.birth_date`. Empty for the whole.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// See the module's text. Cheap to move: one pointer.
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    detail: String,
    fields: Vec<FieldIssue>,
    extra: serde_json::Map<String, serde_json::Value>,
    source: Option<anyhow::Error>,
}

impl Error {
    /// An error with a sentence that names the cause, the place and the next step.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            detail: detail.into(),
            fields: vec![],
            extra: serde_json::Map::new(),
            source: None,
        }))
    }
    /// Something broke that the caller could not have avoided. `source` is logged, not shown.
    pub fn internal(source: impl Into<anyhow::Error>) -> Self {
        let mut error = Self::new(
            Code::Internal,
            "The server could not finish this. The request id leads to its log.",
        );
        error.0.source = Some(source.into());
        error
    }
    /// `There is no {what} "{id}".`
    pub fn not_found(what: &str, id: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no {what} \"{id}\"."))
    }
    /// One wrong field.
    pub fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        let (path, message) = (path.into(), message.into());
        let detail = if path.is_empty() {
            message.clone()
        } else {
            format!("{path}: {message}")
        };
        let mut error = Self::new(Code::Invalid, detail);
        error.0.fields.push(FieldIssue { path, message });
        error
    }
    /// Several wrong fields at once.
    pub fn invalid_fields(fields: Vec<FieldIssue>) -> Self {
        let detail = match fields.as_slice() {
            [one] => format!("{}: {}", one.path, one.message),
            many => format!("{} values are not right; each is listed with its field.", many.len()),
        };
        let mut error = Self::new(Code::Invalid, detail);
        error.0.fields = fields;
        error
    }
    /// Adds a member to the problem document, for example both states of a stale write.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<serde_json::Value>) -> Self {
        self.0.extra.insert(key.to_owned(), value.into());
        self
    }
    /// Keeps the cause for the log.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<anyhow::Error>) -> Self {
        self.0.source = Some(source.into());
        self
    }
    pub fn code(&self) -> Code {
        self.0.code
    }
    pub fn detail(&self) -> &str {
        &self.0.detail
    }
    pub fn fields(&self) -> &[FieldIssue] {
        &self.0.fields
    }
    pub fn extra(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.0.extra
    }
    /// The cause for the log, where there is one.
    pub fn source(&self) -> Option<&anyhow::Error> {
        self.0.source.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.0.detail)?;
        if let Some(source) = &self.0.source {
            write!(f, " ({source:#})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<serde_json::Error> for Error {
    /// For JSON the house wrote itself; input from outside is parsed where its place can be named.
    fn from(source: serde_json::Error) -> Self {
        Self::internal(source)
    }
}

impl From<std::io::Error> for Error {
    fn from(source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::StorageFull {
            return Self::new(
                Code::DiskFull,
                "The disk is full. Free some space; the work goes on from where it stopped.",
            )
            .caused_by(source);
        }
        Self::internal(source)
    }
}
