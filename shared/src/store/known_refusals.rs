//! Tokens and codes that Microsoft has refused before. A table that fails never keeps a visitor out.

use std::sync::Arc;

use tracing::{info, warn};

use super::refusals::{Refusals, Refused};
use crate::host::clock::Clock;

/// [`Refusals`], for those who can do without the answer.
#[derive(Clone)]
pub struct KnownRefusals {
    table: Arc<dyn Refusals>,
    clock: Arc<dyn Clock>,
}

impl KnownRefusals {
    pub fn new(table: Arc<dyn Refusals>, clock: Arc<dyn Clock>) -> Self {
        Self { table, clock }
    }

    /// Whether Microsoft refused this before, as far as the table says.
    pub async fn contain(&self, refused: &Refused) -> bool {
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

    pub async fn remember(&self, refused: &Refused) {
        if let Err(error) = self.table.remember(refused, self.clock.now()).await {
            warn!(
                %error, class = error.class().name(),
                "could not remember a refusal; Microsoft may be asked again"
            );
        }
    }
}
