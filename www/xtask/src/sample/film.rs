//! Made-up radiographs of the sample: what a chest film looks like from afar, with its lesions in it.
//!
//! Drawn by sums, products and roots alone, whose results are the same on every machine.

use anyhow::Result;
use jpeg_encoder::{ColorType, Encoder};

use super::{Chance, Corners, SIDE};

/// Pixels along each side: small, as everybody who opens the page loads them.
const PIXELS: u16 = 160;
/// Of JPEG, 1..=100.
const QUALITY: u8 = 42;
/// How bright the body is where neither air nor bone is, 0..=255.
const FLESH: f64 = 122.0;

/// The film of an image as JPEG, with lesions, each with its class.
///
/// # Errors
/// None in practice: it is made in memory.
pub fn draw(chance: &mut Chance, lesions: &[(&str, Corners)]) -> Result<Vec<u8>> {
    let (aside, width) = (chance.between((-15.0, 15.0)), chance.between((0.94, 1.06)));
    let step = SIDE / f64::from(PIXELS);
    let centre = |at: u16| (f64::from(at) + 0.5) * step;
    let mut pixels = Vec::with_capacity(usize::from(PIXELS) * usize::from(PIXELS));
    for row in 0..PIXELS {
        for column in 0..PIXELS {
            let (x, y) = (centre(column), centre(row));
            // Slight differences between people.
            let mut light = chest((x - SIDE / 2.0 - aside) / width, y);
            for (class, corners) in lesions {
                light += lesion(class, corners, x, y);
            }
            #[expect(clippy::cast_sign_loss, reason = "it lies between 4 and 250")]
            pixels.push(light.clamp(4.0, 250.0) as u8);
        }
    }
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, QUALITY);
    encoder.set_optimized_huffman_tables(true);
    encoder.encode(&pixels, PIXELS, PIXELS, ColorType::Luma)?;
    Ok(jpeg)
}

/// How bright a chest is, with x from its middle and y from the top, in pixels of the boxes.
fn chest(x: f64, y: f64) -> f64 {
    let side = if x < 0.0 { -1.0 } else { 1.0 };
    let out = x.abs();
    let inside = 1.0 - rise(out - 455.0 + square(up(y, 260.0) / 260.0) * 190.0, 60.0);
    let lung = out - 205.0;
    let dome = 1.0 - rise(y - 770.0 + 70.0 * hill(lung / 130.0), 26.0);
    let air = blob(distance(lung / 165.0, (y - 430.0) / 330.0), 0.25) * dome;
    let mut light = FLESH * inside - 84.0 * air;
    light += 48.0 * hill(square(out / 70.0)) * inside;
    // The heart, and what lies above it.
    light += 42.0 * blob(distance((x - 70.0) / 150.0, (y - 640.0) / 130.0), 0.5);
    light += 20.0 * blob(distance((x - 40.0) / 55.0, (y - 330.0) / 90.0), 0.6);
    let within = rise(out - 30.0, 40.0) * (1.0 - rise(out - 390.0, 40.0));
    for rib in 0..9 {
        let bend = f64::from(rib) * 78.0 + 150.0 + square(out - 60.0) * 0.0007 + out * 0.1;
        light += 13.0 * hill((y - bend) / 11.0) * within * inside;
    }
    // The collar bones.
    light += 24.0 * hill((y - 175.0 - (90.0 - out * 0.5) * 0.4 - side * 4.0) / 14.0) * within * inside;
    light
}

/// How much brighter, or darker, a lesion makes a place.
fn lesion(class: &str, &[x1, y1, x2, y2]: &Corners, x: f64, y: f64) -> f64 {
    let (left, up_) = ((x - f64::midpoint(x1, x2)) * 2.0 / (x2 - x1), (y - f64::midpoint(y1, y2)) * 2.0 / (y2 - y1));
    let far = distance(left, up_);
    // What is not seen from outside of its box.
    if far > 1.6 {
        return 0.0;
    }
    let patches = 0.8 + 0.35 * wave(x / 74.0) * wave(y / 61.0);
    match class {
        "Nodule" | "Mass" | "Button" => 50.0 * blob(far / 0.9, 0.3),
        "Calcification" => 95.0 * blob(far / 0.6, 0.4),
        "Consolidation" => 56.0 * blob(far / 0.8, 0.9) * patches,
        "Fibrosis" => 26.0 * blob(far / 0.9, 0.8) * wave((x + 2.0 * y) / 110.0) * (0.5 + wave((2.0 * x - y) / 130.0)),
        // It fills from below.
        "Effusion" => 62.0 * rise(up_ + 0.5 - 0.5 * square(left), 0.9) * (1.0 - rise(far - 1.1, 0.5)),
        "Emphysema" => -22.0 * blob(far / 0.9, 0.5),
        "Pneumothorax" => -26.0 * blob(far / 0.9, 0.12) + 46.0 * hill((far - 0.92) / 0.04),
        "Atelectasis" => 44.0 * hill((up_ - left * 0.3) / 0.45) * (1.0 - rise(left.abs() - 0.9, 0.3)),
        "Fracture" => {
            let bone = hill((up_ - left * 0.3) / 0.4) * (1.0 - rise(left.abs() - 0.9, 0.3));
            (52.0 - 110.0 * hill(left / 0.16)) * bone
        }
        // Things of metal.
        "Pacemaker" => 105.0 * (1.0 - rise(left.abs().max(up_.abs()) - 0.85, 0.12)),
        _ => 105.0 * hill((distance(left, up_) - 0.7) / 0.16),
    }
}

/// 0 well below 0, 1 well above, within about half a width of it.
fn rise(at: f64, width: f64) -> f64 {
    let part = (at / width + 0.5).clamp(0.0, 1.0);
    part * part * (3.0 - 2.0 * part)
}

/// 1 within a distance of 1, softly 0 outside.
fn blob(distance: f64, softness: f64) -> f64 {
    1.0 - rise(distance - 1.0, 2.0 * softness)
}

/// 1 at 0, less on both sides, a fifth at 1.
fn hill(at: f64) -> f64 {
    1.0 / square(1.0 + 1.24 * at * at)
}

/// 0 to 1 and back in each whole number.
fn wave(at: f64) -> f64 {
    let part = at.rem_euclid(1.0);
    square(4.0 * part * (1.0 - part))
}

fn distance(x: f64, y: f64) -> f64 {
    (x * x + y * y).sqrt()
}

fn square(number: f64) -> f64 {
    number * number
}

/// How far above a place, 0 below it.
fn up(y: f64, place: f64) -> f64 {
    (place - y).max(0.0)
}
