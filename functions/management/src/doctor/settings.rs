//! The settings of this function.

use super::finding::Finding;

const SETTINGS: &str = "settings";

/// Lambda's limit, and where one more setting may pass it.
const MOST_BYTES: usize = 4096;
const MANY_BYTES: usize = 3500;

/// `is_on_lambda`: only there, settings have a limit.
pub(super) fn settings(bytes: usize, is_on_lambda: bool) -> Finding {
    const PLACE: &str = "The template's parameters; `saasctl preflight` names the longest settings";
    if !is_on_lambda {
        return Finding::ok(
            SETTINGS,
            "The settings can be read. This host does not limit their size.",
        );
    }
    let says = format!(
        "The settings can be read. This function's take {bytes} of the {MOST_BYTES} bytes that \
         Lambda allows."
    );
    if bytes >= MANY_BYTES {
        let says = format!("{says} An update that adds some may fail: shorten them.");
        return Finding::warning(SETTINGS, says, PLACE);
    }
    Finding::ok(SETTINGS, says)
}
