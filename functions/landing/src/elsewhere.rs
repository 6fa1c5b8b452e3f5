//! Visitors who open the page at another host than its own.

use http::header::HOST;
use http::{HeaderMap, Method};
use shared::host::http::{Request, Response, see_other};
use shared::host::origin::Origin;
use url::{Url, form_urlencoded};

/// Where a proxy writes the host that the browser shows.
const FORWARDED_HOST: &str = "x-forwarded-host";

/// The parameter of an address that a visitor was redirected to.
const REDIRECTED: &str = "redirected";

/// Redirects a visitor to the page's own origin. Entra sends them back there, where a cookie of
/// another host is not sent.
///
/// A proxy may hide the host that the browser shows. Then the visitor comes back with
/// [`REDIRECTED`], and is not redirected again.
pub(crate) fn redirect_to_origin(origin: &Origin, request: &Request) -> Option<Response> {
    let query = request.uri().query();
    let was_redirected = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .any(|(name, _)| name == REDIRECTED);
    if *request.method() != Method::GET
        || was_redirected
        || !is_elsewhere(origin, request.headers())
    {
        return None;
    }
    let mut here = Url::parse(origin.as_str()).ok()?;
    here.set_path(request.uri().path());
    here.set_query(query);
    here.query_pairs_mut().append_pair(REDIRECTED, "yes");
    Some(see_other(here.as_str()))
}

/// Whether every host that the request names is another one than the page's.
fn is_elsewhere(origin: &Origin, headers: &HeaderMap) -> bool {
    let mut hosts = [HOST.as_str(), FORWARDED_HOST]
        .into_iter()
        .flat_map(|name| headers.get_all(name))
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .peekable();
    hosts.peek().is_some() && !hosts.any(|host| origin.is_host(host) || origin.is_hop(host))
}
