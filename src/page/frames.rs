//! Framesets, pages of old that only say which other pages a window shows side by side.

use super::Page;
use super::dom::{AttrName, Dom, NodeId, Tag};
use super::segment::segment;
use super::state::Recovered;

/// Less text than this says that the browser should be a newer one.
const LEAST: u32 = 300;
/// How many of the frames an error names, and how much of each address.
const MOST: usize = 4;
const MAX_ADDRESS: usize = 100;

/// A page that is a frameset without a text of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frameset has no text of its own; extract the pages that it shows: {0}")]
pub struct OnlyFrames(String);

/// What a frameset has for browsers without frames, to be read as the page's body.
pub(super) fn without_frames(html: &str, dom: &Dom) -> Option<Recovered> {
    frameset(dom)?;
    let text: String = dom.elements(Tag::Noframes).map(|node| dom.inner_text(node)).collect();
    let shown: u32 = segment(&Dom::parse(&text)).0.iter().map(|block| block.chars).sum();
    // In front of the frameset it opens the body, which has no frames then.
    let at = html.to_ascii_lowercase().find("<frameset")?;
    (shown >= LEAST).then(|| Recovered::at(at, text))
}

impl Page {
    /// Whether a page has a text of its own to be read.
    ///
    /// # Errors
    /// [`OnlyFrames`], if it is a frameset.
    pub fn own_text(&self) -> Result<(), OnlyFrames> {
        if self.blocks.is_empty() { only_frames(&self.dom).map_or(Ok(()), Err) } else { Ok(()) }
    }
}

fn only_frames(dom: &Dom) -> Option<OnlyFrames> {
    frameset(dom)?;
    let frames = || dom.elements(Tag::Frame).filter_map(|frame| dom.attr(frame, AttrName::Src)).map(str::trim);
    let mut named: Vec<String> = frames().take(MOST).map(|src| src.chars().take(MAX_ADDRESS).collect()).collect();
    let more = frames().count().saturating_sub(MOST);
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    (!named.is_empty()).then(|| OnlyFrames(named.join(", ")))
}

/// The frameset that stands in place of the body.
fn frameset(dom: &Dom) -> Option<NodeId> {
    dom.elements(Tag::Frameset).next().filter(|node| dom.tag(dom.parent(*node)) == Tag::Html)
}

#[cfg(test)]
mod tests {
    use super::super::Page;

    fn page(noframes: &str) -> Page {
        let frames = "<frame src=menu.htm name=m><FRAME SRC=' main.htm'>";
        Page::from_html(&format!("<title>T</title><FRAMESET cols='20%,*'>{frames}{noframes}</FRAMESET></html>"))
    }

    #[test]
    fn what_is_for_browsers_without_frames_is_the_page() {
        let line = "Köyün küçük kütüphanesi, üç yıl süren onarımın ardından geçen hafta yeniden açıldı.";
        let body = format!("<body><p>{line}</p>").repeat(6);
        let page = page(&format!("<noframes>{body}</body></noframes>"));
        assert_eq!(page.texts().collect::<Vec<_>>(), [line; 6]);
        assert_eq!(page.own_text(), Ok(()));
    }

    #[test]
    fn a_frameset_without_text_names_its_frames() {
        for noframes in ["", "<noframes><p>Your browser knows no frames.</noframes>"] {
            let page = page(noframes);
            assert_eq!(page.blocks, []);
            let error = page.own_text().unwrap_err().to_string();
            assert!(error.ends_with("extract the pages that it shows: menu.htm, main.htm"), "{error}");
        }
        assert_eq!(Page::from_html("<p>a<frameset><frame src=b></frameset>").own_text(), Ok(()), "a body has none");
        let many = format!("<frameset>{}", "<frame src=a>".repeat(9));
        assert!(Page::from_html(&many).own_text().unwrap_err().to_string().ends_with("a, a, a, a, and 5 more"));
    }
}
