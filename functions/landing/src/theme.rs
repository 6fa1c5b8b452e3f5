//! The publisher's colour, made to be read: on light pages and on dark ones.

use shared::config::Colour;

/// What text needs to be read by most people (WCAG 2.2, success criterion 1.4.3).
const READABLE: f64 = 4.5;

/// On a dark ground a little more: colours look duller there.
const READABLE_IN_THE_DARK: f64 = 5.5;

/// The hardest grounds that links stand on: the style sheet's `--page` on light pages, as the
/// darkest of the light ones, and its `--tint` on dark pages, as the lightest of the dark ones.
const LIGHT_GROUND: Colour = Colour([0xf3, 0xf5, 0xf8]);
const DARK_GROUND: Colour = Colour([0x22, 0x28, 0x32]);

const BLACK: Colour = Colour([0, 0, 0]);
const WHITE: Colour = Colour([255, 255, 255]);

/// The style sheet's variables for an accent. Every colour can be one: text on it is black or white,
/// and links are as much darker or lighter as they have to be.
pub(crate) fn variables(accent: Colour) -> String {
    let on_dark = readable(accent, DARK_GROUND, WHITE, READABLE_IN_THE_DARK);
    let block = |accent: Colour, link: Colour| {
        format!(
            "--accent:{};--on-accent:{};--link:{};",
            hex(accent),
            hex(text_on(accent)),
            hex(link)
        )
    };
    format!(
        ":root{{{}}}@media (prefers-color-scheme:dark){{:root{{{}}}}}",
        block(accent, readable(accent, LIGHT_GROUND, BLACK, READABLE)),
        block(on_dark, on_dark)
    )
}

/// White, unless black is read so much better that white can't be.
fn text_on(ground: Colour) -> Colour {
    if contrast(WHITE, ground) >= READABLE { WHITE } else { BLACK }
}

/// The colour, moved towards another until it can be read on its ground.
fn readable(colour: Colour, ground: Colour, towards: Colour, wanted: f64) -> Colour {
    let mixed = |percent: u32| {
        let mut parts = colour.0;
        for (part, end) in parts.iter_mut().zip(towards.0) {
            let sum = u32::from(*part) * (100 - percent) + u32::from(end) * percent;
            *part = u8::try_from(sum / 100).unwrap_or(end);
        }
        Colour(parts)
    };
    let readable = (0..100).map(mixed).find(|mixed| contrast(*mixed, ground) >= wanted);
    readable.unwrap_or(towards)
}

/// How much lighter one colour is than another, from 1 to 21, as WCAG 2.2 defines it.
fn contrast(one: Colour, other: Colour) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(Colour(parts): Colour) -> f64 {
    let [red, green, blue] = parts.map(|part| {
        let share = f64::from(part) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn hex(Colour([red, green, blue]): Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_what_the_standard_says() {
        assert!((contrast(BLACK, WHITE) - 21.0).abs() < 1e-9);
        assert!((contrast(WHITE, WHITE) - 1.0).abs() < 1e-9);
        // The lightest grey that may stand on white.
        let grey = Colour([0x76; 3]);
        assert!((contrast(grey, WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn whatever_the_accent_is_everything_can_be_read() {
        let steps = [0_u8, 51, 102, 118, 153, 204, 255];
        for red in steps {
            for green in steps {
                for blue in steps {
                    let accent = Colour([red, green, blue]);
                    assert!(contrast(text_on(accent), accent) >= READABLE, "{accent:?}");
                    let light = readable(accent, LIGHT_GROUND, BLACK, READABLE);
                    assert!(contrast(light, LIGHT_GROUND) >= READABLE, "{accent:?}");
                    let dark = readable(accent, DARK_GROUND, WHITE, READABLE_IN_THE_DARK);
                    assert!(contrast(dark, DARK_GROUND) >= READABLE, "{accent:?}");
                    assert!(contrast(text_on(dark), dark) >= READABLE, "{accent:?}");
                }
            }
        }
    }

    #[test]
    fn an_accent_that_can_be_read_stays_as_it_is() {
        let blue = Colour([0x0b, 0x5c, 0xad]);
        assert_eq!(readable(blue, LIGHT_GROUND, BLACK, READABLE), blue);
        assert!(variables(blue).starts_with(":root{--accent:#0b5cad;--on-accent:#ffffff;"));
    }

    #[test]
    fn the_grounds_are_the_style_sheets() {
        let style = include_str!("../templates/style.css");
        let (light, dark) = style.split_once("@media (prefers-color-scheme: dark)").expect("both");
        assert!(light.contains(&format!("--page: {};", hex(LIGHT_GROUND))));
        assert!(dark.contains(&format!("--tint: {};", hex(DARK_GROUND))));
    }
}
