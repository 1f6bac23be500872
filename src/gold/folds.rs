//! Folds that keep every site's pages together, so that a model is never tested on a site it has seen.

use std::collections::HashMap;

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Deals pages into `k` folds by the registrable domain of their hosts; the fold of each page, from 0.
///
/// `news.example.co.uk` and `example.co.uk` are one site by Mozilla's Public Suffix List, which is compiled in
/// (crate `psl`); blogs below a shared host such as `blogspot.com` are sites of their own. Sites are dealt
/// heaviest first to the lightest fold (the LPT rule: R. Graham, "Bounds on multiprocessing timing anomalies",
/// 1969), which keeps the folds' weights even; `seed` decides among sites of the same weight. `weights` are the
/// pages' weights, one each; a page without one, or with one that is not a positive number, counts as nothing.
/// With fewer sites than folds some folds stay empty.
///
/// ```
/// use lubb::gold::folds::by_host;
/// let hosts = ["www.example.com", "a.test", "m.example.com", "b.test"].map(str::to_owned);
/// let folds = by_host(&hosts, &[1.0; 4], 2, 7);
/// assert_eq!(folds[0], folds[2]);
/// assert_eq!(folds[1], folds[3]);
/// assert_ne!(folds[0], folds[1]);
/// ```
pub fn by_host(hosts: &[String], weights: &[f64], k: usize, seed: u64) -> Vec<usize> {
    let mut sites: HashMap<&str, (f64, Vec<usize>)> = HashMap::new();
    for (page, host) in hosts.iter().enumerate() {
        let (weight, pages) = sites.entry(site(host)).or_default();
        *weight += weights.get(page).copied().filter(|w| w.is_finite() && *w > 0.0).unwrap_or(0.0);
        pages.push(page);
    }
    let mut order: Vec<_> = sites.into_iter().collect();
    order.sort_by(|(a, (heavier, _)), (b, (lighter, _))| {
        let random = |name: &str| xxh3_64_with_seed(name.as_bytes(), seed);
        lighter.total_cmp(heavier).then_with(|| random(a).cmp(&random(b))).then_with(|| a.cmp(b))
    });
    let mut folds = vec![0; hosts.len()];
    let mut loads = vec![(0.0, 0); k.max(1)];
    for (_, (weight, pages)) in order {
        let by_load = |a: &usize, b: &usize| {
            let ((weight_a, pages_a), (weight_b, pages_b)): ((f64, usize), (f64, usize)) = (loads[*a], loads[*b]);
            weight_a.total_cmp(&weight_b).then(pages_a.cmp(&pages_b))
        };
        let lightest = (0..loads.len()).min_by(by_load).unwrap_or(0);
        loads[lightest].0 += weight;
        loads[lightest].1 += pages.len();
        pages.into_iter().for_each(|page| folds[page] = lightest);
    }
    folds
}

/// Deals pages into `k` folds by their groups (page types, countries), so that figures say how a model does on a kind of
/// page it has never seen. Every site stays in one fold still: all its pages follow the group that most of them are in,
/// the first of equals. Pages without a group are dealt by host. Weights and seed are those of [`by_host`].
///
/// ```
/// use lubb::gold::folds::by_group;
/// let hosts = ["a.test", "a.test", "a.test", "b.test", "c.test"].map(str::to_owned);
/// let groups = [Some("shop"), Some("shop"), Some("news"), Some("news"), Some("shop")];
/// let folds = by_group(&hosts, &groups, &[1.0; 5], 2, 1);
/// assert_eq!(folds, [folds[0], folds[0], folds[0], folds[3], folds[0]]);
/// assert_ne!(folds[0], folds[3]);
/// ```
pub fn by_group(hosts: &[String], groups: &[Option<&str>], weights: &[f64], k: usize, seed: u64) -> Vec<usize> {
    let mut counts: HashMap<&str, Vec<(&str, usize)>> = HashMap::new();
    for (host, group) in hosts.iter().zip(groups) {
        let Some(group) = group else { continue };
        let seen = counts.entry(site(host)).or_default();
        match seen.iter_mut().find(|(name, _)| name == group) {
            Some((_, count)) => *count += 1,
            None => seen.push((group, 1)),
        }
    }
    let key = |host: &String| {
        // The last of equals would win without the reversal.
        let most = counts.get(site(host)).and_then(|seen| seen.iter().rev().max_by_key(|(_, count)| *count));
        most.map_or_else(|| host.clone(), |(group, _)| format!("group {group}"))
    };
    by_host(&hosts.iter().map(key).collect::<Vec<_>>(), weights, k, seed)
}

/// A host's registrable domain; hosts that have none (addresses by number, names of pages) as they are.
///
/// ```
/// use lubb::gold::folds::site;
/// assert_eq!(site("news.example.co.uk"), "example.co.uk");
/// assert_eq!(site("192.0.2.10"), "192.0.2.10");
/// ```
pub fn site(host: &str) -> &str {
    let is_name = host.contains('.') && !host.contains(['/', ':']) && host.parse::<std::net::IpAddr>().is_err();
    is_name.then(|| psl::domain_str(host)).flatten().unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_even_stable_and_never_split_a_site() {
        let hosts: Vec<String> = (0..90).map(|i| format!("s{}.site{}.co.uk", i, i % 30)).collect();
        let weights: Vec<f64> = (0..90).map(|i| f64::from(1 + i % 7)).collect();
        let folds = by_host(&hosts, &weights, 5, 1);
        assert!((30..90).all(|i| folds[i] == folds[i % 30]));
        let mut loads = [0.0; 5];
        folds.iter().zip(&weights).for_each(|(f, w)| loads[*f] += w);
        let total: f64 = weights.iter().sum();
        assert!(loads.iter().all(|l| (l / total - 0.2).abs() < 0.03), "{loads:?}");
        assert_eq!(folds, by_host(&hosts, &weights, 5, 1));
        assert_ne!(folds, by_host(&hosts, &weights, 5, 2));
    }

    #[test]
    fn pages_without_an_address_are_sites_of_their_own() {
        let hosts = ["set/a.com", "set/b.com", "10.0.0.1", "10.0.0.2"].map(str::to_owned);
        let mut folds = by_host(&hosts, &[1.0; 4], 4, 0);
        folds.sort_unstable();
        assert_eq!(folds, [0, 1, 2, 3]);
    }
}
