//! The modules of a crate do not use each other in circles.
//!
//! A module and what is inside it belong together: a parent may gather what its children offer, and they may use what it
//! defines. So what counts are the siblings at every level, each with all that is inside it. Tests do not count.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Item, ItemMod, ItemUse, UseTree,
    visit::{self, Visit},
};

/// The libraries, from the root of the repository.
const CRATES: [&str; 12] = [
    "wire",
    "transcript",
    "transcript/scrub",
    "sim",
    "sim/hub",
    "sim/scenario",
    "sim/draft",
    "sim/disk",
    "sim/drive",
    "sim/control",
    "sim/tui",
    "harness",
];

/// The names of modules from the root of a crate, which has none.
type Place = Vec<String>;
/// For each module, what it uses.
type Edges = BTreeSet<(Place, Place)>;

#[test]
fn no_modules_use_each_other_in_circles() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut circles = Vec::new();
    for name in CRATES {
        let edges = Tree::of_crate(&root.join(name).join("src/lib.rs")).edges();
        circles.extend(
            self::circles(&edges)
                .into_iter()
                .map(|circle| format!("{name}: {circle}")),
        );
    }
    assert!(circles.is_empty(), "\n{}", circles.join("\n"));
}

/// Each way to name a module is seen: by `use`, renamed, through what a parent offers, by `*`, in a body, in a macro.
#[test]
fn a_circle_is_found_however_it_is_written() {
    for (there, back) in [
        ("use super::b::B;", "use super::a::A;"),
        (
            "use crate::{b::{B}, C};",
            "use crate::a as other; fn f() -> other::A { other::A }",
        ),
        (
            "fn f() -> crate::b::B { super::b::B }",
            "fn f() { println!(\"{}\", crate::a::A); }",
        ),
        ("use crate::B;", "use super::*; fn f() -> A { A }"),
        (
            "mod inner { use super::super::b::deep::D; }",
            "use super::a::inner;",
        ),
    ] {
        let code = format!(
            "pub mod a {{ pub struct A; {there} }}
            pub mod b {{ pub struct B; pub mod deep {{ pub struct D; }} {back} }}
            pub use a::A; pub use b::B; pub struct C;"
        );
        let mut tree = Tree::default();
        tree.add(
            Vec::new(),
            syn::parse_file(&code).unwrap().items,
            Path::new(""),
        );
        assert_eq!(circles(&tree.edges()), ["crate: a, b"], "{there} {back}");
        let one_way = Tree::default();
        let code = code.replace(back, "");
        let mut tree = one_way;
        tree.add(
            Vec::new(),
            syn::parse_file(&code).unwrap().items,
            Path::new(""),
        );
        assert_eq!(circles(&tree.edges()), [""; 0], "{there}");
    }
}

/// The modules of a crate.
#[derive(Default)]
struct Tree(BTreeMap<Place, Module>);

/// What is written in a module, without what is inside its children.
#[derive(Default)]
struct Module {
    /// What is defined in it.
    items: BTreeSet<String>,
    /// The names that it takes from elsewhere, and whence.
    names: BTreeMap<String, Vec<String>>,
    /// Modules that it takes all names from.
    globs: Vec<Vec<String>>,
    /// Every path in it.
    paths: Vec<Vec<String>>,
    /// The modules inside it that have code here.
    inline: Vec<ItemMod>,
}

impl Tree {
    fn of_crate(lib: &Path) -> Self {
        let mut tree = Self::default();
        tree.read(Vec::new(), lib, lib.parent().unwrap());
        tree
    }

    /// Reads the file of a module; `folder` has the files of its children.
    fn read(&mut self, at: Place, file: &Path, folder: &Path) {
        let text = fs::read_to_string(file).unwrap();
        self.add(at, syn::parse_file(&text).unwrap().items, folder);
    }

    fn add(&mut self, at: Place, items: Vec<Item>, folder: &Path) {
        let mut module = Module::default();
        for item in &items {
            module.visit_item(item);
        }
        for child in std::mem::take(&mut module.inline) {
            let name = child.ident.to_string();
            let place = [&at[..], std::slice::from_ref(&name)].concat();
            let below = folder.join(&name);
            match child.content {
                Some((_, items)) => self.add(place, items, &below),
                None => {
                    let files = [folder.join(format!("{name}.rs")), below.join("mod.rs")];
                    let file = files.iter().find(|file| file.exists()).unwrap();
                    self.read(place, file, &below);
                }
            }
        }
        self.0.insert(at, module);
    }

    fn edges(&self) -> Edges {
        let mut edges = Edges::new();
        for (at, module) in &self.0 {
            let named = module.paths.iter().chain(module.names.values());
            for path in named.chain(&module.globs) {
                edges.extend(self.resolve(at, path, 0).map(|used| (at.clone(), used)));
            }
        }
        edges
    }

    /// The module that has what a path names; nothing for another crate, or a name of a function's own.
    fn resolve(&self, from: &Place, path: &[String], so_far: usize) -> Option<Place> {
        let (first, rest) = path.split_first()?;
        let step = |place: Place| self.below(place, rest, so_far);
        match &first[..] {
            "crate" => step(Vec::new()),
            "self" => step(from.clone()),
            "super" => {
                let (_, parent) = from.split_last()?;
                match rest.first().is_some_and(|next| next == "super") {
                    true => self.resolve(&parent.to_vec(), rest, so_far),
                    false => step(parent.to_vec()),
                }
            }
            _ => self.find(from, first, rest, so_far),
        }
    }

