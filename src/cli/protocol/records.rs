//! Prints the tables of a protocol of stored records: kinds, containers, checks and links.

use std::fmt::{self, Write as _};

use sessionlint_core::protocol::Tables;
use sessionlint_core::protocol::records::{LinkTest, Records, Test};
use sessionlint_core::text::alternatives;

use super::rule_mark;
use crate::picture::labels::printable;

/// Writes the tables of a protocol of records, except for its rules.
pub fn write_records(out: &mut String, tables: &Tables, records: &Records) -> fmt::Result {
    write_shape(out, tables, records)?;
    writeln!(out, "\nkinds, in the order in which the name of a file is tried")?;
    for kind in &records.kinds {
        writeln!(out, "  {}", printable(&tables.events[kind.id].name))?;
        let files: Vec<_> = kind.files.iter().map(|pattern| printable(pattern.glob().glob())).collect();
        if !files.is_empty() {
            writeln!(out, "    a file named {}", alternatives(&files))?;
        }
        let telling: Vec<_> = kind.telling.iter().map(|field| printable(field)).collect();
        if !telling.is_empty() {
            writeln!(out, "    a record with {}", alternatives(&telling))?;
        }
    }
    write_containers(out, tables, records)?;
    write_checks(out, tables, records)?;
    write_links(out, tables, records)
}

/// Writes the common fields of records, and the rules for records without a kind.
fn write_shape(out: &mut String, tables: &Tables, records: &Records) -> fmt::Result {
    writeln!(out, "\nfields of records")?;
    for (name, pointer) in [("time", &tables.shape.time), ("stream", &tables.shape.stream)] {
        if let Some(pointer) = pointer {
            writeln!(out, "  {name:7} {}", printable(&pointer.to_string()))?;
        }
    }
    if records.tolerance > 0.0 {
        writeln!(out, "  times may be {} s apart", records.tolerance)?;
    }
    if let Some(event) = &records.event {
        writeln!(out, "  with an object at {} it is the event of a stream", printable(&event.to_string()))?;
    }
    writeln!(out, "  a record of a kind that nothing tells: {}", rule_mark(tables, records.unknown))
}

/// Writes the containers: how they are recognised, and which lists they have.
fn write_containers(out: &mut String, tables: &Tables, records: &Records) -> fmt::Result {
    if records.containers.is_empty() {
        return Ok(());
    }
    writeln!(out, "\ncontainers, in the order in which they are tried")?;
    for container in &records.containers {
        writeln!(out, "  {}", printable(&tables.events[container.id].name))?;
        let all = |keys: &Vec<String>| keys.iter().map(|key| printable(key)).collect::<Vec<_>>().join(" and ");
        let known: Vec<_> = container.known.iter().map(all).collect();
        writeln!(out, "    an object with {}", alternatives(&known))?;
        if container.folder {
            writeln!(out, "    or the files of a folder that are named after its lists")?;
        }
        for list in &container.lists {
            let kind =
                list.kind.map_or_else(|| "records of one kind".to_owned(), |id| printable(&tables.events[id].name));
            writeln!(out, "    {}: {kind}", printable(&list.key))?;
        }
    }
    writeln!(out, "  one that is not as its schema says: {}", rule_mark(tables, records.broken))
}

/// Writes the checks of single records.
fn write_checks(out: &mut String, tables: &Tables, records: &Records) -> fmt::Result {
    if records.checks.iter().any(|checks| !checks.is_empty()) {
        writeln!(out, "\nchecks")?;
    }
    for (kind, checks) in tables.events.iter().zip(&records.checks) {
        for check in checks {
            let field = |slot: usize| printable(&kind.slots[slot].to_string());
            let test = match &check.test {
                Test::SameAs(other) => format!("is the same as {}", field(*other)),
                Test::Below(number) => format!("is below {number}"),
                Test::Beside(other) => format!("is there beside {}", field(*other)),
                Test::NoTimeZone => "is not the name of a time zone".to_owned(),
                Test::Repeated => format!("is that of an earlier {}", printable(&kind.name)),
            };
            let (name, rule) = (printable(&kind.name), rule_mark(tables, check.rule));
            writeln!(out, "  {name} {} {test}: {rule}", field(check.slot))?;
        }
    }
    Ok(())
}

/// Writes the links between records, and the comparisons along them.
fn write_links(out: &mut String, tables: &Tables, records: &Records) -> fmt::Result {
    if records.links.iter().any(|links| !links.is_empty()) {
        writeln!(out, "\nlinks")?;
    }
    for (kind, links) in tables.events.iter().zip(&records.links) {
        for link in links {
            let other = &tables.events[link.to];
            let Some(indexed) = &records.indexed[link.to] else { continue };
            let own = |slot: usize| printable(&kind.slots[slot].to_string());
            let others = |index: usize| printable(&other.slots[indexed.slots[index]].to_string());
            let key = printable(&other.slots[indexed.key].to_string());
            writeln!(
                out,
                "  {} {} is the {key} of a {}",
                printable(&kind.name),
                own(link.slot),
                printable(&other.name)
            )?;
            if let Some(rule) = link.missing {
                writeln!(out, "    there is none, and all records are there: {}", rule_mark(tables, rule))?;
            }
            for check in &link.checks {
                let test = match check.test {
                    LinkTest::Not(index) => format!("is not its {}", others(index)),
                    LinkTest::Before(index) => format!("is before its {}", others(index)),
                    LinkTest::After(start, seconds) => {
                        format!("is after its {} and {} seconds", others(start), others(seconds))
                    }
                };
                writeln!(out, "    {} {test}: {}", own(check.slot), rule_mark(tables, check.rule))?;
            }
        }
    }
    Ok(())
}
