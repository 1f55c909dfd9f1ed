//! What stands between the rows of a file and documents where they are more than a change of kinds: sets of DINA, and
//! mappings. What is found out on the way is told in the report.

use std::sync::{Arc, Mutex};

use super::dina::{Recaster, Set, pieces};
use super::lookup::Tally;
use super::mapping::Applied;
use super::read::Source;
use super::shape::Understanding;
use crate::kernel::error::Result;

/// What is found out while rows are made over.
pub type Found = Arc<Mutex<Tally>>;

/// Makes rows over. Cheap to clone; each reading of the file begins anew.
#[derive(Clone)]
pub enum Recast {
    Dina(Set, Arc<Recaster>),
    Mapping(Arc<Applied>),
}

impl Recast {
    /// The file with its rows made over, and how those are to be understood.
    ///
    /// # Errors
    /// A file without a column that is mapped.
    pub fn over(self, source: Source, understanding: Understanding, found: Found) -> Result<(Source, Understanding)> {
        match self {
            Self::Dina(set, recaster) => {
                let source = if set == Set::PhysicalObjects {
                    pieces(source)
                } else {
                    source
                };
                Ok((source.change(recaster.over(found)), understanding))
            }
            Self::Mapping(applied) => {
                applied.check(&source)?;
                Ok((source.change(applied.over(understanding, found)), Applied::done()))
            }
        }
    }

    /// A set may have no rows; a file that somebody chose by itself may not.
    pub fn may_be_empty(&self) -> bool {
        matches!(self, Self::Dina(..))
    }
}
