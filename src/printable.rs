//! Text of files made fit to be shown: names in an archive may hold anything.

/// Whether a character would move the cursor, colour the terminal or turn the direction of the text.
#[must_use]
pub fn is_harmful(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text with harmful characters written as escapes such as `\u{1b}`, and cut after `most` characters.
///
/// ```
/// assert_eq!(froc::printable::printable("a\nb", 9), "a\\nb");
/// assert_eq!(froc::printable::printable("abcdef", 3), "abc…");
/// ```
#[must_use]
pub fn printable(text: &str, most: usize) -> String {
    if text.len() <= most && !text.chars().any(is_harmful) {
        return text.to_owned();
    }
    let mut shown = String::new();
    for (at, letter) in text.chars().enumerate() {
        if at == most {
            shown.push('…');
            break;
        }
        if is_harmful(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}
