//! An app of a scenario's own: rules by the bytes that were sent.

use serde::Deserialize;

use super::{answer, template::Template};
use crate::{
    device::{Silence, answer::Answers, motor_state::MotorState},
    duration::Duration,
    hex::HexPattern,
};

/// What an app answers to some bytes. Of several rules with the same `request`, each is used once, in their order, and
/// the last one from then on.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AppRule {
    /// The bytes behind the command id in hex, e.g. `"65 01"`; a `*` at the end stands for any more.
    pub request: HexPattern,
    /// The bytes behind the command id of the answer, in pieces: bytes in hex, and values of the motor's state with the
    /// way to write them, e.g. `["65 01", { erpm: i16 }, { input_voltage_v: f16x10 }]`. Without it, the app stays silent.
    #[serde(default)]
    pub reply: Option<Template>,
    /// How much later than usual the answer comes, e.g. `20ms`.
    #[serde(default)]
    pub after: Option<Duration>,
}

/// The rules, and how far they were used.
#[derive(Debug)]
pub(super) struct Rules(Vec<(AppRule, bool)>);

impl Rules {
    pub(super) fn new(rules: Vec<AppRule>) -> Self {
        Self(rules.into_iter().map(|rule| (rule, false)).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is answered; none where no rule fits.
    pub(super) fn answer(
        &mut self,
        data: &[u8],
        motor: &MotorState,
    ) -> Option<Result<Answers, Silence>> {
        let fits = |(rule, _): &&(AppRule, bool)| rule.request.fits(data);
        let request = self.0.iter().find(fits)?.0.request.clone();
        let same = |(rule, _): &(AppRule, bool)| rule.request == request;
        let next = self.0.iter().position(|rule| same(rule) && !rule.1);
        let next = next.or_else(|| self.0.iter().rposition(same))?;
        let (rule, used) = self.0.get_mut(next)?;
        *used = true;
        let Some(reply) = &rule.reply else {
            return Some(Err(Silence::Scripted));
        };
        let after = rule.after.map(Duration::get).unwrap_or_default();
        Some(Ok(Answers::none().later(after, answer(reply.bytes(motor)))))
    }

    /// The app starts anew.
    pub(super) fn restart(&mut self) {
        for (_, used) in &mut self.0 {
            *used = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(yaml: serde_json::Value) -> Rules {
        Rules::new(serde_json::from_value(yaml).unwrap())
    }

    fn said(rules: &mut Rules, data: &[u8], motor: &MotorState) -> Option<Vec<u8>> {
        let answers = rules.answer(data, motor)?.ok()?;
        answers.into_iter().next().map(|(_, answer)| answer.payload)
    }

    #[test]
    fn a_reply_has_bytes_and_what_the_motor_does() {
        let mut rules = rules(serde_json::json!([
            { "request": "65 01 *", "reply": ["65 01", { "erpm": "i16" }, { "input_voltage_v": "f16x10" }, "10"] },
        ]));
        let motor = MotorState {
            erpm: -300.0,
            input_voltage_v: 50.5,
            ..MotorState::default()
        };
        let wanted = vec![36, 0x65, 1, 0xFE, 0xD4, 1, 0xF9, 0x10];
        assert_eq!(said(&mut rules, &[0x65, 1, 9], &motor), Some(wanted));
        assert_eq!(said(&mut rules, &[0x65], &motor), None);
    }

    #[test]
    fn rules_for_the_same_bytes_are_used_in_turn_and_the_last_one_again_and_again() {
        let mut rules = rules(serde_json::json!([
            { "request": "01", "reply": ["a1"] },
            { "request": "*", "reply": ["ff"] },
            { "request": "01", "reply": ["a2"], "after": "20ms" },
            { "request": "02" },
        ]));
        let none = MotorState::default();
        let mut ask = |data: &[u8]| said(&mut rules, data, &none).map(|payload| payload[1]);
        assert_eq!(ask(&[1]), Some(0xA1));
        assert_eq!(ask(&[2]), Some(0xFF));
        assert_eq!(ask(&[1]), Some(0xA2));
        assert_eq!(ask(&[1]), Some(0xA2));
        rules.restart();
        assert_eq!(said(&mut rules, &[1], &none), Some(vec![36, 0xA1]));
    }

    #[test]
    fn a_rule_without_a_reply_keeps_the_app_silent() {
        let mut rules = rules(serde_json::json!([{ "request": "01" }]));
        let said = rules.answer(&[1], &MotorState::default());
        assert_eq!(said, Some(Err(Silence::Scripted)));
    }
}
