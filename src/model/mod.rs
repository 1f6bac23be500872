//! Feature matrix to probabilities to labels.

pub mod boost;
