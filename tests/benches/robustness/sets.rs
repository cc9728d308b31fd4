//! Pictures to learn and to judge.

use std::path::Path;

use ::image::RgbImage;
use andon::camera::rendered::{DefectKind, LineConfig, RenderedLine};
use andon::image::{self, InputShape, InputSize, Tiles};
use andon::recipe::ViewSettings;
use anyhow::{Context, Result, bail};
use rand::SeedableRng;
use rand::seq::SliceRandom;

const DATA: &str = "../shared/data";
const SIDE: usize = 448;

/// Good and bad parts of one product.
pub struct Set {
    pub good: Vec<RgbImage>,
    pub bad: Vec<RgbImage>,
    /// How pictures become input, as `andon learn` chooses it.
    pub view: ViewSettings,
    /// Parts that are usually learned.
    pub learned: usize,
}

impl Set {
    /// Loads or renders a set; nothing, and a word on it, where its images are not there.
    pub fn load(name: &str) -> Result<Option<Self>> {
        let learned = match name {
            "screws" => 8,
            "tiles" => 16,
            "line" => return Ok(Some(Self::rendered()?)),
            other => bail!("no set is called {other:?}"),
        };
        if !Path::new(DATA).is_dir() {
            eprintln!("SKIPPED: {DATA} is not there, so nothing was measured on {name}");
            return Ok(None);
        }
        let good = images(&format!("{DATA}/{name}/good"))?;
        let bad = images(&format!("{DATA}/{name}/bad"))?;
        Ok(Some(Self::new(good, bad, learned)))
    }

    fn rendered() -> Result<Self> {
        let line = RenderedLine::new(LineConfig {
            seed: 51,
            severity: [0.3, 1.0],
            ..LineConfig::default()
        })?;
        let good = (0..40).map(|index| line.part(index, None).image).collect();
        let kinds = DefectKind::ALL.into_iter().cycle().take(44);
        let bad = kinds.zip(40..);
        let bad = bad.map(|(kind, index)| line.part(index, Some(kind)).image);
        Ok(Self::new(good, bad.collect(), 16))
    }

    fn new(good: Vec<RgbImage>, bad: Vec<RgbImage>, learned: usize) -> Self {
        let mut sizes: Vec<_> = good.iter().map(RgbImage::dimensions).collect();
        let shape = InputShape::for_contents(&sizes);
        sizes.sort_by(|a, b| (a.0 * b.1).cmp(&(b.0 * a.1)));
        let content = match shape {
            InputShape::Common => sizes.get(sizes.len() / 2).copied().unwrap_or((1, 1)),
            InputShape::Own => (1, 1),
        };
        Self {
            view: ViewSettings {
                roi: None,
                input: InputSize::for_content(SIDE, 14, content),
                shape,
                tiles: Tiles::ONE,
                kept: None,
            },
            good,
            bad,
            learned,
        }
    }

    /// Good pictures, then bad ones.
    pub fn picture(&self, number: usize) -> &RgbImage {
        match number.checked_sub(self.good.len()) {
            None => &self.good[number],
            Some(bad) => &self.bad[bad],
        }
    }

    /// The numbers of all pictures, from the tallest shape to the widest.
    pub fn by_shape(&self) -> Vec<usize> {
        let aspect = |picture: usize| {
            let (width, height) = self.picture(picture).dimensions();
            f64::from(width) / f64::from(height)
        };
        let mut order: Vec<usize> = (0..self.good.len() + self.bad.len()).collect();
        order.sort_by(|&a, &b| aspect(a).total_cmp(&aspect(b)));
        order
    }

    /// The good pictures that `andon learn --take COUNT --seed DRAW` takes.
    pub fn draw(&self, count: usize, draw: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.good.len()).collect();
        order.shuffle(&mut rand_chacha::ChaCha8Rng::seed_from_u64(draw));
        order.truncate(count);
        order.sort_unstable();
        order
    }
}

fn images(folder: &str) -> Result<Vec<RgbImage>> {
    let mut paths = std::fs::read_dir(folder)
        .with_context(|| format!("cannot list {folder}"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.sort();
    paths.iter().map(|path| Ok(image::read(path)?)).collect()
}
