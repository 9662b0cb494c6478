//! What the screen is written on: so many columns, some characters, a few inks. Everything that is written goes through
//! [`escape`], so no text of the evidence can reach the terminal as it is.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::table::{self, Column};
use crate::report::escape::{self, Charset};

/// The narrowest and the widest screen that is laid out for.
const WIDTHS: std::ops::RangeInclusive<usize> = 60..=200;

/// Prose is no wider than this: longer lines are hard to follow.
const PROSE: usize = 100;

/// A word of prose, or a cell, that is longer than this is cut.
const LONGEST: usize = 400;

/// A last line shorter than this that holds a single word looks lost.
const ORPHAN: usize = 12;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Strong,
    Dim,
    Good,
    Warning,
    Bad,
}

impl Ink {
    fn style(self) -> Style {
        let colored = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
        match self {
            Ink::Plain => Style::new(),
            Ink::Strong => Style::new().bold(),
            Ink::Dim => Style::new().dimmed(),
            Ink::Good => colored(AnsiColor::Green).bold(),
            Ink::Warning => colored(AnsiColor::Yellow).bold(),
            Ink::Bad => colored(AnsiColor::Red).bold(),
        }
    }
}

/// The screen as it is written, top down.
#[derive(Debug)]
pub(in crate::report) struct Paper {
    width: usize,
    charset: Charset,
    written: String,
}

impl Paper {
    pub(in crate::report) fn new(width: u16, charset: Charset) -> Self {
        Paper {
            width: usize::from(width).clamp(*WIDTHS.start(), *WIDTHS.end()),
            charset,
            written: String::new(),
        }
    }

    pub(in crate::report) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn charset(&self) -> Charset {
        self.charset
    }

    pub(in crate::report) fn into_text(self) -> String {
        self.written
    }

    /// An empty line, but never two, and none at the top.
    pub(super) fn blank(&mut self) {
        if !self.written.is_empty() && !self.written.ends_with("\n\n") {
            self.written.push('\n');
        }
    }

    /// The head of a section, with a remark behind it.
    pub(in crate::report) fn heading(&mut self, title: &str, remark: &str) {
        self.blank();
        let title = self.clean(title);
        let remark = self.clean(remark);
        let room = self.width.saturating_sub(title.width() + 2);
        let fits = remark.width() <= room;
        let mut parts = vec![(Ink::Strong, title)];
        if !remark.is_empty() && fits {
            parts.push((Ink::Dim, format!("  {remark}")));
        }
        self.raw_line(0, &parts);
        if !remark.is_empty() && !fits {
            self.paragraph(2, Ink::Dim, &remark);
        }
    }

    /// One line, cut at the edge.
    pub(super) fn line(&mut self, indent: usize, parts: &[(Ink, &str)]) {
        let mut room = self.width.saturating_sub(indent);
        let mut cut = Vec::new();
        for (ink, text) in parts {
            let text = fit(&self.clean(text), room, self.charset);
            room = room.saturating_sub(text.width());
            cut.push((*ink, text));
        }
        self.raw_line(indent, &cut);
    }

    /// Prose in lines that end between words.
    pub(super) fn paragraph(&mut self, indent: usize, ink: Ink, text: &str) {
        for line in wrap(&self.prose(text), self.room(indent)) {
            self.raw_line(indent, &[(ink, line)]);
        }
    }

    /// A label, and prose beside it whose further lines stand under the first.
    pub(super) fn labelled(
        &mut self,
        indent: usize,
        label: (Ink, &str),
        room: usize,
        ink: Ink,
        text: &str,
    ) {
        let name = self.clean(label.1);
        let room = room.max(name.width() + 2);
        let text = self.prose(text);
        let beside = indent + room;
        let mut lines = wrap(&text, self.room(beside)).into_iter();
        let first = lines.next().unwrap_or_default();
        let gap = " ".repeat(room - name.width());
        self.raw_line(indent, &[(label.0, name + &gap), (ink, first)]);
        for line in lines {
            self.raw_line(beside, &[(ink, line)]);
        }
    }

