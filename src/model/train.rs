//! Labelled pages to a model, with figures for every page from models that never saw its host.
//!
//! Folds go by host at every step. A stage is trained on out-of-fold probabilities of the one before, the lexicon's columns
//! of a page come from a lexicon that never saw its host, and the figures of a page come from a whole pipeline (lexicon,
//! all stages, kinds) fitted without its fold, inner folds included.

use std::collections::HashMap;

use linfa::DatasetBase;
use linfa::traits::Fit;
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rayon::prelude::*;

use crate::features::lexicon::{Counts, PageCounts, count_page, count_text};
use crate::features::{self, Lexicon, Surroundings};
use crate::label::Label;
use crate::page::Input;

use super::boost::{Boosted, Grow};
use super::decide::{self, Decision, Judged, Scores};
use super::logistic::{Logistic, LogisticError, LogisticParams, draw};
use super::network::{Network, Pages};
use super::stack::{Classifier, Said, Stack, given};
use super::{Card, Labels, Model, Part, combine, revise};

mod params;

pub use params::{BadExample, BadParameter, Example, Family, TrainError, TrainParams, Without};
use params::{LEAST_FOLDS, check_hosts};

/// Of flattened text recall counts twice: a line of chrome is soon seen and cut out by hand, a lost one is not missed.
const FLAT_BETA: f32 = 2.0;
const FLAT_STAGES: usize = 2;
const FLAT_ROUNDS: usize = 200;
const FLAT_ROWS: usize = 100_000;

/// What the seed of each stage's draws is moved by; each fit of an early stage adds its own number.
const STAGE: u64 = 1000;
const LAST_STAGE: u64 = 200;
const NETWORK: u64 = 400;
/// By so much the seeds of the models differ whose mean the last stage is.
const BAG: u64 = 100_000;

/// A stage fitted without each of some sets of folds, by these folds in rising order.
type Fits = HashMap<Vec<usize>, Classifier>;

/// A page's result from a pipeline that never saw its host.
#[derive(Clone, Debug)]
pub struct OutOfFold {
    /// The labels under a decision tuned on other folds.
    pub labels: Labels,
    /// What the decision was tuned on.
    pub judged: Judged,
}

/// A model and what it scores on pages it never saw.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model, trained on all pages.
    pub model: Model,
    /// For each example, in order, its result out of fold.
    pub out_of_fold: Vec<OutOfFold>,
}

/// An example with what does not change from fold to fold.
struct Prepared<'a> {
    example: &'a Example,
    /// The matrix with the lexicon's columns empty.
    matrix: Array2<f32>,
    around: Surroundings,
    /// Each row's weight: its words, capped, all of a page's rows summing to the example's weight.
    weights: Vec<f32>,
    counts: PageCounts,
    /// Columns that are left out.
    hidden: &'a [usize],
}

impl<'a> Prepared<'a> {
    fn of(example: &'a Example, hidden: &'a [usize]) -> Prepared<'a> {
        let (matrix, around) = features::extract(&example.page, &Lexicon::default());
        let weights = row_weights(&around.words, example.weight);
        let counts = match example.page.input() {
            Input::Html => {
                let body: Vec<(f32, f32)> = around.words.iter().copied().zip(example.body.iter().copied()).collect();
                count_page(&example.page, &body)
            }
            Input::Text => count_text(&around.texts, &example.body),
        };
        Prepared { example, matrix, around, weights, counts, hidden }
    }

    /// The matrix under a lexicon.
    fn matrix(&self, lexicon: &Lexicon) -> Array2<f32> {
        let mut matrix = self.matrix.clone();
        features::fill_lexicon(&self.example.page, &self.around, lexicon, &mut matrix);
        // A column that is the same for every row is one that no tree splits on.
        self.hidden.iter().for_each(|column| matrix.column_mut(*column).fill(0.0));
        matrix
    }

    fn has_body(&self) -> bool {
        !self.example.body.is_empty()
    }
}

