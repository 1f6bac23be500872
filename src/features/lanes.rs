//! Rows of columns laid out for the classifiers, which take many rows at a time: blocks of rows, in them column by column.
//!
//! A page's matrix has some 300 rows of 380 columns, 450 KB. A block of rows is given on as soon as it is full, and its
//! room taken by the next one, so that neither leaves the near caches and a page of a million blocks takes no more of it.

use ndarray::{Array2, ArrayView2};

/// Rows that go through the classifiers together: as many as a vector of AVX2 has bytes.
pub(crate) const ROWS: usize = 32;

/// One value of each row of a block.
pub(crate) type Lane = [f32; ROWS];

/// Rows and columns that are turned together, as vectors that every processor has.
const FOUR: usize = 4;

/// Rows that come one after the other, and the block that they are laid out in.
pub(crate) struct Lanes<P> {
    columns: usize,
    rows: usize,
    /// Those after the last row are of the block before, or 0.
    lanes: Vec<Lane>,
    put: P,
}

impl<P: FnMut(usize, &[Lane])> Lanes<P> {
    /// Room for rows of so many columns. Each block of them is given to `put`, with its number.
    pub(crate) fn new(columns: usize, put: P) -> Lanes<P> {
        Lanes { columns, rows: 0, lanes: vec![[0.0; ROWS]; columns], put }
    }

    /// Lays out the next rows, four or, at the end, fewer at a time.
    pub(crate) fn push(&mut self, values: &[f32]) {
        let at = self.rows % ROWS;
        if values.len() == FOUR * self.columns && at.is_multiple_of(FOUR) {
            turn(values, self.columns, &mut self.lanes, at / FOUR);
            self.rows += FOUR;
        } else {
            for (row, values) in (at..ROWS).zip(values.chunks_exact(self.columns)) {
                self.lanes.iter_mut().zip(values).for_each(|(lane, value)| lane[row] = *value);
                self.rows += 1;
            }
        }
        if self.rows.is_multiple_of(ROWS) {
            (self.put)(self.rows / ROWS - 1, &self.lanes);
        }
    }

    /// Gives the last block on, if rows are left.
    pub(crate) fn end(mut self) {
        if !self.rows.is_multiple_of(ROWS) {
            (self.put)(self.rows / ROWS, &self.lanes);
        }
    }
}

