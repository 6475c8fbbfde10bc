//! PLOT_INIT, PLOT_ADD_GRAPH, PLOT_SET_GRAPH and PLOT_DATA: what a script on the device plots, without being asked.

use serde::Deserialize;
use veschub_wire::{
    Reply, Request,
    number::{Float, Text},
};

use super::{Service, app::MotorField};
use crate::{
    device::{
        Silence,
        answer::{Answer, Answers},
        motor_state::MotorState,
        queue::Queue,
    },
    duration::Duration,
    mistake::Mistakes,
    time::Time,
};

/// The most points of a plot.
const MAX_POINTS: u64 = 100_000;

/// A plot over time of values of the motor's state.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PlotSettings {
    /// When it begins, counted from the start of the run.
    pub at: Duration,
    /// The name of the x axis, which is the time since then in s.
    #[serde(default = "x_name")]
    pub x_name: String,
    /// The name of the y axis.
    #[serde(default)]
    pub y_name: String,
    /// The time from one point to the next.
    #[serde(default = "every")]
    pub every: Duration,
    /// How long it goes on.
    #[serde(rename = "for")]
    pub lasts: Duration,
    /// The graphs: values of the motor's state, such as `erpm`.
    pub graphs: Vec<MotorField>,
}

fn x_name() -> String {
    "s".to_owned()
}

fn every() -> Duration {
    Duration::from_millis(100)
}

impl PlotSettings {
    /// Looks for mistakes.
    pub(in crate::device) fn check(&self, mistakes: &mut Mistakes) {
        if self.graphs.is_empty() {
            mistakes.add("graphs", "a plot has at least one graph");
        }
        if self.every.0 == 0 {
            mistakes.add("every", "there must be some time between two points");
        } else if self.lasts.0 / self.every.0 > MAX_POINTS {
            mistakes.add("for", format!("a plot has {MAX_POINTS} points at most"));
        }
    }
}

/// What is due: the beginning of a plot, or its next point.
#[derive(Clone, Copy, Debug)]
struct Due {
    plot: usize,
    point: Option<u64>,
}

/// The plots of a device.
#[derive(Debug)]
pub(in crate::device) struct Plots {
    plots: Vec<PlotSettings>,
    due: Queue<Due>,
}

impl Plots {
    pub(in crate::device) fn new(plots: &[PlotSettings]) -> Self {
        let mut due = Queue::default();
        for (plot, settings) in plots.iter().enumerate() {
            due.push(Time::ZERO + settings.at.get(), Due { plot, point: None });
        }
        Self {
            plots: plots.to_vec(),
            due,
        }
    }

    fn tell(&mut self, at: Time, due: Due, motor: &MotorState, out: &mut Vec<(Time, Answer)>) {
        let Some(plot) = self.plots.get(due.plot) else {
            return;
        };
        let mut say = |reply: Reply| out.push((at, reply.into()));
        let next = match due.point {
            None => {
                say(Reply::PlotInit {
                    x_name: Text::from(plot.x_name.as_str()),
                    y_name: Text::from(plot.y_name.as_str()),
                });
                for graph in &plot.graphs {
                    say(Reply::PlotAddGraph {
                        name: Text::from(graph.name()),
                    });
                }
                0
            }
            Some(point) => {
                let since = plot.every.0.saturating_mul(point);
                for (index, graph) in (0..).zip(&plot.graphs) {
                    say(Reply::PlotSetGraph { graph: index });
                    say(Reply::PlotData {
                        x: Float::packed(since as f64 / 1e9),
                        y: Float::packed(graph.value(motor)),
                    });
                }
                point + 1
            }
        };
        let since = plot.every.0.saturating_mul(next);
        if plot.every.0 > 0 && since <= plot.lasts.0 {
            let at = Time::ZERO + plot.at.get() + std::time::Duration::from_nanos(since);
            let point = Some(next);
            self.due.push(at, Due { point, ..due });
        }
    }
}

impl Service for Plots {
    fn request(
        &mut self,
        _: Time,
        _: &Request,
        _: &MotorState,
    ) -> Option<Result<Answers, Silence>> {
        None
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.due.next_due()
    }

    fn handle_timeout(&mut self, now: Time, motor: &MotorState) -> Vec<(Time, Answer)> {
        let mut out = Vec::new();
        while let Some((at, due)) = self.due.pop(now) {
            self.tell(at, due, motor, &mut out);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_begins_has_its_graphs_and_a_point_of_each_at_its_times() {
        let plot = serde_json::json!([{
            "at": "1s", "y_name": "V", "every": "500ms", "for": "1s", "graphs": ["input_voltage_v", "erpm"],
        }]);
        let plot: Vec<PlotSettings> = serde_json::from_value(plot).unwrap();
        let mut plots = Plots::new(&plot);
        let motor = MotorState {
            input_voltage_v: 2.0,
            erpm: -1.5,
            ..MotorState::default()
        };
        let mut told = Vec::new();
        while let Some(due) = plots.poll_timeout() {
            told.extend(plots.handle_timeout(due, &motor));
        }
        let told: Vec<(f64, Vec<u8>)> = told
            .into_iter()
            .map(|(at, answer)| (at.as_secs_f64(), answer.payload))
            .collect();
        assert_eq!(told[0], (1.0, b"\x4bs\0V\0".to_vec()));
        assert_eq!(told[1], (1.0, b"\x4dinput_voltage_v\0".to_vec()));
        assert_eq!(told[2], (1.0, b"\x4derpm\0".to_vec()));
        let point = |x: f32, y: f32| [&[76][..], &x.to_be_bytes(), &y.to_be_bytes()].concat();
        let mut rest = told[3..].iter();
        for at in [0.0, 0.5, 1.0] {
            for (graph, y) in [(0, 2.0), (1, -1.5)] {
                assert_eq!(rest.next(), Some(&(1.0 + at, vec![78, graph])));
                assert_eq!(rest.next(), Some(&(1.0 + at, point(at as f32, y))));
            }
        }
        assert_eq!(rest.next(), None);
    }
}
