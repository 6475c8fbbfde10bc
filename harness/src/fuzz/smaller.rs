//! Makes a finding smaller: takes away one change after the other, and then bytes, as long as it still is one.

use std::time::Duration;

use super::case::{Case, Said};

/// Takes away what does not matter. `still` plays a case and says whether the trouble is still there; it is asked at
/// most `budget` times.
pub(super) fn smaller(
    found: Case,
    base: &Case,
    budget: usize,
    still: &mut dyn FnMut(&Case) -> bool,
) -> Case {
    let mut search = Search {
        best: found,
        left: budget,
        still,
    };
    search.without_gap();
    search.answers_as_before(base);
    search.without_pieces();
    search.fewer_bytes();
    search.best
}

struct Search<'a> {
    best: Case,
    left: usize,
    still: &'a mut dyn FnMut(&Case) -> bool,
}

impl Search<'_> {
    /// Keeps a change if the trouble is still there.
    fn try_out(&mut self, change: impl FnOnce(&mut Case)) -> bool {
        let mut case = self.best.clone();
        change(&mut case);
        if case == self.best || self.left == 0 {
            return false;
        }
        self.left -= 1;
        let holds = (self.still)(&case);
        if holds {
            self.best = case;
        }
        holds
    }

    fn without_gap(&mut self) {
        self.try_out(|case| case.gap = Duration::ZERO);
    }

    /// Answers of the unchanged session where they do as well, and the connection stays open.
    fn answers_as_before(&mut self, base: &Case) {
        for index in 0..self.best.answers.len() {
            let before = base
                .answers
                .iter()
                .find(|one| one.request == self.best.answers[index].request);
            if let Some(before) = before {
                self.try_out(|case| case.answers[index].clone_from(before));
            }
        }
        for index in 0..self.best.answers.len() {
            self.try_out(|case| case.answers[index].restart = false);
        }
    }

    fn without_pieces(&mut self) {
        for index in 0..self.best.answers.len() {
            for place in (0..self.best.answers[index].said.len()).rev() {
                self.try_out(|case| {
                    case.answers[index].said.remove(place);
                });
            }
        }
    }

    /// Halves, quarters and so on down to single bytes.
    fn fewer_bytes(&mut self) {
        for index in 0..self.best.answers.len() {
            for place in 0..self.best.answers[index].said.len() {
                let mut size = self.length(index, place) / 2;
                while size > 0 {
                    let mut from = 0;
                    while from < self.length(index, place) && self.left > 0 {
                        let end = (from + size).min(self.length(index, place));
                        let gone = self.try_out(|case| {
                            let (Said::Payload(bytes) | Said::Bytes(bytes)) =
                                &mut case.answers[index].said[place];
                            bytes.drain(from..end);
                        });
                        if !gone {
                            from = end;
                        }
                    }
                    size /= 2;
                }
            }
        }
    }

    fn length(&self, index: usize, place: usize) -> usize {
        let said = self
            .best
            .answers
            .get(index)
            .and_then(|answer| answer.said.get(place));
        match said {
            Some(Said::Payload(bytes) | Said::Bytes(bytes)) => bytes.len(),
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::case::{Answer, Job},
        *,
    };

    fn case(said: Vec<Said>) -> Case {
        let answer = |request, said| Answer {
            request: vec![request],
            said,
            restart: true,
        };
        Case {
            job: Job::ScanCan,
            answers: vec![answer(0, vec![Said::Payload(vec![0, 6])]), answer(62, said)],
            gap: Duration::from_millis(3),
        }
    }

    #[test]
    fn what_does_not_matter_goes_and_what_matters_stays() {
        let base = case(vec![Said::Payload(vec![62, 1])]);
        let found = case(vec![
            Said::Payload(vec![62, 1]),
            Said::Bytes((0..200).collect()),
            Said::Payload(vec![21]),
        ]);
        let mut asked = 0;
        // The trouble is the byte 77 in a raw piece.
        let mut still = |case: &Case| {
            asked += 1;
            let has = |said: &Said| matches!(said, Said::Bytes(bytes) if bytes.contains(&77));
            case.answers.iter().flat_map(|answer| &answer.said).any(has)
        };
        let small = smaller(found, &base, 500, &mut still);
        assert!(asked < 100, "{asked}");
        assert_eq!(small.answers[1].said, [Said::Bytes(vec![77])]);
        assert_eq!(
            (small.gap, small.answers[1].restart),
            (Duration::ZERO, false)
        );
    }

    #[test]
    fn no_more_is_tried_than_the_budget_allows() {
        let found = case(vec![Said::Bytes(vec![9; 400])]);
        let mut asked = 0;
        let mut never = |_: &Case| {
            asked += 1;
            false
        };
        let small = smaller(found.clone(), &case(vec![]), 12, &mut never);
        assert_eq!((small, asked), (found, 12));
    }
}
