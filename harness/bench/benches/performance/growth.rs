//! How the cost of one exchange, or of one byte, changes while there are more of them.

use std::{error::Error, path::Path};

use plotters::prelude::*;

use crate::{captures, hub, table::median, virtual_time};

const DRAWING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/growth.svg");

struct Series {
    name: &'static str,
    color: RGBColor,
    /// How many there are, and what one of them costs, both as a multiple of the first.
    points: Vec<(f64, f64)>,
}

impl Series {
    fn new(
        name: &'static str,
        color: RGBColor,
        measured: impl Iterator<Item = (u64, Option<f64>)>,
    ) -> Self {
        let costs: Vec<_> = measured
            .filter_map(|(count, seconds)| Some((count as f64, seconds? / count as f64)))
            .collect();
        let first = costs.first().copied().unwrap_or((1.0, 1.0));
        let relative = |(count, cost): &(f64, f64)| (count / first.0, cost / first.1);
        Self {
            name,
            color,
            points: costs.iter().map(relative).collect(),
        }
    }
}

/// Draws what was measured. A line that stays at 1 means that the cost grows as the amount does.
pub(crate) fn draw(results: &Path) -> Result<(), Box<dyn Error>> {
    let series = [
        Series::new(
            "an exchange in virtual time",
            RGBColor(0x1F, 0x77, 0xB4),
            virtual_time::EXCHANGES
                .map(|count| {
                    (
                        count,
                        median(results, "virtual time", &format!("polling/{count}")),
                    )
                })
                .into_iter(),
        ),
        Series::new(
            "an exchange through the hub, by pairs",
            RGBColor(0xD6, 0x27, 0x28),
            hub::PAIRS
                .map(|count| {
                    let group = format!("relay/{count} pairs");
                    (count as u64, median(results, &group, "ours with a journal"))
                })
                .into_iter(),
        ),
        Series::new(
            "a byte of a capture",
            RGBColor(0x2C, 0xA0, 0x2C),
            captures::SIZES
                .map(|size| {
                    (
                        size,
                        median(results, "captures", &format!("entries/{size}")),
                    )
                })
                .into_iter(),
        ),
    ];
    let root = SVGBackend::new(DRAWING, (800, 360)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .margin_right(28)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .build_cartesian_2d((1f64..1000f64).log_scale(), 0f64..2f64)?;
    chart
        .configure_mesh()
        .x_desc("how many, as a multiple of the fewest")
        .y_desc("what one costs")
        .light_line_style(WHITE)
        .x_label_formatter(&|count| format!("{count:.0}"))
        .draw()?;
    for one in &series {
        let color = one.color;
        chart
            .draw_series(LineSeries::new(
                one.points.iter().copied(),
                color.stroke_width(2),
            ))?
            .label(one.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    root.present()?;
    Ok(())
}
