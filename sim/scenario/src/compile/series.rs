//! Time series in CSV files: `time_s,value`.

use std::{
    fmt,
    io::{self, Read},
    path::Path,
    time::Duration,
};

use crate::{
    error::ScenarioError,
    files::Files,
    source::{Place, Source},
};
use veschub_hub::device::bms::{Points, Series};

/// The most rows of a file.
const MAX_ROWS: usize = 1_000_000;

/// Reads the files that a device names, each once, however many devices play it; `place` is where the keys of its `set`
/// stand, and relative paths start at the folder.
pub(super) fn read_series(
    named: &[(usize, &str)],
    known: &mut Series,
    place: &Place,
    source: &Source,
    (folder, files): (&Path, &dyn Files),
) -> Result<(), ScenarioError> {
    for &(index, name) in named {
        if known.contains_key(name) {
            continue;
        }
        let points = read(files, &folder.join(name)).map_err(|error| {
            let place = place.clone().key("set").index(index).key("series");
            ScenarioError::at(source, place, error.to_string()).help(
                "a series begins with the line `time_s,value`, and rows like `0.5,12.25` follow; a relative path starts at the scenario's folder",
            )
        })?;
        known.insert(name.to_owned(), points);
    }
    Ok(())
}

/// Why a file cannot be used as a series.
#[derive(Debug, thiserror::Error)]
enum SeriesError {
    #[error("cannot open {0}: {1}")]
    Open(String, io::Error),
    #[error("cannot use {0}: {1}")]
    Use(String, Unusable),
}

/// What is wrong with a file, and in which line.
#[derive(Debug, PartialEq)]
struct Unusable {
    line: Option<u64>,
    problem: Problem,
}

#[derive(Debug, PartialEq, thiserror::Error)]
enum Problem {
    #[error("the first line is `{0}`, wanted `time_s,value`")]
    Header(String),
    #[error("there is no row")]
    NoRow,
    #[error("more than {MAX_ROWS} rows")]
    TooMany,
    #[error("the time is before the row above")]
    GoesBack,
    #[error("{0} values, wanted 2")]
    Count(usize),
    #[error("`{0}` is not a number")]
    NotANumber(String),
    #[error("`{0}` is not a finite number")]
    NotFinite(String),
    #[error("`{0}` is not a time from 0 on")]
    NotATime(String),
    #[error("{0}")]
    Csv(String),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.problem),
            None => write!(f, "{}", self.problem),
        }
    }
}

impl From<Problem> for Unusable {
    fn from(problem: Problem) -> Self {
        let line = None;
        Self { line, problem }
    }
}

impl From<csv::Error> for Unusable {
    fn from(error: csv::Error) -> Self {
        Problem::Csv(error.to_string()).into()
    }
}

fn read(files: &dyn Files, path: &Path) -> Result<Points, SeriesError> {
    let shown = || path.display().to_string();
    let file = files
        .open(path)
        .map_err(|error| SeriesError::Open(shown(), error))?;
    let points = read_points(file).map_err(|why| SeriesError::Use(shown(), why))?;
    Ok(points.into())
}

fn read_points(file: impl Read) -> Result<Vec<(Duration, f64)>, Unusable> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(file);
    let header = reader.headers()?;
    if header != vec!["time_s", "value"] {
        let found = header.iter().collect::<Vec<_>>().join(",");
        return Err(Problem::Header(short(&found)).into());
    }
    let mut points: Vec<(Duration, f64)> = Vec::new();
    for row in reader.records() {
        let row = row?;
        let line = row.position().map(csv::Position::line);
        let wrong = |problem| Unusable { line, problem };
        let point = point(&row).map_err(wrong)?;
        if points.last().is_some_and(|(before, _)| *before > point.0) {
            return Err(wrong(Problem::GoesBack));
        }
        if points.len() == MAX_ROWS {
            return Err(wrong(Problem::TooMany));
        }
        points.push(point);
    }
    match points.is_empty() {
        true => Err(Problem::NoRow.into()),
        false => Ok(points),
    }
}

fn point(row: &csv::StringRecord) -> Result<(Duration, f64), Problem> {
    let (Some(time_s), Some(value), 2) = (row.get(0), row.get(1), row.len()) else {
        return Err(Problem::Count(row.len()));
    };
    let at = Duration::try_from_secs_f64(number(time_s)?)
        .map_err(|_| Problem::NotATime(short(time_s)))?;
    Ok((at, number(value)?))
}

fn number(text: &str) -> Result<f64, Problem> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        Ok(_) => Err(Problem::NotFinite(text.to_owned())),
        Err(_) => Err(Problem::NotANumber(short(text))),
    }
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
            let error = read_points(text.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), why, "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let error = read_points(&b"time_s,value\n0,\xFF\n"[..]).unwrap_err();
        assert!(error.to_string().contains("UTF-8"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read(&crate::files::NoFiles, Path::new("no/such.csv"))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("cannot open no/such.csv: "), "{error}");
    }
}