/// The weights of a page's rows, which sum to the page's: long blocks matter more, but a page must not be one giant block's.
pub(super) fn row_weights(words: &[f32], page: f32) -> Vec<f32> {
    let mut weights: Vec<f32> = words.iter().map(|w| w.min(60.0) + 2.0).collect();
    let total: f32 = weights.iter().sum();
    weights.iter_mut().for_each(|w| *w *= page / total.max(1.0));
    weights
}

/// For each block whether it is body, by the share of it that is.
pub(super) fn body_rows<T: From<bool>>(shares: &[f32]) -> impl Iterator<Item = T> {
    shares.iter().map(|share| T::from(*share >= 0.5))
}

/// The first bits of the examples' hashes, for a model's card.
pub(super) fn known_pages<'a>(examples: impl IntoIterator<Item = &'a Example>) -> Vec<u32> {
    let mut pages: Vec<u32> = examples.into_iter().filter(|e| e.hash != 0).map(|e| e.hash as u32).collect();
    pages.sort_unstable();
    pages.dedup();
    pages
}

/// Rows of many pages, one below the other.
struct Rows {
    x: Array2<f32>,
    body: Vec<bool>,
    weights: Vec<f32>,
}

fn stack_rows(pages: &[(&Prepared, Array2<f32>)]) -> Rows {
    let used: Vec<&(&Prepared, Array2<f32>)> = pages.iter().filter(|(p, _)| p.has_body()).collect();
    let views: Vec<ArrayView2<f32>> = used.iter().map(|(_, m)| m.view()).collect();
    let width = views.first().map_or(0, |v| v.ncols());
    // Every matrix has the same width, so this cannot fail.
    let x = ndarray::concatenate(Axis(0), &views).unwrap_or_else(|_| Array2::zeros((0, width)));
    Rows {
        x,
        body: used.iter().flat_map(|(p, _)| body_rows(&p.example.body)).collect(),
        weights: used.iter().flat_map(|(p, _)| p.weights.iter().copied()).collect(),
    }
}

/// A fitted pipeline without its decision.
struct Pipeline {
    lexicon: Lexicon,
    stack: Stack,
}

struct Trainer<'a> {
    params: &'a TrainParams,
    pages: Vec<Prepared<'a>>,
    /// Lexicon counts of each fold.
    counts: Vec<Counts>,
}

impl<'a> Trainer<'a> {
    fn new(examples: &'a [Example], params: &'a TrainParams, hidden: &'a [usize]) -> Self {
        let pages: Vec<Prepared> = examples.par_iter().map(|example| Prepared::of(example, hidden)).collect();
        let of_fold = |fold: usize| {
            let mut counts = Counts::default();
            let mut members: Vec<&Prepared> = pages.iter().filter(|p| p.example.fold == fold && p.has_body()).collect();
            members.sort_by_key(|p| p.example.host);
            for host in members.chunk_by(|a, b| a.example.host == b.example.host) {
                counts.add_host(host.iter().map(|p| &p.counts));
            }
            counts
        };
        let counts = (0..params.folds).into_par_iter().map(of_fold).collect();
        Trainer { params, pages, counts }
    }

    /// The lexicon of all folds but those named.
    fn lexicon(&self, without: &[usize]) -> Lexicon {
        let mut sum = Counts::default();
        for fold in (0..self.params.folds).filter(|f| !without.contains(f)) {
            sum.merge(&self.counts[fold]);
        }
        sum.lexicon(self.params.min_hosts, self.params.smoothing)
    }

    /// The pages outside the folds named, each with a matrix whose lexicon columns saw neither its own fold nor those.
    fn matrices(&self, without: &[usize]) -> Vec<(&Prepared<'a>, Array2<f32>)> {
        let lexicons: Vec<Lexicon> = (0..self.params.folds)
            .into_par_iter()
            .map(|fold| {
                let mut hidden = without.to_vec();
                hidden.push(fold);
                self.lexicon(&hidden)
            })
            .collect();
        self.pages
            .par_iter()
            .filter(|p| !without.contains(&p.example.fold))
            .map(|p| (p, p.matrix(&lexicons[p.example.fold])))
            .collect()
    }

