//! A hash table for keys that are hashes, filled once a page or once a program and asked many times.
//!
//! The standard library's tells most keys apart by their upper bits, of which a hash of 32 bits has none: the lexicon's
//! then compared every key of a group, a twelfth of the time of all features.

/// Keys to values; a slot is free if its value is `None`.
#[derive(Clone, Debug)]
pub(super) struct Table<V> {
    /// A power of two of them, or none.
    slots: Vec<Option<(u64, V)>>,
    len: usize,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Table { slots: Vec::new(), len: 0 }
    }
}

impl<V: Copy> Table<V> {
    /// Room for so many keys.
    pub(super) fn with_capacity(keys: usize) -> Self {
        Table { slots: vec![None; (2 * keys).next_power_of_two().max(16)], len: 0 }
    }

    /// The slot of a key, or the free one where it belongs. There is a free one, and so an end.
    #[inline]
    fn place(&self, key: u64) -> usize {
        let last = self.slots.len() - 1;
        let mut place = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & last;
        while matches!(self.slots[place], Some((other, _)) if other != key) {
            place = (place + 1) & last;
        }
        place
    }

    /// The value of a key.
    #[inline]
    pub(super) fn get(&self, key: u64) -> Option<V> {
        if self.slots.is_empty() {
            return None;
        }
        self.slots[self.place(key)].map(|(_, value)| value)
    }

    /// The value of a key, which is made where there is none yet.
    #[inline]
    pub(super) fn get_or_insert(&mut self, key: u64, value: impl FnOnce() -> V) -> &mut V {
        if 2 * self.len >= self.slots.len() {
            self.grow();
        }
        let place = self.place(key);
        let len = &mut self.len;
        let slot = self.slots[place].get_or_insert_with(|| {
            *len += 1;
            (key, value())
        });
        &mut slot.1
    }

    fn grow(&mut self) {
        let slots = vec![None; (2 * self.slots.len()).max(16)];
        let old = std::mem::replace(&mut self.slots, slots);
        for slot in old.into_iter().flatten() {
            let place = self.place(slot.0);
            self.slots[place] = Some(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
