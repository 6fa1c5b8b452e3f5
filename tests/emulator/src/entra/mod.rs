//! Microsoft Entra ID, as far as publishers meet it: access tokens for the marketplace (section 2),
//! signed webhooks (6.4), and the sign-in of buyers at the landing page (section 8).

mod assertion;
mod aws_account;
mod aws_sts;
mod client_refusal;
mod directory;
mod discovery;
mod forgery;
mod grant;
mod identity_endpoint;
mod jwt;
mod keys;
mod managed_identity;
mod registration;
mod route;
mod sign_in;
mod sign_in_page;
mod signed_tokens;
mod token_endpoint;

pub use aws_account::AwsAccount;
pub use aws_sts::FUNCTION_ROLE;
pub use directory::Entra;
pub use forgery::Forgery;
pub use managed_identity::ManagedIdentity;
