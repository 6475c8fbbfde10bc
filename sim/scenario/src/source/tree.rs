//! A YAML document as a tree: what every value is, and where in the text it stands.

use std::collections::HashSet;
use std::ops::Range;

type Bytes = Range<usize>;

/// A node's place in the list of nodes.
pub(crate) type NodeId = usize;

/// All nodes of one document, each with its place in the text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    root: Option<NodeId>,
    /// How many values the aliases repeat.
    repeated: usize,
}

/// One value with its place in the text.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Bytes,
    pub(crate) kind: Kind,
    /// Whether it is a text without quotes, which may stand for a number, a flag or nothing.
    pub(crate) plain: bool,
    /// How many nodes this one stands for once aliases are followed.
    pub(crate) size: usize,
    /// How many levels lie in it once aliases are followed.
    pub(crate) height: usize,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Scalar(String),
    Sequence(Vec<NodeId>),
    Mapping(Vec<Entry>),
    Alias(NodeId),
}

/// One key of a mapping and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Bytes,
    pub(crate) value: NodeId,
}

impl Tree {
    /// The document's outermost value.
    pub(crate) fn root(&self) -> Option<&Node> {
        self.node(self.root?)
    }

    /// Adds a value as the text has it.
    pub(crate) fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Counts what an alias repeats: all aliases together.
    pub(crate) fn repeat(&mut self, size: usize) -> usize {
        self.repeated = self.repeated.saturating_add(size);
        self.repeated
    }

    /// The document without some of its values, and without the keys that lead to them.
    pub(crate) fn without(&self, dropped: &HashSet<NodeId>) -> Self {
        let mut tree = self.clone();
        for node in &mut tree.nodes {
            match &mut node.kind {
                Kind::Sequence(items) => items.retain(|item| !dropped.contains(item)),
                Kind::Mapping(entries) => entries.retain(|entry| !dropped.contains(&entry.value)),
                Kind::Scalar(_) | Kind::Alias(_) => {}
            }
        }
        tree
    }

    /// A node as it stands in the text.
    pub(crate) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// A node, or the one that it repeats.
    pub(crate) fn resolved(&self, id: NodeId) -> Option<&Node> {
        let node = self.node(id)?;
        match node.kind {
            Kind::Alias(target) => self.node(target),
            _ => Some(node),
        }
    }

    /// Takes in another tree whose text starts at a byte of the whole text, and says which node was its root.
    pub(crate) fn append(&mut self, other: &Self, start: usize) -> Option<NodeId> {
        let base = self.nodes.len();
        let shift = |span: &Bytes| span.start + start..span.end + start;
        for node in &other.nodes {
            let kind = match &node.kind {
                Kind::Scalar(text) => Kind::Scalar(text.clone()),
                Kind::Alias(target) => Kind::Alias(base + target),
                Kind::Sequence(items) => {
                    Kind::Sequence(items.iter().map(|item| base + item).collect())
                }
                Kind::Mapping(entries) => {
                    let shifted = entries.iter().map(|entry| Entry {
                        key: entry.key.clone(),
                        key_span: shift(&entry.key_span),
                        value: base + entry.value,
                    });
                    Kind::Mapping(shifted.collect())
                }
            };
            self.nodes.push(Node {
                span: shift(&node.span),
                kind,
                ..*node
            });
        }
        self.repeated = self.repeated.saturating_add(other.repeated);
        Some(base + other.root?)
    }

    /// Adds a node that was made of others.
    pub(crate) fn add(&mut self, span: Bytes, kind: Kind) -> NodeId {
        let children: Vec<NodeId> = match &kind {
            Kind::Scalar(_) => Vec::new(),
            Kind::Alias(target) => vec![*target],
            Kind::Sequence(items) => items.clone(),
            Kind::Mapping(entries) => entries.iter().map(|entry| entry.value).collect(),
        };
        let children = children.into_iter().filter_map(|id| self.node(id));
        let (size, height) = children.fold((1_usize, 0), |(size, height), child| {
            (size.saturating_add(child.size), height.max(child.height))
        });
        let is_leaf = matches!(kind, Kind::Scalar(_));
        self.push(Node {
            span,
            kind,
            plain: is_leaf,
            size,
            height: if is_leaf { 0 } else { height + 1 },
        })
    }

    /// Makes a node the outermost one.
    pub(crate) fn set_root(&mut self, root: NodeId) {
        self.root = Some(root);
    }

    /// How many levels lie in the document, and how many values its aliases repeat.
    pub(crate) fn extent(&self) -> (usize, usize) {
        (self.root().map_or(0, |root| root.height), self.repeated)
    }
}
