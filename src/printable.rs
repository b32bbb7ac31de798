//! Text of files made fit to be shown: names in an archive may hold anything.

use std::borrow::Cow;

/// Whether a character would move the cursor, colour the terminal, turn the direction of the text, or not be seen at all.
///
/// Control characters (Unicode's category Cc: ESC, newline, C1), separators of lines, marks of direction, and characters
/// without a width, among them the byte order mark.
#[must_use]
pub fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text with harmful characters written as escapes such as `\u{1b}`.
///
/// ```
/// assert_eq!(froc::printable::visible("a\nb\u{202e}"), r"a\nb\u{202e}");
/// assert_eq!(froc::printable::visible("größer"), "größer");
/// ```
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return text.into();
    }
    let mut shown = String::new();
    for letter in text.chars() {
        if is_harmful(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown.into()
}

/// The text with harmful characters written as escapes, and cut where it is longer than `most` characters with these.
///
/// ```
/// assert_eq!(froc::printable::printable("a\nb", 9), "a\\nb");
/// assert_eq!(froc::printable::printable("abcdef", 3), "abc…");
/// assert_eq!(froc::printable::printable("a\u{1b}\u{1b}", 9), r"a\u{1b}…");
/// ```
#[must_use]
pub fn printable(text: &str, most: usize) -> String {
    let mut room = most;
    let is_beyond = |(_, letter): &(usize, char)| {
        let width = if is_harmful(*letter) { letter.escape_default().len() } else { 1 };
        room.checked_sub(width).map(|left| room = left).is_none()
    };
    match text.char_indices().find(is_beyond) {
        None => visible(text).into_owned(),
        Some((end, _)) => visible(&text[..end]).into_owned() + "…",
    }
}

/// The text as a field of a table that no spreadsheet runs: visible, and with an apostrophe before what begins a formula
/// there, full-width signs included (OWASP, "CSV Injection"). Numbers, which may be negative, are not passed through this.
///
/// ```
/// assert_eq!(froc::printable::no_formula("=1+1.png"), "'=1+1.png");
/// assert_eq!(froc::printable::no_formula("1.png"), "1.png");
/// ```
#[must_use]
pub fn no_formula(text: &str) -> Cow<'_, str> {
    let shown = visible(text);
    if shown.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−']) {
        return format!("'{shown}").into();
    }
    shown
}

/// `1 image`, `2 images`.
pub(crate) fn counted(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// `A`, `A and B`, `A, B and C`.
pub(crate) fn in_a_row(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
