use super::{ExplainError, Explainer, Groups, Spectrum};
use crate::inspect::Pathway;
use crate::vit::{Grid, Taps};

/// One view of an image: a spectrum and the groups that it makes.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// The eigenvectors.
    pub spectrum: Spectrum,
    /// The groups.
    pub groups: Groups,
}

impl Layer {
    /// Groups a spectrum; see [`Groups::of`].
    #[must_use]
    pub fn new(spectrum: Spectrum, grid: Grid, groups: Option<usize>) -> Self {
        Self {
            groups: Groups::of(&spectrum, grid, groups),
            spectrum,
        }
    }
}

/// A pathway through the network: all blocks together, and each alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Layers {
    /// Which.
    pub pathway: Pathway,
    /// Where the patches lie.
    pub grid: Grid,
    /// All blocks together.
    pub together: Layer,
    /// Each block alone, by its number.
    pub blocks: Vec<(usize, Layer)>,
}

impl Layers {
    /// Adds the view of each block alone to the one of all together.
    ///
    /// # Errors
    /// As for [`Explainer::block`].
    pub fn with_blocks(
        explainer: &mut Explainer,
        taps: &Taps,
        pathway: Pathway,
        together: Layer,
        groups: Option<usize>,
    ) -> Result<Self, ExplainError> {
        let blocks = explainer.settings().blocks.clone();
        let alone = blocks.into_iter().map(|block| {
            let spectrum = explainer.block(taps, pathway, block)?;
            Ok((block, Layer::new(spectrum, taps.grid, groups)))
        });
        Ok(Self {
            pathway,
            grid: taps.grid,
            blocks: alone.collect::<Result<_, ExplainError>>()?,
            together,
        })
    }
}
