//! The Rust tools that `benches/peers/run.py` compares, lubb among them, and the pages it gives to all of them.
//!
//! `lubb-peers prepare FOLDER PAGES EVERY` decodes every EVERY-th page of a folder into one file of JSON lines.
//! `lubb-peers NAME PAGES [TEXTS]` extracts each page's text, prints one line of JSON with what it took, and writes the
//! texts to TEXTS. The clock runs over the extraction alone, and only after the first page was done once.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use lubb::{Extractor, Hints};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

mod prepare;

/// As the program `lubb` has it; all tools here get the same one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Deserialize, Serialize)]
struct Page {
    id: String,
    url: Option<String>,
    html: String,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<&str>>()[..] {
        ["prepare", folder, pages, every] => prepare::prepare(Path::new(folder), Path::new(pages), every.parse()?),
        [name, pages] => run(name, pages, None),
        [name, pages, texts] => run(name, pages, Some(texts)),
        _ => Err("usage: lubb-peers prepare FOLDER PAGES EVERY, or lubb-peers NAME PAGES [TEXTS]".into()),
    }
}

fn run(name: &str, pages: &str, texts: Option<&str>) -> Result<()> {
    let lines = BufReader::new(File::open(pages).map_err(|error| format!("{pages}: {error}"))?).lines();
    let pages: Vec<Page> = lines.map(|line| Ok(serde_json::from_str(&line?)?)).collect::<Result<_>>()?;
    let extract = tool(name)?;
    pages.first().map(|page| extract(page).ok());
    let (start, processor) = (Instant::now(), processor());
    let found: Vec<Option<String>> = pages.iter().map(|page| extract(page).ok()).collect();
    let (wall, processor) = (start.elapsed(), self::processor() - processor);
    let failed = found.iter().filter(|text| text.is_none()).count();
    let empty = found.iter().filter(|text| text.as_ref().is_none_or(|text| text.trim().is_empty())).count();
    let chars: usize = found.iter().flatten().map(|text| text.chars().count()).sum();
    if let Some(path) = texts {
        let mut out = BufWriter::new(File::create(path)?);
        for (page, text) in pages.iter().zip(&found) {
            writeln!(out, "{}", serde_json::json!({ "id": page.id, "text": text }))?;
        }
        out.flush()?;
    }
    let (wall, processor) = (wall.as_secs_f64(), processor.as_secs_f64());
    let done = serde_json::json!({
        "pages": pages.len(), "processor": processor, "wall": wall, "failed": failed, "empty": empty, "chars": chars,
    });
    println!("{done}");
    Ok(())
}

/// From a decoded page to its main text.
type Tool = Box<dyn Fn(&Page) -> Result<String>>;

fn tool(name: &str) -> Result<Tool> {
    Ok(match name {
        "lubb" => {
            let extractor = Extractor::default();
            Box::new(move |page| {
                // The pages were decoded, whatever charset they still declare.
                let hints = Hints { url: page.url.clone(), charset: Some("utf-8".to_owned()), ..Hints::default() };
                let document = extractor.extract(page.html.as_bytes(), &hints);
                document.error.map_or(Ok(document.text), |error| Err(error.into()))
            })
        }
        "rs-trafilatura" => Box::new(|page| {
            let options = rs_trafilatura::Options { url: page.url.clone(), ..Default::default() };
            Ok(rs_trafilatura::extract_with_options(&page.html, &options)?.content_text)
        }),
        "dom_smoothie" => Box::new(|page| {
            // The default, raw text, joins the last word of a paragraph with the first of the next.
            let config = dom_smoothie::Config { text_mode: dom_smoothie::TextMode::Formatted, ..Default::default() };
            let mut tool = dom_smoothie::Readability::new(page.html.as_str(), page.url.as_deref(), Some(config))?;
            Ok(tool.parse()?.text_content.to_string())
        }),
        _ => return Err(format!("{name}: no such tool; there are lubb, rs-trafilatura and dom_smoothie").into()),
    })
}

/// The processor time of this process, all of its threads.
fn processor() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
