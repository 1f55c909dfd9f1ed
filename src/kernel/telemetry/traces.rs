//! Traces for others: the spans of requests and jobs go to a collector that the settings name, by OTLP over HTTP, within the
//! trace that a request came with. Off unless `log.traces` holds an address. Nothing waits for the collector: what it does
//! not take is left out, which is said once.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::{Span, Subscriber, info, warn};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::registry::LookupSpan;

use crate::kernel::config::Log;
use crate::kernel::error::{Error, Result};
use crate::kernel::fetch::{Ask, Fetch, Policy};
use crate::kernel::program;

/// How long the collector may take for a batch.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the end of the process waits for what was not sent yet.
const LAST: Duration = Duration::from_secs(5);
/// Bytes that a collector may answer.
const MOST: usize = 64 << 10;

/// Where spans go. The process has one, as it has one set of logs.
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();
/// Where batches are sent from: they are gathered on a thread of their own.
static RUNTIME: OnceLock<Handle> = OnceLock::new();

/// The layer that gathers spans, where the settings want it.
///
/// # Errors
/// An address that cannot be one.
pub(super) fn layer<S>(log: &Log) -> Result<Option<OpenTelemetryLayer<S, SdkTracer>>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    if log.traces.is_empty() {
        return Ok(None);
    }
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Collector::new()?)
        .with_endpoint(&log.traces)
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(PATIENCE)
        .with_headers(
            header(log.traces_header.reveal())
                .into_iter()
                .collect::<HashMap<_, _>>(),
        )
        .build()
        .map_err(|e| Error::invalid("log.traces", format!("cannot be used: {e}")))?;
    let share = log.traces_percent as f64 / 100.0;
    let resource = Resource::builder()
        .with_service_name("vitrine")
        .with_attribute(KeyValue::new("service.version", program::VERSION))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(share))))
        .with_resource(resource)
        .build();
    let tracer = provider.tracer("vitrine");
    // A second start in the same process keeps the first one's.
    let _ = PROVIDER.set(provider);
    Ok(Some(tracing_opentelemetry::layer().with_tracer(tracer)))
}

/// Name and value of the header that a collector wants, as `name: value`.
pub(in crate::kernel) fn header(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once(':')?;
    Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
}

/// Sends from this runtime from now on. Only the first call in a process does something.
pub fn send_from_here() {
    if PROVIDER.get().is_some() {
        // The first one stays.
        let _ = RUNTIME.set(Handle::current());
    }
}

/// Sends what is left, before the process ends.
pub async fn end() {
    let Some(provider) = PROVIDER.get().cloned() else {
        return;
    };
    let ended = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(LAST)).await;
    if !matches!(ended, Ok(Ok(()))) {
        warn!("the last traces could not be sent");
    }
}

/// Whom a span follows: the hexadecimal ids of a trace and of a span in another program.
#[derive(Clone, Copy, Debug)]
pub struct From<'a> {
    pub trace: &'a str,
    pub span: &'a str,
    pub sampled: bool,
}

/// Names a span for others and lets it follow the one it came from; answers its own hexadecimal id. Where traces are not
/// sent it does nothing.
pub fn begin(span: &Span, name: impl FnOnce() -> String, from: Option<From<'_>>) -> Option<String> {
    PROVIDER.get()?;
    if let Some(from) = from {
        let flags = if from.sampled {
            TraceFlags::SAMPLED
        } else {
            TraceFlags::default()
        };
        let (trace, parent) = (TraceId::from_hex(from.trace).ok()?, SpanId::from_hex(from.span).ok()?);
        let remote = SpanContext::new(trace, parent, flags, true, TraceState::default());
        // Refused where the level of the logs leaves spans out.
        span.set_parent(Context::new().with_remote_span_context(remote)).ok()?;
    }
    let context = span.context();
    let ours = context.span();
    ours.update_name(name());
    let known = ours.span_context();
    known.is_valid().then(|| known.span_id().to_string())
}

/// Notes with which status a request was answered.
pub fn answered(span: &Span, status: u16) {
    if PROVIDER.get().is_some() {
        span.set_attribute("http.response.status_code", i64::from(status));
        if status >= 500 {
            span.set_status(opentelemetry::trace::Status::error(format!("status {status}")));
        }
    }
}

/// The collector, as the library asks it.
struct Collector {
    fetch: Fetch,
    fails: AtomicBool,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

impl Collector {
    fn new() -> Result<Self> {
        // Who looks after the house has chosen the address: mostly one beside it, without TLS.
        let policy = Policy {
            private: true,
            plain: true,
            timeout: PATIENCE,
            most: MOST,
            authorities: None,
        };
        Ok(Self {
            fetch: Fetch::new(policy)?,
            fails: AtomicBool::new(false),
        })
    }

    /// Says once that it does not work, and once that it works again.
    fn tell(&self, trouble: Option<String>) {
        match trouble {
            Some(why) if !self.fails.swap(true, Ordering::Relaxed) => {
                warn!(why, "the collector takes no traces; they are left out until it does");
            }
            None if self.fails.swap(false, Ordering::Relaxed) => info!("the collector takes traces again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let Some(runtime) = RUNTIME.get() else {
            return Err("the program does not serve yet".into());
        };
        let (parts, body) = request.into_parts();
        let mut ask = Ask::post(&parts.uri.to_string(), body);
        for (name, value) in &parts.headers {
            ask = ask.header(name.clone(), value.to_str().unwrap_or_default());
        }
        let fetch = self.fetch.clone();
        let got = match runtime.spawn(async move { fetch.send(ask).await }).await? {
            Ok(got) => got,
            Err(fault) => {
                self.tell(Some(fault.whole()));
                return Err(fault.into());
            }
        };
        self.tell((!got.status.is_success()).then(|| format!("it answers with status {}", got.status.as_u16())));
        Ok(Response::builder().status(got.status).body(got.body)?)
    }
}