    fn below(&self, place: Place, path: &[String], so_far: usize) -> Option<Place> {
        match path.split_first() {
            None => Some(place),
            Some((first, rest)) => self.find(&place, first, rest, so_far).or(Some(place)),
        }
    }

    /// Follows a name that is seen in a module.
    fn find(&self, at: &Place, name: &String, rest: &[String], so_far: usize) -> Option<Place> {
        // A name that comes from a path that begins with it.
        if so_far > 16 {
            return None;
        }
        let child = [&at[..], std::slice::from_ref(name)].concat();
        let module = self.0.get(at)?;
        if self.0.contains_key(&child) {
            return self.below(child, rest, so_far);
        }
        if module.items.contains(name) {
            return Some(at.clone());
        }
        let whence = match module.names.get(name) {
            Some(whence) => vec![[whence, rest].concat()],
            None => {
                let all = module.globs.iter();
                all.map(|glob| [&glob[..], std::slice::from_ref(name), rest].concat())
                    .collect()
            }
        };
        whence.iter().find_map(|path| {
            let found = self.resolve(at, path, so_far + 1)?;
            let is_there = module.names.contains_key(name)
                || [name, path.last()?]
                    .iter()
                    .any(|name| self.has(&found, name));
            is_there.then_some(found)
        })
    }

    fn has(&self, place: &Place, name: &String) -> bool {
        self.0
            .get(place)
            .is_some_and(|module| module.items.contains(name))
    }
}

impl Module {
    fn take(&mut self, tree: &UseTree, before: &[String]) {
        let and = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.take(&path.tree, &and(&path.ident)),
            UseTree::Name(name) if name.ident == "self" => {
                self.names
                    .insert(before.last().cloned().unwrap_or_default(), before.to_vec());
            }
            UseTree::Name(name) => {
                self.names.insert(name.ident.to_string(), and(&name.ident));
            }
            UseTree::Rename(name) => {
                self.names.insert(name.rename.to_string(), and(&name.ident));
            }
            UseTree::Glob(_) => self.globs.push(before.to_vec()),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.take(tree, before)),
        }
    }

    /// The paths in what a macro is given.
    fn scan(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut is_open = false;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if !is_open {
                        self.paths.push(std::mem::take(&mut path));
                    }
                    path.push(name.to_string());
                    is_open = false;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => is_open = true,
                TokenTree::Group(group) => {
                    is_open = false;
                    self.scan(group.stream());
                }
                _ => is_open = false,
            }
        }
        self.paths.push(path);
    }
}

impl Visit<'_> for Module {
    fn visit_item(&mut self, item: &Item) {
        let (name, attributes) = match item {
            Item::Const(item) => (Some(&item.ident), &item.attrs),
            Item::Enum(item) => (Some(&item.ident), &item.attrs),
            Item::Fn(item) => (Some(&item.sig.ident), &item.attrs),
            Item::Macro(item) => (item.ident.as_ref(), &item.attrs),
            Item::Static(item) => (Some(&item.ident), &item.attrs),
            Item::Struct(item) => (Some(&item.ident), &item.attrs),
            Item::Trait(item) => (Some(&item.ident), &item.attrs),
            Item::Type(item) => (Some(&item.ident), &item.attrs),
            Item::Impl(item) => (None, &item.attrs),
            Item::Mod(item) => (None, &item.attrs),
            Item::Use(item) => (None, &item.attrs),
            _ => return,
        };
        if !is_for_tests(attributes) {
            self.items.extend(name.map(ToString::to_string));
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &ItemMod) {
        self.inline.push(item.clone());
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        self.take(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let segments = path.segments.iter().map(|one| one.ident.to_string());
        self.paths.push(segments.collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &syn::Macro) {
        self.scan(item.tokens.clone());
        visit::visit_macro(self, item);
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|one| {
        let list = one.meta.require_list();
        one.path().is_ident("cfg") && list.is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

/// Siblings that use each other in a circle, each with all that is inside it.
fn circles(edges: &Edges) -> Vec<String> {
    let mut levels: BTreeMap<&[String], BTreeSet<(&str, &str)>> = BTreeMap::new();
    for (user, used) in edges {
        let same = user.iter().zip(used).take_while(|(a, b)| a == b).count();
        if let (Some(ours), Some(theirs)) = (user.get(same), used.get(same)) {
            levels
                .entry(&user[..same])
                .or_default()
                .insert((ours, theirs));
        }
    }
    let mut found = Vec::new();
    for (parent, mut level) in levels {
        // What uses nothing that is left, or is used by nothing that is left, is in no circle.
        loop {
            let users: BTreeSet<&str> = level.iter().map(|edge| edge.0).collect();
            let used: BTreeSet<&str> = level.iter().map(|edge| edge.1).collect();
            let before = level.len();
            level.retain(|(a, b)| used.contains(a) && users.contains(b));
            if level.len() == before {
                break;
            }
        }
        let members: BTreeSet<&str> = level.iter().map(|edge| edge.0).collect();
        if !members.is_empty() {
            let place = [&["crate".to_owned()], parent].concat().join("::");
            let names: Vec<&str> = members.into_iter().collect();
            found.push(format!("{place}: {}", names.join(", ")));
        }
    }
    found
}