    /// The network over the features of some pages, which what earlier stages say comes after.
    fn fit_network(&self, wide: &[(&Prepared, Array2<f32>)]) -> Result<Network, TrainError> {
        let used: Vec<&(&Prepared, Array2<f32>)> = wide.iter().filter(|(page, _)| page.has_body()).collect();
        let mut pages = Pages::default();
        for (page, matrix) in &used {
            pages.pages.push((matrix.slice(s![.., ..page.matrix.ncols()]), &page.around.words));
        }
        let body: Vec<bool> = used.iter().flat_map(|(page, _)| body_rows(&page.example.body)).collect();
        let weights: Vec<f32> = used.iter().flat_map(|(page, _)| page.weights.iter().copied()).collect();
        let dataset = DatasetBase::new(pages, Array1::from_vec(body)).with_weights(Array1::from_vec(weights));
        let params = Network::params().epochs(self.params.epochs).seed(self.params.seed.wrapping_add(NETWORK));
        Ok(params.fit(&dataset)?)
    }

    fn fit_linear(&self, rows: &Rows, salt: u64) -> Result<Logistic, TrainError> {
        let params = LogisticParams { seed: self.params.seed.wrapping_add(salt), ..self.params.logistic };
        Ok(params.fit(rows.x.view(), &rows.body, &rows.weights)?)
    }

    fn fit_body(&self, rows: &Rows, salt: u64) -> Result<Classifier, TrainError> {
        let seed = self.params.seed.wrapping_add(salt);
        match self.params.family {
            Family::Logistic => Ok(Classifier::Logistic(self.fit_linear(rows, salt)?)),
            Family::Boost | Family::Stack => {
                // Most rows are short blocks of menus that weigh next to nothing: a draw by weight loses little.
                let drawn = draw(&rows.weights, self.params.boost_rows.min(rows.weights.len()), seed);
                let targets = Array1::from_iter(drawn.iter().map(|r| usize::from(rows.body[*r])));
                if targets.iter().all(|t| *t == targets[0]) {
                    return Err(LogisticError::OneClass { rows: drawn.len() }.into());
                }
                let dataset = DatasetBase::new(rows.x.select(Axis(0), &drawn), targets);
                let params = Boosted::params()
                    .rounds(self.params.rounds)
                    .learning_rate(self.params.learning_rate)
                    .grow(Grow::Oblivious(self.params.depth))
                    .l2(5.0)
                    .min_child_weight(10.0)
                    .subsample(0.7)
                    .colsample(0.3)
                    .max_bins(64)
                    .classes(2)
                    .seed(seed);
                Ok(Classifier::Boost(Box::new(params.fit(&dataset)?)))
            }
        }
    }

    /// The mean of several models, where they are trees. What a single one owes to its draws is what flips blocks between
    /// trainings.
    fn fit_mean(&self, rows: &Rows, salt: u64, bags: usize) -> Result<Classifier, TrainError> {
        if self.params.family == Family::Logistic || bags <= 1 {
            return self.fit_body(rows, salt);
        }
        let fit = |bag: u64| self.fit_body(rows, salt + BAG * bag);
        let models = (0..bags as u64).into_par_iter().map(fit).collect::<Result<Vec<_>, TrainError>>()?;
        let trees: Vec<Boosted> = models.iter().filter_map(Classifier::trees).cloned().collect();
        Ok(Classifier::Boost(Box::new(Boosted::mean(&trees)?)))
    }

    /// Every stage but the last, fitted without each set of folds that a later stage needs it for, by stage and by
    /// these folds in rising order.
    ///
    /// A pipeline without fold `a` trains its last stage on what the stage before says of pages that it never saw: of
    /// the pages of fold `b`, that stage fitted without `a` and `b`. So each stage is fitted without up to one fold more
    /// than the next one. Fitted once for all pipelines, two stages of five folds take 16 fits of stage one in place of
    /// 31.
    fn early_stages(&self) -> Result<Vec<Fits>, TrainError> {
        let mut stages: Vec<Fits> = Vec::new();
        for stage in 0..self.params.stages - 1 {
            let sets = subsets(self.params.folds, self.params.stages - stage);
            let fit = |(salt, hidden): (usize, Vec<usize>)| {
                let salt = STAGE * (stage as u64 + 1) + salt as u64;
                // The first stage is seen over windows of blocks, which evens out its draws.
                let bags = if stage == 0 { 1 } else { self.params.bags.saturating_sub(1) };
                let model = self.fit_mean(&stack_rows(&self.matrices_for(&stages, &hidden)), salt, bags)?;
                Ok((hidden, model))
            };
            let fits: Fits = sets.into_par_iter().enumerate().map(fit).collect::<Result<_, TrainError>>()?;
            stages.push(fits);
        }
        Ok(stages)
    }

