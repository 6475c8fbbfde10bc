//! The soak: tools of every temper come to hubs in this process over loopback, for minutes or hours, while faults and
//! quirks act at some of them. No reply may be lost, wrong or misplaced, and memory must not grow.
//!
//! ```text
//!  plan: hubs, devices, tools <- seed
//!  hubs: a thread that serves them, and counts     tools: each comes again and again, and compares --> tally
//!  measure: memory and descriptors over time       report: what came of it
//! ```
//!
//! A reply is **lost** if its request was not answered in time at a hub where nothing may lose it: its faults say that
//! they only delay bytes, it has no quirks, and the session was not ended by another tool. Everywhere, a reply that
//! arrives must be one that the device holds.

mod hubs;
mod measure;
mod plan;
mod report;
mod slow;
mod tally;
mod tools;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    runtime,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

pub use self::{
    hubs::HubSeen,
    measure::{Course, Sample},
    plan::{LEAST_DEVICES, MOST_DEVICES, MOST_TOOLS, Size},
    report::Report,
    tally::Tally,
};
use self::{
    hubs::Hubs,
    plan::{House, Plan},
    report::Left,
    tally::Flaw,
    tools::Tool,
};
use crate::{proc, run::RunError};

/// The most measurements of memory.
const SAMPLES: u32 = 240;
/// The least time from one measurement to the next.
const SAMPLE_TIME: Duration = Duration::from_millis(100);
/// How long the hubs may take to notice that all tools are gone: a closed connection lingers for a second.
const FAREWELL: Duration = Duration::from_secs(5);

/// How far a soak is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Time since the start.
    pub elapsed: Duration,
    /// Replies that were compared.
    pub replies: u64,
    /// Mistakes that were found.
    pub mistaken: u64,
}

/// Runs a soak for a time, and tells its progress now and then.
///
/// # Errors
/// If there is no port, thread or runtime.
pub fn run(
    size: Size,
    lasts: Duration,
    mut tell: impl FnMut(Progress),
) -> Result<Report, RunError> {
    let plan = Plan::new(size)?;
    // The first runtime of a process opens descriptors that stay.
    drop(
        runtime::Builder::new_current_thread()
            .enable_all()
            .build()?,
    );
    let descriptors = proc::descriptors();
    let hubs = Hubs::start(&plan, size.seed)?;
    let tally = Arc::new(Mutex::new(Tally::default()));
    let start = std::time::Instant::now();
    let mut samples = Vec::new();
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let tasks = runtime.block_on(async {
        let until = Instant::now() + lasts;
        let mut tools = JoinSet::new();
        for &visitor in &plan.visitors {
            let (Some(&address), Some(house)) = (hubs.addresses.get(visitor.house), plan.houses.get(visitor.house)) else {
                continue;
            };
            let tool = Tool {
                visitor,
                address,
                keeps_all: house.keeps_all,
                devices: size.devices,
                until,
                tally: Arc::clone(&tally),
            };
            tools.spawn(tool.live());
        }
        let mut ticks = interval((lasts / SAMPLES).max(SAMPLE_TIME));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !tools.is_empty() {
            tokio::select! {
                _ = tools.join_next() => {}
                _ = ticks.tick() => {
                    let elapsed = start.elapsed();
                    let rss = if elapsed <= lasts { proc::rss_kib() } else { None };
                    samples.extend(rss.map(|rss_kib| Sample { at_s: elapsed.as_secs_f64(), rss_kib }));
                    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                    tell(Progress { elapsed, replies: tally.replies, mistaken: tally.mistaken() });
                }
            }
        }
        let farewell = Instant::now() + FAREWELL;
        while hubs.left() + hubs.tasks() > 0 && Instant::now() < farewell {
            sleep(SAMPLE_TIME).await;
        }
        hubs.tasks()
    });
    drop(runtime);
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for (index, house) in plan.houses.iter().enumerate() {
        count(&plan, (index, house), &hubs, &mut tally);
    }
    let seen = hubs.end();
    let left = Left {
        tasks,
        held: seen.iter().map(|one| one.left).sum(),
        descriptors: proc::descriptors()
            .zip(descriptors)
            .map(|(end, start)| end.saturating_sub(start)),
    };
    Ok(Report::new(
        size,
        start.elapsed(),
        tally,
        seen,
        &samples,
        left,
    ))
}

/// Compares how many replies each device sent with how many arrived, where its only tool must get them all.
fn count(plan: &Plan, (index, house): (usize, &House), hubs: &Hubs, tally: &mut Tally) {
    for &device in &house.devices {
        let mut visitors = plan.visitors.iter().filter(|one| one.device == device);
        let (Some(only), None) = (visitors.next(), visitors.next()) else {
            continue;
        };
        let alone =
            house.keeps_all && only.temper.is_judged() && only.temper != plan::Temper::Sharing;
        let (sent, arrived) = (
            hubs.sent(index, device),
            tally.arrived.get(&device).copied().unwrap_or_default(),
        );
        if alone && sent != arrived {
            tally.note(Flaw::Miscounted, || {
                format!(
                    "{} sent {sent} replies, and its tool got {arrived}",
                    plan::id(device)
                )
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use veschub_hub::rng::Seed;

    use super::*;

    #[test]
    fn every_hub_says_itself_whether_it_may_lose_a_reply() {
        let size = Size {
            devices: 40,
            tools: 40,
            seed: Seed(0),
        };
        let plan = Plan::new(size).unwrap();
        let keeps: Vec<_> = plan
            .houses
            .iter()
            .map(|house| (house.name, house.keeps_all))
            .collect();
        assert_eq!(
            keeps,
            [
                ("plain", true),
                ("late", true),
                ("harmed", false),
                ("odd", false)
            ]
        );
    }

    #[test]
    fn the_seed_decides_which_tool_goes_where_and_nobody_disturbs_a_tool_that_must_get_all() {
        let plan = |seed| {
            let size = Size {
                devices: 24,
                tools: 60,
                seed: Seed(seed),
            };
            Plan::new(size).unwrap().visitors
        };
        let places = |seed| plan(seed).iter().map(|one| one.device).collect::<Vec<_>>();
        assert_eq!(places(3), places(3));
        assert_ne!(places(3), places(4));
        let visitors = plan(3);
        for one in visitors
            .iter()
            .filter(|one| one.temper.is_judged() && one.temper != plan::Temper::Sharing)
        {
            assert_eq!(
                visitors
                    .iter()
                    .filter(|other| other.device == one.device)
                    .count(),
                1
            );
        }
    }
}
