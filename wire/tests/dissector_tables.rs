//! The tables of the Wireshark dissector are those of this crate.
//!
//! `VESCHUB_UPDATE=1 cargo test -p veschub-wire --test dissector_tables` writes them into the dissector anew.

#![expect(clippy::panic, reason = "a test that cannot go on says so")]

use std::{collections::BTreeMap, env, error::Error, fs, path::Path};

use veschub_wire::{
    CommandId, Firmware,
    command::{
        self,
        table::{Field, Kind, Part, Rest, Shown},
    },
};

const BEGIN: &str = "-- BEGIN of the tables made from wire/src/command; to make them anew:\n\
                     -- VESCHUB_UPDATE=1 cargo test -p veschub-wire --test dissector_tables\n";
const END: &str = "-- END of the tables made from wire/src/command\n";
const WIDTH: usize = 108;

/// A Lua table, or a word of one.
enum Lua {
    Word(String),
    Table(Vec<Self>),
}

impl Lua {
    fn word(word: impl Into<String>) -> Self {
        Self::Word(word.into())
    }

    fn quoted(text: &str) -> Self {
        Self::Word(format!("{text:?}"))
    }

    fn set(key: &str, value: &Self) -> Self {
        Self::Word(format!("{key} = {}", value.inline()))
    }

    fn names(names: &[&str]) -> Self {
        Self::Table(names.iter().map(|name| Self::quoted(name)).collect())
    }

    fn inline(&self) -> String {
        match self {
            Self::Word(word) => word.clone(),
            Self::Table(items) if items.is_empty() => "{}".to_owned(),
            Self::Table(items) => {
                let items: Vec<String> = items.iter().map(Self::inline).collect();
                format!("{{ {} }}", items.join(", "))
            }
        }
    }

    /// In one line if it fits, else with as many items in each line as fit. The first line is indented by its writer.
    fn text(&self, indent: usize, used: usize) -> String {
        let inline = self.inline();
        let Self::Table(items) = self else {
            return inline;
        };
        if used + inline.len() < WIDTH {
            return inline;
        }
        let margin = " ".repeat(indent + 4);
        let mut text = "{".to_owned();
        let mut column = WIDTH;
        for item in items {
            let inline = item.inline();
            if column + inline.len() + 2 < WIDTH {
                text += " ";
                column += 1;
            } else {
                text += "\n";
                text += &margin;
                column = margin.len();
            }
            let item = item.text(indent + 4, column);
            column = match item.contains('\n') {
                true => WIDTH,
                false => column + item.len() + 1,
            };
            text += &item;
            text += ",";
        }
        text + "\n" + &" ".repeat(indent) + "}"
    }
}

/// All tables; lists of names that stand at several fields are told once.
#[derive(Default)]
struct Tables {
    names: BTreeMap<String, String>,
    /// Under what the fields are shown: `config.`, or nothing.
    within: &'static str,
}