    /// What the stage after those given is trained on: the pages outside the folds named, each with what these stages
    /// say of it, fitted without its fold and those.
    fn matrices_for(&self, stages: &[Fits], without: &[usize]) -> Vec<(&Prepared<'a>, Array2<f32>)> {
        let matrices = self.matrices(without).into_par_iter();
        let widened = matrices.map(|(page, matrix)| {
            let mut unseen = without.to_vec();
            unseen.push(page.example.fold);
            unseen.sort_unstable();
            let chain: Vec<&Classifier> = stages.iter().map(|fits| &fits[&unseen]).collect();
            (page, self.through(&chain, page, matrix))
        });
        widened.collect()
    }

    /// A page's matrix with what the last of some stages says around each block; the features alone before the first.
    fn through(&self, stages: &[&Classifier], page: &Prepared, matrix: Array2<f32>) -> Array2<f32> {
        let given = given(stages.iter().copied(), matrix, &page.around, !self.params.without.context);
        given.into_iter().next_back().unwrap_or_default()
    }

    /// Fits lexicon, all stages and the kinds' head on all folds but one (or on all).
    fn fit(&self, early: &[Fits], without: Option<usize>) -> Result<Pipeline, TrainError> {
        let hidden: Vec<usize> = without.into_iter().collect();
        let wide = self.matrices_for(early, &hidden);
        let rows = stack_rows(&wide);
        let last = self.fit_mean(&rows, LAST_STAGE, self.params.bags)?;
        drop(rows);
        let network = match self.params.family {
            Family::Stack => Some(self.fit_network(&wide)?),
            Family::Logistic | Family::Boost => None,
        };
        let kinds = self.fit_kinds(&wide)?;
        let stages = early.iter().map(|fits| fits[&hidden].clone()).chain([last]).collect();
        let stack = Stack::new(stages, network, kinds);
        Ok(Pipeline { lexicon: self.lexicon(&hidden), stack })
    }

    /// The head for kinds of chrome, if any page has typed labels of at least two kinds.
    fn fit_kinds(&self, wide: &[(&Prepared, Array2<f32>)]) -> Result<Option<Classifier>, TrainError> {
        let typed: Vec<&(&Prepared, Array2<f32>)> =
            wide.iter().filter(|(p, _)| p.example.kinds.iter().any(Option::is_some)).collect();
        let labels: Vec<Option<Label>> = typed.iter().flat_map(|(p, _)| p.example.kinds.iter().copied()).collect();
        let rows: Vec<usize> = (0..labels.len()).filter(|at| labels[*at].is_some()).collect();
        let classes: Vec<usize> = rows.iter().filter_map(|at| labels[*at].map(Label::index)).collect();
        if classes.iter().all(|class| *class == classes[0]) {
            return Ok(None);
        }
        let views: Vec<ArrayView2<f32>> = typed.iter().map(|(_, m)| m.view()).collect();
        let Ok(x) = ndarray::concatenate(Axis(0), &views) else { return Ok(None) };
        let x = x.select(Axis(0), &rows);
        let words: Vec<f32> = typed.iter().flat_map(|(p, _)| p.around.words.iter().copied()).collect();
        let weights = kind_weights(&classes, &rows.iter().map(|at| words[*at]).collect::<Vec<_>>());
        let seed = self.params.seed.wrapping_add(300);
        match self.params.family {
            Family::Logistic => {
                let params = LogisticParams { seed, ..self.params.kinds };
                Ok(Some(Classifier::Logistic(params.fit_classes(x.view(), &classes, &weights, Label::COUNT)?)))
            }
            Family::Boost | Family::Stack => {
                let dataset = DatasetBase::new(x, Array1::from_vec(classes)).with_weights(Array1::from_vec(weights));
                let params = Boosted::params()
                    .rounds(self.params.kind_rounds)
                    .learning_rate(0.15)
                    .grow(Grow::Oblivious(5))
                    .l2(5.0)
                    .min_child_weight(3.0)
                    .subsample(0.7)
                    .colsample(0.2)
                    .max_bins(64)
                    .classes(Label::COUNT)
                    .seed(seed);
                Ok(Some(Classifier::Boost(Box::new(params.fit(&dataset)?))))
            }
        }
    }

