//! Requests of the buyer and the publisher.

use bytes::Bytes;
use http::{Method, Request};
use rand::Rng;
use serde_json::Value;
use url::form_urlencoded::Serializer;
use uuid::Uuid;

use crate::run::{Purpose, Run};

impl Run {
    pub(crate) fn open(&mut self, id: Uuid) {
        let request =
            Request::builder().uri(format!("/landing?{}", self.form(id))).body(Bytes::new());
        self.start(Purpose::Visit, request.expect("a form is a query"));
    }

    /// The buyer presses the button on the landing page.
    pub(crate) fn confirm(&mut self, id: Uuid) {
        let request = Request::builder().method(Method::POST).uri("/landing");
        let mut form = self.form(id);
        // Every second buyer enters an address.
        if let Some(number) =
            self.io.decide(|rng| rng.random::<bool>().then(|| rng.random::<u16>()))
        {
            form.push_str(&format!("&contact=buyer{number}@contoso.example"));
        }
        let request = request.body(Bytes::from(form));
        self.start(Purpose::Confirm(id), request.expect("a constant address"));
    }

    fn form(&self, id: Uuid) -> String {
        let token = self.io.world(|world| world.purchase_token(id));
        Serializer::new(String::new()).append_pair("token", &token).finish()
    }

    /// The publisher calls the management or activation API.
    pub(crate) fn call(&mut self, purpose: Purpose, method: Method, path: &str, body: &str) {
        self.call_at(purpose, method, &format!("/subscriptions/{path}"), body);
    }

    /// The same at any path.
    pub(crate) fn call_at(&mut self, purpose: Purpose, method: Method, path: &str, body: &str) {
        let request = Request::builder().method(method).uri(path);
        self.start(purpose, request.body(Bytes::from(body.to_owned())).expect("a path"));
    }

    /// An operator requests that events are sent again.
    pub(crate) fn redeliver(&mut self, id: Uuid, from: &Value) {
        self.call(Purpose::Manage, Method::POST, &format!("{id}/redeliver"), &from.to_string());
    }
}
