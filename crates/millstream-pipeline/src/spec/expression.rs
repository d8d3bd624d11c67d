//! Expressions over the fields of an item, in the Common Expression Language.

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    str::FromStr,
    sync::{Arc, LazyLock},
};

use cel::{
    Context, Env, Program, Value as Cel,
    common::{
        types::{
            CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt,
        },
        value::{CowVal, Val},
    },
    context::VariableResolver,
    objects::Key,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Number, Value};

/// The whole item, under this name.
const WHOLE: &str = "it";

/// The functions of the language.
static STANDARD: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// An expression in the Common Expression Language, such as
/// `status >= 500 && path.startsWith('/api')`.
///
/// The fields of an item are its variables, and `it` is the whole item. An expression has no side
/// effects and always ends. A clone is the same one.
///
/// ```
/// use millstream_pipeline::Expression;
/// use serde_json::json;
///
/// let is_slow: Expression = "ms > 100.0 && path.startsWith('/api')".parse()?;
/// assert_eq!(is_slow.holds(&json!({ "path": "/api/users", "ms": 250 })), Ok(true));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone)]
pub struct Expression(Arc<Parts>);

struct Parts {
    text: String,
    program: Program,
}

impl Expression {
    /// What it makes of an item.
    ///
    /// # Errors
    ///
    /// A field is missing, an operator is not defined for the type of one, or a number is out of
    /// range.
    pub fn evaluate(&self, item: &Value) -> Result<Value, String> {
        self.execute(item).and_then(to_json).map_err(|why| self.says(&why))
    }

    /// Whether it holds for an item.
    ///
    /// # Errors
    ///
    /// As [`evaluate`](Self::evaluate), and if it gives anything but true or false.
    pub fn holds(&self, item: &Value) -> Result<bool, String> {
        match self.execute(item).map_err(|why| self.says(&why))? {
            Cel::Bool(holds) => Ok(holds),
            other => {
                let other = to_json(other).map_err(|why| self.says(&why))?;
                Err(self.says(&format!("gives {other} and not true or false")))
            }
        }
    }

    fn execute(&self, item: &Value) -> Result<Cel, String> {
        let fields = Fields(item);
        let mut context = Context::with_env(Arc::clone(&STANDARD));
        context.set_variable_resolver(&fields);
        self.0.program.execute(&context).map_err(|error| error.to_string())
    }

    fn says(&self, why: &str) -> String {
        format!("`{}`: {why}", self.text())
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }
}

impl FromStr for Expression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let program = Program::compile(text).map_err(|errors| {
            let first = errors.errors.first();
            first.map_or_else(
                || "is not an expression".to_owned(),
                |error| format!("at character {}: {}", error.pos.1, error.msg),
            )
        })?;
        Ok(Self(Arc::new(Parts { text: text.to_owned(), program })))
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.0.text).finish()
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse()
            .map_err(|why| D::Error::custom(format!("the expression `{text}` is wrong {why}")))
    }
}

impl JsonSchema for Expression {
    fn schema_name() -> Cow<'static, str> {
        "Expression".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An expression in the Common Expression Language over the fields of an item; `it` is the whole item.",
            "type": "string",
            "examples": ["status >= 500 && path.startsWith('/api')"],
        })
    }
}

/// The fields of an item as variables, converted when they are looked at.
struct Fields<'a>(&'a Value);

impl VariableResolver for Fields<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let field = match self.0 {
            Value::Object(fields) => fields.get(variable),
            _ => None,
        };
        let value = field.or((variable == WHOLE).then_some(self.0))?;
        Some(CowVal::Owned(to_cel(value)))
    }
}

/// A value as the language sees it. Texts are borrowed.
fn to_cel<'v>(value: &'v Value) -> Box<dyn Val + 'v> {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(value) => Box::new(CelBool::from(*value)),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Box::new(CelInt::from(number)),
            (None, Some(number)) => Box::new(CelUInt::from(number)),
            (None, None) => Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
        },
        Value::String(text) => Box::new(CelString::from(text.as_str())),
        Value::Array(items) => {
            Box::new(CelList::from(items.iter().map(to_cel).collect::<Vec<_>>()))
        }
        Value::Object(fields) => {
            let entries =
                fields.iter().map(|(name, value)| (CelMapKey::from(name.as_str()), to_cel(value)));
            Box::new(CelMap::from(entries.collect::<HashMap<_, _>>()))
        }
    }
}

fn to_json(value: Cel) -> Result<Value, String> {
    Ok(match value {
        Cel::Null => Value::Null,
        Cel::Bool(value) => value.into(),
        Cel::Int(number) => number.into(),
        Cel::UInt(number) => number.into(),
        Cel::Float(number) => Number::from_f64(number)
            .ok_or_else(|| format!("gives {number}, which JSON has no number for"))?
            .into(),
        Cel::String(text) => Arc::unwrap_or_clone(text).into(),
        Cel::List(items) => {
            let items = Arc::unwrap_or_clone(items).into_iter();
            Value::Array(items.map(to_json).collect::<Result<_, _>>()?)
        }
        Cel::Map(map) => {
            // In the order of names, because that of a hash map is another one each time.
            let fields = map.map.iter().map(|(key, value)| {
                let name = match key {
                    Key::String(name) => name.as_str().to_owned(),
                    Key::Int(number) => number.to_string(),
                    Key::Uint(number) => number.to_string(),
                    Key::Bool(value) => value.to_string(),
                };
                Ok::<_, String>((name, to_json(value.clone())?))
            });
            Value::Object(fields.collect::<Result<_, _>>()?)
        }
        other => return Err(format!("gives a {}, which is not JSON", other.type_of())),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Expression;

    fn on(text: &str) -> Result<serde_json::Value, String> {
        let item = json!({
            "status": 503, "path": "/api/x", "ms": 12.5, "tags": ["a", "b"],
            "more": { "deep": 1 }, "none": null, "big": u64::MAX,
        });
        text.parse::<Expression>()?.evaluate(&item)
    }

    #[test]
    fn fields_are_variables_and_it_is_the_whole() {
        assert_eq!(on("status + 1"), Ok(json!(504)));
        assert_eq!(on("ms > 10 && path.startsWith('/api')"), Ok(json!(true)));
        assert_eq!(on("tags[1] + '!'"), Ok(json!("b!")));
        assert_eq!(on("more.deep"), Ok(json!(1)));
        assert_eq!(on("it.more.deep"), Ok(json!(1)));
        assert_eq!(on("has(it.missing)"), Ok(json!(false)));
        assert_eq!(on("none == null"), Ok(json!(true)));
        assert_eq!(on("big"), Ok(json!(u64::MAX)));
        assert_eq!(on("path.matches('^/a')"), Ok(json!(true)));
        assert_eq!(
            on("{'path': path, 'slow': ms / 2.0, 'tags': tags, 'more': more}"),
            Ok(
                json!({ "path": "/api/x", "slow": 6.25, "tags": ["a", "b"], "more": { "deep": 1 } })
            ),
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_the_expression() {
        let says = |text: &str, part: &str| {
            let error = on(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        says("missing > 1", "`missing > 1`: Undeclared reference");
        says("status / 0", "`status / 0`: ");
        says("status + ms", "`status + ms`: ");
        says("a > > 1", "at character 5: ");
        says("", "at character ");
        let holds = "status".parse::<Expression>().unwrap().holds(&json!({ "status": 1 }));
        assert_eq!(holds, Err("`status`: gives 1 and not true or false".to_owned()));
    }
}
