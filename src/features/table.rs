//! A hash table for keys that are hashes, filled once a page or once a program and asked many times.
//!
//! The standard library's tells most keys apart by their upper bits, of which a hash of 32 bits has none: the lexicon's
//! then compared every key of a group, a twelfth of the time of all features.

/// What marks a free slot; the key itself is kept as [`OTHER`], a hash of 64 bits that is as unlikely as any.
const FREE: u64 = 0;
const OTHER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Keys to values. Keys lie apart from values, so that most of those asked for in vain cost one line of the cache: with the
/// lexicon's values of 16 bytes between them, finding its words was a twelfth of all time of features and model.
#[derive(Clone, Debug)]
pub(super) struct Table<V> {
    /// A power of two of them, or none.
    keys: Vec<u64>,
    values: Vec<V>,
    len: usize,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Table { keys: Vec::new(), values: Vec::new(), len: 0 }
    }
}

impl<V: Copy + Default> Table<V> {
    /// Room for so many keys.
    pub(super) fn with_capacity(keys: usize) -> Self {
        let slots = (3 * keys / 2).next_power_of_two().max(16);
        Table { keys: vec![FREE; slots], values: vec![V::default(); slots], len: 0 }
    }

    /// The slot of a key, or the free one where it belongs. There is a free one, and so an end.
    #[inline]
    fn place(&self, key: u64) -> usize {
        let last = self.keys.len() - 1;
        let mut place = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & last;
        while self.keys[place] != key && self.keys[place] != FREE {
            place = (place + 1) & last;
        }
        place
    }

    /// The value of a key.
    #[inline]
    pub(super) fn get(&self, key: u64) -> Option<V> {
        if self.keys.is_empty() {
            return None;
        }
        let key = if key == FREE { OTHER } else { key };
        let place = self.place(key);
        (self.keys[place] == key).then(|| self.values[place])
    }

    /// The value of a key, which is made where there is none yet.
    #[inline]
    pub(super) fn get_or_insert(&mut self, key: u64, value: impl FnOnce() -> V) -> &mut V {
        // At most two slots of three are taken.
        if 3 * self.len >= 2 * self.keys.len() {
            self.grow();
        }
        let key = if key == FREE { OTHER } else { key };
        let place = self.place(key);
        if self.keys[place] == FREE {
            self.len += 1;
            self.keys[place] = key;
            self.values[place] = value();
        }
        &mut self.values[place]
    }

    #[cold]
    fn grow(&mut self) {
        let slots = (2 * self.keys.len()).max(64);
        let old = std::mem::replace(self, Table { keys: vec![FREE; slots], values: vec![V::default(); slots], len: 0 });
        for (key, value) in old.keys.into_iter().zip(old.values).filter(|(key, _)| *key != FREE) {
            let place = self.place(key);
            (self.keys[place], self.values[place]) = (key, value);
        }
        self.len = old.len;
    }
}

/// Tells most keys that are not in a set at once: a bit for each hash, 32 bits a key of small sets and eight of large ones,
/// so that about one strange key in 32 or eight passes. It stays in a near cache where the table behind it does not.
#[derive(Clone, Debug)]
pub(super) struct Sieve {
    /// A power of two of them.
    bits: Vec<u64>,
}

impl Sieve {
    /// Words of 64 bits of a sieve that leaves the nearest cache to others.
    const SMALL: usize = 1000;

    pub(super) fn of(keys: impl ExactSizeIterator<Item = u64>) -> Sieve {
        let words = (keys.len() / 2).min(Self::SMALL).max(keys.len() / 8);
        let mut sieve = Sieve { bits: vec![0; (words + 1).next_power_of_two()] };
        for key in keys {
            let (word, bit) = sieve.place(key);
            sieve.bits[word] |= bit;
        }
        sieve
    }

    #[inline]
    fn place(&self, key: u64) -> (usize, u64) {
        let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((hash >> 32) as usize & (self.bits.len() - 1), 1 << (hash >> 58))
    }

    /// Whether a key may be in the set; `false` is certain.
    #[inline]
    pub(super) fn may_have(&self, key: u64) -> bool {
        let (word, bit) = self.place(key);
        self.bits[word] & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sieve_lets_all_of_its_keys_through_and_few_others() {
        // A small set has more bits a key than a large one.
        for (keys, most) in [(1_000u32, 600), (40_000, 2000)] {
            let sieve = Sieve::of((0..keys).map(|key| u64::from(key) * u64::from(key)));
            assert!((0..u64::from(keys)).all(|key| sieve.may_have(key * key)));
            let others = (3_000_000_000..3_000_010_000).filter(|key| sieve.may_have(*key)).count();
            assert!(others < most, "{others} of 10,000 beside {keys}");
        }
        assert!(!Sieve::of([].into_iter()).may_have(7));
    }

    #[test]
    fn every_key_keeps_its_value_while_the_table_grows() {
        let mut table = Table::default();
        assert_eq!(table.get(0), None);
        for key in 0..1000u64 {
            assert_eq!(*table.get_or_insert(key * key, || key), key);
        }
        (0..1000).for_each(|key| assert_eq!(table.get(key * key), Some(key)));
        assert_eq!((table.get(2), *table.get_or_insert(4, || 7)), (None, 2));
    }
}
