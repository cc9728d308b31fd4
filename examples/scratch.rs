#![allow(missing_docs)]
use andon::image::*;
use andon::pipeline::*;
use andon::recipe::*;
use andon::vit::*;
use std::time::{Duration, Instant};
fn main() {
    for rep in 0..3 {
        let t = Instant::now();
        let m = Model::embedded().unwrap();
        let model = t.elapsed();
        let mut files: Vec<_> = std::fs::read_dir("/work/shared/data/tiles/good")
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        files.sort();
        let t = Instant::now();
        let own = std::env::args().nth(1).is_some();
        let s = LearnSettings {
            name: "x".into(),
            view: ViewSettings {
                roi: None,
                input: InputSize::for_content(448, 14, if own { (1, 1) } else { (300, 250) }),
                shape: if own {
                    InputShape::Own
                } else {
                    InputShape::Common
                },
            },
            options: LearnOptions::default(),
            created: "x".into(),
        };
        let mut l = Lesson::new(&m, s, 1).unwrap();
        let new = t.elapsed();
        let mut dec = Duration::ZERO;
        let mut add = Duration::ZERO;
        for f in files.iter().step_by(7).take(16) {
            let t = Instant::now();
            let b = std::fs::read(f).unwrap();
            let p = decode(&b, "x").unwrap();
            dec += t.elapsed();
            let t = Instant::now();
            l.add(
                PartRecord {
                    file: "x".into(),
                    sha256: "".into(),
                },
                &p,
            )
            .unwrap();
            add += t.elapsed();
        }
        let bb = l.backbone();
        let t = Instant::now();
        let r = l
            .finish(|_, _| {
                if std::env::var("V").is_ok() {
                    println!("   step {:?}", t.elapsed())
                }
            })
            .unwrap();
        let fin = t.elapsed();
        let t = Instant::now();
        let mut r = r;
        r.write(std::path::Path::new("/tmp/dev/zz.andon")).unwrap();
        let wr = t.elapsed();
        let total = model + new + dec + add + fin + wr;
        println!(
            "{rep}: model {model:?} new {new:?} decode {dec:?} add-backbone {:?} backbone {bb:?} finish {fin:?} write {wr:?} total {total:?} ratio {:.3}",
            add - bb,
            total.as_secs_f64() / bb.as_secs_f64()
        );
    }
}
