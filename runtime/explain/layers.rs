use super::{Groups, Spectra, Spectrum};
use crate::inspect::Pathway;
use crate::vit::Grid;

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
    /// Groups all spectra of a pathway; see [`Groups::of`].
    #[must_use]
    pub fn new(pathway: Pathway, spectra: Spectra, grid: Grid, groups: Option<usize>) -> Self {
        let alone = spectra.blocks.into_iter();
        Self {
            pathway,
            grid,
            together: Layer::new(spectra.together, grid, groups),
            blocks: alone
                .map(|(block, spectrum)| (block, Layer::new(spectrum, grid, groups)))
                .collect(),
        }
    }
}
