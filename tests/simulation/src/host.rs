//! Where the functions that ship run.

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Function {
    Landing,
    Webhook,
    Activation,
    Management,
    Reconciliation,
    Delivery,
}

/// An execution environment of a function. Each has a clock of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Host {
    pub(crate) function: Function,
    /// Which of the environments that run at once.
    pub(crate) environment: u8,
}

impl From<Function> for Host {
    fn from(function: Function) -> Self {
        Self { function, environment: 0 }
    }
}
