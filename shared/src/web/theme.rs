//! The publisher's colour, adjusted so that text stays readable on light and on dark pages.

use std::str::FromStr;

/// Red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

impl Colour {
    /// A neutral blue with enough contrast to white text.
    pub const DEFAULT_ACCENT: Self = Self([0x0b, 0x5c, 0xad]);
}

impl FromStr for Colour {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "is not a colour such as #0b5cad";
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(FORM)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(FORM);
        }
        let value = u32::from_str_radix(digits, 16).map_err(|_| FORM)?;
        let [_, red, green, blue] = value.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

/// The minimum for text (WCAG 2.2, success criterion 1.4.3).
const MIN_CONTRAST: f64 = 4.5;

/// A little more, because colours look duller on a dark background.
const MIN_CONTRAST_ON_DARK: f64 = 5.5;

/// The minimum between a button and the card it is on (WCAG 2.2, success criterion 1.4.11).
const MIN_CONTRAST_OF_BUTTON: f64 = 3.0;

/// The backgrounds on which links are hardest to read: the style sheet's `--page`, the darkest one
/// of light pages, and its `--tint`, the lightest one of dark pages.
const LIGHT_BACKGROUND: Colour = Colour([0xf3, 0xf5, 0xf8]);
const DARK_BACKGROUND: Colour = Colour([0x22, 0x28, 0x32]);

const BLACK: Colour = Colour([0, 0, 0]);
const WHITE: Colour = Colour([255, 255, 255]);

/// The style sheet's variables for an accent colour. Text on it is black or white. Links are made
/// darker or lighter until they are readable.
pub(super) fn variables(accent: Colour) -> String {
    let on_dark = make_readable(accent, DARK_BACKGROUND, WHITE, MIN_CONTRAST_ON_DARK);
    let on_light = make_readable(accent, LIGHT_BACKGROUND, BLACK, MIN_CONTRAST);
    // A white button looks like one that can't be pressed.
    let is_lost = is_grey(accent) && contrast(accent, WHITE) < MIN_CONTRAST_OF_BUTTON;
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
        block(if is_lost { on_light } else { accent }, on_light),
        block(on_dark, on_dark)
    )
}

/// White if it is readable on the background, else black.
fn text_on(background: Colour) -> Colour {
    if contrast(WHITE, background) >= MIN_CONTRAST { WHITE } else { BLACK }
}

/// Whether people see it as a grey.
fn is_grey(Colour(parts): Colour) -> bool {
    const NOTICEABLE: u8 = 24;
    let [least, most] = [parts.iter().min(), parts.iter().max()].map(|part| *part.unwrap_or(&0));
    most - least < NOTICEABLE
}

/// Mixes a colour with another one until it is readable on its background. A grey becomes the other one: a
/// grey button looks like one that can't be pressed.
fn make_readable(colour: Colour, background: Colour, towards: Colour, min_contrast: f64) -> Colour {
    if is_grey(colour) && contrast(colour, background) < min_contrast {
        return towards;
    }
    let mixed = |percent: u32| {
        let mut parts = colour.0;
        for (part, end) in parts.iter_mut().zip(towards.0) {
            let sum = u32::from(*part) * (100 - percent) + u32::from(end) * percent;
            *part = u8::try_from(sum / 100).unwrap_or(end);
        }
        Colour(parts)
    };
    let readable = (0..100).map(mixed).find(|mixed| contrast(*mixed, background) >= min_contrast);
    readable.unwrap_or(towards)
}

/// The contrast ratio of two colours, from 1 to 21, as WCAG 2.2 defines it.
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
    fn contrast_follows_the_standard() {
        assert!((contrast(BLACK, WHITE) - 21.0).abs() < 1e-9);
        assert!((contrast(WHITE, WHITE) - 1.0).abs() < 1e-9);
        // The lightest grey that is readable on white.
        let grey = Colour([0x76; 3]);
        assert!((contrast(grey, WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn every_accent_gives_readable_text_and_links() {
        let steps = [0_u8, 51, 102, 118, 153, 204, 255];
        for red in steps {
            for green in steps {
                for blue in steps {
                    let accent = Colour([red, green, blue]);
                    assert!(contrast(text_on(accent), accent) >= MIN_CONTRAST, "{accent:?}");
                    let light = make_readable(accent, LIGHT_BACKGROUND, BLACK, MIN_CONTRAST);
                    assert!(contrast(light, LIGHT_BACKGROUND) >= MIN_CONTRAST, "{accent:?}");
                    let dark = make_readable(accent, DARK_BACKGROUND, WHITE, MIN_CONTRAST_ON_DARK);
                    assert!(contrast(dark, DARK_BACKGROUND) >= MIN_CONTRAST, "{accent:?}");
                    assert!(contrast(text_on(dark), dark) >= MIN_CONTRAST, "{accent:?}");
                }
            }
        }
    }

    #[test]
    fn a_readable_accent_stays_as_it_is() {
        let blue = Colour([0x0b, 0x5c, 0xad]);
        assert_eq!(make_readable(blue, LIGHT_BACKGROUND, BLACK, MIN_CONTRAST), blue);
        assert!(variables(blue).starts_with(":root{--accent:#0b5cad;--on-accent:#ffffff;"));
    }

    #[test]
    fn a_grey_accent_gives_no_button_that_looks_disabled() {
        let [light, dark] = [":root{", "@media (prefers-color-scheme:dark){:root{"];
        for (accent, light_button, dark_button) in [
            (BLACK, "#000000", "#ffffff"),
            (WHITE, "#000000", "#ffffff"),
            (Colour([0xf2, 0xf2, 0xf0]), "#000000", "#f2f2f0"),
            (Colour([0x30, 0x30, 0x38]), "#303038", "#ffffff"),
        ] {
            let variables = variables(accent);
            for expected in [
                format!("{light}--accent:{light_button};"),
                format!("{dark}--accent:{dark_button};"),
            ] {
                assert!(variables.contains(&expected), "{accent:?}: {variables}");
            }
        }
    }

    #[test]
    fn the_backgrounds_are_those_of_the_style_sheet() {
        let style = include_str!("style.css");
        let (light, dark) = style.split_once("@media (prefers-color-scheme: dark)").expect("both");
        assert!(light.contains(&format!("--page: {};", hex(LIGHT_BACKGROUND))));
        assert!(dark.contains(&format!("--tint: {};", hex(DARK_BACKGROUND))));
    }
}
