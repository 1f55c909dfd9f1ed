//! The picture of an account: brought and taken away on one's own page, shown where its owner is named.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::io::AsyncReadExt as _;

use super::super::account::Account;
use super::super::picture::MOST_BYTES;
use super::super::service::Service;
use super::sign_in::remember;
use super::{Nothing, on_to, own};
use crate::kernel::access::{Caller, OPEN};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Context, FileForm, Form, Part, Path, RouteSet, Routes, SessionSecret, Shared};
use crate::kernel::ui::{Flash, Page};

/// A picture never changes under its address.
const KEPT: &str = "private, max-age=31536000, immutable";

pub(super) fn routes(service: Arc<Service>) -> Routes {
    RouteSet::new()
        .page(OPEN, Method::POST, "/account/picture", post(bring))
        .page(OPEN, Method::POST, "/account/picture/remove", post(remove))
        .page(OPEN, Method::GET, "/people/{id}/picture", get(show))
        .with_state(service)
}

/// The file of the form, as far as a picture may be long and a byte more.
async fn file_of(form: &mut FileForm) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(part) = form.next().await? {
        let Part::File { content, .. } = part else { continue };
        let mut reader = content.reader().take(MOST_BYTES as u64 + 1);
        reader.read_to_end(&mut bytes).await.map_err(|error| {
            let text = "The picture broke off before its end. Send it again.";
            Error::new(Code::BadRequest, text).caused_by(error)
        })?;
        break;
    }
    Ok(bytes)
}

fn changed(context: &Context, me: &Account, said: &str) -> Result<Response> {
    let mut response = on_to("/account", Flash::new(said))?;
    remember(context, me, &mut response)?;
    Ok(response)
}

async fn bring(
    State(service): State<Arc<Service>>,
    Shared(context): Shared,
    SessionSecret(secret): SessionSecret,
    page: Page,
    mut form: FileForm,
) -> Result<Response> {
    let given = file_of(&mut form).await?;
    match service.set_picture(&page.caller, &given).await {
        Ok(me) => changed(&context, &me, "toast.picture-saved"),
        Err(error) => own::refused(&service, secret.as_deref(), page, error).await,
    }
}

async fn remove(
    State(service): State<Arc<Service>>,
    Shared(context): Shared,
    page: Page,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    let me = service.remove_picture(&page.caller).await?;
    changed(&context, &me, "toast.picture-removed")
}

async fn show(State(service): State<Arc<Service>>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    let picture = service.picture_of(&caller, &id).await?;
    let headers = [
        (header::CONTENT_TYPE, picture.kind.as_str()),
        (header::CACHE_CONTROL, KEPT),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    Ok((headers, picture.content).into_response())
}
