//! Telling owners what is new in their searches: one mail for all of an owner's, or a count on their page.
//!
//! How far it was looked, what is remembered and the message commit together: a killed process tells nothing twice and
//! loses nothing. Accounts that are switched off are passed over, and find it waiting when they are back.

use serde_json::{Value, json};

use super::watch::{News, Types};
use super::{KEPT_DAYS, Saved, Saves, store};
use crate::contract::accounts::Mailbox;
use crate::contract::messages::{NewMessage, Posted, Template};
use crate::kernel::access::{Caller, Subject};
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::i18n::Language;
use crate::kernel::jobs::{INDEX, JobContext, JobHandler, NewJob};
use crate::kernel::ledger::{self, Position};
use crate::kernel::schedule::Schedule;
use crate::modules::search::asked::DAY;

/// The kinds of job and the names of the schedules; stored.
const TELL: &str = "search.tell";
const PRUNE: &str = "search.prune";
/// Searches looked at together.
const PAGE: i64 = 500;
/// Milliseconds after which a mail about news is of no use.
const LIFE: i64 = 7 * DAY;
/// Searches named in a mail.
const NAMED: usize = 5;

/// What looks for news can only be done where an index is, and waits in the queue that such processes serve; what forgets,
/// anywhere.
pub fn handlers(saves: &Saves) -> Vec<JobHandler> {
    let (tells, prunes) = (saves.clone(), saves.clone());
    let mut handlers = vec![JobHandler::new(PRUNE, move |_| {
        let saves = prunes.clone();
        async move { saves.prune().await }
    })];
    if saves.service.search.is_kept() {
        handlers.push(JobHandler::new(TELL, move |context| {
            let saves = tells.clone();
            async move { saves.tell(&context).await }
        }));
    }
    handlers
}

pub fn schedules() -> Vec<Schedule> {
    vec![
        Schedule::new(TELL, "7 * * * *", || NewJob::new(TELL, Value::Null).queue(INDEX)),
        Schedule::new(PRUNE, "50 3 * * *", || NewJob::new(PRUNE, Value::Null)),
    ]
}

/// Whom an owner's name means; only people and the operator are told something.
pub(super) fn caller_of(owner: &str) -> Option<Caller> {
    if owner == Caller::operator().actor() {
        return Some(Caller::operator());
    }
    let id = owner.strip_prefix("account:")?;
    Some(Caller {
        subject: Subject::Account {
            id: id.to_owned(),
            name: String::new(),
            scope: None,
        },
        request_id: None,
    })
}

impl Saves {
    async fn prune(&self) -> Result<Value> {
        self.service.asked.prune().await?;
        let gone = self
            .service
            .db
            .write(Write::bulk("search.saved-prune"), |tx| {
                Box::pin(async move {
                    let before = tx.now() - KEPT_DAYS * DAY;
                    store::prune(tx, before).await
                })
            })
            .await?;
        Ok(json!({ "forgotten": gone }))
    }

