//! The logo, which is in the settings themselves.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

/// The types that a browser shows as an image. The setting holds the image itself: our pages load
/// nothing from another site, and a function has no folder for files.
const IMAGES: [&str; 4] = ["image/svg+xml", "image/png", "image/jpeg", "image/webp"];

pub(super) fn logo(address: &str) -> Result<Logo, &'static str> {
    const FORM: &str = "is not data:image/svg+xml;base64,… (or png, jpeg, webp)";
    let (kind, data) =
        address.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")).ok_or(FORM)?;
    let content_type = IMAGES.into_iter().find(|image| *image == kind).ok_or(FORM)?;
    let bytes = STANDARD.decode(data).map_err(|_| "holds text that is not base64")?;
    if bytes.is_empty() { Err(FORM) } else { Ok(Logo { content_type, bytes }) }
}
