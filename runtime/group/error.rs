use std::io;
use std::path::PathBuf;

use andon_shards::ShardError;

use crate::vit::TapKind;

/// Why images could not be grouped.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// A shard cannot be used.
    #[error(transparent)]
    Shard(#[from] ShardError),
    /// Features make no graph.
    #[error("features of {of}: {source}")]
    Features {
        /// Which image or pass.
        of: String,
        /// Why.
        source: andon_spectral::Error,
    },
    /// The backbone was not asked for a tap.
    #[error("{kind:?} of block {block} was not tapped: ask the backbone for it")]
    NotTapped {
        /// Block number, 1-based.
        block: usize,
        /// Which tap.
        kind: TapKind,
    },
    /// The matrix does not fit.
    #[error(
        "{blocks} blocks need {needed} of memory, and {budget} were given: take {advice}, or give \
         --memory {needed}"
    )]
    Budget {
        /// Number of blocks asked for.
        blocks: usize,
        /// What they need.
        needed: String,
        /// What there is.
        budget: String,
        /// What would fit, in words.
        advice: String,
    },
    /// The patches are all alike.
    #[error(
        "all patches of these images look the same to the network by {pathway}, so there are no \
         groups; give images that show something"
    )]
    Alike {
        /// "what" or "where".
        pathway: &'static str,
    },
    /// A file of groups cannot be read.
    #[error("cannot read groups {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of groups cannot be written.
    #[error("cannot write groups {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not one of groups, or damaged.
    #[error("{} holds no groups that can be used: {reason}; make it again with andon group", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The groups speak of the features of another model.
    #[error(
        "the groups were made with model {theirs}, this is {ours}: make them again with this model"
    )]
    OtherModel {
        /// SHA-256 of the groups' model.
        theirs: String,
        /// SHA-256 of the model in use.
        ours: String,
    },
    /// No group has this number or id.
    #[error("there is no group {asked}: there are {known}")]
    NoGroup {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
}

impl GroupError {
    pub(super) fn features(of: impl Into<String>) -> impl FnOnce(andon_spectral::Error) -> Self {
        let of = of.into();
        move |source| Self::Features { of, source }
    }
}