    /// Looks for what is new in every watched search, owner by owner.
    async fn tell(&self, context: &JobContext) -> Result<Value> {
        let until = ledger::settled(&self.service.db).await?;
        self.reached(until).await?;
        let (mut found, mut failed) = (0, None);
        let mut after = (String::new(), String::new());
        loop {
            let mut page = store::watched(&self.service.db, (&after.0, &after.1), PAGE).await?;
            if page.len() == PAGE as usize {
                // Of the last one there may be more: all of an owner's belong together.
                let last = page.last().map(|saved| saved.owner.clone()).unwrap_or_default();
                page.retain(|saved| saved.owner != last);
            }
            let Some(last) = page.last() else { break };
            after = (last.owner.clone(), last.id.clone());
            for group in page.chunk_by(|a, b| a.owner == b.owner) {
                context.check()?;
                match self.tell_owner(group, until).await {
                    Ok(count) => found += count,
                    // The others are told all the same; this owner with the next run.
                    Err(error) => failed = Some(error),
                }
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(json!({ "found": found })),
        }
    }

    /// Tells one owner; answers how much.
    async fn tell_owner(&self, group: &[Saved], until: Position) -> Result<i64> {
        let Some(caller) = group.first().and_then(|saved| caller_of(&saved.owner)) else {
            return Ok(0);
        };
        let account = match &caller.subject {
            Subject::Account { id, .. } => Some(id.as_str()),
            _ => None,
        };
        if let Some(id) = account
            && !self.service.access.is_active(id).await?
        {
            return Ok(0);
        }
        let types = self.service.types(&caller, None).await?;
        let mut all = Vec::with_capacity(group.len());
        for saved in group {
            all.push((saved, self.news_or_none(&caller, saved, &types, until).await?));
        }
        let mailbox = match (&self.owners, account) {
            (Some(owners), Some(id)) if all.iter().any(|(_, news)| news.count > 0) => owners.mailbox(id).await?,
            _ => None,
        };
        let (all, caller, mailbox) = (&all, &caller, mailbox.as_ref());
        self.service
            .db
            .write(Write::bulk("search.tell"), |tx| {
                Box::pin(async move {
                    if let Some(id) = account
                        && !self.service.access.is_active_in(tx, id).await?
                    {
                        return Ok(0);
                    }
                    let mut told: Vec<(&Saved, i64)> = Vec::new();
                    for (saved, news) in all {
                        if store::go_on(tx, saved, until, news.wide, news.count).await? {
                            store::matched(tx, &saved.id, &news.fresh).await?;
                            told.extend((news.count > 0).then_some((*saved, news.count)));
                        }
                    }
                    if let Some(mailbox) = mailbox {
                        self.mail(tx, caller, mailbox, &told).await?;
                    }
                    Ok(told.iter().map(|(_, count)| count).sum())
                })
            })
            .await
    }

    /// A search whose address no longer says anything finds nothing; it must not keep the others of its owner waiting.
    async fn news_or_none(&self, caller: &Caller, saved: &Saved, types: &Types, until: Position) -> Result<News> {
        match self.news(caller, saved, types, until).await {
            Err(error) if error.code() == Code::Invalid => Ok(News {
                wide: saved.wide,
                ..News::default()
            }),
            other => other,
        }
    }

    /// One mail for all of them, in the transaction that goes on.
    async fn mail(&self, tx: &mut Tx<'_>, caller: &Caller, mailbox: &Mailbox, told: &[(&Saved, i64)]) -> Result<()> {
        let (Some(messages), Some((first, _))) = (&self.messages, told.first()) else {
            return Ok(());
        };
        let language = mailbox.language.as_deref().and_then(Language::find).unwrap_or_default();
        let sum: i64 = told.iter().map(|(_, count)| count).sum();
        let count = |n: i64| language.count("saved.new", u64::try_from(n).unwrap_or_default(), &[]);
        let mut what: Vec<String> = told
            .iter()
            .take(NAMED)
            .map(|(saved, n)| format!("{}: {}", language.quoted(&saved.name), count(*n)))
            .collect();
        if told.len() > NAMED {
            what.push("…".to_owned());
        }
        let path = match told {
            [_] => format!("/search/saved/{}", first.id),
            _ => "/search/saved".to_owned(),
        };
        let new = NewMessage {
            to: &mailbox.to,
            language: mailbox.language.as_deref(),
            template: Template::SearchNews,
            values: vec![
                ("name", mailbox.name.clone()),
                ("login", mailbox.login.clone()),
                ("found", count(sum)),
                ("what", what.join(" · ")),
            ],
            link: Some(format!("{}{path}", self.public_url)),
            life: LIFE,
        };
        match messages.send(tx, caller, &new).await? {
            Posted::Waits => Ok(()),
            // Nothing of this stands: the next run tells it all.
            Posted::TooMany => Err(Error::new(
                Code::Busy,
                "This address had enough mail about saved searches within the hour; it is told with the next run.",
            )),
        }
    }
}
