//! Speaks to a house through its control socket: the API as over the network, the caller is the local operator.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, BodyStream, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

use crate::kernel::control;
use crate::kernel::error::{Code, Error, FieldIssue, Result};

pub use crate::kernel::fetch::encoded;

/// What can be sent.
pub type Body = BoxBody<Bytes, std::io::Error>;

/// Bytes of an answer that is read as a whole.
const MAX_ANSWER: usize = 64 << 20;
/// Pieces in which files are sent.
const PIECE: usize = 256 << 10;

/// See the module's text. Cheap to clone; each request is a connection of its own.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    pub fn new(socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
        }
    }

    /// Whether somebody listens.
    pub async fn is_alive(&self) -> bool {
        control::connect(&self.socket).await.is_ok()
    }

    /// Sends a request and answers whatever comes back, also refusals.
    ///
    /// # Errors
    /// `Unavailable` when the process is gone.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>> {
        let stream = control::connect(&self.socket)
            .await
            .map_err(|e| gone(&self.socket, e))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| gone(&self.socket, e))?;
        // Ends with the answer's body; its failure shows there.
        tokio::spawn(connection);
        sender.send_request(request).await.map_err(|e| gone(&self.socket, e))
    }

    async fn asked(&self, method: Method, path: &str, kind: Option<&str>, body: Body) -> Result<Response<Incoming>> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(hyper::header::HOST, "localhost")
            .header(
                hyper::header::ACCEPT,
                "application/json, application/problem+json;q=0.9, */*;q=0.8",
            );
        if let Some(kind) = kind {
            request = request.header(hyper::header::CONTENT_TYPE, kind);
        }
        let request = request.body(body).map_err(Error::internal)?;
        let response = self.send(request).await?;
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(refusal(response).await)
        }
    }

    /// `GET`, answered as JSON.
    ///
    /// # Errors
    /// The problem that the house answers; `Unavailable` when it is gone.
    pub async fn get(&self, path: &str) -> Result<Value> {
        read(self.asked(Method::GET, path, None, empty()).await?).await
    }

    /// `POST` of JSON, answered as JSON.
    ///
    /// # Errors
    /// See [`Client::get`].
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let body = full(serde_json::to_vec(body)?);
        read(self.asked(Method::POST, path, Some("application/json"), body).await?).await
    }

    /// `PATCH` of JSON, answered as JSON.
    ///
    /// # Errors
    /// See [`Client::get`].
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        let body = full(serde_json::to_vec(body)?);
        read(self.asked(Method::PATCH, path, Some("application/json"), body).await?).await
    }

    /// `PUT` of JSON, answered as JSON.
    ///
    /// # Errors
    /// See [`Client::get`].
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        let body = full(serde_json::to_vec(body)?);
        read(self.asked(Method::PUT, path, Some("application/json"), body).await?).await
    }

    /// `DELETE`, answered as JSON (`null` when there is nothing to say).
    ///
    /// # Errors
    /// See [`Client::get`].
    pub async fn delete(&self, path: &str) -> Result<Value> {
        read(self.asked(Method::DELETE, path, None, empty()).await?).await
    }

    /// `DELETE` of what stands at a version, answered as JSON.
    ///
    /// # Errors
    /// See [`Client::get`].
    pub async fn delete_at(&self, path: &str, version: i64) -> Result<Value> {
        let request = Request::delete(path)
            .header(hyper::header::HOST, "localhost")
            .header(hyper::header::IF_MATCH, format!("\"{version}\""));
        let response = self.send(request.body(empty()).map_err(Error::internal)?).await?;
        if response.status().is_success() {
            read(response).await
        } else {
            Err(refusal(response).await)
        }
    }

    /// `POST` of a file as it is read, answered as JSON.
    ///
    /// # Errors
    /// See [`Client::get`]; a file that cannot be read.
    pub async fn upload(
        &self,
        path: &str,
        kind: &str,
        content: impl AsyncRead + Send + Sync + 'static,
    ) -> Result<Value> {
        let pieces = ReaderStream::with_capacity(content, PIECE).map_ok(Frame::data);
        let body = BodyExt::boxed(StreamBody::new(pieces));
        read(self.asked(Method::POST, path, Some(kind), body).await?).await
    }

    /// The components of the process, as `/health/ready` tells them, ready or not.
    ///
    /// # Errors
    /// See [`Client::get`]; a build without operations.
    pub async fn components(&self) -> Result<Vec<Component>> {
        let request = Request::get("/health/ready").header(hyper::header::HOST, "localhost");
        let response = self.send(request.body(empty()).map_err(Error::internal)?).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Err(refusal(response).await);
        }
        let mut ready = read(response).await?;
        serde_json::from_value(ready["components"].take()).map_err(Error::internal)
    }

    /// `GET`, answered piece by piece: exports, live events.
    ///
    /// # Errors
    /// See [`Client::get`]; each piece may be the first that does not arrive.
    pub async fn stream(&self, path: &str) -> Result<impl Stream<Item = Result<Bytes>> + Send + use<>> {
        let socket = self.socket.clone();
        let response = self.asked(Method::GET, path, None, empty()).await?;
        let pieces = TryStreamExt::map_err(BodyStream::new(response.into_body()), move |e| gone(&socket, e));
        Ok(pieces.try_filter_map(|frame| async move { Ok(frame.into_data().ok()) }))
    }
}

