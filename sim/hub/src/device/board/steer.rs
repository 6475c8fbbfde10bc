//! Looking at a board and the nodes on its bus, and setting their values.

use super::Board;
use crate::{
    device::{
        node::Node,
        profile::Kind,
        steer::{About, NodeAbout, SetError, Told},
    },
    time::Time,
};

fn kind(node: &dyn Node) -> &'static str {
    match node.profile().kind {
        Kind::Express => "express",
        Kind::Motor => "motor",
        Kind::Bms => "bms",
    }
}

/// A node, for who looks at it.
fn about(node: &dyn Node) -> NodeAbout {
    NodeAbout {
        can_id: node.can_id(),
        kind: kind(node),
        firmware: node.profile().name.to_owned(),
        hardware: node.hardware(),
    }
}

impl Board {
    pub(super) fn look(&self) -> About {
        let second = self.second.as_deref();
        About {
            kind: kind(&*self.node),
            firmware: Some(self.node.profile().name.to_owned()),
            hardware: Some(self.node.hardware()),
            can_id: Some(self.node.can_id()),
            nodes: second
                .into_iter()
                .chain(self.can.nodes())
                .map(about)
                .collect(),
        }
    }

    pub(super) fn tell(&mut self, now: Time, can_id: Option<u8>) -> Result<Told, SetError> {
        let heard = self.can.bms_values(now);
        Ok(self.steered(can_id)?.told(now, heard))
    }

    /// The node with this id, on its bus or at its heart; without an id that at its heart.
    pub(super) fn steered(&mut self, can_id: Option<u8>) -> Result<&mut dyn Node, SetError> {
        let Some(can_id) = can_id.filter(|&id| id != self.node.can_id()) else {
            return Ok(&mut *self.node);
        };
        let second = self.second.as_ref().map(|second| second.can_id());
        let known = [Some(self.node.can_id()), second];
        let known = known.into_iter().flatten();
        let known = known.chain(self.can.nodes().map(Node::can_id)).collect();
        match &mut self.second {
            Some(node) if second == Some(can_id) => Ok(&mut **node),
            _ => {
                let node = self.can.node_mut(can_id);
                node.ok_or(SetError::NoSuchNode { can_id, known })
            }
        }
    }

    /// Whoever has nothing that can be set names those behind it that have.
    pub(super) fn or_behind_it(&self, done: Result<(), SetError>) -> Result<(), SetError> {
        done.map_err(|error| match error {
            SetError::NothingToSet { who, .. } => SetError::NothingToSet {
                who,
                nodes: self.can.nodes().map(Node::can_id).collect(),
            },
            other => other,
        })
    }
}
