//! Time series in CSV files: `time_s,value`.

use std::{fs::File, io::Read, path::Path, time::Duration};

use crate::{
    error::ScenarioError,
    source::{Place, Source},
};
use veschub_hub::device::bms::{BmsSettings, Points, Series};

/// The most rows of a file.
const MAX_ROWS: usize = 1_000_000;

/// Reads the files that a pack names, each once, however many devices play it; `place` is where the pack's keys
/// stand, and relative paths start at the folder.
pub(super) fn read_series(
    bms: &BmsSettings,
    known: &mut Series,
    place: &Place,
    source: &Source,
    folder: &Path,
) -> Result<(), ScenarioError> {
    for (index, value) in bms.set.iter().enumerate() {
        let Some(name) = value
            .series
            .as_ref()
            .filter(|name| !known.contains_key(*name))
        else {
            continue;
        };
        let points = read(&folder.join(name)).map_err(|message| {
            let place = place.clone().key("set").index(index).key("series");
            source.error_at(place, message).help(
                "a series begins with the line `time_s,value`, and rows like `0.5,12.25` follow; a relative path starts at the scenario's folder",
            )
        })?;
        known.insert(name.clone(), points);
    }
    Ok(())
}

/// The series in a file, or what is wrong with it, in words.
fn read(path: &Path) -> Result<Points, String> {
    let shown = path.display();
    let file = File::open(path).map_err(|error| format!("cannot open {shown}: {error}"))?;
    let points = read_points(file).map_err(|why| format!("cannot use {shown}: {why}"))?;
    Ok(points.into())
}

fn read_points(file: impl Read) -> Result<Vec<(Duration, f64)>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(file);
    let header = reader.headers().map_err(|error| error.to_string())?;
    if header != vec!["time_s", "value"] {
        let found = header.iter().collect::<Vec<_>>().join(",");
        return Err(format!(
            "the first line is `{}`, wanted `time_s,value`",
            short(&found)
        ));
    }
    let mut points: Vec<(Duration, f64)> = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| error.to_string())?;
        let line = row.position().map_or(0, csv::Position::line);
        let point = point(&row).map_err(|why| format!("line {line}: {why}"))?;
        if points.last().is_some_and(|(before, _)| *before > point.0) {
            return Err(format!("line {line}: the time is before the row above"));
        }
        if points.len() == MAX_ROWS {
            return Err(format!("line {line}: more than {MAX_ROWS} rows"));
        }
        points.push(point);
    }
    if points.is_empty() {
        return Err("there is no row".to_owned());
    }
    Ok(points)
}

fn point(row: &csv::StringRecord) -> Result<(Duration, f64), String> {
    let (Some(time_s), Some(value), 2) = (row.get(0), row.get(1), row.len()) else {
        return Err(format!("{} values, wanted 2", row.len()));
    };
    let at = Duration::try_from_secs_f64(number(time_s)?)
        .map_err(|_| format!("`{}` is not a time from 0 on", short(time_s)))?;
    Ok((at, number(value)?))
}

fn number(text: &str) -> Result<f64, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| format!("`{}` is not a number", short(text)))?;
    if !number.is_finite() {
        return Err(format!("`{text}` is not a finite number"));
    }
    Ok(number)
}

/// What a message quotes of a file that may be anything.
fn short(text: &str) -> String {
    let mut shown: String = text.chars().take(40).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(at: f64) -> Duration {
        Duration::from_secs_f64(at)
    }

    #[test]
    fn rows_become_points() {
        let text = "time_s, value\n0, 1.5\n0.25,-3e1\n0.25,7\n";
        let points = vec![
            (seconds(0.0), 1.5),
            (seconds(0.25), -30.0),
            (seconds(0.25), 7.0),
        ];
        assert_eq!(read_points(text.as_bytes()), Ok(points));
    }

    #[test]
    fn what_is_not_a_series_says_where_and_why() {
        for (text, why) in [
            ("", "the first line is ``, wanted `time_s,value`"),
            (
                "a,b\n1,2\n",
                "the first line is `a,b`, wanted `time_s,value`",
            ),
            ("time_s,value\n", "there is no row"),
            (
                "time_s,value\n0,1\n1,fast\n",
                "line 3: `fast` is not a number",
            ),
            ("time_s,value\n0,1\n1\n", "line 3: 1 values, wanted 2"),
            ("time_s,value\n0,1,2\n", "line 2: 3 values, wanted 2"),
            (
                "time_s,value\n1,1\n0.5,2\n",
                "line 3: the time is before the row above",
            ),
            (
                "time_s,value\n-1,1\n",
                "line 2: `-1` is not a time from 0 on",
            ),
            (
                "time_s,value\n0,NaN\n",
                "line 2: `NaN` is not a finite number",
            ),
        ] {
            assert_eq!(
                read_points(text.as_bytes()),
                Err(why.to_owned()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let error = read_points(&b"time_s,value\n0,\xFF\n"[..]).unwrap_err();
        assert!(error.contains("UTF-8"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read(Path::new("no/such.csv")).unwrap_err();
        assert!(error.starts_with("cannot open no/such.csv: "), "{error}");
    }
}
