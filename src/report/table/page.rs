//! Lines of a bounded width: wrapping by comfy-table, colour added afterwards.
//!
//! Every text passes through [`text::one_line`] or [`text::lines`] and is cut to a bound here, so that no section can
//! forget it. Colour is put around whole words of finished lines: comfy-table's own would ask the environment.

use anstyle::{AnsiColor, Style};
use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width, presets::NOTHING,
};

use crate::report::{RenderOptions, text};

/// The narrowest page.
const NARROWEST: u16 = 40;
/// Longer texts are cut; the JSON report has all of them.
const LONGEST_TEXT: usize = 2000;

/// Something went wrong, and the run shows it.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Worth a look.
pub(super) const WARN: Style = AnsiColor::Yellow.on_default().bold();
/// As it should be.
pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// A heading.
pub(super) const STRONG: Style = Style::new().bold();

/// A report under construction.
pub(super) struct Page {
    width: u16,
    color: bool,
    text: String,
}

impl Page {
    pub(super) fn new(options: RenderOptions) -> Self {
        Self { width: options.width.max(NARROWEST), color: options.color, text: String::new() }
    }

    pub(super) fn width(&self) -> u16 {
        self.width
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// An empty line.
    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A line that opens a section, after an empty one.
    pub(super) fn heading(&mut self, heading: &str) {
        self.blank();
        self.marked(STRONG, heading, "");
    }

    /// A paragraph whose first word or words stand out.
    pub(super) fn marked(&mut self, style: Style, mark: &str, rest: &str) {
        let paragraph = if rest.is_empty() { mark.to_owned() } else { format!("{mark} {rest}") };
        let mut lines = one_column(self.width, 0, &one_line(&paragraph));
        if let Some(first) = lines.first_mut().filter(|_| self.color)
            && let Some(after) = first.strip_prefix(mark)
        {
            *first = format!("{style}{mark}{style:#}{after}");
        }
        self.add(lines);
    }

    /// A paragraph, indented by two.
    pub(super) fn paragraph(&mut self, paragraph: &str) {
        self.add(one_column(self.width, 2, &one_line(paragraph)));
    }

    /// A text beside a short label, indented by two.
    pub(super) fn labelled(&mut self, label: &str, text: &str) {
        self.add(two_columns(self.width, (2, 10), label, &one_line(text)));
    }

    /// Several lines of text beside a short label.
    pub(super) fn quoted(&mut self, label: &str, text: &str) {
        self.add(two_columns(self.width, (2, 10), label, &lines(text)));
    }

    /// An item of a list, indented so far.
    pub(super) fn item(&mut self, indent: u16, text: &str) {
        self.add(two_columns(self.width, (indent, 1), "-", &one_line(text)));
    }

    /// Lines that are safe and fit already, such as commands to copy.
    pub(super) fn verbatim(&mut self, lines: Vec<String>) {
        self.add(lines);
    }

    /// Lines that must stay as they are, indented by four and cut where the page ends.
    pub(super) fn drawing(&mut self, lines: &[String]) {
        let room = usize::from(self.width).saturating_sub(4);
        self.add(
            lines.iter().map(|line| format!("    {}", one_line(line).chars().take(room).collect::<String>())).collect(),
        );
    }

    /// A table: the first column is text, the others are numbers.
    pub(super) fn table(&mut self, header: &[&str], rows: Vec<Vec<String>>) {
        let style = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
        let mut table = laid_out(self.width, style);
        table.set_header(header);
        for row in rows {
            table.add_row(row.into_iter().map(|cell| Cell::new(one_line(&cell))).collect::<Vec<_>>());
        }
        table.column_iter_mut().for_each(|column| {
            column.set_padding((0, 0));
        });
        table.column_iter_mut().skip(1).for_each(|column| {
            column.set_padding((2, 0)).set_cell_alignment(CellAlignment::Right);
        });
        self.add(table.lines().collect());
    }

    fn add(&mut self, lines: Vec<String>) {
        for line in lines {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }
}

fn one_line(text: &str) -> String {
    cut(text::one_line(text).as_ref())
}

fn lines(text: &str) -> String {
    cut(text::lines(text).as_ref())
}

fn cut(shown: &str) -> String {
    let (beginning, whole) = text::beginning(shown, usize::MAX, LONGEST_TEXT);
    if whole { beginning.to_owned() } else { format!("{beginning}… (cut; the JSON report has all of it)") }
}

fn laid_out(width: u16, style: TableStyle) -> Table {
    let mut table = Table::new();
    table.force_no_tty().set_width(width).set_content_arrangement(ContentArrangement::Dynamic).load_style(style);
    table
}

fn one_column(width: u16, indent: u16, text: &str) -> Vec<String> {
    let mut table = laid_out(width, NOTHING);
    table.add_row([text]);
    table.column_iter_mut().for_each(|column| {
        column.set_padding((indent, 0));
    });
    table.lines().collect()
}

/// A column of that indent and width for the label, a blank, and the text.
fn two_columns(width: u16, (indent, label_width): (u16, u16), label: &str, text: &str) -> Vec<String> {
    let mut table = laid_out(width, NOTHING);
    table.add_row([label, text]);
    let padding = [(indent, 1), (0, 0)];
    table.column_iter_mut().zip(padding).for_each(|(column, padding)| {
        column.set_padding(padding);
    });
    table.set_constraints([ColumnConstraint::Absolute(Width::Fixed(indent + label_width + 1))]);
    table.lines().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(color: bool) -> Page {
        Page::new(RenderOptions { width: 40, color, verbose: 0 })
    }

    #[test]
    fn long_words_and_wide_characters_are_wrapped_to_the_width() {
        let mut page = page(false);
        page.labelled("label", &format!("{} {}", "x".repeat(90), "株".repeat(40)));
        page.item(4, &"y".repeat(60));
        let text = page.finish();
        assert_eq!(text.matches('x').count(), 90);
        assert_eq!(text.matches('株').count(), 40);
        assert!(text.lines().all(|line| text::width(line) <= 40), "{text}");
        assert!(text.lines().count() > 6, "{text}");
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let write = |mut page: Page| {
            page.marked(BAD, "FAIL critical", "PAG-006 with a text that is long enough to be wrapped");
            page.finish()
        };
        let (plain, coloured) = (write(page(false)), write(page(true)));
        assert!(coloured.starts_with("\u{1b}["), "{coloured:?}");
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
    }

    #[test]
    fn long_texts_are_cut_and_say_so() {
        let mut page = page(false);
        page.paragraph(&"z".repeat(LONGEST_TEXT + 1));
        let text = page.finish();
        assert_eq!(text.matches('z').count(), LONGEST_TEXT);
        assert!(text.contains("… (cut"), "{text}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_out(text in "\\PC{0,80}|[\u{0}-\u{ff}]{0,80}|.{0,80}", width in 0_u16..120) {
            let mut page = Page::new(RenderOptions { width, color: false, verbose: 0 });
            page.marked(BAD, "FAIL", &text);
            page.paragraph(&text);
            page.labelled("label", &text);
            page.quoted("label", &text);
            page.item(6, &text);
            page.table(&["family", "passed"], vec![vec![text.clone(), "1".to_owned()]]);
            let page_width = usize::from(page.width());
            let out = page.finish();
            for line in out.lines() {
                proptest::prop_assert!(text::width(line) <= page_width, "{line:?}");
                proptest::prop_assert!(text::one_line(line) == line, "{line:?}");
            }
        }
    }
}