impl Tables {
    fn field(&mut self, field: &Field) -> Lua {
        let mut items = vec![Lua::quoted(&format!("{}{}", self.within, field.name))];
        let mut kind = match field.kind {
            Kind::U8 => "u8",
            Kind::I8 => "i8",
            Kind::U16 => "u16",
            Kind::I16 => "i16",
            Kind::U32 => "u32",
            Kind::I32 => "i32",
            Kind::Scaled16 { .. } => "f16",
            Kind::Scaled32 { .. } => "f32",
            Kind::Scaled64 { .. } => "f64",
            Kind::Float => "float",
            Kind::Double => "double",
            Kind::Text => "text",
            other => panic!("a kind that the dissector does not know: {other:?}"),
        };
        let mut more = Vec::new();
        match field.shown {
            Shown::Plain | Shown::Index => {}
            Shown::Flag => kind = "flag",
            Shown::Hex => kind = "bytes",
            Shown::Hidden => more.push(Lua::word("hidden = true")),
            Shown::Secret => more.push(Lua::word("secret = true")),
            Shown::Called(name) => items = vec![Lua::quoted(name)],
            Shown::Named(names) => more.push(Lua::set("named", &Lua::names(names))),
            Shown::Coded { name, names } => {
                let list = format!("{}S", name.to_uppercase());
                more.push(Lua::set("coded", &Lua::quoted(name)));
                more.push(Lua::set("names", &Lua::word(list.clone())));
                let names = Lua::names(names);
                self.names.insert(list, names.text(0, WIDTH));
            }
            Shown::Listed { name, names } => {
                let list = format!("{}S", name.to_uppercase());
                more.push(Lua::set("listed", &Lua::quoted(name)));
                more.push(Lua::set("names", &Lua::word(list.clone())));
                let names = names
                    .iter()
                    .map(|(number, name)| Lua::set(&format!("[{number}]"), &Lua::quoted(name)));
                self.names
                    .insert(list, Lua::Table(names.collect()).text(0, WIDTH));
            }
            Shown::Bits(names) => more.push(Lua::set("bits", &Lua::names(names))),
            Shown::Version { name, .. } => more.push(Lua::set("version", &Lua::quoted(name))),
            other => panic!("a way to show a field that the dissector does not know: {other:?}"),
        }
        items.push(Lua::quoted(kind));
        if let Kind::Scaled16 { counts, units } | Kind::Scaled32 { counts, units } = field.kind {
            items.push(Lua::word(counts.to_string()));
            if units != 1 {
                items.push(Lua::word(units.to_string()));
            }
        }
        if let Kind::Scaled64 { counts } = field.kind {
            items.push(Lua::word(counts.to_string()));
        }
        if field.count != 1 {
            items.push(Lua::word(format!("count = {}", field.count)));
        }
        items.extend(more);
        Lua::Table(items)
    }

    fn part(&mut self, part: &Part) -> Lua {
        let (mut items, fields) = match part {
            Part::Field(field) => return self.field(field),
            Part::Counted {
                count,
                negative,
                fields,
            } => (
                vec![
                    Lua::set("counted", &Lua::quoted(count)),
                    Lua::set("negative", &Lua::quoted(negative)),
                ],
                fields,
            ),
            Part::Repeated { fields } => (vec![Lua::word("repeated = true")], fields),
            Part::Chosen { always, fields } => {
                (vec![Lua::word(format!("chosen = {always}"))], fields)
            }
            Part::Since { firmware, parts } => {
                let mut items = vec![Lua::set("since", &Lua::quoted(firmware))];
                items.extend(parts.iter().map(|part| self.part(part)));
                return Lua::Table(items);
            }
            Part::Tagged { tag, parts } => {
                let mut items = vec![Lua::word(format!("tag = {tag}"))];
                items.extend(parts.iter().map(|part| self.part(part)));
                return Lua::Table(items);
            }
            Part::IfLeft { least, field } => {
                let least = Lua::word(format!("if_left = {least}"));
                return Lua::Table(vec![least, self.field(field)]);
            }
            Part::Rest { name, rest } => {
                let rest = match rest {
                    Rest::Bytes => "bytes",
                    Rest::Numbers => "numbers",
                    Rest::Text => "text",
                    Rest::Line => "line",
                    Rest::Config => "config",
                    Rest::Request => "request",
                    Rest::Secret => "secret",
                    other => panic!("bytes that the dissector does not know: {other:?}"),
                };
                let rest = Lua::set("rest", &Lua::quoted(rest));
                return Lua::Table(vec![Lua::quoted(name), rest]);
            }
            other => panic!("a part that the dissector does not know: {other:?}"),
        };
        items.extend(fields.iter().map(|field| self.field(field)));
        Lua::Table(items)
    }

    fn parts(&mut self, parts: &[Part]) -> Lua {
        Lua::Table(parts.iter().map(|part| self.part(part)).collect())
    }

