//! Levels of pressure: who is under how much, and what follows from it.

mod controller;
mod curve;
mod finder;
mod forecast;
mod tree;

pub use self::{
    controller::{Controller, ControllerConfig, ControllerSnapshot, Decision, LoadLevel},
    curve::Curve,
    finder::{PressureFinder, Stage, StageReport, Visit},
    forecast::{Forecast, ForecastConfig, ForecastMethod, ForecastSnapshot},
    tree::{LevelConfig, LevelReading, PressureTree, TreeConfig, UnknownLevel},
};
