//! Which method and path is which call.

use super::super::call::Call;
use super::super::error_form::ErrorForm;
use crate::wire::Reply;
use http::Method;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

/// One of the ten calls, with the ids of its path.
pub(super) enum Route {
    Resolve,
    List,
    Get(Uuid),
    Plans(Uuid),
    Activate(Uuid),
    Update(Uuid),
    Delete(Uuid),
    ListOperations(Uuid),
    GetOperation(Uuid, String),
    UpdateOperation(Uuid, String),
}

impl Route {
    pub(super) fn call(&self) -> Call {
        match self {
            Self::Resolve => Call::Resolve,
            Self::List => Call::ListSubscriptions,
            Self::Get(_) => Call::GetSubscription,
            Self::Plans(_) => Call::ListAvailablePlans,
            Self::Activate(_) => Call::Activate,
            Self::Update(_) => Call::UpdateSubscription,
            Self::Delete(_) => Call::DeleteSubscription,
            Self::ListOperations(_) => Call::ListOperations,
            Self::GetOperation(..) => Call::GetOperation,
            Self::UpdateOperation(..) => Call::UpdateOperation,
        }
    }

    pub(super) fn takes_body(&self) -> bool {
        matches!(self, Self::Activate(_) | Self::Update(_) | Self::UpdateOperation(..))
    }
}

/// The call. An `Err` is the answer to an unknown path or method.
pub(super) fn find(method: &Method, path: &str) -> Result<Route, Reply> {
    // The slash at the end is optional (F-LST-1).
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let Some(rest) = path.strip_prefix("saas/subscriptions") else {
        return Err(Reply::empty(404));
    };
    let segments: Vec<&str> = rest.split('/').skip(1).collect();
    let allow = |methods: &str| Err(Reply::empty(405).with_header("allow", methods));
    match segments.as_slice() {
        [] if rest.is_empty() => match *method {
            Method::GET => Ok(Route::List),
            _ => allow("GET"),
        },
        ["resolve"] => match *method {
            Method::POST => Ok(Route::Resolve),
            _ => allow("POST"),
        },
        [id] => match *method {
            Method::GET => guid(id).map(Route::Get),
            Method::PATCH => guid(id).map(Route::Update),
            Method::DELETE => guid(id).map(Route::Delete),
            _ => allow("GET, PATCH, DELETE"),
        },
        [id, "activate"] => match *method {
            Method::POST => guid(id).map(Route::Activate),
            _ => allow("POST"),
        },
        [id, "listAvailablePlans"] => match *method {
            Method::GET => guid(id).map(Route::Plans),
            _ => allow("GET"),
        },
        [id, "operations"] => match *method {
            Method::GET => guid(id).map(Route::ListOperations),
            _ => allow("GET"),
        },
        [id, "operations", operation] => match *method {
            Method::GET => Ok(Route::GetOperation(guid(id)?, decoded(operation)?)),
            Method::PATCH => Ok(Route::UpdateOperation(guid(id)?, decoded(operation)?)),
            _ => allow("GET, PATCH"),
        },
        _ => Err(Reply::empty(404)),
    }
}

fn decoded(segment: &str) -> Result<String, Reply> {
    match percent_decode_str(segment).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(ErrorForm::Object.reply(400, "BadArgument", "The path must hold text.")),
    }
}

fn guid(text: &str) -> Result<Uuid, Reply> {
    // A path may hold only the hyphenated form, which is the one of this length.
    match Uuid::try_parse(text) {
        Ok(id) if text.len() == 36 => Ok(id),
        _ => Err(ErrorForm::Object.reply(400, "BadArgument", "The path must hold a GUID.")),
    }
}
