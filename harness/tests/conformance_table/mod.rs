//! For each defect the cases that must catch it, and the mistakes that the judgement must name.

use veschub_harness::defective::Defect;

pub struct Row {
    pub defect: Defect,
    pub sections: &'static [u32],
    pub cases: &'static [&'static str],
    pub mistakes: &'static [&'static str],
}

pub const TABLE: &[Row] = &[];