    /// What a pipeline says of a page.
    fn judge(&self, pipeline: &Pipeline, page: &Prepared) -> (Judged, Option<Array2<f32>>) {
        let (words, body) = (page.around.words.clone(), page.example.body.clone());
        if words.is_empty() {
            return (Judged { scores: Scores::default(), words, body }, None);
        }
        let stages: Vec<&Classifier> = pipeline.stack.stages.iter().collect();
        let early = stages.split_last().map_or(&[][..], |(_, early)| early);
        let wide = self.through(early, page, page.matrix(&pipeline.lexicon));
        let Said { scores, kinds } = pipeline.stack.say(wide.view(), &words);
        (Judged { scores, words, body }, kinds)
    }

    /// Each page's probabilities from a pipeline fitted without its fold.
    #[allow(clippy::type_complexity)]
    fn out_of_fold(&self, early: &[Fits]) -> Result<Vec<(Judged, Option<Array2<f32>>)>, TrainError> {
        let by_fold: Vec<Vec<(usize, (Judged, Option<Array2<f32>>))>> = (0..self.params.folds)
            .into_par_iter()
            .map(|fold| {
                let pipeline = self.fit(early, Some(fold))?;
                let members = self.pages.iter().enumerate().filter(|(_, p)| p.example.fold == fold);
                let judge = |page: &Prepared| {
                    let (mut judged, kinds) = self.judge(&pipeline, page);
                    if self.params.without.head {
                        judged.scores.kinds.clear();
                    }
                    (judged, kinds)
                };
                Ok(members.map(|(at, page)| (at, judge(page))).collect())
            })
            .collect::<Result<_, TrainError>>()?;
        let mut all: Vec<(usize, _)> = by_fold.into_iter().flatten().collect();
        all.sort_by_key(|(at, _)| *at);
        Ok(all.into_iter().map(|(_, judged)| judged).collect())
    }
}

/// All subsets of `0..count` with at most `most` members, each in rising order.
fn subsets(count: usize, most: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    let mut start = 0;
    for _ in 0..most {
        let end = all.len();
        for at in start..end {
            let first = all[at].last().map_or(0, |last: &usize| *last + 1);
            all.extend((first..count).map(|next| [&all[at][..], &[next]].concat()).collect::<Vec<_>>());
        }
        start = end;
    }
    all
}

/// Weights for the head for kinds: long blocks more, by the root of their words, and rare kinds more, by the third root
/// of how rare they are; one on average. With plain counts the menus' many short lines decide everything.
pub(super) fn kind_weights(classes: &[usize], words: &[f32]) -> Vec<f32> {
    let mut sums = [0.0f32; Label::COUNT];
    let root = |words: &f32| words.clamp(1.0, 60.0).sqrt();
    classes.iter().zip(words).for_each(|(class, words)| sums[*class] += root(words));
    let total: f32 = sums.iter().sum();
    let weight = |(class, words): (&usize, &f32)| root(words) * (total / sums[*class]).cbrt();
    let weights: Vec<f32> = classes.iter().zip(words).map(weight).collect();
    let mean = weights.iter().sum::<f32>() / weights.len().max(1) as f32;
    weights.into_iter().map(|w| w / mean).collect()
}