    fn direction(&mut self, name: &str, of: fn(CommandId) -> Option<Vec<Part>>) -> String {
        let mut text = format!("local {name} = {{\n");
        for id in CommandId::named() {
            if let Some(parts) = of(id) {
                let head = format!("    {id} = ");
                let table = self.parts(&parts).text(4, head.len());
                text += &format!("{head}{table},\n");
            }
        }
        text + "}\n"
    }
}

fn made() -> String {
    let names: Vec<&str> = CommandId::named().filter_map(CommandId::name).collect();
    let mut tables = Tables {
        within: "config.",
        ..Tables::default()
    };
    let config = tables
        .parts(&command::express_config_parts())
        .text(0, WIDTH);
    tables.within = "";
    let requests = tables.direction("REQUESTS", command::request_parts);
    let replies = tables.direction("REPLIES", command::reply_parts);
    let old = tables.direction("OLD_REPLIES", |id| Some(command::old_reply_parts(id)?.1));
    let old_lengths: Vec<String> = CommandId::named()
        .filter_map(|id| Some(format!("{id} = {}", command::old_reply_parts(id)?.0)))
        .collect();
    let lengths: Vec<String> = CommandId::named()
        .filter_map(|id| Some((id, command::known_lengths(id)?)))
        .map(|(id, lengths)| {
            let lengths: Vec<String> = lengths.iter().map(ToString::to_string).collect();
            format!("{id} = {{ {} }}", lengths.join(", "))
        })
        .collect();
    let new = Firmware::NEW_VALUES;
    let answered: Vec<Lua> = CommandId::named()
        .filter_map(|id| match command::answered_as(id) {
            Some(reply) if reply == id => None,
            Some(reply) => Some(Lua::word(format!("{id} = {:?}", reply.to_string()))),
            None => Some(Lua::word(format!("{id} = \"\""))),
        })
        .collect();
    let lists = tables.names.iter();
    let lists: String = lists
        .map(|(name, list)| format!("local {name} = {list}\n"))
        .collect();
    format!(
        "-- The lengths that a reply can have, where another one is laid out otherwise.\n\
         local LENGTHS = {{ {} }}\n\
         -- The length of a reply that old firmware lays out in its own way, and the first firmware that does not: major * 256 +\n\
         -- minor.\n\
         local OLD_LENGTHS = {{ {} }}\n\
         local NEW_VALUES = {}\n\
         -- The commands of the replies to those that are answered as others; an empty one is not answered.\n\
         local ANSWERED_AS = {}\n\
         -- Commands by their id, which counts from 0.\n\
         local COMMANDS = {}\n\
         -- Names by a field's value, which counts from 0.\n\
         {lists}\
         -- The config of an Express, where it has one.\n\
         local CONFIG = {config}\n\
         -- A field is its name, its type, and what its counts and units are; the other forms are told in `read_parts`.\n\
         {requests}{replies}\
         -- Replies as old firmware lays them out.\n\
         {old}",
        lengths.join(", "),
        old_lengths.join(", "),
        i32::from(new.major) * 256 + i32::from(new.minor),
        Lua::Table(answered).text(0, WIDTH),
        Lua::names(&names).text(0, WIDTH),
    )
}

#[test]
fn the_dissector_has_the_tables_of_this_crate() -> Result<(), Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures/wireshark/veschub.lua");
    let script = fs::read_to_string(&path)?;
    let (head, rest) = script.split_once(BEGIN).ok_or("no BEGIN")?;
    let (tables, foot) = rest.split_once(END).ok_or("no END")?;
    let made = made();
    if env::var_os("VESCHUB_UPDATE").is_some() {
        fs::write(&path, [head, BEGIN, &made, END, foot].concat())?;
        return Ok(());
    }
    assert!(
        tables == made,
        "{} is out of date: run this with VESCHUB_UPDATE=1",
        path.display()
    );
    Ok(())
}
