//! The examples of millstream; see `access_log/main.rs`.
