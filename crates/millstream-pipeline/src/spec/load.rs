//! Reads a pipeline's file, and says what is wrong with one where it is wrong.

use std::{collections::HashMap, error, fmt};

use serde_json::Value;
use serde_saphyr::Location;

use super::{Spec, StageSpec, network, secrets::Secrets};

/// What is wrong with a pipeline's file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSpec {
    message: String,
    place: Option<Place>,
    /// What was probably meant.
    nearest: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    line: u64,
    column: u64,
    /// The line of the file.
    text: String,
}

impl InvalidSpec {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None, nearest: None }
    }

    fn at(mut self, text: &str, location: Location) -> Self {
        let (line, column) = (location.line(), location.column());
        let index = usize::try_from(line).ok().and_then(|line| line.checked_sub(1));
        if let Some(text) = index.and_then(|index| text.lines().nth(index)) {
            self.place = Some(Place { line, column, text: text.to_owned() });
        }
        self
    }

    /// The line, counted from 1, and the column in it; none if it is about no place in the file.
    #[must_use]
    pub fn location(&self) -> Option<(u64, u64)> {
        self.place.as_ref().map(|place| (place.line, place.column))
    }

    /// The name that was probably meant.
    #[must_use]
    pub fn nearest(&self) -> Option<&str> {
        self.nearest.as_deref()
    }

    /// What is wrong with the file of this name, with the line in question.
    #[must_use]
    pub fn in_file(&self, name: &str) -> String {
        let meant = self.nearest.as_ref();
        let meant = meant.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
        let Self { message, .. } = self;
        let Some(Place { line, column, text }) = &self.place else {
            return format!("{name}: {message}{meant}");
        };
        let margin = " ".repeat(line.to_string().len());
        let indent = " ".repeat(usize::try_from(column.saturating_sub(1)).unwrap_or(0));
        format!(
            "{name}:{line}:{column}: {message}{meant}\n{margin} |\n{line} | {text}\n{margin} | {indent}^"
        )
    }
}

impl fmt::Display for InvalidSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_file("the pipeline"))
    }
}

impl error::Error for InvalidSpec {}

/// The name that is most like `name`, if one is.
#[must_use]
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

impl Spec {
    /// Reads a file's text. `${NAME}` in a value stands for the environment variable of that name,
    /// `${NAME:-default}` for its value or a default.
    ///
    /// # Errors
    ///
    /// What is wrong, where, and what was probably meant.
    pub fn from_yaml(text: &str) -> Result<Self, InvalidSpec> {
        Self::with_variables(text, std::env::vars())
    }

