//! From a scene to grey levels: draws everything in order, switches on the light, looks through
//! the lens.

use super::config::LineConfig;
use super::lamp::{Illumination, Lamp};
use super::lens::{Blur, crop, tone};
use super::print::Prints;
use super::scene::Scene;
use super::surface::Canvas;
use super::view::{Rect, View};
use super::{belt, marks, pieces, plate, screw};

/// Rows that are drawn at once: few enough to stay in the processor's cache.
const BAND_ROWS: u32 = 16;

/// Grey levels (0 to 255, not rounded, without noise) of a rectangle of the frame: red, green and
/// blue, row by row. A pixel gets the same value whichever rectangle it is asked for in.
pub(super) fn expose(
    config: &LineConfig,
    blur: &Blur,
    scene: &Scene,
    prints: &Prints,
    light: Illumination,
    region: Rect,
) -> Vec<f32> {
    let view = View::new(
        Rect::frame(config.width, config.height),
        scene.shift,
        scene.degrees,
    );
    let lamp = Lamp::new(config, &view, light);
    let outer = region.grow(blur.reach(), &view.frame);
    let mut linear = Vec::with_capacity(outer.width() * outer.height() * 3);
    let mut top = outer.y0;
    while top < outer.y1 {
        let band = Rect {
            y0: top,
            y1: (top + BAND_ROWS).min(outer.y1),
            ..outer
        };
        let mut canvas = Canvas::new(&view, band);
        draw(&mut canvas, scene, config, prints);
        let rows = canvas.texels().chunks_exact(band.width());
        for (y, row) in (band.y0..).zip(rows) {
            for (x, texel) in (band.x0..).zip(row) {
                let light = lamp.shade(texel, view.part_point(x, y));
                let field = lamp.field(x, y);
                linear.extend([0, 1, 2].map(|c| light[c] * field[c]));
            }
        }
        top = band.y1;
    }
    let mut levels = blur.apply(linear, outer.width());
    if outer != region {
        levels = crop(&levels, &outer, &region);
    }
    levels.iter_mut().for_each(|level| *level = tone(*level));
    levels
}

/// Draws from the belt upwards.
fn draw(canvas: &mut Canvas, scene: &Scene, config: &LineConfig, prints: &Prints) {
    belt::draw(canvas, scene, config.texture);
    plate::draw(canvas, scene, config, &prints.marking);
    marks::draw_in_plate(canvas, scene);
    screw::draw(canvas, scene);
    pieces::draw(canvas, scene, prints, config.texture);
    marks::draw_on_top(canvas, scene);
}

#[cfg(test)]
mod tests {
    use super::super::defect::DefectKind;
    use super::super::dice::{Dice, Purpose};
    use super::*;

    #[test]
    fn a_pixel_is_the_same_in_every_rectangle() {
        let config = LineConfig {
            width: 97,
            height: 71,
            ..LineConfig::default()
        };
        let mut scene = Scene::good(&config, 3);
        let mut dice = Dice::new(config.seed, 3, Purpose::Damage, 0);
        super::super::damage::inflict(&mut scene, DefectKind::Stain, 1.0, &mut dice);
        let prints = Prints::new(config.finish, scene.serial);
        let blur = Blur::new(0.8);
        let light = Illumination::at(&config, 3);
        let whole = Rect::frame(config.width, config.height);
        let frame = expose(&config, &blur, &scene, &prints, light, whole);
        for inner in [[0, 0, 5, 71], [30, 17, 61, 40], [96, 70, 97, 71]] {
            let [x0, y0, x1, y1] = inner;
            let inner = Rect { x0, y0, x1, y1 };
            let part = expose(&config, &blur, &scene, &prints, light, inner);
            assert_eq!(part, crop(&frame, &whole, &inner), "{inner:?}");
        }
    }
}
