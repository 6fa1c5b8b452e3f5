//! Shows what an act will do, and does it once its form comes back.

use serde_json::json;
use shared::domain::SubscriptionId;
use shared::host::http::{Response, see_other};
use url::form_urlencoded;

use crate::act::Act;
use crate::act_call::{Missing, request};
use crate::act_of_deployment::of_deployment;
use crate::act_page::{Asked, of_subscription, to_type};
use crate::answers::{Plans, Record};
use crate::api::{Call, Caller, Refusal};
use crate::form::Form;
use crate::frame::Frame;
use crate::pages::ActPage;
use crate::routes;
use crate::words::{self, about, name};

/// An act, and whom or what it is about.
pub(crate) struct Doing<'a> {
    pub(crate) act: Act,
    pub(crate) id: Option<SubscriptionId>,
    pub(crate) caller: Caller<'a>,
    pub(crate) frame: Frame<'a>,
    /// A new one for each page.
    pub(crate) key: String,
}

/// Why a form was not carried out.
pub(crate) enum NotDone {
    /// The API refused it.
    Refused(Refusal),
    /// The form lacks its confirmation, or what it asks for.
    Incomplete(&'static str),
    /// The record has another version than the one that the person saw.
    Changed,
}

impl From<Refusal> for NotDone {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Missing> for NotDone {
    fn from(Missing(what): Missing) -> Self {
        Self::Incomplete(what)
    }
}

impl Doing<'_> {
    /// Where the person goes afterwards, or if they go back.
    pub(crate) fn back(&self) -> String {
        routes::page_of(self.act, self.id)
    }

    async fn record(&self) -> Result<Option<Record>, Refusal> {
        let Some(id) = self.id else { return Ok(None) };
        self.caller.get(&format!("/subscriptions/{id}")).await.map(Some)
    }

    /// The page that says what will happen.
    pub(crate) async fn show(self, query: Form<'_>) -> Result<Response, Refusal> {
        let record = self.record().await?;
        let plans = match (&record, self.act) {
            (Some(record), Act::ChangePlan | Act::ChangeSeats) => {
                let path = format!("/subscriptions/{}/plans", record.subscription.id);
                self.caller.get::<Plans>(&path).await?.plans
            }
            _ => Vec::new(),
        };
        let receiver = query.get("receiver");
        let Asked { will, inputs, is_question, button } = match &record {
            Some(record) => of_subscription(self.act, record, &plans, query, self.frame.now),
            None => of_deployment(self.act, receiver.as_deref()),
        };
        let subject = match (&record, receiver) {
            (Some(record), _) => name(record),
            (None, Some(receiver)) => words::receiver(&receiver),
            (None, None) => String::new(),
        };
        let page = ActPage {
            subject,
            about: record.as_ref().map(about).unwrap_or_default(),
            will,
            inputs,
            is_question,
            button,
            version: record.map(|record| record.version),
            key: self.key.clone(),
            back: self.back(),
            frame: self.frame,
            act: self.act,
        };
        Ok(page.show())
    }

    /// Does what the form says, and leads to the page that shows it.
    pub(crate) async fn carry_out(self, form: Form<'_>) -> Result<Response, NotDone> {
        const CONFIRM: &str = "Confirm it on the page that shows what will happen.";
        if form.get("confirmed").as_deref() != Some(self.act.name()) {
            return Err(NotDone::Incomplete(CONFIRM));
        }
        let record = self.record().await?;
        if let Some(record) = &record {
            let seen = form.get("version").ok_or(NotDone::Incomplete(CONFIRM))?;
            if self.act.needs_version() && seen != record.version.to_string() {
                return Err(NotDone::Changed);
            }
            if self.act.is_grave() && form.get("typed") != Some(to_type(record)) {
                return Err(NotDone::Incomplete(
                    "Type the first part of the subscription's ID, as the page shows it.",
                ));
            }
        }
        let (method, path, body) = request(self.act, self.id, form)?;
        let (key, version) = (form.get("key"), record.map(|record| record.version));
        let key = key.as_deref();
        let mut answer = self
            .caller
            .call(Call {
                method: method.clone(),
                path: path.clone(),
                body: body.clone(),
                version,
                key,
            })
            .await?;
        // A recovery goes page by page.
        while let Some(next) = answer["next"].as_str().map(str::to_owned) {
            let mut body = body.clone();
            body["next"] = json!(next);
            let call =
                Call { method: method.clone(), path: path.clone(), body, version, key: None };
            answer = self.caller.call(call).await?;
        }
        let to = match (self.act, answer["id"].as_str()) {
            (Act::TestEvent, Some(id)) => {
                let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
                format!("{}/test-events/{id}", routes::DELIVERIES)
            }
            _ => self.back(),
        };
        Ok(see_other(&format!("{to}?done={}", self.act.name())))
    }
}
