//! A page's form that sends files, read piece by piece: nothing of a file is held in memory, and the form's token is
//! checked before the first one. What becomes of a file is the handler's.

use std::io;

use axum::body::Body;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::StatusCode;
use futures_util::TryStreamExt;
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

use super::body::{CSRF_FIELD, too_large};
use super::csrf::{self, secret_of};
use crate::kernel::error::{Code, Error, Result};

/// Bytes of a field that is no file.
const MAX_TEXT: usize = 64 * 1024;

/// A form with files. With the operator's cookie its first field is the page's token, or the request carries it as the
/// header `x-csrf-token`.
pub struct FileForm(Multipart);

/// A field of the form.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, and used up where it was asked for"
)]
pub enum Part<'f> {
    Text { name: String, text: String },
    File { name: String, content: FileContent<'f> },
}

/// The content of a file, as it comes.
pub struct FileContent<'f>(Field<'f>);

impl<'f> FileContent<'f> {
    pub fn reader(self) -> impl AsyncRead + Send + Unpin + use<'f> {
        StreamReader::new(self.0.map_err(io::Error::other))
    }
}

impl<S: Send + Sync> FromRequest<S> for FileForm {
    type Rejection = Error;
    async fn from_request(mut request: Request, state: &S) -> Result<Self> {
        // The limit of the route stands already around the body.
        DefaultBodyLimit::disable().apply(&mut request);
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), Body::new(body));
        let form = Multipart::from_request(request, state).await.map_err(|rejection| {
            Error::new(
                Code::UnsupportedMedia,
                format!(
                    "Send a form with the header Content-Type: multipart/form-data. {}.",
                    rejection.body_text()
                ),
            )
        })?;
        let mut form = Self(form);
        if secret_of(&parts).is_some() && !parts.headers.contains_key("x-csrf-token") {
            let first = form.0.next_field().await.map_err(broken)?;
            let token = match first {
                Some(field) if field.name() == Some(CSRF_FIELD) => Some(text(field).await?),
                _ => None,
            };
            csrf::check(&parts, token.as_deref())?;
        } else {
            csrf::check(&parts, None)?;
        }
        Ok(form)
    }
}

impl FileForm {
    /// The next field, in the order of the form; the one before has to be read by then.
    ///
    /// # Errors
    /// `TooLarge`, or a form that breaks off.
    pub async fn next(&mut self) -> Result<Option<Part<'_>>> {
        let Some(field) = self.0.next_field().await.map_err(broken)? else {
            return Ok(None);
        };
        if let Some(name) = field.file_name() {
            return Ok(Some(Part::File {
                name: name.to_owned(),
                content: FileContent(field),
            }));
        }
        let name = field.name().unwrap_or_default().to_owned();
        Ok(Some(Part::Text {
            name,
            text: text(field).await?,
        }))
    }
}

async fn text(mut field: Field<'_>) -> Result<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_TEXT {
            return Err(too_large(Some(MAX_TEXT as u64)));
        }
    }
    String::from_utf8(bytes).map_err(|_| Error::new(Code::BadRequest, "A field of the form is not UTF-8 text."))
}

fn broken(error: MultipartError) -> Error {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large(None);
    }
    Error::new(
        Code::BadRequest,
        "The form broke off before its end, nothing of it was kept. Send it again.",
    )
    .caused_by(error)
}
