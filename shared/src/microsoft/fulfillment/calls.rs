//! The ten calls of the API: their paths, bodies and answers.

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};

use super::client::{Answer, Call, Client};
use super::error::{FulfillmentError, Malformed};
use super::wire::{self, AcceptedOperation, Acknowledgement, Plan, PlanPage, SubscriptionPage};
use super::{Marketplace, PurchaseToken};
use crate::domain::{Observation, Operation, OperationId, Subscription, SubscriptionId};
use crate::lenient::object;

impl Client {
    async fn update(
        &self,
        name: &'static str,
        id: SubscriptionId,
        body: Value,
    ) -> Result<AcceptedOperation, FulfillmentError> {
        let call = Call::new(name, Method::PATCH, format!("/{id}")).body(body).once();
        self.call(call).await.map(|answer| accepted(&answer))
    }
}

fn accepted(answer: &Answer) -> AcceptedOperation {
    let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
    wire::accepted(header("operation-id"), header("operation-location"))
}

fn operation_path(id: SubscriptionId, operation: &OperationId) -> String {
    format!("/{id}/operations/{}", operation.escaped())
}

/// Microsoft answers 404 or 400 about an operation that it does not know (F-OPG-3, F-OPU-3).
fn or_not_found(error: FulfillmentError) -> FulfillmentError {
    match error {
        FulfillmentError::Refused(refusal) if refusal.status == 400 => {
            FulfillmentError::NotFound(refusal)
        }
        error => error,
    }
}

#[async_trait]
impl Marketplace for Client {
    async fn resolve(&self, token: &PurchaseToken) -> Result<Observation, FulfillmentError> {
        let read_at = self.clock().now();
        let call = Call::new("resolve", Method::POST, "/resolve".to_owned())
            .without_id()
            .purchase_token(token);
        let answer = self.call(call).await?;
        let resolved = wire::resolved(&answer.body).ok_or(Malformed::Body("resolve"))?;
        match (resolved.status(), resolved.id()) {
            (Some(_), _) | (None, None) => Ok(resolved.read_at(read_at)),
            // Before 2020, Resolve returned the ids and no more (F-RES-6).
            (None, Some(id)) => self.get_subscription(id).await,
        }
    }

    async fn activate(&self, subscription: &Subscription) -> Result<(), FulfillmentError> {
        // Microsoft's documents disagree about the body. This one satisfies all of them (F-ACT-2).
        let mut body = json!({ "planId": subscription.plan_id });
        if let Some(quantity) = subscription.quantity {
            body["quantity"] = json!(quantity);
        }
        let path = format!("/{}/activate", subscription.id);
        self.call(Call::new("activate", Method::POST, path).body(body)).await?;
        Ok(())
    }

    async fn list_subscriptions(
        &self,
        after: Option<&str>,
    ) -> Result<SubscriptionPage, FulfillmentError> {
        let call =
            Call::new("list_subscriptions", Method::GET, String::new()).without_id().page(after);
        let read_at = self.clock().now();
        let answer = self.call(call).await?;
        let page =
            SubscriptionPage::parse(&answer.body).ok_or(Malformed::Body("list_subscriptions"))?;
        Ok(page.read_at(read_at))
    }

    async fn get_subscription(&self, id: SubscriptionId) -> Result<Observation, FulfillmentError> {
        let read_at = self.clock().now();
        let answer =
            self.call(Call::new("get_subscription", Method::GET, format!("/{id}"))).await?;
        let observation: Observation =
            object(&answer.body).ok_or(Malformed::Body("get_subscription"))?;
        if observation.id().is_some_and(|answered| answered != id) {
            return Err(Malformed::OtherSubscription.into());
        }
        // Without a status the answer says nothing that we could adopt.
        if observation.status().is_none() {
            return Err(Malformed::NoStatus.into());
        }
        Ok(observation.of(id).read_at(read_at))
    }

    async fn list_available_plans(
        &self,
        id: SubscriptionId,
        plan_id: Option<&str>,
    ) -> Result<Vec<Plan>, FulfillmentError> {
        let call =
            Call::new("list_available_plans", Method::GET, format!("/{id}/listAvailablePlans"))
                .query("planId", plan_id);
        let answer = self.call(call).await?;
        let page: PlanPage =
            wire::parse_or_empty(&answer.body).ok_or(Malformed::Body("list_available_plans"))?;
        Ok(page.plans.unwrap_or_default())
    }

    async fn change_plan(
        &self,
        id: SubscriptionId,
        plan_id: &str,
    ) -> Result<AcceptedOperation, FulfillmentError> {
        self.update("change_plan", id, json!({ "planId": plan_id })).await
    }

    async fn change_quantity(
        &self,
        id: SubscriptionId,
        quantity: u64,
    ) -> Result<AcceptedOperation, FulfillmentError> {
        self.update("change_quantity", id, json!({ "quantity": quantity })).await
    }

    async fn cancel(&self, id: SubscriptionId) -> Result<AcceptedOperation, FulfillmentError> {
        let call = Call::new("cancel", Method::DELETE, format!("/{id}")).once();
        self.call(call).await.map(|answer| accepted(&answer))
    }

    async fn list_operations(
        &self,
        id: SubscriptionId,
    ) -> Result<Vec<Operation>, FulfillmentError> {
        let call = Call::new("list_operations", Method::GET, format!("/{id}/operations"));
        let answer = self.call(call).await?;
        Ok(wire::operations(&answer.body).ok_or(Malformed::Body("list_operations"))?)
    }

    async fn get_operation(
        &self,
        id: SubscriptionId,
        operation: &OperationId,
    ) -> Result<Operation, FulfillmentError> {
        let call = Call::new("get_operation", Method::GET, operation_path(id, operation));
        let answer = self.call(call).await.map_err(or_not_found)?;
        let mut found = wire::operation(&answer.body).ok_or(Malformed::Body("get_operation"))?;
        if !found.is(id, operation) {
            return Err(Malformed::OtherOperation.into());
        }
        // Without an action it neither confirms nor contradicts a call.
        if found.action.is_none() {
            return Err(Malformed::NoAction.into());
        }
        found.id = Some(operation.clone());
        Ok(found)
    }

    async fn update_operation(
        &self,
        id: SubscriptionId,
        operation: &OperationId,
        acknowledgement: Acknowledgement,
    ) -> Result<(), FulfillmentError> {
        let call = Call::new("update_operation", Method::PATCH, operation_path(id, operation))
            .body(json!({ "status": acknowledgement.as_str() }));
        self.call(call).await.map_err(or_not_found)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
