//! Microsoft Entra ID, as far as publishers meet it: access tokens for the marketplace (section 2),
//! signed webhooks (6.4), and the sign-in of buyers at the landing page (section 8).

mod client_refusal;
mod directory;
mod discovery;
mod forgery;
mod grant;
mod jwt;
mod keys;
mod route;
mod sign_in;
mod sign_in_page;
mod signed_tokens;
mod token_endpoint;

pub use directory::Entra;
pub use forgery::Forgery;
