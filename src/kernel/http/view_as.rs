//! Looking as somebody else: whoever may do so sees what that person, or everybody, sees, and changes nothing meanwhile.
//!
//! Asked for by a cookie, for pages, or by the header `View-As` on a request that only reads. The real caller is checked on
//! each request; a wish of somebody who may not is no wish.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};

use super::Context;
use crate::kernel::access::{Caller, Object, Subject, VIEW_AS};
use crate::kernel::error::{Code, Error, Result};

const COOKIE: &str = "vitrine_view_as";
const HEADER: &str = "view-as";
/// What somebody who looks as another may still send: the way out.
const WAYS_OUT: [&str; 2] = ["/access/view-as/end", "/sign-out"];
/// Pages about one's own account, where secrets are made: nobody else looks at them.
const OWN: &str = "/account";
/// Seconds after which it ends by itself.
const LIFE: u32 = 3_600;

/// Put into the request's extensions while somebody looks as another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewing {
    /// Who really asks, as logs name them.
    pub by: String,
    /// What the other one is called; `None` for nobody in particular.
    pub name: Option<String>,
}

/// Begins looking as `account:ID`, or as `anonymous`.
pub fn view_as_cookie(context: &Context, subject: &str) -> Result<HeaderValue> {
    let secure = if context.secure() { "; Secure" } else { "" };
    let text = format!("{COOKIE}={subject}; Path=/; HttpOnly; SameSite=Strict; Max-Age={LIFE}{secure}");
    HeaderValue::from_str(&text).map_err(|_| Error::invalid("subject", "holds characters that no id has."))
}

/// Ends it.
pub fn view_as_end() -> HeaderValue {
    HeaderValue::from_static("vitrine_view_as=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
}

fn wish(headers: &HeaderMap) -> Option<String> {
    let given = headers.get(HEADER).and_then(|v| v.to_str().ok()).map(str::to_owned);
    given.or_else(|| cookie(headers)).filter(|text| !text.is_empty())
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('=').map(str::to_owned))
}

/// The subject as which this request is answered.
pub(super) async fn looked_at(context: &Context, parts: &mut Parts, real: Subject) -> Result<Subject> {
    let Some(wish) = wish(&parts.headers) else {
        return Ok(real);
    };
    let caller = Caller {
        subject: real.clone(),
        request_id: None,
    };
    let access = &context.kernel.access;
    let is_asked = parts.headers.contains_key(HEADER);
    if caller.is_anonymous() || !access.check(&caller, VIEW_AS, &Object::House).await? {
        if is_asked {
            access.require(&caller, VIEW_AS, &Object::House).await?;
        }
        return Ok(real);
    }
    if !parts.method.is_safe() {
        if WAYS_OUT.contains(&parts.uri.path()) {
            return Ok(real);
        }
        let text = "You are looking as somebody else, which changes nothing. End that first, then do it as yourself.";
        return Err(Error::new(Code::Forbidden, text));
    }
    let path = parts.uri.path();
    if path == OWN || path.strip_prefix(OWN).is_some_and(|rest| rest.starts_with('/')) {
        let text =
            "You are looking as somebody else. The pages of their own account are for them alone: end that first.";
        return Err(Error::new(Code::Forbidden, text));
    }
    let (subject, name) = match wish.strip_prefix("account:") {
        None if wish == "anonymous" => (Subject::Anonymous, None),
        Some(id) => {
            let known = access
                .people(&[id.to_owned()])
                .await?
                .remove(id)
                .filter(|person| person.active);
            let Some(person) = known else {
                return if is_asked {
                    Err(Error::invalid("View-As", "names nobody who can sign in."))
                } else {
                    Ok(real)
                };
            };
            // Whoever looks by a narrow token sees no more by it than its scope names.
            let scope = match real {
                Subject::Account { scope, .. } => scope,
                Subject::Token { scope, .. } => Some(scope),
                Subject::Anonymous | Subject::Operator | Subject::System => None,
            };
            let subject = Subject::Account {
                id: person.id,
                name: person.name.clone(),
                scope,
            };
            (subject, Some(person.name))
        }
        None if is_asked => return Err(Error::invalid("View-As", "is \"anonymous\" or \"account:ID\".")),
        None => return Ok(real),
    };
    parts.extensions.insert(Viewing {
        by: caller.actor(),
        name,
    });
    Ok(subject)
}
