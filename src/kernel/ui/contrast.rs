//! The colours of the design system hold WCAG 2.2 AA in light and dark: texts 4.5:1, lines of controls 3:1.

use std::collections::HashMap;

const CSS: &str = include_str!("../../../assets/styles/10-tokens.css");

/// The colour tokens of the block that begins with `selector`, as relative luminance.
fn tokens(selector: &str) -> HashMap<&'static str, f64> {
    let start = CSS.find(selector).unwrap() + selector.len();
    let block = &CSS[start..start + CSS[start..].find('}').unwrap()];
    let pairs = block
        .split(';')
        .filter_map(|line| line.trim().strip_prefix("--")?.split_once(": #"));
    pairs.map(|(name, hex)| (name, luminance(hex.trim()))).collect()
}

fn luminance(hex: &str) -> f64 {
    let part = |at: usize| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.040_45 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
}

fn ratio(a: f64, b: f64) -> f64 {
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_text_can_be_read_in_light_and_dark() {
    let mut wrong = Vec::new();
    for selector in [
        "\n:root {",
        ":root:not([data-theme=\"light\"]) {",
        ":root[data-theme=\"dark\"] {",
    ] {
        let colours = tokens(selector);
        let mut check = |front: &str, back: &str, least: f64| {
            let found = ratio(colours[front], colours[back]);
            if found < least {
                wrong.push(format!("{selector} {front} on {back}: {found:.2}, at least {least}"));
            }
        };
        for text in ["ink", "muted", "accent", "brass"] {
            for ground in ["paper", "surface", "sunk"] {
                check(text, ground, 4.5);
            }
        }
        for (text, ground) in [
            ("ok", "ok-soft"),
            ("warn", "warn-soft"),
            ("bad", "bad-soft"),
            ("accent", "accent-soft"),
        ] {
            check(text, ground, 4.5);
            check("ink", ground, 4.5);
        }
        for (text, ground) in [
            ("on-accent", "accent"),
            ("on-mark", "mark"),
            ("bad", "surface"),
            ("ok", "surface"),
        ] {
            check(text, ground, 4.5);
        }
        for ground in ["paper", "surface"] {
            check("control", ground, 3.0);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
