//! What the landing page and the console have in common as pages: their look, and the headers of their
//! answers.

mod security_headers;
mod theme;

pub use security_headers::SecurityHeaders;
pub use theme::Colour;

/// The style sheet of both, in this colour.
pub fn style(accent: Colour) -> String {
    const STYLE: &str = include_str!("style.css");
    format!("{}{STYLE}", theme::variables(accent))
}