    /// [`from_yaml`](Self::from_yaml) with other variables than those of the environment.
    ///
    /// # Errors
    ///
    /// As [`from_yaml`](Self::from_yaml).
    pub fn with_variables(
        text: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, InvalidSpec> {
        let variables = variables.into_iter().collect();
        let secrets = Secrets::of(text, &variables);
        let mut spec: Self = read(text, variables)?;
        spec.secrets = secrets;
        spec.check(text)?;
        Ok(spec)
    }

    /// [`from_yaml`](Self::from_yaml), with some values replaced: `source.generate.rate=500`,
    /// `stages.0.rate.burst=5`.
    ///
    /// # Errors
    ///
    /// As [`from_yaml`](Self::from_yaml); of a replaced value without a place.
    pub fn with_overrides(text: &str, overrides: &[String]) -> Result<Self, InvalidSpec> {
        let spec = Self::from_yaml(text);
        if overrides.is_empty() {
            return spec;
        }
        let variables: HashMap<_, _> = std::env::vars().collect();
        let secrets = Secrets::of(text, &variables);
        let mut whole: Value = read(text, variables)?;
        for change in overrides {
            replace(&mut whole, change)?;
        }
        // JSON is YAML. Variables have been put in.
        let text = serde_json::to_string_pretty(&whole)
            .map_err(|error| InvalidSpec::new(error.to_string()))?;
        let result = read::<Self>(&text, HashMap::new()).and_then(|mut changed| {
            changed.secrets = secrets.clone();
            changed.check(&text).map(|()| changed)
        });
        result.map_err(|error| {
            // It is wrong without them in the same way: the place in the file says more.
            if let Err(of_file) = &spec
                && of_file.message == error.message
            {
                return of_file.clone();
            }
            let message = format!("with --set {}: {}", overrides.join(" --set "), error.message);
            // Here nobody else knows which values stood for variables.
            InvalidSpec { message: secrets.scrub(&message), place: None, nearest: error.nearest }
        })
    }

    /// Checks what concerns several places.
    fn check(&self, text: &str) -> Result<(), InvalidSpec> {
        let queues = &self.backpressure.queues;
        let known: Vec<_> = queues.keys().map(String::as_str).collect();
        let mut used = Vec::new();
        for (name, place) in self.stages.iter().flat_map(queues_of) {
            let wrong = |message: String| {
                let error = InvalidSpec::new(message);
                match place {
                    Some(place) => error.at(text, place),
                    None => error,
                }
            };
            if !queues.contains_key(name) {
                let known_ones = one_of(&known);
                let message =
                    format!("there is no queue `{name}` in backpressure.queues{known_ones}");
                let nearest = nearest(name, known).map(str::to_owned);
                return Err(InvalidSpec { nearest, ..wrong(message) });
            }
            if used.contains(&name) {
                return Err(wrong(format!("the queue `{name}` is a stage already")));
            }
            used.push(name);
        }
        if let Some(name) = known.iter().find(|name| !used.contains(name)) {
            let message = format!(
                "no stage uses the queue `{name}` of backpressure.queues: add `- queue: {name}`"
            );
            return Err(InvalidSpec::new(message));
        }
        Ok(())
    }
}

/// The queues that a stage names, and where it does, if that is known.
fn queues_of(stage: &StageSpec) -> Vec<(&str, Option<Location>)> {
    match stage {
        StageSpec::Queue(name) => vec![(&name.value, Some(name.referenced))],
        StageSpec::Lanes(spec) => spec.lanes.keys().map(|name| (name.as_str(), None)).collect(),
        _ => Vec::new(),
    }
}

fn one_of(names: &[&str]) -> String {
    if names.is_empty() { String::new() } else { format!(", which has {}", names.join(", ")) }
}

fn read<T: serde::de::DeserializeOwned>(
    text: &str,
    variables: HashMap<String, String>,
) -> Result<T, InvalidSpec> {
    let options = serde_saphyr::options! { with_snippet: false }.with_properties(variables);
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let full = error.without_snippet().to_string();
        let location = error.location();
        let message = location.map_or(full.as_str(), |location| {
            let place = format!(" at line {}, column {}", location.line(), location.column());
            full.strip_suffix(&place).unwrap_or(&full)
        });
        // Serde's word for a name of a list.
        let mut invalid = InvalidSpec::new(message.replace("unknown variant", "unknown name"));
        match unknown(message).and_then(network::left_out) {
            Some(why) => invalid.message += &why,
            None => invalid.nearest = meant(message),
        }
        match location {
            Some(location) => invalid.at(text, location),
            None => invalid,
        }
    })
}

/// What was meant by an unknown name, from a message such as ``unknown field `stgaes`, expected one
/// of `name`, `stages` ``.
fn meant(message: &str) -> Option<String> {
    let name = unknown(message)?;
    let (_, names) = message.split_once("expected ")?;
    let names = names.trim_start_matches("one of ").split([',', ' ']);
    let names = names.map(|name| name.trim_matches('`')).filter(|name| !name.is_empty());
    nearest(name, names).map(str::to_owned)
}

/// The name that is unknown.
fn unknown(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("unknown ")?;
    let (_, rest) = rest.split_once('`')?;
    rest.split_once('`').map(|(name, _)| name)
}