/// Fits one stack, and judges every page out of fold.
fn fit_stack(
    examples: &[Example],
    params: &TrainParams,
    beta: f32,
) -> Result<(Lexicon, Stack, Vec<OutOfFold>), TrainError> {
    let mut folds: Vec<usize> = examples.iter().filter(|e| e.has_body()).map(|e| e.fold).collect();
    folds.sort_unstable();
    folds.dedup();
    if folds.len() < LEAST_FOLDS {
        return Err(TrainError::TooFew { pages: examples.len(), folds: folds.len() });
    }
    let names = match examples[0].page.input() {
        Input::Html => features::names().to_vec(),
        Input::Text => features::flat::names(),
    };
    let is_hidden = |name: &String| params.without.columns.iter().any(|group| features::column_group(name) == group);
    let hidden: Vec<usize> = (0..names.len()).filter(|at| is_hidden(&names[*at])).collect();
    // The first stage is fitted without as many folds as there are stages.
    let params = &TrainParams { stages: params.stages.clamp(1, folds.len() - 1), ..params.clone() };
    let trainer = Trainer::new(examples, params, &hidden);
    let early = trainer.early_stages()?;
    let judged = trainer.out_of_fold(&early)?;
    let mut pipeline = trainer.fit(&early, None)?;
    let with_body = |keep: &dyn Fn(usize) -> bool| -> Vec<Judged> {
        let pages = judged.iter().zip(examples).filter(|((j, _), e)| !j.body.is_empty() && keep(e.fold));
        pages.map(|((j, _), _)| j.clone()).collect()
    };
    // A page's decision is tuned on the other folds too.
    let decisions: Vec<Decision> =
        (0..params.folds).map(|fold| decide::tune(&with_body(&|other| other != fold), beta)).collect();
    pipeline.stack.decision = decide::tune(&with_body(&|_| true), beta);
    let out_of_fold = judged
        .into_iter()
        .zip(examples)
        .map(|((judged, kinds), example)| {
            let decision = &decisions[example.fold];
            let choice = match params.without.decision {
                true => decide::threshold(&judged.scores.stages),
                false => decision.choose(&judged.scores, &judged.words),
            };
            let mut labels = combine(&choice, kinds.as_ref());
            revise(&example.page, &mut labels);
            OutOfFold { labels, judged }
        })
        .collect();
    Ok((pipeline.lexicon, pipeline.stack, out_of_fold))
}