    /// A command as it is to be typed, with a label before it or none: never broken, since what is broken cannot be copied.
    pub(super) fn command(&mut self, indent: usize, label: &str, text: &str) {
        let mut label = label.to_owned();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let line = escape::visible(line.trim_end(), self.charset);
            self.raw_line(indent, &[(Ink::Dim, label.clone()), (Ink::Plain, line)]);
            label = " ".repeat(label.width());
        }
    }

    /// Pieces joined by a dot, in lines that end between pieces.
    pub(super) fn pieces(&mut self, indent: usize, ink: Ink, pieces: &[String]) {
        let joint = self.clean(" · ");
        let room = self.width.saturating_sub(indent);
        let mut line = String::new();
        for piece in pieces {
            let piece = fit(&self.clean(piece), room, self.charset);
            let joined = line.width() + joint.width() + piece.width();
            if line.is_empty() {
                line = piece;
            } else if joined <= room {
                line.push_str(&joint);
                line.push_str(&piece);
            } else {
                self.raw_line(indent, &[(ink, std::mem::replace(&mut line, piece))]);
            }
        }
        if !line.is_empty() {
            self.raw_line(indent, &[(ink, line)]);
        }
    }

    /// The rows of a table, each with its lines; the head, if the columns have titles, comes first.
    pub(super) fn rows(
        &self,
        indent: usize,
        columns: &[Column],
        rows: &[Vec<String>],
    ) -> Vec<Vec<String>> {
        let clean: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                row.iter()
                    .map(|cell| fit(&self.clean(cell), LONGEST, self.charset))
                    .collect()
            })
            .collect();
        table::rows(columns, &clean, self.width.saturating_sub(indent))
    }

    /// A table without anything between its rows.
    pub(in crate::report) fn table(
        &mut self,
        indent: usize,
        columns: &[Column],
        rows: &[Vec<String>],
    ) {
        let head = columns.iter().any(|column| !column.title.is_empty());
        for (index, lines) in self.rows(indent, columns, rows).iter().enumerate() {
            let ink = if head && index == 0 {
                Ink::Dim
            } else {
                Ink::Plain
            };
            self.row(indent, ink, lines);
        }
    }

    /// Lines that [`Paper::rows`] made.
    pub(super) fn row(&mut self, indent: usize, ink: Ink, lines: &[String]) {
        for line in lines {
            self.raw_line(indent, &[(ink, line.clone())]);
        }
    }

    /// How many columns prose has from there.
    fn room(&self, indent: usize) -> usize {
        self.width.saturating_sub(indent).min(PROSE)
    }

    /// Prose as it may be shown.
    fn prose(&self, text: &str) -> String {
        let text = escape::prose(text, self.charset);
        let words: Vec<String> = text
            .split(' ')
            .map(|word| fit(word, LONGEST, self.charset))
            .collect();
        words.join(" ")
    }

    /// The text as it may be shown.
    fn clean(&self, text: &str) -> String {
        escape::visible(text, self.charset)
    }

    fn raw_line(&mut self, indent: usize, parts: &[(Ink, String)]) {
        self.written.push_str(&" ".repeat(indent));
        for (ink, text) in parts.iter().filter(|(_, text)| !text.is_empty()) {
            let style = ink.style();
            // Writing to a String cannot fail.
            let _ = write!(self.written, "{style}{text}{style:#}");
        }
        let kept = self.written.trim_end_matches(' ').len();
        self.written.truncate(kept);
        self.written.push('\n');
    }
}

/// The text, or as much of it as there is room for, and a sign that it goes on.
fn fit(text: &str, room: usize, charset: Charset) -> String {
    // A letter without width still takes a place, so that a hundred of them cannot hide in one column.
    if text.width().max(text.chars().count()) <= room {
        return text.to_owned();
    }
    let sign = match charset {
        Charset::Unicode => "…",
        Charset::Ascii => "...",
    };
    let Some(mut left) = room.checked_sub(sign.width()) else {
        return String::new();
    };
    let mut cut = String::new();
    for character in text.chars() {
        let Some(rest) = left.checked_sub(character.width().unwrap_or(0).max(1)) else {
            break;
        };
        left = rest;
        cut.push(character);
    }
    cut.push_str(sign);
    cut
}

/// Lines of at most that many columns. A last line of one short word draws the others in, as long as that makes no more lines.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let lines = filled(text, room);
    let lost = |lines: &[String]| {
        lines.len() > 1
            && lines
                .last()
                .is_some_and(|last| last.width() < ORPHAN && !last.contains(' '))
    };
    if !lost(&lines) {
        return lines;
    }
    (room.saturating_sub(room / 4)..room)
        .rev()
        .map(|narrower| filled(text, narrower))
        .take_while(|narrower| narrower.len() == lines.len())
        .find(|narrower| !lost(narrower))
        .unwrap_or(lines)
}

/// Lines filled with as many words as there is room for. A word that is longer than a line is cut.
fn filled(text: &str, room: usize) -> Vec<String> {
    let room = room.max(8);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && line.width() + 1 + word.width() <= room {
            line.push(' ');
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for character in word.chars() {
            if line.width() + character.width().unwrap_or(0) > room {
                lines.push(std::mem::take(&mut line));
            }
            line.push(character);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words_and_never_beyond_the_edge() {
        let lines = wrap(
            "The key file of the certificate no longer grants read access to it",
            24,
        );
        assert!(lines.iter().all(|line| line.width() <= 24), "{lines:?}");
        assert_eq!(
            lines.join(" "),
            "The key file of the certificate no longer grants read access to it"
        );
    }

    #[test]
    fn a_last_word_does_not_stand_alone_where_that_can_be_helped() {
        let lines = wrap("one two three four five six seven eight nine ten end", 48);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].contains(' '), "{lines:?}");
    }

    #[test]
    fn wide_letters_count_twice() {
        assert_eq!(fit("証明書の鍵", 7, Charset::Unicode), "証明書…");
    }

    #[test]
    fn stacked_marks_are_cut() {
        let stacked = format!("a{}", "\u{301}".repeat(500));
        assert!(fit(&stacked, 20, Charset::Unicode).chars().count() <= 20);
    }
}