/// A square of four rows as its columns.
#[cfg(target_arch = "x86_64")]
fn turned(square: [[f32; FOUR]; FOUR]) -> [[f32; FOUR]; FOUR] {
    use std::arch::x86_64::{_MM_TRANSPOSE4_PS, _mm_loadu_ps, _mm_storeu_ps};
    // SAFETY: every processor of x86-64 has SSE, and each array read or written has the four numbers of a vector. Left to
    // the compiler, numbers are moved one by one: 3.0 % of the time of labelling, and 0.9 % so.
    unsafe {
        let [mut a, mut b, mut c, mut d] = square.map(|row| _mm_loadu_ps(row.as_ptr()));
        _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
        [a, b, c, d].map(|column| {
            let mut values = [0.0; FOUR];
            _mm_storeu_ps(values.as_mut_ptr(), column);
            values
        })
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn turned(square: [[f32; FOUR]; FOUR]) -> [[f32; FOUR]; FOUR] {
    std::array::from_fn(|column| square.map(|row| row[column]))
}

/// Writes four rows of `width` values to as many lanes, as their values `four` times four on. Square by square, each read
/// and written as four vectors.
fn turn(rows: &[f32], width: usize, lanes: &mut [Lane], four: usize) {
    let parts: [&[f32]; FOUR] = std::array::from_fn(|row| &rows[row * width..(row + 1) * width]);
    let [a, b, c, d] = parts.map(|part| part.as_chunks::<FOUR>().0);
    let (squares, rest) = lanes.as_chunks_mut::<FOUR>();
    for ((((lanes, a), b), c), d) in squares.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        for (lane, column) in lanes.iter_mut().zip(turned([*a, *b, *c, *d])) {
            lane.as_chunks_mut::<FOUR>().0[four] = column;
        }
    }
    let done = squares.len() * FOUR;
    for (column, lane) in rest.iter_mut().enumerate() {
        lane.as_chunks_mut::<FOUR>().0[four] = parts.map(|part| part[done + column]);
    }
}

/// Gives rows to `put` by fours, as they are laid out fastest; `row` appends that of a block.
pub(crate) fn by_fours(
    count: usize,
    width: usize,
    mut row: impl FnMut(usize, &mut Vec<f32>),
    mut put: impl FnMut(&[f32]),
) {
    let mut rows = Vec::with_capacity(FOUR * width);
    for at in 0..count {
        row(at, &mut rows);
        if at % FOUR == FOUR - 1 || at + 1 == count {
            put(&rows);
            rows.clear();
        }
    }
}

/// Lays out a matrix, and gives its blocks of rows to `put`, each with its number.
pub(crate) fn of_matrix(matrix: ArrayView2<f32>, put: impl FnMut(usize, &[Lane])) {
    let matrix = matrix.as_standard_layout();
    let mut lanes = Lanes::new(matrix.ncols(), put);
    // The layout is standard, so that there is a slice.
    let values = matrix.as_slice().unwrap_or_default();
    values.chunks((FOUR * matrix.ncols()).max(1)).for_each(|rows| lanes.push(rows));
    lanes.end();
}

/// Writes a block of rows, laid out, to columns of a matrix from `first` on.
pub(crate) fn to_matrix(block: usize, first: usize, lanes: &[Lane], matrix: &mut Array2<f32>) {
    let rows = matrix.rows_mut().into_iter().skip(block * ROWS).take(ROWS);
    for (at, mut row) in rows.enumerate() {
        row.iter_mut().skip(first).zip(lanes).for_each(|(slot, lane)| *slot = lane[at]);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::s;

    use super::*;

    #[test]
    fn every_value_comes_to_its_lane_and_every_row_to_its_block() {
        for (rows, columns) in [(1, 1), (3, 5), (4, 4), (32, 7), (33, 9), (71, 3), (0, 4)] {
            let matrix = Array2::from_shape_fn((rows, columns), |(row, column)| (1000 * row + column) as f32);
            let mut blocks = Vec::new();
            let mut back = Array2::zeros((rows, columns + 1));
            of_matrix(matrix.view(), |block, lanes| {
                to_matrix(block, 1, lanes, &mut back);
                assert_eq!((block, lanes.len()), (blocks.len(), columns));
                blocks.push(lanes.to_vec());
            });
            assert_eq!(blocks.len(), rows.div_ceil(ROWS));
            assert_eq!(back.slice(s![.., 1..]), matrix, "{rows} x {columns}");
            for ((row, column), value) in matrix.indexed_iter() {
                assert_eq!(blocks[row / ROWS][column][row % ROWS], *value, "{row} {column} of {rows}");
            }
            // Row by row, and in another order in memory.
            let (mut alone, mut turned) = (Vec::new(), Vec::new());
            let mut lanes = Lanes::new(columns, |_, lanes: &[Lane]| alone.push(lanes.to_vec()));
            matrix.rows().into_iter().for_each(|row| lanes.push(&row.to_vec()));
            lanes.end();
            let other = matrix.t().as_standard_layout().to_owned();
            of_matrix(other.t(), |_, lanes| turned.push(lanes.to_vec()));
            for (block, lanes) in blocks.iter().enumerate() {
                let own = (rows - block * ROWS).min(ROWS);
                for (column, lane) in lanes.iter().enumerate() {
                    assert_eq!(
                        (&alone[block][column][..own], &turned[block][column][..own]),
                        (&lane[..own], &lane[..own])
                    );
                }
            }
        }
    }
}
