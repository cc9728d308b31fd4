//! Which files a command works on.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rand::SeedableRng;
use rand::seq::SliceRandom;

use crate::image::EXTENSIONS;

/// Images in a stable order, and files that were passed over.
#[derive(Debug, Default)]
pub struct Found {
    /// Pictures by file name, in the order given, folders sorted by name.
    pub images: Vec<PathBuf>,
    /// Files in folders whose name is not that of a picture.
    pub skipped: Vec<PathBuf>,
}

impl Found {
    /// Says on stderr which files were passed over.
    pub fn report_skipped(&self) {
        for path in &self.skipped {
            eprintln!("skipped {}: not an image by its name", path.display());
        }
    }
}

/// Collects images: a file is taken whatever its name, of a folder the files directly in it that
/// are named like pictures.
///
/// # Errors
/// When a path does not exist, or a folder holds no image.
pub fn collect<P: AsRef<Path>>(paths: &[P]) -> Result<Found> {
    let mut found = Found::default();
    for path in paths {
        let path = path.as_ref();
        let kind = fs::metadata(path).with_context(|| format!("cannot open {}", path.display()))?;
        if kind.is_dir() {
            collect_folder(path, &mut found)?;
        } else {
            found.images.push(path.to_path_buf());
        }
    }
    let mut seen = HashSet::new();
    found.images.retain(|path| seen.insert(path.clone()));
    Ok(found)
}

fn collect_folder(folder: &Path, found: &mut Found) -> Result<()> {
    let read = || format!("cannot list folder {}", folder.display());
    let mut files = Vec::new();
    let mut folders = 0;
    for entry in fs::read_dir(folder).with_context(read)? {
        let entry = entry.with_context(read)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if entry.path().is_dir() {
            folders += 1;
        } else if !hidden {
            files.push(entry.path());
        }
    }
    files.sort();
    let (images, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|path| is_image(path));
    if images.is_empty() {
        let inside = match folders {
            0 => String::new(),
            n => format!(" (it holds {n} folders: name the one with the images)"),
        };
        bail!(
            "folder {} holds no images{inside}; looked for names ending in {}",
            folder.display(),
            EXTENSIONS.join(", ")
        );
    }
    found.images.extend(images);
    found.skipped.extend(others);
    Ok(())
}

fn is_image(path: &Path) -> bool {
    path.extension()
        .map(|e| e.to_string_lossy().to_lowercase())
        .is_some_and(|e| EXTENSIONS.contains(&e.as_str()))
}

/// Draws `count` of the images at random but repeatably, and keeps their order.
pub fn draw(images: Vec<PathBuf>, count: usize, seed: u64) -> Vec<PathBuf> {
    let mut order: Vec<usize> = (0..images.len()).collect();
    order.shuffle(&mut rand_chacha::ChaCha8Rng::seed_from_u64(seed));
    let mut drawn = order[..count.min(images.len())].to_vec();
    drawn.sort_unstable();
    drawn.into_iter().map(|i| images[i].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_its_images_sorted_and_names_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.JPG", "a.png", "notes.txt", ".hidden.png"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let found = collect(&[folder.path()]).unwrap();
        let names = |paths: &[PathBuf]| {
            let name = |p: &PathBuf| p.file_name().unwrap().to_string_lossy().into_owned();
            paths.iter().map(name).collect::<Vec<_>>()
        };
        assert_eq!(names(&found.images), ["a.png", "b.JPG"]);
        assert_eq!(names(&found.skipped), ["notes.txt"]);
    }

    #[test]
    fn a_folder_without_images_is_an_error_that_says_what_was_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("good")).unwrap();
        let error = collect(&[folder.path()]).unwrap_err().to_string();
        assert!(
            error.contains("1 folders") && error.contains("png"),
            "{error}"
        );
    }

    #[test]
    fn a_draw_repeats_with_its_seed_and_changes_with_another() {
        let images: Vec<PathBuf> = (0..50).map(|i| format!("{i:02}.png").into()).collect();
        let first = draw(images.clone(), 8, 1);
        assert_eq!(first.len(), 8);
        assert!(first.is_sorted());
        assert_eq!(first, draw(images.clone(), 8, 1));
        assert_ne!(first, draw(images.clone(), 8, 2));
        assert_eq!(draw(images, 99, 1).len(), 50);
    }
}