/// Replaces one value: `a.b.0.c=value`, where the value is YAML.
fn replace(whole: &mut Value, change: &str) -> Result<(), InvalidSpec> {
    let wrong = |why: &str| InvalidSpec::new(format!("--set {change}: {why}"));
    let (path, value) = change.split_once('=').ok_or_else(|| wrong("write key=value"))?;
    let value: Value = serde_saphyr::from_str(value)
        .map_err(|error| wrong(&error.without_snippet().to_string()))?;
    let mut place = whole;
    for name in path.split('.') {
        place = match place {
            Value::Array(items) => {
                let n = items.len();
                let index = name.parse::<usize>().ok().filter(|index| *index < n);
                let index =
                    index.ok_or_else(|| wrong(&format!("`{name}` is no number below {n}")))?;
                &mut items[index]
            }
            Value::Object(fields) => fields.entry(name).or_insert(Value::Null),
            Value::Null => {
                *place = Value::Object(serde_json::Map::new());
                place
                    .as_object_mut()
                    .expect("it was just made one")
                    .entry(name)
                    .or_insert(Value::Null)
            }
            _ => return Err(wrong(&format!("`{name}` is below a value that has no parts"))),
        };
    }
    *place = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{InvalidSpec, Spec};

    const GOOD: &str = "\
source:
  file: { path: in.jsonl }
stages:
  - parse: json
  - filter: status >= 500
  - queue: hand_over
sink:
  stdout: {}
backpressure:
  queues:
    hand_over: { size: 100, strategy: drop_oldest }
";

    fn wrong(from: &str, to: &str) -> InvalidSpec {
        assert!(GOOD.contains(from), "{from}");
        let text = GOOD.replacen(from, to, 1);
        Spec::with_variables(&text, []).expect_err(&text)
    }

    fn says(from: &str, to: &str, location: (u64, u64), part: &str) -> InvalidSpec {
        let error = wrong(from, to);
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(error.location(), Some(location), "{error}");
        error
    }

    #[test]
    fn a_good_file_is_read() {
        let spec = Spec::with_variables(GOOD, []).unwrap();

        assert_eq!(spec.name, "pipeline");
        assert_eq!(spec.stages.len(), 3);
        assert_eq!(spec.backpressure.queues["hand_over"].size.get(), 100);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_what_was_meant() {
        let error = says("filter:", "fliter:", (5, 5), "unknown name `fliter`");
        assert_eq!(error.nearest(), Some("filter"));
        let error = says("stages:", "stgaes:", (3, 1), "unknown field `stgaes`");
        assert_eq!(error.nearest(), Some("stages"));
        let error = says("parse: json", "parse: jsn", (4, 5), "unknown name `jsn`");
        assert_eq!(error.nearest(), Some("json"));
        let error =
            says("queue: hand_over", "queue: handover", (6, 12), "there is no queue `handover`");
        assert_eq!(error.nearest(), Some("hand_over"));
        let error = says("path: in.jsonl", "pth: in.jsonl", (2, 11), "unknown field `pth`");
        assert_eq!(error.nearest(), Some("path"));
        says("status >= 500", "status > > 500", (5, 13), "is wrong at character 10");
        says("size: 100", "size: 0", (11, 18), "nonzero");
        says("size: 100", "low_watermark: 0.9", (11, 16), "low_watermark is 0.9, but has to be");
        wrong("queue: hand_over", "rate: { rate: 1, burst: 1000000000000000 }");
        wrong("queue: hand_over", "spill: { directory: d, memory: 99999999 }");
        says("size: 100", "timeout: 5", (11, 27), "5 has no unit");
        says("size: 100", "high_watermark: 1.5", (11, 18), "a number from 0 to 1");
        says("{ path: in.jsonl }", "\n    path: ${NO_SUCH}", (3, 11), "NO_SUCH");
        assert!(
            wrong("  - queue: hand_over\n", "").to_string().contains("no stage uses the queue")
        );
    }

    #[test]
    fn an_error_shows_the_line() {
        let text = wrong("filter:", "fliter:").in_file("flow.yaml");

        assert!(text.starts_with("flow.yaml:5:5: unknown name `fliter`"), "{text}");
        assert!(text.contains("; did you mean `filter`?\n"), "{text}");
        assert!(text.ends_with("\n5 |   - fliter: status >= 500\n  |     ^"), "{text}");
    }

    #[test]
    fn variables_stand_for_values_and_are_not_shown() {
        let block = "hand_over:\n      size: ${SIZE}";
        let text = GOOD
            .replace("hand_over: { size: 100, strategy: drop_oldest }", block)
            .replace("{ path: in.jsonl }", "\n    path: ${IN:-a.log}");
        let read = |size: &str| Spec::with_variables(&text, [("SIZE".to_owned(), size.to_owned())]);

        let spec = read("7").unwrap();
        assert_eq!(spec.backpressure.queues["hand_over"].size.get(), 7);
        let crate::SourceSpec::File(file) = &spec.source else { panic!("{spec:?}") };
        assert_eq!(file.path.to_str(), Some("a.log"));
        let error = read("hunter2").unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");

        // Nor where an expression has one.
        let text = GOOD.replace("status >= 500", "token == '${TOKEN}'");
        let token = ("TOKEN".to_owned(), "hunter2".to_owned());
        let spec = Spec::with_variables(&text, [token]).unwrap();
        let described = crate::Pipeline::new(spec).describe();
        assert!(described.contains("filter token == '${TOKEN}'"), "{described}");
    }

    #[test]
    fn values_are_replaced_by_path() {
        let set = |change: &str| Spec::with_overrides(GOOD, &[change.to_owned()]);

        let spec = set("backpressure.queues.hand_over.size=5").unwrap();
        assert_eq!(spec.backpressure.queues["hand_over"].size.get(), 5);
        assert_eq!(set("monitoring.alert_thresholds.drop_rate=0.5").unwrap().stages.len(), 3);
        let says = |change: &str, part: &str| {
            let error = set(change).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        says("nonsense", "write key=value");
        says("stages.9.filter=a", "`9` is no number below 3");
        says("source.file.path.x=1", "below a value that has no parts");
        says("nmae=x", "did you mean `name`?");
        says("backpressure.queues.hand_over.size=-1", "with --set");
    }
}
