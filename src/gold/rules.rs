//! Labels by rules: `rules.toml` says which elements of which sites hold what.
//!
//! ```toml
//! [[rule]]
//! host = "example.org"        # or "*.example.org" with all hosts below it, or "*" for every page
//! select = "div.comments"     # a CSS selector
//! label = "comment"
//! ```
//!
//! A block gets the label of the innermost element around it that a rule selects; of several rules that select this
//! element the first one counts. So `select = "body"`, `label = "nav"` says what all the rest of a page is.

use std::ops::Range;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use scraper::node::Node;
use scraper::{Html, HtmlTreeSink, Selector};
use serde::Deserialize;
use toml::Spanned;

use super::{BlockLabel, GoldError, GoldPage, GoldSet, Reference, Source};
use crate::corpus::{Inputs, Loaded, Reading};
use crate::label::Label;
use crate::page::dom::{NodeId, Tag, tag_of};
use crate::page::{Hints, Input, Page, TooDeep, decode, host_of, xhtml};

/// The rules of one file.
#[derive(Debug)]
pub struct Rules {
    /// In the order of the file.
    pub rules: Vec<Rule>,
    path: PathBuf,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// The line of the file on which it begins, from 1.
    pub line: usize,
    /// The host pattern as written.
    pub host: String,
    /// The selector as written.
    pub select: String,
    /// What the selected elements are.
    pub label: Label,
    selector: Selector,
}

/// What the rules say of one page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// For each block the rule that labels it, as a place in [`Rules::rules`].
    pub blocks: Vec<Option<usize>>,
    /// Blocks for which two rules of different labels select the same element: the block, the rule that counts, the
    /// other one.
    pub conflicts: Vec<(usize, usize, usize)>,
}

/// Why rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// The file cannot be read.
    #[error("{}: cannot be read", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not of the form it must have.
    #[error("{}, line {line}: {message}", path.display())]
    Bad {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong and what to do.
        message: String,
    },
    /// There are no rules.
    #[error("{}: no rules; a rule is [[rule]] with host, select and label", .0.display())]
    Empty(PathBuf),
    /// A selector might not mean what it says.
    #[error(transparent)]
    TooDeep(#[from] TooDeep),
    /// The selectors' tree and the blocks' tree of a page differ.
    #[error("the page's elements could not be matched to its blocks; please report it")]
    Trees,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Spanned<Row>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    host: Spanned<String>,
    select: Spanned<String>,
    label: Spanned<String>,
}

