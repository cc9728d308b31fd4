//! The ring of images keeps to its bounds.

use andon_journal::{ImageRing, Limits, Sampling, StoreError};
use std::fs;
use std::num::NonZeroU32;

const LIMITS: Limits = Limits {
    max_bytes: 1000,
    min_free_bytes: 0,
};

#[test]
fn the_oldest_images_make_room_for_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let mut ring = ImageRing::open(folder.path(), LIMITS).unwrap();
    for part in 0..50 {
        let bytes = vec![1; 100 + part];
        ring.store(&format!("{part}.png"), &bytes).unwrap();
        let on_disk: u64 = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum();
        assert!(on_disk <= 1000 && on_disk == ring.bytes());
    }
    let names: Vec<_> = ring.names().collect();
    assert_eq!(
        names,
        ["44.png", "45.png", "46.png", "47.png", "48.png", "49.png"]
    );
}

#[test]
fn images_from_before_a_restart_count_and_a_half_written_one_is_no_image() {
    let folder = tempfile::tempdir().unwrap();
    let mut ring = ImageRing::open(folder.path(), LIMITS).unwrap();
    ring.store("a.png", &[1; 400]).unwrap();
    ring.store("b.png", &[1; 400]).unwrap();
    fs::write(folder.path().join(".incoming"), [1; 300]).unwrap();
    let mut ring = ImageRing::open(folder.path(), LIMITS).unwrap();
    assert_eq!((ring.len(), ring.bytes()), (2, 800));
    ring.store("c.png", &[1; 400]).unwrap();
    assert_eq!(ring.names().collect::<Vec<_>>(), ["b.png", "c.png"]);
    assert!(!folder.path().join(".incoming").exists());
}

#[test]
fn a_repeated_name_replaces_and_a_removed_image_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let mut ring = ImageRing::open(folder.path(), LIMITS).unwrap();
    ring.store("a.png", &[1; 400]).unwrap();
    ring.store("a.png", &[2; 300]).unwrap();
    assert_eq!((ring.len(), ring.bytes()), (1, 300));
    fs::remove_file(folder.path().join("a.png")).unwrap();
    ring.store("b.png", &[1; 1000]).unwrap();
    assert_eq!((ring.len(), ring.bytes()), (1, 1000));
}

#[test]
fn names_that_lead_elsewhere_and_images_beyond_the_bound_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut ring = ImageRing::open(folder.path(), LIMITS).unwrap();
    for name in [
        "../a",
        "a/b",
        "",
        ".hidden",
        "a\0",
        "ä.png",
        &"n".repeat(129),
    ] {
        let refused = ring.store(name, &[1]);
        assert!(matches!(refused, Err(StoreError::Name { .. })), "{name:?}");
    }
    let refused = ring.store("a.png", &[1; 1001]);
    assert!(matches!(refused, Err(StoreError::TooLarge { .. })));
    assert!(ring.is_empty());
}

#[test]
fn every_bad_part_and_each_nth_good_one_is_kept() {
    let sampling = Sampling {
        every_nth_ok: NonZeroU32::new(10),
    };
    let kept = (0..100).filter(|good_before| sampling.keeps(true, *good_before));
    assert_eq!(kept.count(), 10);
    assert!((0..100).all(|good_before| sampling.keeps(false, good_before)));
    assert!((0..100).all(|good_before| !Sampling::default().keeps(true, good_before)));
}
