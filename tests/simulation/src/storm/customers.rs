//! Customers from before the publisher's first start.

use std::time::Duration;

use emulator::Purchase;

use super::MAX_PURCHASES;
use crate::run::Run;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Run {
    /// Microsoft has customers, and no call about them is left. The storm buys once more at least.
    pub(super) fn customers_from_before(&mut self) {
        for _ in 1..MAX_PURCHASES {
            let purchase = Purchase::flat_rate("auto").auto_activated();
            let id = self.io.world(|world| world.purchase(purchase));
            self.io.note(|| format!("* {id} is a customer from before"));
            self.activated_by_microsoft(id);
        }
        self.io.world(|world| {
            world.lose_deliveries();
            world.advance(DAY);
        });
    }
}
