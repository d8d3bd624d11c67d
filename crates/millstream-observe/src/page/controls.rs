//! `Controls`: what a program lets those who look at its page change.

use std::{fmt, sync::Arc};

use serde::Serialize;

type Apply = dyn Fn(f64) -> Result<(), String> + Send + Sync;

/// Inputs of a program's own on its page: buttons and sliders, each with what it does.
///
/// ```
/// use millstream_observe::page::Controls;
///
/// let controls = Controls::new()
///     .button("break", "Break the bank", || Ok(()))
///     .slider("rate", "Orders a second", (0.0, 500.0), 100.0, |rate| {
///         println!("{rate} from now on");
///         Ok(())
///     });
/// ```
#[derive(Clone, Default)]
pub struct Controls(Vec<Entry>);

#[derive(Clone)]
struct Entry {
    control: Control,
    apply: Arc<Apply>,
}

/// A button or slider.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Control {
    /// Does something.
    Button {
        /// By which it is called.
        id: String,
        /// What it says.
        label: String,
    },
    /// Sets a number.
    Slider {
        /// By which it is called.
        id: String,
        /// What it says.
        label: String,
        /// The least.
        min: f64,
        /// The most.
        max: f64,
        /// Where it stands at first.
        value: f64,
    },
}

impl Controls {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A button that calls `press`, on a thread for work that may block. What it fails with is
    /// shown. One with the same `id` is replaced.
    #[must_use]
    pub fn button(
        self,
        id: &str,
        label: &str,
        press: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        let control = Control::Button { id: id.to_owned(), label: label.to_owned() };
        self.with(Entry { control, apply: Arc::new(move |_| press()) })
    }

    /// A slider that calls `set` with a number of `range`, on a thread for work that may block.
    /// What it fails with is shown. One with the same `id` is replaced.
    #[must_use]
    pub fn slider(
        self,
        id: &str,
        label: &str,
        range: (f64, f64),
        value: f64,
        set: impl Fn(f64) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        let (id, label, (min, max)) = (id.to_owned(), label.to_owned(), range);
        let control = Control::Slider { id, label, min, max, value };
        self.with(Entry { control, apply: Arc::new(set) })
    }

    fn with(mut self, entry: Entry) -> Self {
        self.0.retain(|other| other.control.id() != entry.control.id());
        self.0.push(entry);
        self
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What there is.
    pub fn iter(&self) -> impl Iterator<Item = &Control> {
        self.0.iter().map(|entry| &entry.control)
    }

    /// What to call for this input; an error in words for the caller.
    pub(super) fn find(
        &self,
        id: &str,
        value: Option<f64>,
    ) -> Result<impl FnOnce() -> Result<(), String> + Send + 'static, String> {
        let entry = self.0.iter().find(|entry| entry.control.id() == id);
        let entry = entry.ok_or_else(|| format!("there is no control {id:?}"))?;
        let value = match (&entry.control, value) {
            (Control::Button { .. }, None) => 0.0,
            (Control::Button { .. }, Some(_)) => return Err("a button takes no value".to_owned()),
            (Control::Slider { min, max, .. }, Some(value)) if (*min..=*max).contains(&value) => {
                value
            }
            (Control::Slider { min, max, .. }, _) => {
                return Err(format!("a value from {min} to {max} is needed"));
            }
        };
        let apply = Arc::clone(&entry.apply);
        Ok(move || apply(value))
    }
}

impl Control {
    /// By which it is called.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Button { id, .. } | Self::Slider { id, .. } => id,
        }
    }
}

impl fmt::Debug for Controls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
