//! Text that others wrote, made fit for a terminal, and quantities in words.
//!
//! A terminal obeys control characters, and a reader believes what bidirectional overrides and invisible characters
//! make a line look like. All of them are shown by their code instead, so that nothing a target sent can recolour,
//! overwrite, reorder or hide a part of the report.

use std::{borrow::Cow, sync::LazyLock};

use comfy_table::Table;
use data_encoding::HEXLOWER;
use regex::{Captures, Regex};

/// Controls (C0, DEL, C1), format characters (bidi controls, joiners, tags), separators of lines and paragraphs,
/// private and unassigned characters, whatever is invisible by definition, and marks piled up on one letter.
static UNSAFE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|\p{M}{4,}")
        .expect("the pattern is constant and valid")
});

/// The text with everything unsafe shown by its code (`\n`, `\u{1b}`), line breaks included.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    replace(text, |c, out| out.extend(c.escape_default()))
}

/// The text with everything unsafe but line breaks shown by its code.
pub(super) fn lines(text: &str) -> Cow<'_, str> {
    replace(text, |c, out| if c == '\n' { out.push(c) } else { out.extend(c.escape_default()) })
}

/// JSON text with everything unsafe but line breaks in the notation of JSON strings (RFC 8259 §7). Where the text is
/// valid JSON, its meaning stays the same, for such characters only occur within strings.
pub(super) fn json(text: &str) -> Cow<'_, str> {
    replace(text, |c, out| {
        if c == '\n' {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str("\\u");
                HEXLOWER.encode_append(&unit.to_be_bytes(), out);
            }
        }
    })
}

fn replace(text: &str, show: impl Fn(char, &mut String)) -> Cow<'_, str> {
    // Most of what a report says is plain ASCII, and making the pattern takes longer than a whole short run.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    UNSAFE.replace_all(text, |found: &Captures<'_>| {
        let mut shown = String::new();
        found[0].chars().for_each(|c| show(c, &mut shown));
        shown
    })
}

/// The beginning of a text: at most so many lines and so many characters, and whether that is all of it.
pub(super) fn beginning(text: &str, most_lines: usize, most_chars: usize) -> (&str, bool) {
    let by_lines = text.match_indices('\n').nth(most_lines.saturating_sub(1)).map_or(text.len(), |(at, _)| at);
    let by_chars = text.char_indices().nth(most_chars).map_or(text.len(), |(at, _)| at);
    let end = by_lines.min(by_chars);
    (&text[..end], end == text.len())
}

/// How many columns of a terminal the widest line of a text takes.
pub(super) fn width(text: &str) -> usize {
    if text.is_empty() || (text.is_ascii() && !text.contains('\n')) {
        return text.len();
    }
    let mut table = Table::new();
    table.force_no_tty().add_row([text]);
    table.column_max_content_widths().first().map_or(0, |width| usize::from(*width))
}

/// A number of things: `1 request`, `2 requests`.
pub(super) fn count(number: impl TryInto<u64>, thing: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// A duration in the unit that suits it, cut (not rounded) to a tenth: `1.2 ms`, `3.4 s`, `2 min 5 s`.
pub(super) fn microseconds(us: u64) -> String {
    match us {
        0..1_000_000 => format!("{}.{} ms", us / 1000, us % 1000 / 100),
        1_000_000..60_000_000 => format!("{}.{} s", us / 1_000_000, us % 1_000_000 / 100_000),
        _ => format!("{} min {} s", us / 60_000_000, us / 1_000_000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(one_line("a\u{1b}[2Jb\r\nc\td"), r"a\u{1b}[2Jb\r\nc\td");
        assert_eq!(one_line("\u{9b}31m \u{7f}"), r"\u{9b}31m \u{7f}");
        assert_eq!(lines("a\r\nb"), "a\\r\nb");
        for c in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}').chain(['\u{feff}', '\u{2028}', '\u{e0041}']) {
            assert_eq!(one_line(&c.to_string()), c.escape_unicode().to_string());
        }
    }

    #[test]
    fn ordinary_text_of_any_language_is_left_alone() {
        let text = "Überweisung 1.234,56 € 株式会社 é שלום नमस्ते 👍 \\n \"'";
        assert!(matches!(one_line(text), Cow::Borrowed(t) if t == text));
    }

    #[test]
    fn what_ascii_holds_beside_printable_characters_is_shown() {
        for c in (0..=0x7f_u8).map(char::from) {
            let shown = one_line(c.encode_utf8(&mut [0; 4])).into_owned();
            let expected = if c.is_ascii_control() { c.escape_default().to_string() } else { c.to_string() };
            assert_eq!(shown, expected);
        }
    }

    #[test]
    fn piled_up_marks_are_shown_and_single_ones_are_not() {
        let piled = format!("e{}", "\u{301}".repeat(200));
        assert_eq!(one_line(&piled), format!("e{}", r"\u{301}".repeat(200)));
        assert_eq!(one_line("e\u{301}"), "e\u{301}");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let value = serde_json::json!({ "k\u{202e}": "\u{9b}31m\u{e0041}\n\"", "n": 1 });
        let text = serde_json::to_string_pretty(&value).unwrap();
        let safe = json(&text);
        assert!(safe.contains(r"\u009b") && safe.contains(r"\u202e") && safe.contains(r"\udb40\udc41"), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }

    #[test]
    fn a_beginning_is_bounded_both_ways() {
        assert_eq!(beginning("a\nb\nc", 2, 100), ("a\nb", false));
        assert_eq!(beginning("a\nb", 2, 100), ("a\nb", true));
        assert_eq!(beginning("äöü", 5, 2), ("äö", false));
        assert_eq!(beginning("", 5, 2), ("", true));
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(width("ab"), 2);
        assert_eq!(width("株式"), 4);
        assert_eq!(width("e\u{301}"), 1);
    }

    #[test]
    fn quantities_read_well() {
        assert_eq!(count(1_u64, "request"), "1 request");
        assert_eq!(count(0_u64, "request"), "0 requests");
        let durations = [999, 1_250, 999_999, 1_000_000, 59_999_999, 125_000_000].map(microseconds);
        assert_eq!(durations, ["0.9 ms", "1.2 ms", "999.9 ms", "1.0 s", "59.9 s", "2 min 5 s"]);
    }
}
