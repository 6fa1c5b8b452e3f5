//! Issues handovers to the publisher's own sign-up page.

use std::sync::Arc;

use shared::config::{SignUpPage, is_email};
use shared::domain::Record;
use shared::host::clock::Clock;
use shared::host::origin::Origin;
use shared::microsoft::entra::Person;
use shared::publisher::handover::{Handover, HandoverPerson};
use shared::publisher::standard_webhooks::{KeyRing, NoSigningKey};

use crate::purchase::{Opened, Visitor};

pub(crate) struct Handovers {
    keys: KeyRing,
    clock: Arc<dyn Clock>,
}

impl Handovers {
    pub(crate) fn new(keys: KeyRing, clock: Arc<dyn Clock>) -> Self {
        Self { keys, clock }
    }

    /// A new handover of this purchase, for the person who has signed in.
    pub(crate) async fn issue(
        &self,
        opened: &Opened,
        visitor: Visitor,
        person: &Person,
        from: &Origin,
        to: &SignUpPage,
        language: &str,
    ) -> Result<String, NoSigningKey> {
        let Record { subscription, sign_up, .. } = &opened.record;
        let account = visitor.account;
        let handover = Handover {
            issuer: from.as_str(),
            audience: &to.origin(),
            id: self.clock.new_id(),
            issued_at: self.clock.now(),
            subscription,
            role: visitor.identification.role,
            person: HandoverPerson {
                name: person.name.as_deref(),
                email: person.username.as_deref().filter(|name| is_email(name)),
                account,
            },
            sign_up: sign_up.as_ref(),
            language,
        };
        Ok(handover.signed(&self.keys.keys().await?))
    }
}