impl Rules {
    /// Reads a file of rules.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, or a rule's host, selector or label is none; the error names the line.
    pub fn read(path: impl AsRef<Path>) -> Result<Rules, RuleError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|source| RuleError::Io { path: path.to_owned(), source })?;
        Rules::parse(&text, path)
    }

    /// Reads rules from a file's text.
    ///
    /// # Errors
    /// As [`Rules::read`].
    pub fn parse(text: &str, path: &Path) -> Result<Rules, RuleError> {
        let bad = |span: Range<usize>, message: String| {
            let line = text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1;
            RuleError::Bad { path: path.to_owned(), line, message }
        };
        let file: File =
            toml::from_str(text).map_err(|e| bad(e.span().unwrap_or(0..0), e.message().trim().to_owned()))?;
        let rule = |row: &Spanned<Row>| {
            let Row { host, select, label } = row.get_ref();
            if !is_pattern(host.get_ref()) {
                let message = format!(
                    "host '{}' is not a host; write example.org, *.example.org or *, without scheme, port and path",
                    host.get_ref()
                );
                return Err(bad(host.span(), message));
            }
            let selector = Selector::parse(select.get_ref()).map_err(|error| {
                // What scraper says of a selector that stops halfway is to report it to scraper.
                let why = Some(error.to_string()).filter(|why| !why.contains("report"));
                let why = why.unwrap_or_else(|| "it ends, or begins, with what should stand between two".to_owned());
                bad(select.span(), format!("select '{}' is not a CSS selector: {why}", select.get_ref()))
            })?;
            let parsed = label.get_ref().parse::<Label>().map_err(|error| bad(label.span(), error.to_string()))?;
            let line = bad(row.span(), String::new());
            let RuleError::Bad { line, .. } = line else { return Err(line) };
            Ok(Rule { line, host: host.get_ref().clone(), select: select.get_ref().clone(), label: parsed, selector })
        };
        let rules = file.rule.iter().map(rule).collect::<Result<Vec<_>, _>>()?;
        if rules.is_empty() {
            return Err(RuleError::Empty(path.to_owned()));
        }
        Ok(Rules { rules, path: path.to_owned() })
    }

    /// Whether any rule is for this host.
    pub fn know(&self, host: Option<&str>) -> bool {
        self.rules.iter().any(|rule| rule.is_for(host))
    }

    /// Which rules label which blocks of a page. `bytes` and `hints` are those that `page` was made from.
    ///
    /// # Errors
    /// [`RuleError::TooDeep`], or [`RuleError::Trees`], which would be a bug.
    pub fn label(&self, page: &Page, bytes: &[u8], hints: &Hints) -> Result<Matches, RuleError> {
        let host = host_of_page(page);
        let mut matches = Matches { blocks: vec![None; page.blocks.len()], conflicts: Vec::new() };
        let rules: Vec<usize> = (0..self.rules.len()).filter(|at| self.rules[*at].is_for(host.as_deref())).collect();
        if rules.is_empty() || page.input() == Input::Text {
            return Ok(matches);
        }
        // Scraper's tree would go on where ours ends, and take minutes over it.
        page.whole()?;
        let selected = self.select(page, bytes, hints, &rules)?;
        for (at, block) in page.blocks.iter().enumerate() {
            let around = std::iter::once(block.element).chain(page.dom.ancestors(block.element));
            let Some(rules) = around.map(|node| &selected[node as usize]).find(|rules| !rules.is_empty()) else {
                continue;
            };
            matches.blocks[at] = Some(rules[0]);
            let other = rules.iter().find(|rule| self.rules[**rule].label != self.rules[rules[0]].label);
            matches.conflicts.extend(other.map(|other| (at, rules[0], *other)));
        }
        Ok(matches)
    }

    /// For each node of the page the rules that select it.
    ///
    /// Selectors run on scraper's tree, blocks come from ours. Both list a page's elements in the order of the
    /// document, so the n-th of one is the n-th of the other; that their names agree all the way is checked.
    fn select(&self, page: &Page, bytes: &[u8], hints: &Hints, rules: &[usize]) -> Result<Vec<Vec<usize>>, RuleError> {
        use html5ever::tendril::TendrilSink;
        let options = html5ever::ParseOpts {
            tree_builder: html5ever::tree_builder::TreeBuilderOpts { scripting_enabled: false, ..Default::default() },
            ..Default::default()
        };
        let (text, _) = decode::decode(bytes, hints.charset.as_deref());
        let text = xhtml::as_html(&text);
        let text = page.recovered.as_ref().map_or(text.clone(), |recovered| recovered.join(&text).into());
        let sink = HtmlTreeSink::new(Html::new_document());
        let parsed = html5ever::driver::parse_document(sink, options).one(&*text);
        let ours = (1..page.dom.len() as NodeId).filter(|node| page.dom.tag(*node) != Tag::Text);
        let theirs = parsed.tree.root().descendants().filter_map(|node| match node.value() {
            Node::Element(element) => Some((node.id(), &element.name.local)),
            _ => None,
        });
        let (ours, theirs): (Vec<NodeId>, Vec<_>) = (ours.collect(), theirs.collect());
        let agree = |(node, (_, name)): (&NodeId, &(_, &html5ever::LocalName))| page.dom.tag(*node) == tag_of(name);
        if ours.len() != theirs.len() || !ours.iter().zip(&theirs).all(agree) {
            return Err(RuleError::Trees);
        }
        let ours: std::collections::HashMap<_, _> = theirs.iter().map(|(id, _)| *id).zip(ours).collect();
        let mut selected = vec![Vec::new(); page.dom.len()];
        for rule in rules {
            for element in parsed.select(&self.rules[*rule].selector) {
                if let Some(node) = ours.get(&element.id()) {
                    selected[*node as usize].push(*rule);
                }
            }
        }
        Ok(selected)
    }

    /// The pages of folders, patterns and files that rules label, as a set of labelled pages named after the file of
    /// rules. Pages that cannot be read are in [`GoldSet::problems`]; pages without a label are left out.
    ///
    /// # Errors
    /// If there is no such folder or file, or no page gets a label.
    pub fn gold<P: AsRef<Path>>(&self, pages: &[P]) -> Result<GoldSet, GoldError> {
        let inputs = Inputs::new(pages, Reading::default())
            .map_err(|error| GoldError::record(&self.path, None, format!("its pages: {}", with_causes(&error))))?;
        let name = self.path.file_stem().map_or("rules".into(), |name| name.to_string_lossy().into_owned());
        let read: Vec<Result<Option<GoldPage>, GoldError>> = inputs
            .pages()
            .par_bridge()
            .map(|raw| {
                let problem =
                    |place: &str, what: &dyn std::fmt::Display| GoldError::record(Path::new(place), None, what);
                let raw = raw.map_err(|error| problem(&error.place, &error.fault))?;
                let place = raw.place.clone();
                let loaded = raw.load().map_err(|error| problem(&error.place, &error.fault))?;
                self.gold_page(&name, loaded).map_err(|error| problem(&place, &error))
            })
            .collect();
        let mut set = GoldSet { name, ..GoldSet::default() };
        for result in read {
            match result {
                Ok(page) => set.pages.extend(page),
                Err(problem) => set.problems.push(problem),
            }
        }
        // Threads finish in any order; a training must not depend on it.
        set.pages.sort_by_cached_key(|page| (page.id.clone(), page.hash().unwrap_or_default()));
        set.problems.sort_by_cached_key(GoldError::to_string);
        if set.pages.is_empty() {
            let message = "its rules label no block of any page; `lubb rules check` shows what they match";
            return Err(GoldError::record(&self.path, None, message));
        }
        Ok(set)
    }

    fn gold_page(&self, set: &str, loaded: Loaded) -> Result<Option<GoldPage>, RuleError> {
        let Loaded { id, bytes, hints, .. } = loaded;
        let page = Page::new(&bytes, &hints);
        let matches = self.label(&page, &bytes, &hints)?;
        let label = |(at, rule): (usize, &Option<usize>)| {
            rule.map(|rule| BlockLabel::new(at as u32, self.rules[rule].label, page.text_of(&page.blocks[at])))
        };
        let labels: Vec<BlockLabel> = matches.blocks.iter().enumerate().filter_map(label).collect();
        if labels.is_empty() {
            return Ok(None);
        }
        let url = hints.url.as_deref().or_else(|| page.declared_url()).map(str::to_owned);
        let gold = GoldPage::new(set, &id, Source::Inline(bytes), Reference::Blocks(labels)).with_url(url);
        Ok(Some(gold))
    }
}

