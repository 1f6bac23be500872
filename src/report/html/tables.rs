//! Tables that a click sorts, each beside its chart.

use maud::{Markup, Render, html};

/// Rows up to which a table is shown whole.
const SHORT: usize = 11;

/// A cell: what it shows, and the number by which it is sorted.
pub struct Cell {
    text: String,
    number: Option<f64>,
}

/// A cell of text, in any script.
pub fn text(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), number: None }
}

/// A whole number.
pub fn count(number: usize) -> Cell {
    Cell { text: group(number as u64), number: Some(number as f64) }
}

/// A share from 0 to 1, or nothing.
pub fn share(value: impl Into<Option<f64>>) -> Cell {
    match value.into() {
        Some(value) => Cell { text: format!("{value:.4}"), number: Some(value) },
        None => Cell { text: "–".to_owned(), number: Some(f64::NEG_INFINITY) },
    }
}

/// A difference, with its sign.
pub fn difference(value: f64) -> Cell {
    Cell { text: format!("{value:+.4}"), number: Some(value) }
}

/// An interval, sorted by its lower end.
pub fn interval(low: Option<f64>, high: Option<f64>, signed: bool) -> Cell {
    let text = match (low, high) {
        (Some(low), Some(high)) if signed => format!("{low:+.4} to {high:+.4}"),
        (Some(low), Some(high)) => format!("{low:.4}–{high:.4}"),
        _ => "–".to_owned(),
    };
    Cell { text, number: Some(low.unwrap_or(f64::NEG_INFINITY)) }
}

/// A number with its thousands apart.
pub fn group(number: u64) -> String {
    let digits = number.to_string();
    let parts: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|part| std::str::from_utf8(part).ok()).collect();
    parts.join(",")
}

/// A table with a header; columns are right-aligned where their first cell is a number.
pub fn table(header: &[&str], rows: Vec<Vec<Cell>>) -> Markup {
    let is_number = |at: usize| rows.first().and_then(|row| row.get(at)).is_some_and(|cell| cell.number.is_some());
    html! {
        // A long table is as high as the chart beside it, and scrolls.
        div.scroll.long[rows.len() > SHORT] tabindex=[(rows.len() > SHORT).then_some("0")] { table.sortable {
            thead { tr { @for (at, name) in header.iter().enumerate() { th.number[is_number(at)] scope="col" { (name) } } } }
            tbody { @for row in &rows { tr { @for cell in row { (cell) } } } }
        } }
    }
}

impl Render for Cell {
    fn render(&self) -> Markup {
        match self.number {
            Some(number) if number.is_finite() => html! { td.number data-v=(number) { (self.text) } },
            Some(_) => html! { td.number data-v="-9" { (self.text) } },
            None => html! { td dir="auto" { (self.text) } },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_as_numbers_and_text_is_escaped() {
        assert_eq!([7, 1234, 1_234_567].map(group), ["7", "1,234", "1,234,567"]);
        let html =
            table(&["name", "n"], vec![vec![text("<b>&"), count(1234)], vec![text("ب"), share(None)]]).into_string();
        assert!(html.contains("&lt;b&gt;&amp;") && !html.contains("<b>"), "{html}");
        assert!(html.contains(r#"data-v="1234">1,234"#) && html.contains(r#"<td dir="auto">ب"#), "{html}");
    }
}
