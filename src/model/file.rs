//! A model as one file: a mark, a version, a schema, a checksum, and the rest in postcard.

use std::io::Write;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use crate::features;
use crate::page::Input;
use crate::whole;

use super::{Model, Part, context};

const MARK: &[u8; 8] = b"LUBBMODL";
/// Changes when the layout below or the types that are stored change.
const VERSION: u32 = 6;
/// Mark, version, schema, checksum.
const HEADER: usize = 8 + 4 + 8 + 8;

/// Why a model could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file could not be read.
    #[error("{path}: the model cannot be read: {error}")]
    Read {
        /// The file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file could not be written.
    #[error("{path}: the model cannot be written: {error}")]
    Write {
        /// The file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// A file is no model that can be used.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        error: Box<ModelError>,
    },
    /// The bytes do not begin as a model does.
    #[error("not a lubb model (it does not begin with the mark LUBBMODL): make one with `lubb train`")]
    NotAModel,
    /// The file's layout is of another version of lubb.
    #[error("a model of file version {found}, this lubb reads version {VERSION}: {}", if *found > VERSION {
        "update lubb"
    } else {
        "train it again with `lubb train`"
    })]
    Version {
        /// The file's version.
        found: u32,
    },
    /// The model was trained on other feature columns.
    #[error("a model for other features than this lubb extracts: train it again with `lubb train`")]
    Schema,
    /// Bytes are missing or changed.
    #[error("the model is damaged or cut short (checksum): copy it again or train it again")]
    Damaged,
}

/// A number that changes whenever a column is added, dropped, moved or renamed.
fn schema() -> u64 {
    let mut names = features::names().join("\n");
    names.push_str(&features::flat::names().join("\n"));
    names.push_str(&context::names().join("\n"));
    xxh3_64(names.as_bytes())
}

impl Model {
    /// Reads a model from its bytes.
    ///
    /// # Errors
    /// [`ModelError`] says what the bytes are if they are no model for this lubb.
    pub fn from_bytes(bytes: &[u8]) -> Result<Model, ModelError> {
        if !bytes.starts_with(MARK) {
            return Err(ModelError::NotAModel);
        }
        let word = |at: usize, len: usize| {
            let mut number = [0u8; 8];
            let field = bytes.get(at..at + len).ok_or(ModelError::Damaged)?;
            number[..len].copy_from_slice(field);
            Ok::<u64, ModelError>(u64::from_le_bytes(number))
        };
        let found = word(8, 4)? as u32;
        if found != VERSION {
            return Err(ModelError::Version { found });
        }
        let (stored_schema, checksum) = (word(12, 8)?, word(20, 8)?);
        let body = &bytes[HEADER..];
        if xxh3_64(body) != checksum {
            return Err(ModelError::Damaged);
        }
        if stored_schema != schema() {
            return Err(ModelError::Schema);
        }
        let model: Model = postcard::from_bytes(body).map_err(|_| ModelError::Damaged)?;
        let sound = model.html.stack.is_valid(features::names().len())
            && model.flat.as_ref().is_none_or(|flat| flat.stack.is_valid(features::flat::names().len()))
            && [Input::Html, Input::Text].into_iter().all(|input| {
                let adaptation = model.adapted.as_ref().and_then(|adapted| adapted.to(input));
                let fits = |part: &Part| adaptation.is_none_or(|more| more.is_valid(input, part.stack.has_kinds()));
                model.part_for(input).map_or(adaptation.is_none(), fits)
            });
        if sound { Ok(model) } else { Err(ModelError::Damaged) }
    }

    /// Reads a model from a file.
    ///
    /// # Errors
    /// [`ModelError::Read`] if the file cannot be read, [`ModelError::File`] if it is no model for this lubb.
    pub fn read(path: &Path) -> Result<Model, ModelError> {
        let bytes =
            std::fs::read(path).map_err(|error| ModelError::Read { path: path.display().to_string(), error })?;
        Model::from_bytes(&bytes)
            .map_err(|error| ModelError::File { path: path.display().to_string(), error: Box::new(error) })
    }

    /// The model's bytes: the same for the same model.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Writing to memory fails only for types postcard cannot hold, of which a model has none.
        let body = postcard::to_allocvec(self).unwrap_or_default();
        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.extend(MARK);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(schema().to_le_bytes());
        bytes.extend(xxh3_64(&body).to_le_bytes());
        bytes.extend(body);
        bytes
    }

    /// Writes a model beside its place and then renames it, so that no half-written file looks like a model.
    ///
    /// # Errors
    /// [`ModelError::Write`] if the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ModelError> {
        let written = whole::write(path, |file| file.write_all(&self.to_bytes()));
        written.map_err(|error| ModelError::Write { path: path.display().to_string(), error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_file_asks_for_a_newer_program_and_an_older_one_for_a_training() {
        let with = |version: u32| {
            let bytes = [&MARK[..], &version.to_le_bytes()].concat();
            Model::from_bytes(&bytes).map(|_| ()).unwrap_err().to_string()
        };
        assert!(with(VERSION + 1).ends_with("update lubb"));
        assert!(with(VERSION - 1).ends_with("train it again with `lubb train`"));
        let error = Model::read(Path::new("no/such.lubb")).map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with("no/such.lubb: the model cannot be read: "), "{error}");
    }

    #[test]
    fn what_does_not_hold_together_is_refused_whatever_its_checksum() {
        let with = |change: &dyn Fn(&mut Model)| {
            let mut model = (*Model::embedded()).clone();
            change(&mut model);
            Model::from_bytes(&model.to_bytes()).map(|_| ())
        };
        assert!(with(&|_| {}).is_ok());
        let changes: [&dyn Fn(&mut Model); 6] = [
            // As many outputs as labels where one is wanted, and the other way round.
            &|model| model.html.stack.stages[1] = model.html.stack.kinds.clone().unwrap(),
            &|model| model.html.stack.kinds = model.html.stack.stages.last().cloned(),
            &|model| model.html.stack.stages.clear(),
            // Of other columns.
            &|model| model.html.stack = model.flat.clone().unwrap().stack,
            &|model| model.html.stack.network = model.flat.clone().unwrap().stack.network,
            &|model| model.html.stack.stages.swap(0, 1),
        ];
        for (at, change) in changes.into_iter().enumerate() {
            assert!(matches!(with(change), Err(ModelError::Damaged)), "{at}");
        }
    }
}