/// Trains a model on pages of HTML, and on flattened pages if there are any of at least three folds.
///
/// The results out of fold are those of `html`, then those of `flat`.
///
/// # Errors
/// [`TrainError::TooFew`] for pages of fewer than three folds; [`TrainError::Example`] for a page in a fold that there is not
/// or in another than a page of its host, with labels for some of its blocks only, with numbers out of their ranges, or of
/// the other kind of input; [`TrainError::Parameter`]; and what the classifiers cannot fit.
pub fn train(html: &[Example], flat: &[Example], params: &TrainParams, mut card: Card) -> Result<Trained, TrainError> {
    params.check()?;
    for (examples, input) in [(html, Input::Html), (flat, Input::Text)] {
        examples.iter().try_for_each(|example| example.check(params.folds).and(example.check_input(input)))?;
        check_hosts(examples)?;
    }
    (card.seed, card.pages) = (params.seed, known_pages(html.iter().chain(flat)));
    let (lexicon, stack, mut out_of_fold) = fit_stack(html, params, 1.0)?;
    let flat = if flat.is_empty() {
        None
    } else {
        // Each page comes twice, and lines are simple: more rounds and rows than these gain nothing, and a third stage was not tried.
        let less = TrainParams {
            stages: params.stages.min(FLAT_STAGES),
            rounds: params.rounds.min(FLAT_ROUNDS),
            boost_rows: params.boost_rows.min(FLAT_ROWS),
            ..params.clone()
        };
        let (lexicon, stack, mut more) = fit_stack(flat, &less, FLAT_BETA)?;
        out_of_fold.append(&mut more);
        Some(Part { lexicon, stack })
    };
    Ok(Trained { model: Model { card, html: Part { lexicon, stack }, flat, adapted: None }, out_of_fold })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Page;

    fn example(hash: u64) -> Example {
        Example {
            id: String::new(),
            set: String::new(),
            fold: 0,
            host: 0,
            page: Page::from_text("One line"),
            body: vec![1.0],
            kinds: Vec::new(),
            weight: 1.0,
            hash,
        }
    }

    /// Three pages, each of a host and a fold of its own.
    fn three(page: &Page) -> Vec<Example> {
        let of = |n: usize| Example { id: format!("page {n}"), fold: n, host: n, page: page.clone(), ..example(0) };
        (0..3).map(of).collect()
    }

    /// Why nothing is trained on changed examples.
    fn refused(page: &Page, change: impl Fn(&mut Example), params: &TrainParams) -> String {
        let mut examples = three(page);
        change(&mut examples[1]);
        train(&examples, &[], params, Card::default()).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn an_example_that_does_not_hold_together_is_named() {
        let (html, text) = (Page::from_html("<p>One line"), Page::from_text("One line"));
        let params = TrainParams { folds: 3, ..TrainParams::default() };
        let refused = |change: fn(&mut Example)| refused(&html, change, &params);
        for weight in [f32::NAN, f32::INFINITY, -1.0, 1e38] {
            assert!(Example { weight, ..example(0) }.check(1).is_err(), "{weight}");
        }
        for share in [f32::NAN, 2.0, -1.0] {
            let error = Example { body: vec![share], ..example(0) }.check(1).unwrap_err().to_string();
            assert!(error.contains("from 0 to 1"), "{error}");
        }
        assert_eq!(refused(|e| e.weight = -1.0), "page 1: its weight is -1; weights are from 0 to 1000000");
        assert!(refused(|e| e.weight = 0.0).starts_with("3 labelled pages in 2 folds"));
        assert!(refused(|e| e.page = Page::from_text("One line")).starts_with("page 1: it is flattened text"));
        let error = train(&three(&html), &three(&html), &params, Card::default()).unwrap_err().to_string();
        assert!(error.starts_with("page 0: it is a web page"), "{error}");
        assert!(train(&three(&text), &[], &params, Card::default()).is_err());
        let error = refused(|e| e.host = 0);
        assert!(
            error.starts_with("page 1: it is in fold 1, and page 0 of the same host, number 0, is in fold 0"),
            "{error}"
        );
    }

    #[test]
    fn settings_out_of_their_range_are_named() {
        let page = Page::from_html("<p>One line");
        let usual = || TrainParams { folds: 3, ..TrainParams::default() };
        let columns = |name: &str| Without { columns: vec![name.to_owned()], ..Without::default() };
        let all = [
            ("folds", TrainParams { folds: 0, ..usual() }),
            ("stages", TrainParams { stages: 0, ..usual() }),
            ("bags", TrainParams { bags: 0, ..usual() }),
            ("kind_rounds", TrainParams { kind_rounds: 0, ..usual() }),
            ("smoothing", TrainParams { smoothing: -1.0, ..usual() }),
            ("min_hosts", TrainParams { min_hosts: f32::NAN, ..usual() }),
            ("without.columns", TrainParams { without: columns("link_density"), ..usual() }),
        ];
        for (name, params) in all {
            let error = refused(&page, |_| (), &params);
            assert!(error.starts_with(&format!("`{name}` is ")), "{error}");
        }
        assert!(usual().check().is_ok());
        assert!(TrainParams { without: columns("lexicon"), ..usual() }.check().is_ok());
    }

    #[test]
    fn a_page_and_its_copies_are_known_once_and_one_without_a_hash_is_not() {
        let (html, flat) = ([example(9), example(1 << 40 | 4), example(0)], [example(9), example(5)]);
        assert_eq!(known_pages(html.iter().chain(&flat)), [4, 5, 9]);
    }

    #[test]
    fn early_stages_are_fitted_once_for_each_set_of_folds() {
        assert_eq!(subsets(3, 1), [vec![], vec![0], vec![1], vec![2]]);
        assert_eq!(subsets(3, 2)[4..], [vec![0, 1], vec![0, 2], vec![1, 2]]);
        assert_eq!((subsets(5, 2).len(), subsets(5, 3).len()), (16, 26));
    }
}
