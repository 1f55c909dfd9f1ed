//! The trait bus: ports (ask, answered now) and events (tell, delivered later), both typed.
//!
//! Ports are looked up while wiring, never per request. An absent port means a feature that is compiled out or a role
//! that is off; the caller says so in plain words. Publishing writes one job per subscriber in the transaction of the
//! change: the outbox is the job table.

use std::any::{Any, TypeId, type_name};
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::access::Caller;
use super::db::Tx;
use super::error::{Code, Error, Result};
use super::jobs::{self, JobContext, JobHandler, NewJob};

/// Something that happened. `TOPIC` is stored with its jobs: it is versioned (`records.changed.v1`) and never renamed.
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    const TOPIC: &'static str;
    /// Deliveries about the same subject stay in order.
    fn subject(&self) -> String;
}

struct Subscriber {
    name: &'static str,
    handler: JobHandler,
}

/// See the module's text. Filled while wiring, then shared read-only.
#[derive(Default)]
pub struct Bus {
    ports: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    subscribers: BTreeMap<&'static str, Vec<Subscriber>>,
}

impl Bus {
    /// Offers a port: `bus.provide::<dyn Records>(Arc::new(service))`.
    ///
    /// # Errors
    /// When the port is offered already.
    pub fn provide<P: ?Sized + Send + Sync + 'static>(&mut self, port: Arc<P>) -> Result<()> {
        match self.ports.insert(TypeId::of::<P>(), Box::new(port)) {
            None => Ok(()),
            Some(_) => Err(Error::internal(anyhow::anyhow!(
                "the port {} is provided twice",
                type_name::<P>()
            ))),
        }
    }

    /// The port, if a module of this build and these roles offers it.
    pub fn find<P: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<P>> {
        self.ports
            .get(&TypeId::of::<P>())
            .and_then(|p| p.downcast_ref::<Arc<P>>())
            .cloned()
    }

    /// The port, needed.
    ///
    /// # Errors
    /// `Unavailable` naming the port, when nothing offers it.
    pub fn port<P: ?Sized + Send + Sync + 'static>(&self) -> Result<Arc<P>> {
        self.find::<P>().ok_or_else(|| {
            Error::new(
                Code::Unavailable,
                format!("This build or these roles do not offer {}.", type_name::<P>()),
            )
        })
    }

    /// Delivers every event of a topic to `handler` as a job. `name` (`search.on_type_changed`) is stored: never rename it.
    pub fn subscribe<E: Event, F, Fut>(&mut self, name: &'static str, handler: F)
    where
        F: Fn(JobContext, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let handler = JobHandler::new(name, move |context: JobContext| {
            let handler = handler.clone();
            async move {
                let event = context.payload::<E>()?;
                handler(context, event).await.map(|()| serde_json::Value::Null)
            }
        });
        self.subscribers
            .entry(E::TOPIC)
            .or_default()
            .push(Subscriber { name, handler });
    }

    /// Tells every subscriber, in the transaction of the change.
    ///
    /// # Errors
    /// What the database says.
    pub async fn publish<E: Event>(&self, tx: &mut Tx<'_>, caller: &Caller, event: &E) -> Result<()> {
        let Some(subscribers) = self.subscribers.get(E::TOPIC) else {
            return Ok(());
        };
        let payload = serde_json::to_value(event)?;
        for subscriber in subscribers {
            let job = NewJob::new(subscriber.name, payload.clone())
                .queue(jobs::EVENTS)
                .ordering_key(format!("{}/{}", subscriber.name, event.subject()));
            jobs::enqueue(tx, caller, job).await?;
        }
        Ok(())
    }

    /// The job handlers of all subscribers, for the worker.
    pub fn handlers(&self) -> Vec<JobHandler> {
        self.subscribers.values().flatten().map(|s| s.handler.clone()).collect()
    }

    /// Every topic with its subscribers: stored names, watched by a test.
    pub fn topics(&self) -> BTreeMap<&'static str, Vec<&'static str>> {
        self.subscribers
            .iter()
            .map(|(topic, subs)| (*topic, subs.iter().map(|s| s.name).collect()))
            .collect()
    }
}
