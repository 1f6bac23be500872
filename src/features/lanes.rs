//! Rows of columns laid out for the classifiers, which take many rows at a time: a block of rows after the other, and in
//! it column after column.
//!
//! A page's matrix has some 300 rows of 330 columns, 400 KB. Laid out as the rows are made, it never leaves the near caches
//! to be turned.

use ndarray::ArrayView2;

/// Rows that go through the trees together: with more of them the trees, some hundred kilobytes, are read less often. But
/// then 370 columns no longer stay in the first cache while trees pass through it: with 32 rows, labelling took 0.06 ms of
/// 0.64 more for a mean page of `wcxb-dev`.
pub(crate) const BLOCK: usize = 16;

/// One value of each row of a block.
pub(crate) type Lane = [f32; BLOCK];

/// Rows laid out as the trees take them, a block of rows after the other and in it column after column, for several
/// models to share.
#[derive(Clone, Debug)]
pub struct Lanes {
    rows: usize,
    columns: usize,
    lanes: Vec<Lane>,
    finite: bool,
}

/// Rows and columns that are turned together, as vectors that every processor has.
const FOUR: usize = 4;

/// Writes four rows of `width` values to as many lanes, as their values `four` times four on. Square by square, each read
/// and written as four vectors.
fn turn(rows: &[f32], width: usize, lanes: &mut [Lane], four: usize) {
    let parts: [&[f32]; FOUR] = std::array::from_fn(|row| &rows[row * width..(row + 1) * width]);
    let [a, b, c, d] = parts.map(|part| part.as_chunks::<FOUR>().0);
    let (squares, rest) = lanes.as_chunks_mut::<FOUR>();
    for ((((lanes, a), b), c), d) in squares.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        for (column, lane) in lanes.iter_mut().enumerate() {
            lane.as_chunks_mut::<FOUR>().0[four] = [a[column], b[column], c[column], d[column]];
        }
    }
    let done = squares.len() * FOUR;
    for (column, lane) in rest.iter_mut().enumerate() {
        lane.as_chunks_mut::<FOUR>().0[four] = parts.map(|part| part[done + column]);
    }
}

/// Gives rows to `put` by fours, as they are laid out fastest; with the number of the first; `row` appends that of a block.
pub(crate) fn by_fours(
    count: usize,
    width: usize,
    mut row: impl FnMut(usize, &mut Vec<f32>),
    mut put: impl FnMut(usize, &[f32]),
) {
    let mut rows = Vec::with_capacity(FOUR * width);
    for at in 0..count {
        row(at, &mut rows);
        if at % FOUR == FOUR - 1 || at + 1 == count {
            put(at / FOUR * FOUR, &rows);
            rows.clear();
        }
    }
}

fn all_finite(values: &[f32]) -> bool {
    // Of numbers that are not finite all bits of the exponent are set. Without a way out in the middle, so that it runs on
    // whole vectors.
    const EXPONENT: u32 = 0x7f80_0000;
    !values.iter().fold(false, |any, value| any | (value.to_bits() & EXPONENT == EXPONENT))
}

impl Lanes {
    /// Lays out rows, with room for `more` columns after theirs.
    pub fn new(rows: ArrayView2<f32>, more: usize) -> Lanes {
        let width = rows.ncols();
        let mut lanes = Lanes::empty(rows.nrows(), width + more);
        let standard = rows.as_standard_layout();
        let values = standard.as_slice().unwrap_or_default();
        for (four, rows) in values.chunks((FOUR * width).max(1)).enumerate() {
            lanes.put_rows(four * FOUR, 0, width, rows);
        }
        lanes
    }

    /// Room for rows, all values 0.
    pub(crate) fn empty(rows: usize, columns: usize) -> Lanes {
        Lanes { rows, columns, finite: true, lanes: vec![[0.0; BLOCK]; rows.div_ceil(BLOCK) * columns] }
    }

    /// Sets columns of up to four rows from `row` on, a multiple of four, to values: `width` of them a row, those of
    /// `column` and of the columns after it.
    pub(crate) fn put_rows(&mut self, row: usize, column: usize, width: usize, values: &[f32]) {
        self.finite &= all_finite(values);
        let first = row / BLOCK * self.columns + column;
        let lanes = &mut self.lanes[first..first + width];
        let at = row % BLOCK;
        if values.len() == FOUR * width {
            turn(values, width, lanes, at / FOUR);
        } else {
            for (i, row) in (at..BLOCK).zip(values.chunks_exact(width)) {
                lanes.iter_mut().zip(row).for_each(|(lane, value)| lane[i] = *value);
            }
        }
    }

    /// Sets values of a row, those of `column` and of the columns after it.
    pub fn put(&mut self, row: usize, column: usize, values: &[f32]) {
        let first = row / BLOCK * self.columns;
        let lanes = &mut self.lanes[first + column..first + self.columns];
        lanes.iter_mut().zip(values).for_each(|(lane, value)| lane[row % BLOCK] = *value);
        self.finite &= all_finite(values);
    }

    /// Each block of rows, a lane a column; the last block's rows may be fewer, with zeros after them.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &[Lane]> {
        self.lanes.chunks_exact(self.columns.max(1))
    }

    /// Whether no value is missing or infinite: trees then read the lanes as they are.
    pub(crate) fn is_finite(&self) -> bool {
        self.finite
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns they have.
    pub fn columns(&self) -> usize {
        self.columns
    }
}
