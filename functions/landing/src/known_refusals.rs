//! Tokens and codes that Microsoft has refused before. A table that fails never keeps a buyer out.

use std::sync::Arc;

use shared::host::clock::Clock;
use shared::store::{Refusals, Refused};
use tracing::{info, warn};

#[derive(Clone)]
pub(crate) struct KnownRefusals {
    table: Arc<dyn Refusals>,
    clock: Arc<dyn Clock>,
}

impl KnownRefusals {
    pub(crate) fn new(table: Arc<dyn Refusals>, clock: Arc<dyn Clock>) -> Self {
        Self { table, clock }
    }

    pub(crate) async fn contain(&self, refused: &Refused) -> bool {
        match self.table.is_refused(refused, self.clock.now()).await {
            Ok(is_refused) => {
                if is_refused {
                    info!("Microsoft refused this token or code before; it is not asked again");
                }
                is_refused
            }
            Err(error) => {
                warn!(
                    %error, class = error.class().name(),
                    "could not look up whether Microsoft refused this before"
                );
                false
            }
        }
    }

    pub(crate) async fn remember(&self, refused: &Refused) {
        if let Err(error) = self.table.remember(refused, self.clock.now()).await {
            warn!(
                %error, class = error.class().name(),
                "could not remember a refusal; Microsoft may be asked again"
            );
        }
    }
}
