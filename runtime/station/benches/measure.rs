//! What measuring a frame costs, on one core.

use std::hint::black_box;
use std::time::Instant;

use andon_station::{Grey, Meter, Thumbnail};

fn main() {
    for (width, height) in [(640, 480), (1280, 720), (1920, 1080)] {
        // Structure at all scales; its values do not matter for the time.
        let pixels: Vec<u8> = (0..width * height)
            .map(|i: usize| ((i % width / 7 * 31) ^ (i / width / 5 * 17)) as u8)
            .collect();
        let image = Grey::new(&pixels, width, height).expect("it has this size");
        let meter = Meter::new(Thumbnail::of(&image));
        let mut times: Vec<f64> = (0..101)
            .map(|_| {
                let begin = Instant::now();
                black_box(meter.measure(black_box(&image)));
                begin.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!(
            "{width} x {height}: median {:.2} ms, worst {:.2} ms",
            times[50], times[100]
        );
    }
}