impl Rule {
    /// Whether the rule is for pages of this host, given as [`host_of`] gives it.
    pub fn is_for(&self, host: Option<&str>) -> bool {
        let pattern = self.host.to_ascii_lowercase();
        match pattern.strip_prefix("*.") {
            _ if pattern == "*" => true,
            Some(parent) => host.is_some_and(|host| {
                host == parent || host.strip_suffix(parent).is_some_and(|below| below.ends_with('.'))
            }),
            None => host == Some(pattern.strip_prefix("www.").unwrap_or(&pattern)),
        }
    }
}

/// The host that a page's rules go by: that of its address, else of the address it gives itself.
pub fn host_of_page(page: &Page) -> Option<String> {
    page.host().or_else(|| page.declared_url().and_then(host_of))
}

fn is_pattern(pattern: &str) -> bool {
    let name = pattern.strip_prefix("*.").unwrap_or(pattern);
    let is_part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    pattern == "*" || (!name.is_empty() && name.split('.').all(is_part))
}

/// An error and what caused it, in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Result<Rules, RuleError> {
        Rules::parse(text, Path::new("rules.toml"))
    }

    fn one(host: &str, select: &str, label: &str) -> String {
        format!("[[rule]]\nhost = '{host}'\nselect = '{select}'\nlabel = '{label}'\n")
    }

    fn labels(rules: &Rules, html: &str) -> Vec<(String, Option<Label>)> {
        let page = Page::from_html(html);
        let matches = rules.label(&page, html.as_bytes(), &Hints::default()).unwrap();
        let label = |rule: &Option<usize>| rule.map(|rule| rules.rules[rule].label);
        page.texts().map(str::to_owned).zip(matches.blocks.iter().map(label)).collect()
    }

    #[test]
    fn the_innermost_selected_element_labels_a_block() {
        let rules =
            rules(&[one("*", "body", "nav"), one("*", "p.c", "caption"), one("*", "article p", "body")].concat());
        let found = labels(
            &rules.unwrap(),
            "<div>menu</div><article><p>one <b>two</b></p><p class=c>a picture</p>loose</article>",
        );
        let found: Vec<(&str, Label)> = found.iter().map(|(text, label)| (text.as_str(), label.unwrap())).collect();
        let wanted =
            [("menu", Label::Nav), ("one two", Label::Body), ("a picture", Label::Caption), ("loose", Label::Nav)];
        assert_eq!(found, wanted);
    }

    #[test]
    fn selectors_find_the_right_blocks_in_templates_tables_and_broken_html() {
        // Foster parenting, implied elements, templates, comments, foreign elements: where two trees might part.
        let html = "<!doctype html><!-- a --><title>t</title><noscript><p id=n>no script</p></noscript><table><p \
                    id=foster>before</p><tr><td>cell<!-- b --></table><template><p id=inner>in template</p></template>\
                    <p id=svg><svg><title>x</title><p id=after>after svg</p></svg><b><p id=b>bold</b> rest</p><my-box \
                    id=custom>own</my-box><select><option id=o>choice</select>";
        let page = Page::from_html(html);
        for id in ["n", "foster", "inner", "after", "b", "custom"] {
            let rules = rules(&one("*", &format!("#{id}"), "widget")).unwrap();
            let found = labels(&rules, html);
            let of_rule: Vec<&str> = found.iter().filter(|(_, l)| l.is_some()).map(|(text, _)| text.as_str()).collect();
            let of_tree: Vec<&str> = (page.blocks.iter())
                .filter(|block| {
                    let mut around = std::iter::once(block.element).chain(page.dom.ancestors(block.element));
                    around.any(|node| page.dom.attr(node, crate::page::dom::AttrName::Id) == Some(id))
                })
                .map(|block| page.text_of(block))
                .collect();
            assert_eq!(of_rule, of_tree, "#{id}");
            assert!(!of_rule.is_empty(), "#{id}");
        }
    }

    #[test]
    fn both_trees_read_xhtml_as_xml() {
        let html = "<?xml version='1.0'?><html><body><a id='n'/><script src='a.js'/><p class='c'><![CDATA[a]]></p>b";
        let found = labels(&rules(&one("*", ".c", "body")).unwrap(), html);
        assert_eq!(found, [("a".to_owned(), Some(Label::Body)), ("b".to_owned(), None)]);
    }

    #[test]
    fn both_trees_agree_on_every_sample_page() {
        let all = rules(&one("*", "*", "nav")).unwrap();
        for entry in std::fs::read_dir("data/labelled").unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "html") {
                let bytes = std::fs::read(&path).unwrap();
                let page = Page::new(&bytes, &Hints::default());
                let matches = all.label(&page, &bytes, &Hints::default()).unwrap();
                assert!(matches.blocks.iter().all(Option::is_some), "{}", path.display());
            }
        }
    }

    #[test]
    fn a_page_that_is_too_deep_is_said_to_be_so() {
        let html = format!("<p>text</p>{}deep", "<div>".repeat(40_000));
        let matches =
            rules(&one("*", "p", "body")).unwrap().label(&Page::from_html(&html), html.as_bytes(), &Hints::default());
        assert!(matches.unwrap_err().to_string().contains("nested too deep"));
    }

    #[test]
    fn hosts_are_matched_whole() {
        let rules = rules(&[one("example.org", "p", "body"), one("*.Example.net", "p", "body")].concat()).unwrap();
        let known = |host: &str| rules.know(host_of(&format!("https://{host}/")).as_deref());
        assert!(known("example.org") && known("www.example.org") && known("a.b.example.net") && known("example.net"));
        assert!(!known("a.example.org") && !known("badexample.net") && !rules.know(None));
    }

    #[test]
    fn different_labels_for_one_element_are_a_conflict_and_the_first_counts() {
        let rules = rules(&[one("*", ".x", "meta"), one("*", "p", "body"), one("*", "p.x", "meta")].concat()).unwrap();
        let html = "<p class=x>a</p><p>b</p>";
        let matches = rules.label(&Page::from_html(html), html.as_bytes(), &Hints::default()).unwrap();
        assert_eq!(matches, Matches { blocks: vec![Some(0), Some(1)], conflicts: vec![(0, 0, 1)] });
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let said = |text: &str| rules(text).unwrap_err().to_string();
        assert!(said("[[rule]]\nhost = 'a.b'\nselect = 'p'\nlabel = 'text'").contains("line 4: 'text' is not a label"));
        assert!(said(&format!("# note\n{}", one("a.b", "p[", "body"))).contains("line 4: select 'p['"));
        assert!(said(&one("https://a.b/", "p", "body")).contains("line 2: host 'https://a.b/' is not a host"));
        assert!(said("[[rule]]\nhost = 'a.b'\nselect = \n").contains("line 3: "));
        assert!(said("[[rule]]\nhost = 'a.b'\nlabel = 'body'\n").contains("select"));
        assert!(said("[[rule]]\nhost='a.b'\nselekt='p'\nselect='p'\nlabel='body'\n").contains("line 3: unknown field"));
        assert!(said("").contains("no rules"));
    }
}