/// One part of a process and how it is.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Component {
    pub name: String,
    /// `ok`, `warning`, `starting` or `failed`.
    pub state: String,
    #[serde(default)]
    pub reason: Option<String>,
}

fn empty() -> Body {
    full(Vec::new())
}

fn full(bytes: Vec<u8>) -> Body {
    Full::new(Bytes::from(bytes))
        .map_err(|never: Infallible| match never {})
        .boxed()
}

fn gone(socket: &Path, error: impl Into<anyhow::Error>) -> Error {
    let pid = socket
        .file_stem()
        .map(|s| s.to_string_lossy().into_owned())
        .unwrap_or_default();
    Error::new(
        Code::Unavailable,
        format!("The process {pid} does not answer any more. Look at its log, then try again."),
    )
    .caused_by(error)
}

async fn read(response: Response<Incoming>) -> Result<Value> {
    if response.status() == StatusCode::NO_CONTENT {
        return Ok(Value::Null);
    }
    let bytes = collect(response).await?;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&bytes).map_err(|e| {
        Error::new(
            Code::Internal,
            "The running process answered something that is not JSON. Is it another version?",
        )
        .caused_by(e)
    })
}

async fn collect(response: Response<Incoming>) -> Result<Bytes> {
    let limited = http_body_util::Limited::new(response.into_body(), MAX_ANSWER);
    match limited.collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(e) => {
            let error = Error::new(
                Code::Unavailable,
                "The answer of the running process broke off. Try again.",
            );
            Err(error.caused_by(anyhow::anyhow!(e)))
        }
    }
}

/// A problem document as the error it was made from.
async fn refusal(response: Response<Incoming>) -> Error {
    let status = response.status();
    let problem: Value = match collect(response).await {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
        Err(error) => return error,
    };
    let text = |name: &str| problem.get(name).and_then(Value::as_str);
    let code = Code::ALL
        .iter()
        .copied()
        .find(|code| text("code") == Some(code.as_str()))
        .or_else(|| Code::ALL.iter().copied().find(|code| code.status() == status.as_u16()))
        .unwrap_or(Code::Internal);
    let fields: Vec<FieldIssue> = problem
        .get("errors")
        .or_else(|| problem.get("fields"))
        .cloned()
        .and_then(|f| serde_json::from_value(f).ok())
        .unwrap_or_default();
    let detail = text("detail").map_or_else(
        || format!("The running process refused this ({status})."),
        str::to_owned,
    );
    if fields.is_empty() {
        return Error::new(code, detail);
    }
    if let ([one], Code::Invalid) = (fields.as_slice(), code) {
        return Error::invalid(one.path.clone(), one.message.clone());
    }
    Error::invalid_fields(fields)
}
